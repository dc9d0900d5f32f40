"""The questions of an agent to a person, as they are shown to one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen
class ApprovalRequest:
    """A question to a person.

    `item_id` tells the questions of one turn apart and is the same when it is asked again.
    """

    kind: str
    title: str
    details: dict[str, Any]
    thread_id: str
    turn_id: str | None
    item_id: str


def is_async(kind: str, details: Mapping[str, Any]) -> bool:
    """Return whether the agent asked this without waiting for the answer."""
    return kind == "user_input" and details.get("delivery") == "async"
