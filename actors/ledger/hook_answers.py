"""The decisions of hooks instead of a person, told when it is seen what they were.

The agent does not tell an approval of a hook from no answer at all. Each function is one unit of a
transaction.
"""

from __future__ import annotations

import msgspec

from command_center.actors.contracts.events.sessions import AutoReviewed
from command_center.actors.ledger.sessions import tell
from command_center.store import Transaction, hook_answers, sessions
from command_center.store.hook_answers import HookAnswer

UNKNOWN = "unknown"
"""The decision of a hook of which nobody saw whether it approved, or left it to a person."""


def settle(tx: Transaction, session_id: int, item_id: str) -> None:
    """Tell that the hook approved the item: it goes on, and nobody else was asked."""
    answer = hook_answers.forget(tx, session_id, item_id)
    if answer is not None:
        tell_decision(tx, session_id, answer, "approved")


def settle_unseen(tx: Transaction, session_id: int) -> None:
    """Tell of the answers of which nobody will see any more what they were."""
    for answer in hook_answers.every(tx.db, session_id):
        hook_answers.forget(tx, session_id, answer.item_id)
        tell_decision(tx, session_id, answer, UNKNOWN)


def tell_decision(tx: Transaction, session_id: int, answer: HookAnswer, decision: str) -> None:
    """Tell how a hook decided."""
    told = AutoReviewed(
        item_id=answer.item_id,
        decision=decision,
        rationale=answer.rationale,
        risk=None,
        authorization=None,
        action={},
        hook=answer.hook,
    )
    if answer.agent_id is not None:
        told = msgspec.structs.replace(told, agent_id=answer.agent_id)
    tell(tx, sessions.get(tx.db, session_id), told)
