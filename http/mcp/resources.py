"""The resources: sessions and their diffs, by addresses that a client may keep.

They are read as `GET /api/sessions/:sessionId` and `…/diff` are, by the same caller. So a long diff
is read piece by piece: each names the address of the next in `_meta.nextUri`.
"""

from __future__ import annotations

import re
from typing import Any, Final

import attrs

from command_center.http.wire.mcp import RESOURCE_NOT_FOUND, RequestFailed

SESSION: Final = "command-center://sessions/{sessionId}"
DIFF: Final = "command-center://sessions/{sessionId}/diff"

_URI: Final = re.compile(
    r"command-center://sessions/(?P<session>[1-9][0-9]{0,17})"
    r"(?P<diff>/diff(\?cursor=(?P<cursor>[A-Za-z0-9_-]{1,200}))?)?"
)

TEMPLATES: Final = (
    {
        "uriTemplate": SESSION,
        "name": "session",
        "description": "A run of a task: its status, its last message, what it has used.",
        "mimeType": "application/json",
    },
    {
        "uriTemplate": f"{DIFF}{{?cursor}}",
        "name": "diff",
        "description": (
            "What a session has changed, as git shows it. A long diff comes in pieces: "
            "_meta.nextUri is the address of the next one, null after the last."
        ),
        "mimeType": "text/x-diff",
    },
)


@attrs.frozen
class Resource:
    """A resource that an address names.

    Attributes:
        session_id: whose it is.
        is_diff: it is the session's diff; else the session.
        cursor: the place in the diff, None for its begin.
    """

    session_id: int
    is_diff: bool
    cursor: str | None

    def at(self, cursor: str | None) -> str | None:
        """Return the address of the piece of the diff at that place, None for no place."""
        uri = DIFF.replace("{sessionId}", str(self.session_id))
        return None if cursor is None else f"{uri}?cursor={cursor}"


def parse(uri: str) -> Resource:
    """Return the resource at an address.

    Raises:
        RequestFailed: there is no such resource.
    """
    found = _URI.fullmatch(uri)
    if found is None:
        raise RequestFailed(
            RESOURCE_NOT_FOUND, f"There is no resource {uri[:200]!r}. Read {SESSION} or {DIFF}."
        )
    return Resource(int(found["session"]), found["diff"] is not None, found["cursor"])


def listed(sessions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the resources of these sessions, as `resources/list` tells them."""
    told = []
    for session in sessions:
        uri = SESSION.replace("{sessionId}", str(session["id"]))
        title = f"Session {session['id']} ({session['status']}): {session['title'][:80]}"
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
