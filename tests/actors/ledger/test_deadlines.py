"""Deadlines are warned of once, pass late rather than never, and can be put off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from command_center.actors.approvals import actor as looking
from command_center.actors.approvals.actor import Approvals
from command_center.actors.contracts.approvals import (
    DeadlinesPassed,
    Extension,
    Resolution,
    ResolveApproval,
)
from command_center.actors.core.clock import LOOK_SECONDS, later
from command_center.actors.ledger.approvals import AlreadySettled
from command_center.actors.ledger.deadlines import (
    extend,
    next_moment,
    overdue,
    to_warn_of,
    warn,
    warning_of,
)
from command_center.runtime import ChildSpec
from command_center.store import Approval, EventFilter, Transaction, Writer, approvals
from command_center.store.timestamps import from_timestamp
from tests.actors.rows import Rig, rig
from tests.made_up import made_up

T = TypeVar("T")


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    made = Writer(tmp_path / "db.sqlite3")
    yield made
    made.close()


def done(writer: Writer, unit: Callable[[Transaction], T]) -> T:
    outcome: Any = writer.commit([unit]).outcomes[0]
    if hasattr(outcome, "error"):
        raise outcome.error
    value: T = outcome.value
    return value


def ask(seconds: float, *, age: float = 0.0) -> Callable[[Transaction], Approval]:
    """An approval whose deadline is so far ahead, and that was asked so long ago."""

    def unit(tx: Transaction) -> Approval:
        made = approvals.insert(
            tx, title="May I?", requested_by="ada", expires_at=later(tx.now, seconds)
        )
        asked = later(tx.now, -age)
        tx.db.execute("UPDATE approvals SET created_at = ? WHERE id = ?", [asked, made.id])
        return made

    return unit


def spec_of(found: Rig) -> ChildSpec:
    return ChildSpec(
        id="approvals",
        start=lambda: Approvals(found.storage, found.fanout, approval_seconds=9),
    )


def told(tx: Transaction) -> list[str]:
    return [kind for (kind,) in tx.db.execute("SELECT type FROM events ORDER BY id")]


def test_a_deadline_that_is_near_is_warned_of_once_and_anew_when_it_was_put_off(
    writer: Writer,
) -> None:
    near = done(writer, ask(60, age=900))
    done(writer, ask(3000, age=900))
    assert [near.id] == done(writer, lambda tx: to_warn_of(tx.db))
    for _ in range(3):
        done(writer, lambda tx: warn(tx, near.id))
    assert [] == done(writer, lambda tx: to_warn_of(tx.db))
    assert ["approval.expiring"] == done(writer, told)
    extended = done(writer, lambda tx: extend(tx, near.id, Extension(ttl_seconds=61)))
    assert extended.warned_at is None
    assert [near.id] == done(writer, lambda tx: to_warn_of(tx.db))
    done(writer, lambda tx: warn(tx, near.id))
    assert ["approval.expiring", "approval.extended", "approval.expiring"] == done(writer, told)


def test_what_has_expired_is_not_warned_of_any_more(writer: Writer) -> None:
    late = done(writer, ask(-1, age=900))
    assert [] == done(writer, lambda tx: to_warn_of(tx.db))
    assert [late.id] == done(writer, lambda tx: overdue(tx.db))


def test_the_next_moment_is_a_warning_or_after_it_the_deadline(writer: Writer) -> None:
    assert done(writer, lambda tx: next_moment(tx.db)) is None
    approval = done(writer, ask(1000))
    assert approval.expires_at is not None
    warning = warning_of(approval.created_at, approval.expires_at)
    assert warning == done(writer, lambda tx: next_moment(tx.db))
    done(writer, lambda tx: approvals.update(tx, approval.id, warned_at=tx.now))
    assert approval.expires_at == done(writer, lambda tx: next_moment(tx.db))


@given(seconds=st.floats(1, 10_000_000))
def test_a_warning_comes_before_the_deadline_by_a_fifth_of_the_time_and_ten_minutes_at_most(
    seconds: float,
) -> None:
    asked = "2030-01-01T00:00:00.000Z"
    deadline = later(asked, seconds)
    warning = warning_of(asked, deadline)
    assert asked < warning < deadline
    left = from_timestamp(deadline) - from_timestamp(warning)
    assert timedelta(seconds=min(600.0, seconds * 0.2)) >= left - timedelta(milliseconds=2)


async def test_a_deadline_that_a_session_sets_passes_when_it_is_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = trio.Event()

    def look(db: Database) -> str | None:
        trio.from_thread.run_sync(looked.set)
        return next_moment(db)

    monkeypatch.setattr(looking, "next_moment", look)

    def asked(tx: Transaction) -> Approval:
        approval = ask(0.2)(tx)
        tx.emit(made_up("approval.requested"), actor="codex", approval_id=approval.id)
        return approval

    async with rig(tmp_path / "db.sqlite3") as found:
        await found.system.start_child("/", spec_of(found))
        await looked.wait()
        with found.fanout.subscribe(EventFilter(types=("approval.expired",))) as news:
            await found.storage.write(asked)
            with trio.fail_after(LOOK_SECONDS / 3):
                await news.drain()


async def test_what_passed_while_nothing_ran_passes_at_the_start_and_is_told_once(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path / "db.sqlite3") as found:
        missed = await found.storage.write(ask(-86_400, age=90_000))
        near = await found.storage.write(ask(60, age=900))
        spec = spec_of(found)

        def said(db: Database) -> list[tuple[str, int]]:
            sql = "SELECT type, approval_id FROM events ORDER BY id"
            return [(kind, key) for kind, key in db.execute(sql)]

        ref = await found.system.start_child("/", spec)
        with trio.fail_after(20):
            while len(events := await found.storage.read(said)) < len((missed, near)):
                await trio.lowlevel.checkpoint()
        assert [("approval.expired", missed.id), ("approval.expiring", near.id)] == events
        await found.system.stop_child(ref.path, reason="The test wants it.")
        again = await found.system.start_child("/", spec)
        await again.tell(DeadlinesPassed())
        with pytest.raises(AlreadySettled, match="expired"):
            await again.ask(ResolveApproval(missed.id, Resolution(status="approved")))
        assert events == await found.storage.read(said)
