"""Schedules by what happens: which events are meant."""

from __future__ import annotations

from typing import Any

import pytest

from command_center.actors.rules.event_triggers import OnEvent
from command_center.actors.rules.schedule import parse

EVENT = {
    "type": "session.pull_request.news",
    "sessionId": 7,
    "data": {"checks": ["lint", "unit tests"], "reviews": 0, "reason": None, "isDirty": True},
}


@pytest.mark.parametrize(
    ("conditions", "is_meant"),
    [
        ("", True),
        ("?data.checks", True),
        ("?data.reviews", False),
        ("?data.absent", False),
        ("?data.checks=unit%20tests", True),
        ("?data.checks=unit", False),
        ("?data.checks!=lint", False),
        ("?data.reason=", True),
        ("?data.isDirty=true&sessionId=7", True),
        ("?data.isDirty=true&sessionId=8", False),
        ("?data.checks.0=lint", True),
    ],
)
def test_each_condition_has_to_hold(conditions: str, is_meant: bool) -> None:  # noqa: FBT001 - a parameter of the test
    trigger: Any = parse(f" ON_EVENT@Session.Pull_Request.News,session.failed{conditions} ")
    assert isinstance(trigger, OnEvent)
    assert ("session.pull_request.news", "session.failed") == trigger.types
    assert is_meant is trigger.meets(EVENT)
