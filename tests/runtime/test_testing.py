"""The kit for tests of actors, used as a test of somebody else's would use it."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from command_center.runtime import (
    Actor,
    ActorCrashed,
    ActorStopped,
    Address,
    ChildSpec,
    Crashed,
    Intensity,
    Refusal,
    Restart,
    Restarted,
    Started,
    Stopped,
    SupervisorSpec,
    SystemFailed,
    handles,
)
from command_center.runtime.testing import Planted, run, system_under_test
from tests.runtime.probes import Boom, Echo, NoSuchThing, Note, probe

NEIGHBOUR: Address[Note | Echo] = Address("/neighbour")


class Asks(Actor):
    """Asks its neighbour, and says what it answered."""

    @handles(Echo)
    async def echo(self, message: Echo) -> str:
        await self.ctx.lookup(NEIGHBOUR).tell(Note("soon"))
        return await self.ctx.lookup(NEIGHBOUR).ask(message)


async def test_a_crash_is_awaited_and_what_follows_is_expected_in_order() -> None:
    async with system_under_test(probe("a"), probe("b")) as it:
        await it.crash(it.system.lookup("/a"))
        crashed = await it.expect(Crashed, path="/a")
        assert isinstance(crashed.error, Planted)
        assert 1 == (await it.expect(Restarted)).restarts
        await it.expect(Started, path="/a")
        assert "x" == await it.system.lookup("/a").ask(Echo("x"))
        assert [Started("/a"), Started("/b"), Started("/")] == list(it.signals[:3])


async def test_what_has_been_expected_does_not_come_again(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with system_under_test(probe("a")) as it:
        await it.expect(Started, path="/a")
        with pytest.raises(AssertionError, match=r"No Started\(path='/a'\) came within 5.0 s, but"):
            await it.expect(Started, path="/a")
        assert 5.0 == pytest.approx(trio.current_time())


async def test_what_was_passed_over_for_what_did_not_come_can_still_be_expected(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with system_under_test(probe("a")) as it:
        with pytest.raises(AssertionError, match=r"Stopped.*but \[Started\(path='/a'\)"):
            await it.expect(Stopped, within=1.0)
        await it.expect(Started, path="/a")


async def test_an_actor_crashes_with_the_error_of_the_test() -> None:
    with pytest.raises(SystemFailed):
        async with system_under_test(
            SupervisorSpec("", [probe("a")], intensity=Intensity(0, 1.0))
        ) as it:
            await it.crash(it.system.lookup("/a"), Boom())
            assert isinstance((await it.expect(Crashed)).error, Boom)
            await trio.sleep_forever()


async def test_a_death_is_awaited(autojump_clock: trio.testing.MockClock) -> None:
    async with system_under_test(probe("a", restart=Restart.TEMPORARY), probe("b")) as it:
        a = it.system.lookup("/a")
        await it.crash(a)
        assert "crashed" == (await it.down_of(a)).reason
        with pytest.raises(AssertionError, match=r"/b is not dead after 1\.0 s\."):
            await it.down_of(it.system.lookup("/b"), within=1.0)
        with pytest.raises(ActorStopped):
            await it.crash(a)


async def test_a_probe_takes_the_place_of_a_neighbour() -> None:
    async with system_under_test(ChildSpec("a", Asks)) as it:
        neighbour = await it.probe("neighbour")
        neighbour.answer(Echo, "from the probe")
        assert "from the probe" == await it.system.lookup("/a").ask(Echo("x"))
        assert Note("soon") == await neighbour.expect(Note)
        assert Echo("x") == await neighbour.expect(Echo, text="x")
        assert (Note("soon"), Echo("x")) == neighbour.messages
        neighbour.answer(Echo, NoSuchThing())
        with pytest.raises(Refusal):
            await it.system.lookup("/a").ask(Echo("y"))


def test_time_costs_none() -> None:
    async def main() -> float:
        async with system_under_test(ChildSpec("a", Asks)) as it:
            await it.probe("neighbour")  # which answers nothing
            waiting = it.system.lookup("/a").send_request(Echo("x"), timeout=3600.0)
            with pytest.raises(ActorCrashed, match="AskTimeout"):
                await waiting.wait()
            await it.settle()
            return trio.current_time()

    assert 10.0 == pytest.approx(run(main))
