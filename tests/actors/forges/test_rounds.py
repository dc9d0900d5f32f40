"""Rounds of what is read again and again, each at its own time."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from command_center.actors.forges.rounds import RESTS, Rounds
from command_center.actors.rules.errors import Conflict, Unavailable
from command_center.runtime import Backoff


def rounds() -> Rounds:
    return Rounds(Backoff(initial=10.0, cap=40.0, jitter=0.0))


def due(found: Rounds, *ids: int) -> list[int]:
    return [one.id for one in found.due(ids)]


async def test_each_is_put_off_by_itself_and_later_each_time_that_it_fails(
    autojump_clock: MockClock,
) -> None:
    found = rounds()
    one, two = found.due([1, 2])
    one.put_off(5.0)
    two.fail(Conflict("No."))
    assert 5.0 == found.rest()
    await trio.sleep(5.0)
    assert [1] == due(found, 1, 2)
    await trio.sleep(5.0)
    (_, two) = found.due([1, 2])
    two.fail(Conflict("No."))
    assert [1] == due(found, 1)
    assert [1] == found.known


async def test_the_pauses_grow_and_begin_anew_after_a_success(
    autojump_clock: MockClock,
) -> None:
    found = rounds()
    pauses = []
    for _ in range(4):
        (one,) = found.due([1])
        one.fail(Conflict("No."))
        pauses.append(found.rest())
        await trio.sleep(found.rest())
    assert [10.0, 20.0, 40.0, 40.0] == pauses
    (one,) = found.due([1])
    one.put_off(0.0)
    one.fail(Unavailable("Busy.", retry_after=70.0))
    assert 70.0 == found.rest()


async def test_what_is_hurried_while_it_is_read_is_read_once_more(
    autojump_clock: MockClock,
) -> None:
    found = rounds()
    (one,) = found.due([1])
    found.hurry(1)
    one.put_off(100.0)
    assert [1] == due(found, 1)
    for one in found.due([1, 2]):
        one.put_off(100.0)
    assert [] == due(found, 1, 2)
    found.hurry()
    assert [1, 2] == due(found, 1, 2)


async def test_without_any_there_is_a_long_rest(
    autojump_clock: MockClock,
) -> None:
    found = rounds()
    assert ([], RESTS) == (found.due([]), found.rest())
