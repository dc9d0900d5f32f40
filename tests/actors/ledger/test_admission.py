"""The door: policy, slots and folders are judged in the transaction that opens it."""

from __future__ import annotations

from typing import Any

import pytest

from command_center.actors.ledger.admission import admit, yield_folder
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.policy import PolicyDenied
from command_center.store import (
    Session,
    Transaction,
    Writer,
    host_states,
    repositories,
    sessions,
    tasks,
)
from tests.actors.rows import insert_repository, insert_session, insert_task
from tests.actors.sessions.units import done, writer

__all__ = ["writer"]


def begin(tx: Transaction, session: Session, limit: int = 10) -> Session:
    return admit(tx, session.id, actor="test", approval_seconds=60, begin="this", limit=limit)


def queued(tx: Transaction, **fields: Any) -> Session:
    return insert_session(
        tx, insert_task(tx, insert_repository(tx)), **{"status": "queued", **fields}
    )


def test_a_session_begins_where_there_is_room(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        began = begin(tx, queued(tx))
        assert ("starting", "this") == (began.status, began.runner_instance)

    done(writer, unit)


def test_over_the_limit_a_session_stays_queued(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        begin(tx, queued(tx, cwd="/srv/a"), limit=1)
        assert "queued" == begin(tx, queued(tx, cwd="/srv/b"), limit=1).status

    done(writer, unit)


def test_a_host_that_was_drained_meanwhile_or_is_full_begins_none(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        state = host_states.insert(tx, name="local", is_draining=True)
        assert "queued" == begin(tx, queued(tx, cwd="/srv/a")).status
        assert "starting" == begin(tx, queued(tx, cwd="/srv/a", host="far")).status
        host_states.update(tx, state.id, is_draining=False, max_sessions=1)
        assert "starting" == begin(tx, queued(tx, cwd="/srv/b")).status
        assert "queued" == begin(tx, queued(tx, cwd="/srv/c")).status

    done(writer, unit)


def test_two_sessions_never_begin_to_write_in_one_folder_but_may_read_there(
    writer: Writer,
) -> None:
    def unit(tx: Transaction) -> None:
        begin(tx, queued(tx, cwd="/srv/a"))
        assert "queued" == begin(tx, queued(tx, cwd="/srv/a")).status
        reader = queued(tx, cwd="/srv/a", sandbox="read-only")
        assert "starting" == begin(tx, reader).status

    done(writer, unit)


def test_the_same_path_on_two_hosts_is_two_folders(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        begin(tx, queued(tx, cwd="/srv/a"))
        assert "starting" == begin(tx, queued(tx, cwd="/srv/a", host="far")).status
        assert "queued" == begin(tx, queued(tx, cwd="/srv/a", host="far")).status

    done(writer, unit)


def test_who_comes_second_into_a_folder_yields_it(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        first = begin(tx, queued(tx, cwd="/srv/a"))
        second = begin(tx, queued(tx, cwd="/srv/b"))
        sessions.update(tx, second.id, cwd="/srv/a")
        assert "queued" == yield_folder(tx, second.id).status
        assert "starting" == yield_folder(tx, first.id).status

    done(writer, unit)


def test_a_cancelled_task_lets_nothing_begin(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        session = queued(tx)
        tasks.update(tx, session.task_id, status="cancelled")
        with pytest.raises(Conflict, match="is cancelled"):
            begin(tx, session)

    done(writer, unit)


def test_a_repository_that_was_tightened_meanwhile_denies(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        session = queued(tx)
        repositories.update(tx, session.repository_id, allow_write=False)
        with pytest.raises(PolicyDenied, match="does not allow writing"):
            begin(tx, session)

    done(writer, unit)
