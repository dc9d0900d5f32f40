"""Sessions that no store has, for tests of what is decided about them."""

from __future__ import annotations

from typing import Any

from command_center.store import Session


def a_session(**fields: Any) -> Session:
    """A session with these fields, and with others that do not matter."""
    others: dict[str, Any] = {
        "id": 1,
        "created_at": "",
        "updated_at": "",
        "task_id": 1,
        "repository_id": 1,
        "runner": "stub",
        "sandbox": "workspace-write",
        "cwd": "/srv/a",
        "prompt": "P",
        "requested_by": "test",
        "correlation_id": "c",
    }
    return Session(**{**others, **fields})
