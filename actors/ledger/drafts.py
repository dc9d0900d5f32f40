"""Messages that are not complete: what was said of them so far, and which of them never will be.

The row of such an item grows while its message is written. It is told of by no event, and the whole
message takes its place. When its session ends without that, the item is `cut`, and that is told.
"""

from __future__ import annotations

from typing import Final

from command_center.actors.ledger.sessions import cut_off
from command_center.store import Transaction, items, sessions

LONGEST: Final = 200_000
"""Characters that are kept of a message before it is complete."""


def add(
    tx: Transaction,
    session_id: int,
    item_id: str,
    text: str,
    *,
    agent_id: int | None = None,
    after_gap: bool = False,
) -> None:
    """Keep more of what was said; `after_gap` says that something in between was not heard."""
    known = items.find(tx.db, {"session_id": session_id, "item_id": item_id})
    if known is None:
        items.insert(
            tx,
            session_id=session_id,
            agent_id=agent_id,
            turn_id=str(sessions.get(tx.db, session_id).codex_turn_id),
            item_id=item_id,
            type="agentMessage",
            status="in_progress",
            body={"id": item_id, "type": "agentMessage", "text": text[:LONGEST]},
        )
    elif known.status == "in_progress":
        before = str(known.body.get("text") or "")
        said = before + (" … " if after_gap and before else "") + text
        items.update(tx, known.id, body={**known.body, "text": said[:LONGEST]})


def cut(tx: Transaction, session_id: int) -> None:
    """Say of each message that was begun, and that will never be complete, that it was cut."""
    for item in items.every(tx.db, {"session_id": session_id, "status": "in_progress"}):
        if item.type == "agentMessage" and item.body.get("text"):
            cut_off(tx, sessions.get(tx.db, session_id), item, status="cut")
