"""Everything that is written of the merge of a pull request: wanted, agreed to, called off.

A person agrees to one commit. Once it is not the last one of the pull request any more, what was
agreed to is over.
"""

from __future__ import annotations

from typing import Final, Literal

from command_center.actors.contracts.events.pull_requests import MergeSettled
from command_center.actors.ledger import sessions as ledger
from command_center.store import Approval, PullRequest, Transaction, pull_requests, sessions

NOT_MERGED: Final = "It is not merged: "
"""Begins the problem of a pull request that is not merged though somebody wanted that."""


def settle_merge(tx: Transaction, approval: Approval) -> None:
    """Have a pull request merged once its checks pass, or not, as its approval was settled."""
    for pull in pull_requests.every(tx.db, {"merge_approval_id": approval.id}):
        actor = approval.resolved_by or ledger.SYSTEM
        if approval.status == "approved":
            pull_requests.update(tx, pull.id, merge_when="checks_pass")
            _tell(tx, pull, "checks_pass", None, actor=actor)
        else:
            problem = f"Approval {approval.id} was {approval.status} by {approval.resolved_by}."
            call_off(tx, pull.id, problem, actor=actor)


def call_off(tx: Transaction, pull_request_id: int, problem: str, *, actor: str) -> PullRequest:
    """Merge it no more by itself, and tell why.

    That stands in its `problem` until it has another commit, or somebody asks again.
    """
    pull = pull_requests.update(
        tx,
        pull_request_id,
        merge_when=None,
        merge_sha=None,
        problem=f"{NOT_MERGED}{problem}",
    )
    _tell(tx, pull, None, problem, actor=actor)
    return pull


def _tell(
    tx: Transaction,
    pull: PullRequest,
    when: Literal["checks_pass"] | None,
    problem: str | None,
    *,
    actor: str,
) -> None:
    told = MergeSettled(
        pull_request_id=pull.id,
        merge_when=when,
        problem=problem,
    )
    session = sessions.get(tx.db, pull.session_id)
    ledger.tell(tx, session, told, actor=actor, approval_id=pull.merge_approval_id)
