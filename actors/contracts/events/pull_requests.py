"""The events about pull requests."""

from __future__ import annotations

from typing import Any

from command_center.store import EventData


class PullRequestRequested(
    EventData, frozen=True, kw_only=True, tag="session.pull_request.requested"
):
    """Somebody wants a pull request of what was pushed."""

    pull_request_id: int
    project: str
    branch_name: str
    base: str
    title: str


class PullRequestOpened(EventData, frozen=True, kw_only=True, tag="session.pull_request.opened"):
    """The forge has it; without a `number` it is opened by a person, at `url`."""

    pull_request_id: int
    number: int | None
    url: str


class PullRequestFailed(EventData, frozen=True, kw_only=True, tag="session.pull_request.failed"):
    """It was not opened; `problem` says why, and what to do."""

    pull_request_id: int
    problem: str


class PullRequestChanged(EventData, frozen=True, kw_only=True, tag="session.pull_request.updated"):
    """The forge tells something new of it; `changes` has both states of each field."""

    pull_request_id: int
    changes: dict[str, dict[str, Any]]
