"""Slots: so many at once, by priority then age, and one writer in a folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn

import attrs
import pytest
import trio

from command_center.actors.contracts.addresses import SLOTS
from command_center.actors.contracts.sessions import (
    ChooseHost,
    GrantSlot,
    RequestSlot,
    SlotsChanged,
)
from command_center.actors.sessions import slots as slots_module
from command_center.actors.sessions.slots import Slots, live_sessions, waiting_for
from command_center.runtime import Actor, ChildSpec, Intensity, Restart, SupervisorSpec, handles
from command_center.store import (
    HostState,
    Session,
    StoreUnavailable,
    Transaction,
    host_states,
    orphaned_turns,
    sessions,
)
from tests.actors.rows import Rig, insert_repository, insert_session, insert_task, rig, settle


@attrs.define
class Granted:
    """The sessions that were granted a slot, in their order."""

    ids: list[int] = attrs.field(factory=list)
    choosing: list[int] = attrs.field(factory=list)
    """Those that were told to choose another host."""


class Fail:
    """Tells an actor to crash."""


class Waiting(Actor):
    """Stands for a session's actor: notes its grant, and begins."""

    def __init__(self, session_id: int, made: Rig, granted: Granted) -> None:
        self._id = session_id
        self._made = made
        self._granted = granted
        self._has_begun = False

    @handles(GrantSlot)
    async def grant(self, _message: GrantSlot) -> None:
        if self._has_begun:
            return  # one that had asked only just now may be told twice
        self._has_begun = True
        self._granted.ids.append(self._id)
        await self._made.storage.write(lambda tx: sessions.update(tx, self._id, status="running"))

    @handles(ChooseHost)
    def choose(self, _message: ChooseHost) -> None:
        self._granted.choosing.append(self._id)

    @handles(Fail)
    def fail(self, _message: Fail) -> None:
        raise RuntimeError


@asynccontextmanager
async def slots(
    path: Path, limit: int, away: dict[str, str] | None = None
) -> AsyncIterator[tuple[Rig, Granted]]:
    """`/slots` over a real store; the hosts are away that `away` names."""
    found: list[Rig] = []

    def start_slots() -> Slots:
        absent = {} if away is None else away
        return Slots(found[0].storage, limit=limit, absence=lambda one: absent.get(one.host))

    edge = SupervisorSpec(id="sessions", intensity=Intensity(restarts=0), quarantine=True)
    async with rig(path, edge) as made:
        found.append(made)
        await made.system.start_child("/", ChildSpec(id="slots", start=start_slots))
        yield made, Granted()


async def on_host(made: Rig, name: str, **wanted: object) -> None:
    """Want something else of a host."""

    def unit(tx: Transaction) -> None:
        known = host_states.find(tx.db, {"name": name})
        if known is None:
            host_states.insert(tx, name=name, **wanted)
        else:
            host_states.update(tx, known.id, **wanted)

    await made.storage.write(unit)
    await made.system.lookup(SLOTS).tell(SlotsChanged())
    await settle(made)


async def add(made: Rig, granted: Granted, **fields: object) -> Session:
    """A queued session, whose actor waits for its slot."""

    def unit(tx: Transaction) -> Session:
        task = insert_task(tx, insert_repository(tx))
        return insert_session(tx, task, status="queued", **fields)

    session = await made.storage.write(unit)
    ref = await made.system.start_child(
        "/sessions",
        ChildSpec(
            id=str(session.id),
            start=partial(Waiting, session.id, made, granted),
            restart=Restart.TRANSIENT,
        ),
    )
    await made.system.lookup(SLOTS).tell(RequestSlot(session.id, ref))
    await settle(made)
    return session


async def end(made: Rig, session: Session) -> None:
    """The session has ended, and so has its actor."""
    await end_row(made, session)
    await made.system.stop_child(f"/sessions/{session.id}", reason="a test")
    await settle(made)


async def end_row(made: Rig, session: Session) -> None:
    """The session has ended, and its actor says so, but still has something to clean up."""
    await made.storage.write(
        lambda tx: sessions.update(tx, session.id, status="completed", finished_at=tx.now)
    )
    await made.system.lookup(SLOTS).tell(SlotsChanged())
    await settle(made)


