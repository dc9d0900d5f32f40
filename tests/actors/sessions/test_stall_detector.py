"""Silence is measured, not duration."""

from __future__ import annotations

import attrs
import trio
from trio.testing import MockClock

from command_center.actors.contracts.turns import TurnSilent
from command_center.actors.sessions.stall_detector import StallDetector


@attrs.define
class Told:
    """Stands for the session's actor."""

    messages: list[TurnSilent] = attrs.field(factory=list)

    async def tell(self, message: TurnSilent) -> None:
        self.messages.append(message)


async def test_each_span_of_silence_is_told_and_counted(autojump_clock: MockClock) -> None:
    told = Told()
    watch = StallDetector(told, 10.0)  # type: ignore[arg-type]  # only tell is used
    with trio.move_on_after(25):
        await watch.run()
    assert [(10.0, 1), (20.0, 2)] == [(m.seconds, m.count) for m in told.messages]
    assert autojump_clock.current_time() >= 25


async def test_a_turn_that_says_something_now_and_then_is_never_silent(
    autojump_clock: MockClock,
) -> None:
    told = Told()
    watch = StallDetector(told, 10.0)  # type: ignore[arg-type]  # only tell is used
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch.run)
        for _ in range(20):
            await trio.sleep(9)
            watch.heard()
        nursery.cancel_scope.cancel()
    assert [] == told.messages
    assert autojump_clock.current_time() >= 180


async def test_silence_begins_anew_after_a_sign_of_life(autojump_clock: MockClock) -> None:
    told = Told()
    watch = StallDetector(told, 10.0)  # type: ignore[arg-type]  # only tell is used
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch.run)
        await trio.sleep(15)
        watch.heard()
        await trio.sleep(15)
        nursery.cancel_scope.cancel()
    assert [1, 1] == [message.count for message in told.messages]
    assert autojump_clock.current_time() >= 30


async def test_a_wait_before_the_turn_is_no_silence_of_it(autojump_clock: MockClock) -> None:
    told = Told()
    watch = StallDetector(told, 10.0)  # type: ignore[arg-type]  # only tell is used
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch.run)
        await trio.sleep(35)  # in the queue, after a launch that failed
        await watch.run()
        await trio.sleep(15)
        nursery.cancel_scope.cancel()
    assert [1, 2, 3, 1] == [message.count for message in told.messages]
    assert autojump_clock.current_time() >= 50


async def test_a_watch_of_no_seconds_never_tells(autojump_clock: MockClock) -> None:
    told = Told()
    await StallDetector(told, 0).run()  # type: ignore[arg-type]  # only tell is used
    assert [] == told.messages
    assert autojump_clock.current_time() < 1


async def test_what_was_waited_for_before_the_turn_is_no_silence_of_it(
    autojump_clock: MockClock,
) -> None:
    told = Told()
    watch = StallDetector(told, 10.0)  # type: ignore[arg-type]  # only tell is used
    await trio.sleep(25)
    with trio.move_on_after(15):
        await watch.run()
    assert [(10.0, 1)] == [(message.seconds, message.count) for message in told.messages]
    assert autojump_clock.current_time() >= 40
