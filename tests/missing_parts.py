"""A pytest plugin: in CI, a test that is skipped for a missing part fails.

On a developer's machine a test that needs a program or a registry may skip itself. In CI (`CI` is
set) everything is there, and a skip would hide that it is not. Only a `skipif` mark, which names a
platform, still skips; a mark that does not hold excuses no other skip.
"""

import os
from collections.abc import Generator

import pytest


def in_ci() -> bool:
    """Return whether this run must have every part."""
    return os.environ.get("CI", "").lower() not in {"", "0", "false"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if (
        in_ci()
        and report.skipped
        and not hasattr(report, "wasxfail")
        and not _is_marked(item, report)
    ):
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if in_ci() and report.skipped:
        _fail(report)
    return report


def _is_marked(item: pytest.Item, report: pytest.TestReport) -> bool:
    """Return whether the skip is that of a `skipif` mark, by its reason."""
    said = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
    reasons = {mark.kwargs.get("reason") for mark in item.iter_markers("skipif")}
    return said.removeprefix("Skipped: ") in reasons


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"CI must have every part that a test needs. {reason}"