async def set_aside(made: Rig, session: Session) -> None:
    """The session's actor has failed too often."""
    await made.system.lookup(f"/sessions/{session.id}").tell(Fail())
    await settle(made)


async def test_no_more_work_at_once_than_there_are_slots(tmp_path: Path) -> None:
    async with slots(tmp_path / "db.sqlite3", 2) as (made, granted):
        first = await add(made, granted, cwd="/srv/a")
        await add(made, granted, cwd="/srv/b")
        third = await add(made, granted, cwd="/srv/c")
        assert [1, 2] == granted.ids
        await end(made, first)
        assert [1, 2, third.id] == granted.ids


async def test_a_high_priority_goes_before_age(tmp_path: Path) -> None:
    async with slots(tmp_path / "db.sqlite3", 1) as (made, granted):
        first = await add(made, granted, cwd="/srv/a")
        await add(made, granted, cwd="/srv/b", priority="low")
        await add(made, granted, cwd="/srv/c", priority="normal")
        urgent = await add(made, granted, cwd="/srv/d", priority="high")
        await end(made, first)
        assert [first.id, urgent.id] == granted.ids


async def test_two_sessions_never_write_in_one_folder_but_any_number_may_read_there(
    tmp_path: Path,
) -> None:
    async with slots(tmp_path / "db.sqlite3", 10) as (made, granted):
        writer = await add(made, granted, cwd="/srv/a")
        second = await add(made, granted, cwd="/srv/a")
        reader = await add(made, granted, cwd="/srv/a", sandbox="read-only")
        assert [writer.id, reader.id] == granted.ids
        live = await made.storage.read(live_sessions)
        told = waiting_for(second, live, limit=10)
        why = f"it waits for session {writer.id}, which is writing in /srv/a."
        assert (f"Number 1 in the queue: {why}", writer.id) == told
        await end(made, writer)
        assert [writer.id, reader.id, second.id] == granted.ids


async def test_a_folder_and_a_thread_are_not_free_before_a_turn_that_was_left_has_been_ended(
    tmp_path: Path,
) -> None:
    async with slots(tmp_path / "db.sqlite3", 1) as (made, granted):
        place = {"cwd": "/srv/a", "runner": "app-server", "codex_thread_id": "t"}
        stopped = await add(made, granted, **place)

        def leave(tx: Transaction) -> None:
            sessions.update(tx, stopped.id, status="interrupted", finished_at=tx.now)
            orphaned_turns.note(tx, stopped.id)

        await made.storage.write(leave)
        await made.system.stop_child(f"/sessions/{stopped.id}", reason="a test")
        next_turn = await add(made, granted, **{**place, "sandbox": "read-only"})
        writer = await add(made, granted, **{**place, "codex_thread_id": "u"})
        other = await add(made, granted, cwd="/srv/a", runner="cli")
        assert [stopped.id, other.id] == granted.ids, "it holds no slot, and no other runner up"
        await end(made, other)
        assert [stopped.id, other.id] == granted.ids
        live, unsettled = await made.storage.read(
            lambda db: (live_sessions(db), orphaned_turns.waited_for(db))
        )
        told = waiting_for(writer, live, None, unsettled, limit=1)
        why = (
            f"session {stopped.id}, whose turn on host local is yet to be ended. If that host does "
            f"not come back: `command-center abandon {stopped.id}`."
        )
        assert (f"Number 2 in the queue: it waits for {why}", stopped.id) == told
        await made.storage.write(lambda tx: orphaned_turns.forget(tx, stopped.id))
        await made.system.lookup(SLOTS).tell(SlotsChanged())
        await settle(made)
        assert next_turn.id == granted.ids[-1]


async def test_a_session_with_a_worktree_waits_for_nobody_in_the_main_checkout(
    tmp_path: Path,
) -> None:
    async with slots(tmp_path / "db.sqlite3", 10) as (made, granted):
        here = await add(made, granted, cwd="/srv/a")
        reserved = {"worktree_path": "/data/worktrees/1/b", "worktree_reserved": True}
        there = {"cwd": "/data/worktrees/1/b", "workplace": "worktree"}
        apart = await add(made, granted, **there, **reserved)
        behind = await add(made, granted, **there, **reserved)
        nowhere = await add(made, granted, cwd="/srv/a", workplace="worktree")
        assert [here.id, apart.id, nowhere.id] == granted.ids
        live = await made.storage.read(live_sessions)
        assert apart.id == waiting_for(behind, live, limit=10).session_id


