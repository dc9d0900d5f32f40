"""The kinds of things that there are: where their lists are, and what a table shows of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Noun(NamedTuple):
    """A kind of thing: where its list is, where one of it is, and what a table shows of it.

    `identity` is the field by which one is named; with `has_numbers` it is a whole number.
    """

    path: str
    one: str | None
    fields: tuple[str, ...]
    filters: frozenset[str]
    identity: str = "id"
    has_numbers: bool = True


NOUNS: Final[Mapping[str, Noun]] = {
    "sessions": Noun(
        "/api/sessions",
        "/api/sessions/{}",
        ("id", "status", "repositoryId", "taskId", "updatedAt", "title"),
        frozenset({"status", "repositoryId"}),
    ),
    "tasks": Noun(
        "/api/tasks",
        "/api/tasks/{}",
        ("id", "status", "repositoryId", "updatedAt", "title"),
        frozenset({"status", "repositoryId"}),
    ),
    "approvals": Noun(
        "/api/approvals",
        "/api/approvals/{}",
        ("id", "status", "kind", "sessionId", "expiresAt", "title"),
        frozenset({"status", "repositoryId"}),
    ),
    "repos": Noun(
        "/api/repos",
        "/api/repos/{}",
        ("id", "name", "currentBranch", "isDirty", "allowWrite", "localPath"),
        frozenset(),
    ),
    "automations": Noun(
        "/api/automations",
        "/api/automations/{}",
        ("id", "enabled", "repositoryId", "scheduleExpr", "nextRunAt", "lastOutcome", "title"),
        frozenset({"repositoryId"}),
    ),
    "threads": Noun(
        "/api/codex/threads",
        "/api/codex/threads/{}",
        ("id", "source", "cwd", "preview"),
        frozenset(),
        has_numbers=False,
    ),
    "hosts": Noun(
        "/api/hosts",
        "/api/hosts/{}",
        ("name", "link", "status", "draining", "agentVersion", "active", "queued", "repositories"),
        frozenset(),
        identity="name",
        has_numbers=False,
    ),
    "devices": Noun(
        "/api/devices",
        "/api/devices/{}",
        ("id", "name", "scopes", "expiresAt", "lastSeenAt"),
        frozenset(),
    ),
}

ONE: Final = {name.removesuffix("s"): name for name in NOUNS}

HEADS: Final = {
    "repositoryId": "REPO",
    "taskId": "TASK",
    "sessionId": "SESSION",
    "updatedAt": "UPDATED",
    "expiresAt": "UNTIL",
    "currentBranch": "BRANCH",
    "isDirty": "CHANGED",
    "allowWrite": "WRITES",
    "localPath": "PATH",
    "scheduleExpr": "SCHEDULE",
    "nextRunAt": "NEXT",
    "lastOutcome": "LAST",
    "lastSeenAt": "SEEN",
    "agentVersion": "CODEX",
    "repositories": "REPOS",
}
