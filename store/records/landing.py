"""Pushes and pull requests, by which work lands."""

from typing import Any, Literal, TypeAlias

import msgspec

from command_center.store.records.record import Record
from command_center.store.timestamps import Timestamp


class Push(Record, frozen=True, kw_only=True, rename="camel"):
    """One commit on its way to a branch of a remote.

    Attributes:
        remote: its name.
        address: where it was when the push was asked for; that is where it goes.
        branch_name: the remote's branch.
        sha: the commit; it is pushed, wherever its own branch is by then.
        remote_sha: where the branch was there; None where there was none.
        lease: the commit that it replaces there, if it is forced: it must be there still.
        commits: those that the remote lacked.
        status: ``failed`` also where a person said no.
        approval_id: the approval that it waited for, if it needed one.
        problem: why it failed, or why no pull request follows, and what to do.
        pull_request: the pull request that is opened once it is pushed; None where none is wanted.
    """

    repository_id: int
    session_id: int
    remote: str
    address: str
    branch_name: str
    sha: str
    remote_sha: str | None = None
    lease: str | None = None
    commits: int
    status: Literal["waiting_approval", "pushing", "pushed", "failed"] = "pushing"
    approval_id: int | None = None
    problem: str | None = None
    requested_by: str
    finished_at: Timestamp | None = None
    pull_request: dict[str, Any] | None = None


ChecksState: TypeAlias = Literal["none", "pending", "passing", "failing"]

ReviewState: TypeAlias = Literal["none", "approved", "changes_requested"]


class PullRequest(Record, frozen=True, kw_only=True, rename="camel"):
    """A pull request of a session's branch, as its forge told of it last.

    Attributes:
        session_id: the session that it was opened for; it is its task's.
        host: the forge's, such as ``github.com``.
        project: the repository there: its owner and its name.
        base: the branch that it is to be merged into.
        status: ``opening`` until the forge has it. ``elsewhere`` has a ``url`` at which a person
            opens it. ``failed`` was not opened.
        head_sha: the commit that it ends with.
        checks: what all checks of that commit come to; ``check_runs`` are the single ones,
            a hundred at most, the worst first.
        review: what all reviews come to; ``reviews`` are the single ones, the last
            hundred.
        merge_state: whether it can be merged, in the forge's word.
        problem: why it was not opened, or not read, and what to do.
        read_at: when the forge was asked last and answered.
        followups: turns that its checks and reviews have led to.
        answered: the news about which something was done: ``checks:<commit>``, ``review:<id>``,
            ``merge:<commit>``.
        merge_when: ``checks_pass`` where a person agreed to that, for the commit ``merge_sha``.
        merge_approval_id: the approval that asked about it last.
    """

    repository_id: int
    task_id: int
    session_id: int
    host: str
    project: str
    branch_name: str
    base: str
    title: str
    body: str = ""
    is_draft: bool = False
    status: Literal["opening", "open", "merged", "closed", "failed", "elsewhere"] = "opening"
    number: int | None = None
    url: str | None = None
    head_sha: str
    checks: ChecksState = "none"
    check_runs: list[dict[str, Any]] = msgspec.field(default_factory=list)
    review: ReviewState = "none"
    reviews: list[dict[str, Any]] = msgspec.field(default_factory=list)
    merge_state: str | None = None
    problem: str | None = None
    requested_by: str
    read_at: Timestamp | None = None
    followups: int = 0
    answered: list[str] = msgspec.field(default_factory=list)
    merge_when: Literal["checks_pass"] | None = None
    merge_method: Literal["merge", "squash", "rebase"] | None = None
    merge_sha: str | None = None
    merge_approval_id: int | None = None
