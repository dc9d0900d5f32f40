"""Commands that go on when the turn that began them has completed.

They still work in the folder of their session, which is in use for so long.
"""

from __future__ import annotations

from typing import Final

from sqlite_utils import Database

from command_center.actors.contracts.events.sessions import CommandsLeft, LeftCommand
from command_center.actors.ledger import sessions as ledger
from command_center.store import Item, Session, Transaction, items, sessions

LOOKED_BACK: Final = 20
"""Completed sessions of a folder that are looked at, to say whose commands go on there."""


def running_commands(db: Database, session_id: int) -> list[Item]:
    """Give the commands of the session, not of its sub-agents, of whose end nothing was heard."""
    return commands_under_way(db, [session_id])


def commands_under_way(db: Database, session_ids: list[int]) -> list[Item]:
    """Give those of several sessions."""
    return items.every(
        db,
        {
            "session_id": session_ids,
            "type": "commandExecution",
            "status": "in_progress",
            "agent_id": None,
        },
    )


def tell_left_commands(tx: Transaction, session_id: int) -> list[Item]:
    """Tell which commands go on now that the turn has ended, if any do."""
    left = running_commands(tx.db, session_id)
    if left:
        commands = [
            LeftCommand(item_id=item.item_id, command=str(item.body.get("command") or ""))
            for item in left
        ]
        ledger.tell(tx, sessions.get(tx.db, session_id), CommandsLeft(commands=commands))
    return left


def lingering_sessions(db: Database, host: str, cwd: str) -> list[Session]:
    """List those of the last completed sessions of a folder whose commands go on."""
    place = {"host": host, "cwd": cwd, "status": "completed"}
    known = sessions.page(db, place, limit=LOOKED_BACK, newest_first=True).items
    left = {item.session_id for item in commands_under_way(db, [one.id for one in known])}
    return [one for one in known if one.id in left]
