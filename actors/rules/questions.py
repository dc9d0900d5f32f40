"""The questions of an agent to a person, as they are shown to one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from command_center.store.records import Risk


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
    risks: tuple[Risk, ...] = ()


def is_async(kind: str, details: Mapping[str, Any]) -> bool:
    """Return whether the agent asked this without waiting for the answer."""
    return kind == "user_input" and details.get("delivery") == "async"


def connection_of(request_id: str) -> str:
    """Return the name of the connection on which a request was asked: what its id begins with."""
    return request_id.partition(":")[0]


@attrs.frozen
class UnawaitedQuestion:
    """A question that the agent does not wait for, as it is shown and in the agent's own words."""

    shown: ApprovalRequest
    asked: Mapping[str, Any]