async def test_where_all_slots_are_in_use_the_one_that_waits_for_a_person_is_named(
    tmp_path: Path,
) -> None:
    async with slots(tmp_path / "db.sqlite3", 2) as (made, granted):
        await add(made, granted, cwd="/srv/a")
        asks = await add(made, granted, cwd="/srv/b")
        await made.storage.write(lambda tx: sessions.update(tx, asks.id, status="waiting_approval"))
        third = await add(made, granted, cwd="/srv/c")
        live = await made.storage.read(live_sessions)
        slots_are = "2 of 2 slots are in use, one by session"
        told = f"Number 1 in the queue: {slots_are} {asks.id}, which waits for your decision."
        assert (told, asks.id) == waiting_for(third, live, limit=2)


async def test_the_same_path_on_two_hosts_is_two_folders(tmp_path: Path) -> None:
    async with slots(tmp_path / "db.sqlite3", 10) as (made, granted):
        here = await add(made, granted, cwd="/srv/a")
        there = await add(made, granted, cwd="/srv/a", host="far")
        second = await add(made, granted, cwd="/srv/a", host="far")
        assert [here.id, there.id] == granted.ids
        live = await made.storage.read(live_sessions)
        told = waiting_for(second, live, limit=10)
        why = f"it waits for session {there.id}, which is writing in /srv/a."
        assert (f"Number 1 in the queue: {why}", there.id) == told


@pytest.mark.parametrize("crash", [False, True])
async def test_a_folder_is_not_given_away_before_its_session_has_cleaned_up(
    tmp_path: Path, *, crash: bool
) -> None:
    async with slots(tmp_path / "db.sqlite3", 10) as (made, granted):
        first = await add(made, granted, cwd="/srv/a")
        second = await add(made, granted, cwd="/srv/a")
        if crash:
            await made.system.restart("/slots", reason="a test")
            await settle(made)
        await end_row(made, first)
        assert [first.id] == granted.ids
        await made.system.stop_child(f"/sessions/{first.id}", reason="a test")
        await settle(made)
        assert [first.id, second.id] == granted.ids


async def test_a_session_that_was_blocked_after_its_grant_holds_nothing(tmp_path: Path) -> None:
    async with slots(tmp_path / "db.sqlite3", 1) as (made, granted):
        first = await add(made, granted, cwd="/srv/a")
        await made.storage.write(lambda tx: sessions.update(tx, first.id, status="blocked"))
        second = await add(made, granted, cwd="/srv/a")
        assert [first.id, second.id] == granted.ids


async def test_the_slot_of_a_session_that_ends_while_its_actor_is_set_aside_is_free(
    tmp_path: Path,
) -> None:
    async with slots(tmp_path / "db.sqlite3", 1) as (made, granted):
        first = await add(made, granted, cwd="/srv/a")
        await set_aside(made, first)
        second = await add(made, granted, cwd="/srv/b")
        assert [first.id] == granted.ids
        await end_row(made, first)
        assert [first.id, second.id] == granted.ids


async def test_a_queued_session_whose_actor_is_set_aside_takes_no_slot(tmp_path: Path) -> None:
    async with slots(tmp_path / "db.sqlite3", 1) as (made, granted):
        first = await add(made, granted, cwd="/srv/a")
        second = await add(made, granted, cwd="/srv/b")
        await set_aside(made, second)
        third = await add(made, granted, cwd="/srv/c")
        await end(made, first)
        assert [first.id, third.id] == granted.ids


async def test_a_retry_is_not_granted_before_its_pause_is_over(tmp_path: Path) -> None:
    async with slots(tmp_path / "db.sqlite3", 10) as (made, granted):
        later = "2999-01-01T00:00:00.000Z"
        retry = await add(made, granted, begin_after=later, attempt=2)
        assert [] == granted.ids
        live = await made.storage.read(live_sessions)
        assert (f"Attempt 2 begins after {later}.", None) == waiting_for(retry, live, limit=10)


