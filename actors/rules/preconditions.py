"""Preconditions of a change: the record must still be the one that the caller has seen.

A condition reads the database and raises where it does not hold. It is checked in the transaction
that makes the change, so nothing can come in between: not a change by another actor, and not one
that asked for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar

from sqlite_utils import Database

from command_center.store import Transaction

T = TypeVar("T")

Condition: TypeAlias = Callable[[Database], None]
"""Raises a refusal, such as `PreconditionFailed`, where it does not hold."""


def always(_db: Database) -> None:
    """Let every change be made."""


def only_if(condition: Condition, unit: Callable[[Transaction], T]) -> Callable[[Transaction], T]:
    """Wrap the unit of a transaction so that it does nothing where the condition does not hold."""

    def checked(tx: Transaction) -> T:
        condition(tx.db)
        return unit(tx)

    return checked
