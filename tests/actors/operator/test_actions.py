"""Signals of the runtime become events, and an operator can undo what was done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from command_center.actors.operator.actions import Journal, Order, observer_for, operate
from command_center.actors.rules.errors import Conflict, Invalid, NotFound
from command_center.runtime import (
    Actor,
    Backoff,
    ChildSpec,
    Crashed,
    Intensity,
    Quarantined,
    Request,
    Stalled,
    Status,
    SupervisorSpec,
    handles,
)
from command_center.store import EventFilter, events
from tests.actors.rows import Rig, rig

REASON = Order(reason="To see.", confirm=True, requested_by="ada")


class Work(Request[str]):
    """Ask whether it works."""


class Fragile(Actor):
    """Crashes while `broken`, with a secret in its words."""

    broken = True

    @handles(Work)
    async def work(self, _message: Work) -> str:
        if Fragile.broken:
            raise RuntimeError("Token ghp_" + "a" * 36)
        return "It works."


@asynccontextmanager
async def fragile(path: Path) -> AsyncIterator[Rig]:
    """`/edge/fragile`, set aside at its second crash."""
    Fragile.broken = True
    edge = SupervisorSpec(
        id="edge",
        children=(ChildSpec(id="fragile", start=Fragile, backoff=Backoff(0.0, 1.0, 0.0)),),
        intensity=Intensity(restarts=1, period=60),
        quarantine=True,
    )
    async with rig(path, edge) as made:
        await made.system.start_child(
            "/", ChildSpec(id="journal", start=lambda: Journal(made.storage))
        )
        made.system.observe(observer_for(lambda: made.system.lookup("/journal")))
        yield made


async def told(made: Rig, kind: str) -> list[Any]:
    """The events of a type."""
    wanted = EventFilter(types=(kind,))
    found, _ = await made.storage.read(lambda db: events.after(db, 0, limit=50, wanted=wanted))
    return [msgspec.json.decode(event.body) for event in found]


async def set_aside(made: Rig) -> None:
    """Crash it until it is in quarantine, and the journal has told of it."""
    gone = trio.Event()
    made.system.observe(lambda signal: gone.set() if isinstance(signal, Quarantined) else None)
    ref = made.system.lookup("/edge/fragile")
    for _ in range(2):
        with pytest.raises(Exception, match=r"crashed|ended"):
            await ref.ask(Work())
        await trio.testing.wait_all_tasks_blocked()
    with trio.fail_after(30):
        await gone.wait()
        while not await told(made, "actor.quarantined"):  # noqa: ASYNC110 - the log
            await trio.sleep(0.02)


async def test_quarantine_is_an_event_without_secrets_and_a_restart_is_the_way_back(
    tmp_path: Path,
) -> None:
    async with fragile(tmp_path / "db.sqlite3") as made:
        await set_aside(made)
        event = (await told(made, "actor.quarantined"))[0]
        assert "/edge/fragile" == event["data"]["path"]
        assert "RuntimeError" in event["data"]["error"]
        assert "ghp_" not in str(event)
        assert Status.QUARANTINED is made.system.snapshot_of("/edge/fragile").status
        Fragile.broken = False
        after = await operate(
            made.system, made.storage, "/edge/fragile", "restart", Order(reason="Mended.")
        )
        assert Status.IDLE is after.status
        assert "It works." == await made.system.lookup("/edge/fragile").ask(Work())


async def test_a_restart_whose_start_fails_is_refused_with_the_reason(
    tmp_path: Path,
) -> None:
    class NeverStarts(Actor):
        lives = 0

        async def on_start(self) -> None:
            NeverStarts.lives += 1
            if NeverStarts.lives > 1:
                raise RuntimeError("The lamp is broken.")

    async with fragile(tmp_path / "db.sqlite3") as made:
        await made.system.start_child("/edge", ChildSpec(id="never", start=NeverStarts))
        with pytest.raises(Conflict, match="The lamp is broken") as caught:
            await operate(made.system, made.storage, "/edge/never", "restart", REASON)
        assert "did not start" in str(caught.value)
        assert "It is tried again." in str(caught.value)


async def test_no_beginning_of_a_secret_is_left_where_an_errors_text_is_cut(tmp_path: Path) -> None:
    secret = "a word of ours that has no form"
    async with rig(tmp_path / "db.sqlite3") as made:
        await made.system.start_child(
            "/", ChildSpec(id="journal", start=lambda: Journal(made.storage))
        )
        observe = observer_for(lambda: made.system.lookup("/journal"), [secret])
        observe(Crashed("/a", ValueError("x" * 480 + secret), start_failed=False))
        with trio.fail_after(30):
            while not (events := await told(made, "actor.crashed")):  # noqa: ASYNC110 - the log
                await trio.sleep(0.02)
        text = events[0]["data"]["error"]
        assert text.startswith("ValueError: xxx")
        assert 500 == len(text)
        assert secret[:4] not in text


async def test_each_crash_and_restart_is_told(tmp_path: Path) -> None:
    async with fragile(tmp_path / "db.sqlite3") as made:
        await set_aside(made)
        assert 2 == len(await told(made, "actor.crashed"))
        assert 1 == len(await told(made, "actor.restarted"))


async def test_an_action_is_an_event_with_who_and_why_before_it_is_done(tmp_path: Path) -> None:
    async with fragile(tmp_path / "db.sqlite3") as made:
        await operate(made.system, made.storage, "/edge/fragile", "suspend", REASON)
        event = (await told(made, "actor.suspended"))[0]
        assert ("ada", "To see.", "/edge/fragile") == (
            event["actor"],
            event["data"]["reason"],
            event["data"]["path"],
        )
        assert Status.SUSPENDED is made.system.snapshot_of("/edge/fragile").status


@pytest.mark.parametrize(
    ("path", "action", "order", "refusal"),
    [
        ("/nobody", "stop", REASON, NotFound),
        ("/edge/fragile", "stop", Order(reason=" "), Invalid),
        ("/edge/fragile", "stop", Order(reason="Why."), Conflict),
        ("/edge", "suspend", REASON, Conflict),
        ("/", "stop", REASON, Conflict),
        ("/store", "suspend", REASON, Conflict),
        ("/store", "drain", REASON, Conflict),
        ("/store", "stop", REASON, Conflict),
    ],
)
async def test_what_cannot_be_meant_is_refused_and_is_no_event(
    tmp_path: Path, path: str, action: Any, order: Order, refusal: type[Exception]
) -> None:
    async with fragile(tmp_path / "db.sqlite3") as made:
        with pytest.raises(refusal):
            await operate(made.system, made.storage, path, action, order)
        assert 0 == await made.storage.read(events.last_id)


async def test_the_store_is_restarted_although_nothing_can_be_written_before(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        await made.system.stop_child("/store", reason="a test")
        with trio.fail_after(30):
            after = await operate(made.system, made.storage, "/store", "restart", REASON)
        assert Status.IDLE is after.status
        assert "/store" == (await told(made, "actor.restarted"))[0]["data"]["path"]
        made.system.suspend("/store", reason="a test")
        with trio.fail_after(30):
            await operate(made.system, made.storage, "/store", "resume", REASON)
        assert "To see." == (await told(made, "actor.resumed"))[0]["data"]["reason"]


async def test_an_actor_that_kept_all_others_waiting_is_told_of(tmp_path: Path) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        await made.system.start_child(
            "/", ChildSpec(id="journal", start=lambda: Journal(made.storage))
        )
        observe = observer_for(lambda: made.system.lookup("/journal"))
        observe(Stalled(None, 3.0, ("main (x.py:1)",)))
        observe(Stalled("/a", 3.0, tuple(f"f{number} (x.py:{number})" for number in range(20))))
        with trio.fail_after(30):
            while not (events := await told(made, "actor.stalled")):  # noqa: ASYNC110 - the log
                await trio.sleep(0.02)
        (event,) = events
        assert ("/a", 3.0) == (event["data"]["path"], event["data"]["seconds"])
        where = [f"f{number} (x.py:{number})" for number in range(19, 11, -1)]
        assert where == event["data"]["where"]
