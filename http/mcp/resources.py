"""The resources: sessions and their diffs, by addresses that a client may keep.

They are read as `GET /api/sessions/:sessionId` and `…/diff` are, by the same caller.
"""

from __future__ import annotations

import re
from typing import Any, Final

from command_center.http.wire.mcp import RESOURCE_NOT_FOUND, RequestFailed

SESSION: Final = "command-center://sessions/{sessionId}"
DIFF: Final = "command-center://sessions/{sessionId}/diff"

_URI: Final = re.compile(r"command-center://sessions/(?P<session>[1-9][0-9]{0,17})(?P<diff>/diff)?")

TEMPLATES: Final = (
    {
        "uriTemplate": SESSION,
        "name": "session",
        "description": "A run of a task: its status, its last message, what it has used.",
        "mimeType": "application/json",
    },
    {
        "uriTemplate": DIFF,
        "name": "diff",
        "description": "What a session has changed, as git shows it.",
        "mimeType": "text/x-diff",
    },
)


def parse(uri: str) -> tuple[int, bool]:
    """Return the session that a resource is of, and whether it is its diff.

    Raises:
        RequestFailed: there is no such resource.
    """
    found = _URI.fullmatch(uri)
    if found is None:
        raise RequestFailed(
            RESOURCE_NOT_FOUND, f"There is no resource {uri[:200]!r}. Read {SESSION} or {DIFF}."
        )
    return int(found["session"]), found["diff"] is not None


def listed(sessions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the resources of these sessions, as `resources/list` tells them."""
    told = []
    for session in sessions:
        uri = SESSION.replace("{sessionId}", str(session["id"]))
        title = f"Session {session['id']} ({session['status']}): {session['prompt'][:80]}"
        told += [
            {
                "uri": uri,
                "name": f"session-{session['id']}",
                "title": title,
                "mimeType": "application/json",
            },
            {
                "uri": f"{uri}/diff",
                "name": f"session-{session['id']}-diff",
                "title": f"The diff of session {session['id']}",
                "mimeType": "text/x-diff",
            },
        ]
    return told
