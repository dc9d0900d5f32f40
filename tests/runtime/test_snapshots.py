"""Inspection: what it shows, and that it never waits."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import trio
import trio.testing

from command_center.runtime import ChildSpec, Status, open_system
from tests.runtime.probes import Boom, Crash, Echo, Hold, Note, Probe, Refuse, branch, probe, tree


async def test_a_busy_actor_shows_its_message_and_how_long_it_has_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_system(tree(probe("a"))) as system:
        hold = Hold()
        await system.lookup("/a").tell(hold)
        await trio.sleep(3.0)
        await system.lookup("/a").tell(Note("waits"))
        await trio.sleep(2.0)
        snapshot = system.snapshot_of("/a")
        assert (snapshot.status, snapshot.kind, snapshot.current) == (Status.BUSY, "Probe", "Hold")
        assert (snapshot.current_age, snapshot.oldest_age) == (5.0, 2.0)
        assert (snapshot.depth, snapshot.capacity, snapshot.high_water) == (1, 1000, 1)
        hold.gate.set()


async def test_the_await_stack_names_the_handler_and_what_it_waits_for() -> None:
    async with open_system(tree(probe("a"))) as system:
        hold = Hold()
        await system.lookup("/a").tell(hold)
        await hold.taken.wait()
        stack = system.stack_of("/a")
        assert any(line.startswith("hold (probes.py:") for line in stack)
        hold.gate.set()


async def test_the_await_stack_names_background_tasks_too() -> None:
    class Works(Probe):
        async def on_start(self) -> None:
            self.ctx.start_task(self.grind, name="grinder")

        async def grind(self) -> None:
            await trio.sleep_forever()

    async with open_system(tree(ChildSpec("a", Works))) as system:
        await trio.testing.wait_all_tasks_blocked()
        stack = system.stack_of("/a")
        assert "background task /a grinder" in stack
        assert any(line.startswith("grind (") for line in stack)


async def test_a_suspended_actor_keeps_its_messages_until_it_is_resumed() -> None:
    log: list[str] = []
    async with open_system(tree(probe("a", log))) as system:
        system.suspend("/a", reason="test")
        await system.lookup("/a").tell(Note("kept"))
        await trio.testing.wait_all_tasks_blocked()
        assert system.snapshot_of("/a").status is Status.SUSPENDED
        assert log == ["a start"]
        system.resume("/a", reason="test")
        await trio.testing.wait_all_tasks_blocked()
        assert log == ["a start", "a kept"]


async def test_a_suspension_takes_effect_before_the_messages_that_wait() -> None:
    log: list[str] = []
    async with open_system(tree(probe("a", log))) as system:
        hold = Hold()
        await system.lookup("/a").tell(hold)
        await hold.taken.wait()
        await system.lookup("/a").tell(Note("later"))
        system.suspend("/a", reason="overtakes")
        hold.gate.set()
        await trio.testing.wait_all_tasks_blocked()
        assert log == ["a start"]


async def test_a_suspended_actor_can_be_stopped() -> None:
    async with open_system(tree(probe("a"))) as system:
        system.suspend("/a", reason="test")
        await system.stop_child("/a", reason="test")
        assert system.snapshot_of("/a").status is Status.STOPPED


async def test_an_actors_own_description_is_shown_and_its_failure_hides_nothing_else() -> None:
    class Describes(Probe):
        def describe(self) -> Mapping[str, object]:
            return {"taskId": 7}

    class Fails(Probe):
        def describe(self) -> Mapping[str, object]:
            raise Boom("no")

    async with open_system(tree(ChildSpec("a", Describes), ChildSpec("b", Fails))) as system:
        assert system.snapshot_of("/a").description == {"taskId": 7}
        assert system.snapshot_of("/b").description == {"error": "Boom: no"}


async def test_the_last_error_is_redacted() -> None:
    def redact(text: str) -> str:
        return text.replace("Boom", "***")

    async with open_system(tree(probe("a")), redact=redact) as system:
        await system.lookup("/a").tell(Crash())
        await trio.testing.wait_all_tasks_blocked()
        assert system.snapshot_of("/a").last_error == "***: "


async def test_the_tree_comes_parents_first_and_in_start_order() -> None:
    spec = tree(probe("a"), branch("s", [probe("b"), branch("t", [probe("c")])]), probe("d"))
    async with open_system(spec) as system:
        assert [actor.path for actor in system.snapshot().actors] == [
            "/",
            "/a",
            "/s",
            "/s/b",
            "/s/t",
            "/s/t/c",
            "/d",
        ]


async def test_a_snapshot_shows_restarts_in_the_window(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_system(tree(probe("a"))) as system:
        await system.lookup("/a").tell(Crash())
        await trio.sleep(6.0)
        await system.lookup("/a").tell(Crash())
        await trio.sleep(6.0)
        snapshot = system.snapshot_of("/a")
        assert (snapshot.restarts, snapshot.restarts_in_window) == (2, 1)


async def test_ten_thousand_busy_actors_are_shown_without_waiting_for_one() -> None:
    holds: list[Hold] = []
    async with open_system(tree(branch("s", []))) as system:
        for number in range(10_000):
            hold = Hold()
            holds.append(hold)
            ref = await system.start_child("/s", ChildSpec(str(number), Probe))
            ref.try_tell(hold)
        await trio.testing.wait_all_tasks_blocked()
        snapshot = system.snapshot()
        busy = sum(actor.status is Status.BUSY for actor in snapshot.actors)
        assert (busy, snapshot.totals.in_hand) == (10_000, 10_000)
        for hold in holds:
            hold.gate.set()


async def test_a_trace_ends_itself_after_so_many_messages() -> None:
    async with open_system(tree(probe("a"))) as system:
        trace = system.trace("/a", messages=2, seconds=60.0)
        ref = system.lookup("/a")
        for text in ("one", "two", "three"):
            await ref.tell(Note(text))
        await ref.ask(Echo("end"))
        records = [record async for record in trace]
        assert [(record.message, record.asked) for record in records] == [
            ("Note", False),
            ("Note", False),
        ]


async def test_a_trace_tells_what_became_of_each_message() -> None:
    async with open_system(tree(probe("a"))) as system:
        trace = system.trace("/a", messages=3, seconds=60.0)
        ref = system.lookup("/a")
        for message in (Note("one"), Refuse(), Crash()):
            await ref.tell(message)
        assert [record.outcome.value async for record in trace] == ["handled", "refused", "lost"]


async def test_a_trace_ends_itself_after_so_many_seconds(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_system(tree(probe("a"))) as system:
        trace = system.trace("/a", messages=100, seconds=5.0)
        await system.lookup("/a").ask(Echo("traced"))
        records = [record async for record in trace]
        assert [record.asked for record in records] == [True]
        assert trio.current_time() == pytest.approx(5.0)
        await system.lookup("/a").ask(Echo("not traced"))
        assert [record async for record in trace] == []


async def test_a_trace_that_nobody_reads_ends_at_its_deadline_too(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_system(tree(probe("a"))) as system:
        trace = system.trace("/a", messages=100, seconds=5.0)
        await trio.sleep(6.0)
        await system.lookup("/a").ask(Echo("too late"))
        assert [record async for record in trace] == []


async def test_senders_that_wait_for_room_are_shown() -> None:
    async with open_system(tree(probe("a", mailbox=1))) as system, trio.open_nursery() as nursery:
        system.suspend("/a", reason="test")
        for number in range(4):
            nursery.start_soon(system.lookup("/a").tell, Note(str(number)))
        await trio.testing.wait_all_tasks_blocked()
        seen = system.snapshot_of("/a")
        assert (1, 3) == (seen.depth, seen.in_line)
        system.resume("/a", reason="test")
        await trio.testing.wait_all_tasks_blocked()
        assert 0 == system.snapshot_of("/a").in_line
