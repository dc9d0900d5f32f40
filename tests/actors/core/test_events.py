"""The hub: no gap, no repeat, and nobody waits for a slow subscriber."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
import trio
import trio.testing

from command_center.actors.core import events as events_module
from command_center.actors.core.events import (
    Fanout,
    PublishCommitted,
    Published,
    PublishLive,
    Subscription,
)
from command_center.runtime import MailboxFull
from command_center.store import EventFilter, StoredEvent, Transaction
from command_center.store.lists.pages import PAGE_BYTES
from tests.actors.rows import Rig, rig
from tests.made_up import made_up


def event(number: int, kind: str = "task.created", *, session_id: int | None = None) -> StoredEvent:
    return StoredEvent(
        id=number,
        type=kind,
        ts="2026-01-01T00:00:00.000Z",
        body=f"{number}".encode(),
        session_id=session_id,
    )


async def emit(made: Rig, kind: str, count: int = 1) -> None:
    def unit(tx: Transaction) -> None:
        for _ in range(count):
            tx.emit(made_up(kind), actor="test")

    await made.storage.write(unit)


async def test_what_was_published_before_is_not_published_again() -> None:
    fanout = Fanout()
    with fanout.subscribe(EventFilter()) as subscription:
        fanout.publish([event(1), event(2)])
        fanout.publish([event(2), event(3)])
        assert [b"1", b"2", b"3"] == await subscription.drain()


async def test_a_subscriber_gets_only_what_it_wants() -> None:
    fanout = Fanout()
    with fanout.subscribe(EventFilter(types=("a.b",), session_id=7)) as subscription:
        fanout.publish([event(1, "a.b", session_id=7), event(2, "a.b", session_id=8)])
        fanout.publish([event(3, "c.d", session_id=7), event(4, "a.b", session_id=7)])
        assert [b"1", b"4"] == await subscription.drain()


async def test_a_slow_subscriber_is_closed_with_what_it_has_and_the_others_go_on() -> None:
    fanout = Fanout()
    count = events_module.BUFFER + 1
    with (
        fanout.subscribe(EventFilter()) as slow,
        fanout.subscribe(EventFilter()) as quick,
    ):
        for number in range(1, count + 1):
            fanout.publish([event(number)])
            assert [str(number).encode()] == await quick.drain()
        assert "lagging" == slow.closed
        assert events_module.BUFFER == len(await slow.drain())
        assert [] == await slow.drain()
        assert quick.closed is None


async def test_what_waits_for_a_slow_subscriber_is_bounded_by_its_size_too() -> None:
    fanout = Fanout()
    third = bytes(events_module.BUFFER_BYTES // 3)
    with fanout.subscribe(EventFilter()) as slow:
        for number in range(1, 6):
            fanout.publish([msgspec.structs.replace(event(number), body=third)])
        assert "lagging" == slow.closed
        assert [[third]] * 3 == [await slow.drain() for _ in range(3)]
        assert [] == await slow.drain()


async def test_of_what_waits_no_more_is_taken_at_once_than_a_page_holds() -> None:
    fanout = Fanout()
    size = PAGE_BYTES // 2
    with fanout.subscribe(EventFilter()) as slow:
        for number in range(1, 6):
            fanout.publish([msgspec.structs.replace(event(number), body=bytes(size))])
        taken = [len(await slow.take()) for _ in range(3)]
        fanout.publish([event(6)])
        assert ([2, 2, 1], [b"6"]) == (taken, await slow.drain())


async def test_an_event_that_is_larger_than_the_buffer_reaches_who_keeps_up() -> None:
    fanout = Fanout()
    large = msgspec.structs.replace(event(1), body=bytes(events_module.BUFFER_BYTES + 1))
    with fanout.subscribe(EventFilter()) as quick:
        fanout.publish([large])
        assert [large.body] == await quick.drain()
        fanout.publish([event(2)])
        assert [b"2"] == await quick.drain()


async def test_while_its_owner_waits_events_go_to_the_outlet_and_what_it_refuses_is_buffered() -> (
    None
):
    fanout = Fanout()
    written: list[bytes] = []
    drained: list[bytes] = []
    refused = {b"6"}

    def outlet(batch: Sequence[Published]) -> bool:
        bodies = [published.event.body for published in batch]
        if refused.intersection(bodies):
            return False
        written.extend(bodies)
        return True

    async def own(subscription: Subscription) -> None:
        while batch := await subscription.drain():
            drained.extend(batch)

    with fanout.subscribe(EventFilter(types=("a.b",)), outlet=outlet) as subscription:
        fanout.publish([event(1, "a.b")])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(own, subscription)
            await trio.testing.wait_all_tasks_blocked()
            fanout.publish([event(2, "a.b"), event(3, "c.d"), event(4, "a.b")])
            fanout.publish([event(5, "a.b"), event(6, "a.b")])
            fanout.publish([event(7, "a.b")])
            await trio.testing.wait_all_tasks_blocked()
            fanout.publish([event(8, "a.b")])
            fanout.close()
    assert [b"1", b"5", b"6", b"7"] == drained
    assert [b"2", b"4", b"8"] == written


async def test_after_a_wait_that_was_cancelled_events_are_buffered_again() -> None:
    fanout = Fanout()
    with fanout.subscribe(EventFilter(), outlet=lambda _: True) as subscription:
        with trio.move_on_after(0):
            await subscription.drain()
        fanout.publish([event(1)])
        assert [b"1"] == await subscription.drain()


async def test_a_subscription_that_is_closed_wakes_its_owner() -> None:
    fanout = Fanout()
    with fanout.subscribe(EventFilter()) as subscription:
        async with trio.open_nursery() as nursery:

            async def drain() -> None:
                assert [] == await subscription.drain()

            nursery.start_soon(drain)
            await trio.testing.wait_all_tasks_blocked()
            fanout.close()
        assert "shutdown" == subscription.closed


async def test_the_hub_fills_a_gap_from_the_log(tmp_path: Path) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        with made.fanout.subscribe(EventFilter()) as subscription:
            made.system.suspend("/events", reason="a test")
            await emit(made, "task.created", 3)
            # The hub is told of the last only, as if the rest had been lost with a crash.
            made.system.lookup("/events").try_tell(PublishCommitted((event(3),)))
            made.system.resume("/events", reason="a test")
            seen: list[bytes] = []
            with trio.fail_after(30):
                while len(seen) < 3:
                    seen += await subscription.drain()
            assert [1, 2, 3] == [msgspec.json.decode(frame)["id"] for frame in seen]


async def test_what_is_committed_while_the_hub_restarts_is_published_by_the_next_one(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        with made.fanout.subscribe(EventFilter()) as subscription:
            await emit(made, "task.created")
            assert 1 == len(await subscription.drain())
            await made.system.restart("/events", reason="a test")
            await emit(made, "task.updated")
            with trio.fail_after(30):
                frames = await subscription.drain()
            assert [2] == [msgspec.json.decode(frame)["id"] for frame in frames]


async def test_what_is_committed_while_the_hub_has_no_room_is_published_when_it_has(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        with made.fanout.subscribe(EventFilter(types=("task.created",))) as subscription:
            made.system.suspend("/events", reason="a test")
            hub = made.system.lookup("/events")
            with pytest.raises(MailboxFull):
                while True:
                    hub.try_tell(PublishLive(told=made_up("a.delta")))
            for _ in range(3):
                await emit(made, "task.created")
            made.system.resume("/events", reason="a test")
            seen: list[bytes] = []
            with trio.fail_after(30):
                while len(seen) < 3:
                    seen += await subscription.drain()
            assert [1, 2, 3] == [msgspec.json.decode(frame)["id"] for frame in seen]


async def test_what_is_told_in_one_turn_is_handed_on_together_and_in_order(tmp_path: Path) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        batches: list[list[StoredEvent]] = []

        def outlet(batch: Sequence[Published]) -> bool:
            batches.append([published.event for published in batch])
            return True

        with made.fanout.subscribe(EventFilter(), outlet=outlet) as subscription:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(subscription.drain)
                await trio.testing.wait_all_tasks_blocked()
                hub = made.system.lookup("/events")
                for number in range(1, 31):
                    hub.try_tell(PublishCommitted((event(number),)))
                    hub.try_tell(PublishLive(told=made_up("a.delta")))
                while sum(map(len, batches)) < 60:
                    await trio.testing.wait_all_tasks_blocked()
                await made.system.restart("/events", reason="a test")
                nursery.cancel_scope.cancel()
        told = [each.id for batch in batches for each in batch]
        assert [id_ for number in range(1, 31) for id_ in (number, 0)] == told
        assert len(batches) < 10


async def test_what_is_said_live_has_no_id_and_no_secrets(tmp_path: Path) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        with made.fanout.subscribe(EventFilter(session_id=1)) as subscription:
            secret = "ghp_" + "a" * 36
            made.storage.live(
                PublishLive(told=made_up("session.output.delta", {"delta": secret}), session_id=1)
            )
            with trio.fail_after(30):
                frame = msgspec.json.decode((await subscription.drain())[0])
            assert (None, 1) == (frame["id"], frame["sessionId"])
            assert secret not in str(frame)
