"""Everything that is written of a pull request: wanted, opened or not, and what its forge tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec
from sqlite_utils import Database

from command_center.actors.contracts.events.pull_requests import (
    MergeRequested,
    PullRequestChanged,
    PullRequestFailed,
    PullRequestOpened,
)
from command_center.actors.core.clock import later
from command_center.actors.ledger import approvals as settlement
from command_center.actors.ledger import sessions as ledger
from command_center.actors.ledger.pull_request_merges import NOT_MERGED, call_off
from command_center.actors.ledger.pull_request_news import FORGE
from command_center.actors.rules.errors import Conflict, HeadMoved
from command_center.actors.rules.pull_request_wishes import wishes_of
from command_center.store import (
    PullRequest,
    Transaction,
    approvals,
    pull_requests,
    repositories,
    sessions,
    tasks,
)

SILENT: Final = frozenset({"read_at", "problem"})
"""Fields whose change is no news."""


def note_opened(tx: Transaction, pull_request_id: int, fields: Mapping[str, Any]) -> PullRequest:
    """Note that the forge has it, or at which page a person opens it."""
    before = pull_requests.get(tx.db, pull_request_id)
    if before.status != "opening":
        return before
    opened = pull_requests.update(tx, pull_request_id, **fields)
    told = PullRequestOpened(pull_request_id=opened.id, number=opened.number, url=opened.url or "")
    session = sessions.get(tx.db, opened.session_id)
    ledger.tell(tx, session, told, actor=opened.requested_by)
    return opened


def note_not_opened(tx: Transaction, pull_request_id: int, problem: str) -> PullRequest:
    """Note why it was not opened."""
    failed = pull_requests.update(tx, pull_request_id, status="failed", problem=problem)
    told = PullRequestFailed(pull_request_id=failed.id, problem=problem)
    session = sessions.get(tx.db, failed.session_id)
    ledger.tell(tx, session, told, actor=failed.requested_by)
    return failed


def note_seen(tx: Transaction, pull_request_id: int, fields: Mapping[str, Any]) -> PullRequest:
    """Keep what the forge tells, and tell of what is new."""
    before = pull_requests.get(tx.db, pull_request_id)
    is_same = fields.get("head_sha") == before.head_sha and fields.get("status") == "open"
    stays = is_same and (before.problem or "").startswith(NOT_MERGED)
    problem = before.problem if stays else None
    after = pull_requests.update(tx, pull_request_id, read_at=tx.now, problem=problem, **fields)
    names = {field.name: field.encode_name for field in msgspec.structs.fields(PullRequest)}
    changes = {
        names[name]: {"from": getattr(before, name), "to": getattr(after, name)}
        for name in fields
        if name not in SILENT and getattr(before, name) != getattr(after, name)
    }
    if changes:
        session = sessions.get(tx.db, after.session_id)
        told = PullRequestChanged(pull_request_id=after.id, changes=changes)
        ledger.tell(tx, session, told, actor=FORGE)
    return after


def request_merge(
    tx: Transaction,
    pull_request_id: int,
    *,
    method: Literal["merge", "squash", "rebase"],
    requested_by: str,
    approval_seconds: float,
    head: str | None = None,
) -> PullRequest:
    """Ask a person whether a pull request may be merged, as it is now, once its checks pass.

    Raises:
        Conflict: it is not open, not at `head` any more, or that is asked or agreed to already.
    """
    pull = _open(tx.db, pull_request_id)
    if head not in {None, pull.head_sha}:
        raise HeadMoved(pull.branch_name, pull.head_sha)
    asked = pull.merge_approval_id
    is_asked = _is_asked(tx.db, pull)
    if (pull.merge_when is not None or is_asked) and pull.merge_sha == pull.head_sha:
        raise Conflict(
            f"Approval {asked} asks about that." if is_asked else "A person has agreed to that.",
            approvalId=asked,
        )
    session = sessions.get(tx.db, pull.session_id)
    approval = settlement.ask_about(
        tx,
        session,
        "merge",
        title=f"Merge pull request {pull.number} into {pull.base} once its checks pass?"[:200],
        details={
            "reason": "It is merged by itself, with this commit as its last one, when all checks "
            "pass. With a new commit it has to be agreed to again.",
            "pullRequestId": pull.id,
            "url": pull.url,
            "branchName": pull.base,
            "sha": pull.head_sha,
            "method": method,
            "checks": pull.checks,
            "review": pull.review,
        },
        expires_at=later(tx.now, approval_seconds),
        requested_by=requested_by,
    )
    pull = pull_requests.update(
        tx,
        pull.id,
        merge_method=method,
        merge_sha=pull.head_sha,
        merge_when=None,
        merge_approval_id=approval.id,
        problem=None,
        answered=[*pull.answered, f"merge:{pull.head_sha}"],
    )
    told = MergeRequested(
        pull_request_id=pull.id,
        merge_when="checks_pass",
        sha=pull.head_sha,
        approval_id=approval.id,
    )
    ledger.tell(tx, session, told, actor=requested_by, approval_id=approval.id)
    return pull


def withdraw_merge(tx: Transaction, pull_request_id: int, *, requested_by: str) -> PullRequest:
    """Call a merge off that a person has agreed to, or take back the question about it.

    Raises:
        Conflict: it is not open, or nobody is asked and nobody has agreed.
    """
    pull = _open(tx.db, pull_request_id)
    if pull.merge_when is not None:
        return call_off(tx, pull.id, f"{requested_by} called it off.", actor=requested_by)
    if pull.merge_approval_id is None or not _is_asked(tx.db, pull):
        raise Conflict(
            f"Pull request {pull.id} is not to be merged by itself: nothing to call off."
        )
    settlement.settle_approval(
        tx, pull.merge_approval_id, status="cancelled", actor=requested_by, note="Called off."
    )
    return pull_requests.get(tx.db, pull.id)


def _open(db: Database, pull_request_id: int) -> PullRequest:
    """Return a pull request that is open.

    Raises:
        Conflict: it is not.
    """
    pull = pull_requests.get(db, pull_request_id)
    if pull.status != "open":
        raise Conflict(f"Pull request {pull.id} is {pull.status}.", currentStatus=pull.status)
    return pull


def merge_is_to_be_asked(db: Database, pull: PullRequest) -> bool:
    """Say whether people are to be asked about a merge unasked, or an old question is void."""
    if pull.status != "open" or pull.merge_when is not None:
        return False
    if _is_asked_in_vain(db, pull):
        return True
    wishes = wishes_of(tasks.get(db, pull.task_id), repositories.get(db, pull.repository_id))
    return (
        wishes.merge_when == "checks_pass"
        and pull.checks == "passing"
        and pull.review != "changes_requested"
        and not pull.is_draft
        and f"merge:{pull.head_sha}" not in pull.answered
    )


def ask_for_merge(tx: Transaction, pull_request_id: int, *, approval_seconds: float) -> PullRequest:
    """Ask a person, once for each last commit, whether what passes its checks is merged.

    A question about a commit that is not the last one any more is taken back.
    """
    pull = pull_requests.get(tx.db, pull_request_id)
    if _is_asked_in_vain(tx.db, pull) and pull.merge_approval_id is not None:
        settlement.settle_approval(
            tx,
            pull.merge_approval_id,
            status="cancelled",
            actor=FORGE,
            note="The pull request has new commits.",
        )
        pull = pull_requests.get(tx.db, pull_request_id)
    if not merge_is_to_be_asked(tx.db, pull):
        return pull
    return request_merge(
        tx, pull.id, method="merge", requested_by=FORGE, approval_seconds=approval_seconds
    )


def _is_asked(db: Database, pull: PullRequest) -> bool:
    asked = pull.merge_approval_id
    return asked is not None and approvals.get(db, asked).status == "pending"


def _is_asked_in_vain(db: Database, pull: PullRequest) -> bool:
    return pull.merge_sha != pull.head_sha and _is_asked(db, pull)
