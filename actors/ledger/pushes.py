"""Everything that is written when somebody wants a push: that, and whom it has to wait for.

It is on the disk before anything is sent, so that a server that was cut off knows what it may have
sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import msgspec

from command_center.actors.contracts.events.repositories import PushRequested
from command_center.actors.core.clock import later
from command_center.actors.git.pushing import PushedCommit
from command_center.actors.ledger import approvals as settlement
from command_center.actors.ledger import sessions as ledger
from command_center.store import Push, Session, Transaction, pushes, repositories, sessions


@attrs.frozen(kw_only=True)
class PlannedPush:
    """A push as it would be done now.

    Attributes:
        listed: the newest of the commits that the remote lacks; `commits` is their number.
    """

    remote: str
    address: str
    branch: str
    sha: str
    remote_sha: str | None
    lease: str | None
    commits: int
    listed: Sequence[PushedCommit]


def request_push(
    tx: Transaction,
    session_id: int,
    plan: PlannedPush,
    *,
    pull_request: Mapping[str, Any] | None = None,
    requested_by: str,
    approval_seconds: float,
) -> Push:
    """Note that a push is wanted; ask a person, unless the repository allows it to go there.

    The same push that is not done yet is that one; a pull request that is wanted now follows it.
    """
    session = sessions.get(tx.db, session_id)
    same: dict[str, str | int | None] = {
        "session_id": session.id,
        "address": plan.address,
        "branch_name": plan.branch,
        "sha": plan.sha,
        "lease": plan.lease,
        "finished_at": None,
    }
    for open_push in pushes.every(tx.db, same):
        if pull_request is None:
            return open_push
        return pushes.update(tx, open_push.id, pull_request=pull_request)
    repository = repositories.get(tx.db, session.repository_id)
    push = pushes.insert(
        tx,
        repository_id=repository.id,
        session_id=session.id,
        remote=plan.remote,
        address=plan.address,
        branch_name=plan.branch,
        sha=plan.sha,
        remote_sha=plan.remote_sha,
        lease=plan.lease,
        commits=plan.commits,
        requested_by=requested_by,
        pull_request=pull_request,
    )
    if not (repository.allow_push and plan.address in repository.push_addresses):
        approval = _ask(
            tx, session, push, plan, is_new=repository.allow_push, seconds=approval_seconds
        )
        push = pushes.update(tx, push.id, status="waiting_approval", approval_id=approval)
    ledger.tell(
        tx,
        session,
        PushRequested(
            push_id=push.id,
            remote=push.remote,
            address=push.address,
            branch_name=push.branch_name,
            sha=push.sha,
            remote_sha=push.remote_sha,
            lease=push.lease,
            commits=push.commits,
            approval_id=push.approval_id,
        ),
        actor=requested_by,
        approval_id=push.approval_id,
    )
    return push


def _ask(
    tx: Transaction,
    session: Session,
    push: Push,
    plan: PlannedPush,
    *,
    is_new: bool,
    seconds: float,
) -> int:
    number = "1 commit" if plan.commits == 1 else f"{plan.commits} commits"
    why = (
        "The address is not one of those for which pushes were allowed."
        if is_new
        else "The repository does not allow pushes without a person's yes."
    )
    if plan.lease is not None:
        why += " What the branch has there, and this one has not, is replaced."
    approval = settlement.ask_about(
        tx,
        session,
        "push",
        title=f"Push {number} to {plan.branch} at {plan.remote}?",
        details={
            "reason": why,
            "pushId": push.id,
            "remote": plan.remote,
            "address": plan.address,
            "branchName": plan.branch,
            "sha": plan.sha,
            "remoteSha": plan.remote_sha,
            "force": None if plan.lease is None else "with-lease",
            "commits": msgspec.to_builtins(plan.listed),
            "commitCount": plan.commits,
        },
        expires_at=later(tx.now, seconds),
        requested_by=push.requested_by,
    )
    return approval.id
