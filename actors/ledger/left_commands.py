"""Commands that go on when the turn that began them has completed.

They still work in the folder of their session, which is in use for so long.
"""

from __future__ import annotations

from typing import Final

from sqlite_utils import Database

from command_center.actors.contracts.events.sessions import CommandsLeft, LeftCommand
from command_center.actors.ledger import sessions as ledger
from command_center.store import Item, Session, Transaction, agents, items, sessions

LOOKED_BACK: Final = 20
"""Completed sessions of a folder or a thread that are looked at, to say whose commands go on."""


def running_commands(db: Database, session_id: int) -> list[Item]:
    """Give the commands of the session and its sub-agents of whose end nothing was heard."""
    return commands_under_way(db, [session_id])


def commands_under_way(db: Database, session_ids: list[int]) -> list[Item]:
    """Give those of several sessions."""
    return items.every(
        db, {"session_id": session_ids, "type": "commandExecution", "status": "in_progress"}
    )


def left_by_thread(db: Database, session_id: int) -> dict[str, set[str]]:
    """Give the ids of the items that are those commands, by the thread that began them."""
    found: dict[str, set[str]] = {}
    for item in running_commands(db, session_id):
        if item.agent_id is None:
            thread_id = sessions.get(db, session_id).codex_thread_id
        else:
            thread_id = agents.get(db, item.agent_id).thread_id
        found.setdefault(str(thread_id), set()).add(item.item_id)
    return found


def tell_left_commands(tx: Transaction, session_id: int) -> dict[str, set[str]]:
    """Tell which commands go on now that the turn has ended; return them as `left_by_thread`."""
    left = running_commands(tx.db, session_id)
    if left:
        commands = [
            LeftCommand(item_id=item.item_id, command=str(item.body.get("command") or ""))
            for item in left
        ]
        ledger.tell(tx, sessions.get(tx.db, session_id), CommandsLeft(commands=commands))
    return left_by_thread(tx.db, session_id)


def lingering_sessions(db: Database, host: str, **place: str) -> list[Session]:
    """List those of the last completed sessions whose commands go on.

    Args:
        db: the database.
        host: where they worked.
        place: `cwd`, the folder that they worked in, or `codex_thread_id`, the thread.
    """
    wanted = {"host": host, "status": "completed", **place}
    known = sessions.page(db, wanted, limit=LOOKED_BACK, newest_first=True).items
    left = {item.session_id for item in commands_under_way(db, [one.id for one in known])}
    return [one for one in known if one.id in left]