async def test_after_a_crash_what_is_held_and_who_waits_is_known_from_the_rows(
    tmp_path: Path,
) -> None:
    async with slots(tmp_path / "db.sqlite3", 1) as (made, granted):
        first = await add(made, granted, cwd="/srv/a")
        second = await add(made, granted, cwd="/srv/b")
        await made.system.restart("/slots", reason="a test")
        await settle(made)
        assert [first.id] == granted.ids
        await end(made, first)
        assert [first.id, second.id] == granted.ids


async def test_a_slot_that_is_free_while_nothing_can_be_read_is_granted_when_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots_module, "PAUSE_SECONDS", 0.05)
    async with slots(tmp_path / "db.sqlite3", 1) as (made, granted):
        first = await add(made, granted, cwd="/srv/a")
        second = await add(made, granted, cwd="/srv/b")

        def refuse(*_: object) -> NoReturn:
            raise StoreUnavailable("unable to open database file", act="read")

        with monkeypatch.context() as patched:
            patched.setattr(type(made.storage.readers), "connection", refuse)
            await end(made, first)
        with trio.fail_after(30):
            while granted.ids != [first.id, second.id]:  # noqa: ASYNC110 - it is granted without a word
                await trio.sleep(0.01)


async def test_a_host_has_slots_of_its_own_and_what_waits_for_it_holds_up_no_other(
    tmp_path: Path,
) -> None:
    async with slots(tmp_path / "db.sqlite3", limit=3) as (made, granted):
        await on_host(made, "box", max_sessions=1)
        first, second = [
            await add(made, granted, host="box", cwd=f"/srv/{letter}") for letter in "ab"
        ]
        other = await add(made, granted)
        assert [first.id, other.id] == granted.ids

        def why(state: HostState) -> str | None:
            return waiting_for(second, live, limit=3, state=state).reason

        live, (state,) = await made.storage.read(
            lambda db: (live_sessions(db), host_states.every(db, {}))
        )
        assert "Number 1 in the queue: 1 of 1 slots of host box are in use." == why(state)

        await on_host(made, "box", max_sessions=None, is_draining=True)
        assert [first.id, other.id] == granted.ids, "nothing begins on a host that drains"
        (state,) = await made.storage.read(lambda db: host_states.every(db, {}))
        assert "host box is draining" in (why(state) or "")

        await on_host(made, "box", is_draining=False)
        assert [first.id, other.id, second.id] == granted.ids


async def test_a_session_waits_for_a_host_that_is_away_and_says_so(tmp_path: Path) -> None:
    away = {"box": "It sleeps."}
    async with slots(tmp_path / "db.sqlite3", limit=3, away=away) as (made, granted):
        waits = await add(made, granted, host="box", cwd="/srv/a")
        other = await add(made, granted)
        assert [other.id] == granted.ids
        live = await made.storage.read(live_sessions)
        why = waiting_for(waits, live, limit=3, absence="It sleeps.").reason
        told = "host box is away: It sleeps. Runs begin there when it is back."
        assert f"Number 1 in the queue: {told}" == why
        del away["box"]
        await made.system.lookup(SLOTS).tell(SlotsChanged())
        await settle(made)
        assert [other.id, waits.id] == granted.ids


async def test_sessions_that_leave_their_host_open_choose_anew_once_it_takes_no_more(
    tmp_path: Path,
) -> None:
    away = {"box": "It sleeps."}
    async with slots(tmp_path / "db.sqlite3", limit=3, away=away) as (made, granted):
        for placement in ("any", {"labels": ["gpu"]}, {"host": "box"}, None):
            await add(made, granted, host="box", placement=placement, cwd="/srv/a")
        assert [1, 2] == sorted(granted.choosing)
        await on_host(made, "box", labels=["gpu"])
        assert [1, 2] == sorted(granted.choosing), "nothing has changed for them"
        await on_host(made, "local", is_draining=True)
        await add(made, granted, cwd="/srv/b")
        assert [1, 1, 2, 2] == sorted(granted.choosing)
        assert [] == granted.ids
