"""Threads that are let go with their repository, until nothing goes on in them."""

from __future__ import annotations

from command_center.store import Transaction, Writer, released_threads
from tests.store.units import add_repository, add_session, run


def test_a_thread_is_released_on_the_host_that_has_it(writer: Writer) -> None:
    def release(tx: Transaction) -> int:
        repository = add_repository(tx, local_path="/srv/far", host="far").id
        add_session(tx, repository_id=repository, host="far", codex_thread_id="t")
        released_threads.note(tx, repository)
        return repository

    def release_local(tx: Transaction) -> int:
        repository = add_repository(tx, local_path="/srv/here").id
        add_session(tx, repository_id=repository, codex_thread_id="t")
        released_threads.note(tx, repository)
        return repository

    repository = run(writer, release)
    assert [("t", repository)] == run(writer, lambda tx: released_threads.on_host(tx.db, "far"))
    assert [] == run(writer, lambda tx: released_threads.on_host(tx.db, "local"))
    on_local = run(writer, release_local)
    assert [("t", on_local)] == run(writer, lambda tx: released_threads.on_host(tx.db, "local"))
    assert [("t", repository)] == run(writer, lambda tx: released_threads.on_host(tx.db, "far"))
    run(writer, lambda tx: released_threads.forget(tx, "far", "t"))
    assert [] == run(writer, lambda tx: released_threads.on_host(tx.db, "far"))
