"""The runtime's log: by structlog where a program has it, and else by `logging`."""

from __future__ import annotations

import importlib.util
import logging

import pytest
import structlog

from command_center.runtime import Signal, Started, open_system
from command_center.runtime.reports import report
from tests.runtime.probes import Boom, Echo, probe, tree


def fail(_signal: Signal) -> None:
    raise Boom


async def test_an_observer_that_raises_is_reported_and_disturbs_nobody() -> None:
    with structlog.testing.capture_logs() as logs:
        async with open_system(tree(probe("a")), on_signal=fail) as system:
            assert "x" == await system.lookup("/a").ask(Echo("x"))
    found = [(log["event"], log["signal"], log["exc_info"], log["log_level"]) for log in logs]
    assert ("observer failed", "Started", True, "error") in found


def test_without_structlog_the_report_goes_to_logging(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    try:
        fail(Started("/a"))
    except Boom:
        report("observer failed", signal="Started")
    report("runtime.stalled", path="/a")
    first, second = caplog.records
    assert ("command_center.runtime", logging.ERROR) == (first.name, first.levelno)
    assert ("observer failed signal=Started", "runtime.stalled path=/a") == (
        first.getMessage(),
        second.getMessage(),
    )
    assert first.exc_info is not None
    assert Boom is first.exc_info[0]
    assert not second.exc_info
