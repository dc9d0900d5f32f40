"""The events about pull requests."""

from __future__ import annotations

from typing import Any, Literal

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


class PullRequestNews(EventData, frozen=True, kw_only=True, tag="session.pull_request.news"):
    """Checks fail, or reviewers want changes; `answer` says what was done, `reason` why no more.

    With `follow_up`, `followupSessionId` is the session that is told.
    """

    pull_request_id: int
    url: str
    checks: list[str]
    reviews: int
    answer: Literal["tell", "follow_up"]
    followup_session_id: int | None
    reason: str | None


class MergeRequested(
    EventData, frozen=True, kw_only=True, tag="session.pull_request.merge.requested"
):
    """Somebody wants it merged once its checks pass; `approvalId` says who is asked."""

    pull_request_id: int
    merge_when: Literal["checks_pass"]
    sha: str
    approval_id: int


class MergeSettled(EventData, frozen=True, kw_only=True, tag="session.pull_request.merge.settled"):
    """It is merged once its checks pass, or it is not, and `problem` says why."""

    pull_request_id: int
    merge_when: Literal["checks_pass"] | None
    problem: str | None
