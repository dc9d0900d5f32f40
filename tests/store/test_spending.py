"""Tokens that sessions used in a day, by repository, model and kind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from command_center.store import Readers, Transaction, Writer, spending
from command_center.store.timestamps import from_timestamp, to_timestamp
from tests.store.units import add_repository, add_session, add_task, run

DAY = "2026-03-01T00:00:00.000Z"


def used(total: int, **kinds: int) -> dict[str, Any]:
    named = {f"{name}Tokens": count for name, count in kinds.items()}
    return {"token_usage": {"total": {"totalTokens": total, **named}}}


def test_what_sessions_used_is_summed_by_model_and_shared_out_by_the_mix_of_each(
    writer: Writer, readers: Readers
) -> None:
    def fill(tx: Transaction) -> None:
        def add(hours: float, **fields: Any) -> None:
            session = add_session(tx, **{**here, **fields})
            made = to_timestamp(from_timestamp(DAY) + timedelta(hours=hours))
            tx.db.execute("UPDATE sessions SET created_at = ? WHERE id = ?", [made, session.id])

        here, there = (
            {"repository_id": place, "task_id": add_task(tx, repository_id=place).id}
            for place in (add_repository(tx).id, add_repository(tx, local_path="/srv/b").id)
        )
        mix = {"input": 800, "cachedInput": 300, "output": 200}
        add(2, model="large", token_baseline=500, **used(1500, **mix))
        add(3, model="large", **used(1000, output=10))
        add(1, model="small", **used(70))
        add(4, model="small", token_baseline=99, **used(90, **mix))
        add(5, model="small", **there, **used(10**15, input=3, cachedInput=9))
        add(6, **there, token_usage=None)
        add(-1, model="before", **used(5))
        add(26, model="after", **used(5))

    run(writer, fill)
    with readers.connection() as db:
        found = spending.used_since(db, DAY)
        assert [
            (1, "small", 70, 70, 0, 0),
            (1, "large", 2000, 500, 300, 1200),
            (2, "small", 10**12, 0, pytest.approx(3 * 10**12), 0),
        ] == found
        assert found[:2] == spending.used_since(db, DAY, 1)
        assert [] == spending.used_since(db, "2026-05-01T00:00:00.000Z")
