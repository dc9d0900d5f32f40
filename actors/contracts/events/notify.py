"""Events of the places of Apprise."""

from __future__ import annotations

from typing import Any

from command_center.store import EventData


class NotifyTargetUpdated(EventData, frozen=True, kw_only=True, tag="notify.updated"):
    """A place of Apprise's is told other things; `changes` has both states of each field."""

    id: int
    service: str
    changes: dict[str, dict[str, Any]]
