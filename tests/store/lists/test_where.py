"""Conditions of a query: which rows meet them, and how few statements they make."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from command_center.store.lists.where import FEW, Conditions, Scalar


def found(*values: Scalar) -> list[Scalar]:
    """Return which of some values are among those."""
    conditions = Conditions()
    conditions.among("value", values)
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE kept (value ANY) STRICT")
        for one in (1, 2, 30, "one", "1", 1.5, None, *range(100, 120)):
            db.execute("INSERT INTO kept VALUES (?)", (one,))
        sql = f"SELECT value FROM kept{conditions.sql}"  # noqa: S608 - places
        rows = db.execute(sql, conditions.arguments)
        return [row[0] for row in rows]


def test_many_values_find_what_few_would() -> None:
    for more in ([], [*range(200, 200 + FEW)]):
        assert [1, "one", 1.5] == found(1, "one", 1.5, *more)
        assert ["1"] == found("1", *more)
        assert [2, None] == found(2, None, *more)
        assert [30] == found(30, 2**70, "\ud800", *more)
        assert [] == found(*more)


def test_lists_of_many_lengths_are_one_statement() -> None:
    """A connection keeps the memory of each: one of sessions takes 127 KB with 1,000 places."""
    said = set()
    for count in range(FEW + 1, 200):
        conditions = Conditions()
        conditions.among("id", range(count))
        said.add(conditions.sql)
    assert 1 == len(said)
