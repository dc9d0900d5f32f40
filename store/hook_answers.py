"""Answers of hooks to what the agent would ask a person, until it is seen what came of them.

A hook that gave no answer is noted, too: only what follows tells it from one that approved.
"""

import msgspec
from sqlite_utils import Database

from command_center.store.transaction import Transaction


class HookAnswer(msgspec.Struct, frozen=True):
    """An answer about an item: the file that sets the hook, and what the hook said."""

    item_id: str
    agent_id: int | None
    hook: str
    rationale: str | None


def note(tx: Transaction, session_id: int, answer: HookAnswer) -> None:
    """Note an answer; of several hooks that are asked about an item, the last one counts."""
    kept = tx.redact([answer.hook, answer.rationale])
    tx.db.execute(
        "INSERT INTO hook_answers (session_id, item_id, agent_id, hook, rationale) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET hook = excluded.hook, "
        "rationale = excluded.rationale",
        [session_id, answer.item_id, answer.agent_id, *kept],
    )


def forget(tx: Transaction, session_id: int, item_id: str) -> HookAnswer | None:
    """Forget what was noted of an item, and return it; None if nothing was."""
    found = [one for one in every(tx.db, session_id) if one.item_id == item_id]
    tx.db.execute(
        "DELETE FROM hook_answers WHERE session_id = ? AND item_id = ?", [session_id, item_id]
    )
    return found[0] if found else None


def every(db: Database, session_id: int) -> list[HookAnswer]:
    """Return what is noted of a session, in the order in which it was."""
    sql = (
        "SELECT item_id, agent_id, hook, rationale FROM hook_answers WHERE session_id = ? "
        "ORDER BY rowid"
    )
    return [HookAnswer(*row) for row in db.execute(sql, [session_id]).fetchall()]
