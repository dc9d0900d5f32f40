"""A thread's id means one thread on one host: what happens on another host is another thread's."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_center.actors.ledger.adoption import Thread, agent_in, thread_of_session
from command_center.actors.ledger.budgets import tokens_before
from command_center.actors.ledger.tasks import check_unused
from command_center.actors.rules.errors import Conflict
from command_center.actors.sessions.runners.codex.orphaned_turns import is_used
from command_center.store import Transaction, agents, released_threads
from tests.actors.rows import insert_repository, insert_session, insert_task, rig

USED = {"token_usage": {"total": {"totalTokens": 900}}}


async def test_the_same_id_on_two_hosts_is_two_threads(tmp_path: Path) -> None:
    def unit(tx: Transaction) -> None:
        theirs = insert_task(tx, insert_repository(tx, host="box"))
        ours = insert_task(tx, insert_repository(tx))
        on_box = insert_session(
            tx, theirs, status="running", host="box", codex_thread_id="t", **USED
        )
        first = insert_session(tx, ours, status="completed", codex_thread_id="t", finished_at="t")

        with pytest.raises(Conflict, match=f"session {on_box.id}"):
            check_unused(tx.db, "box", "t")
        check_unused(tx.db, "local", "t")
        assert (True, False) == (
            is_used(tx.db, host="box", thread_id="t"),
            is_used(tx.db, host="local", thread_id="t"),
        )
        assert 0 == tokens_before(tx, first, {})

        mine, other = [
            agents.insert(tx, session_id=session.id, thread_id="a", parent_thread_id="t")
            for session in (first, on_box)
        ]
        assert mine == agent_in(tx.db, Thread("local", "a"))
        assert other == agent_in(tx.db, Thread("box", "a"))
        assert Thread("local", "t") == thread_of_session(tx.db, Thread("local", "a"))

        released_threads.note(tx, theirs.repository_id)
        released_threads.forget(tx, "local", "t")
        assert [("t", theirs.repository_id)] == released_threads.on_host(tx.db, "box")
        released_threads.forget(tx, "box", "t")
        assert [] == released_threads.on_host(tx.db, "box")

    async with rig(tmp_path / "db.sqlite3") as made:
        await made.storage.write(unit)
