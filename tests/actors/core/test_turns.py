"""The order in which work may begin that repositories have done."""

import pytest
import trio
import trio.testing

from command_center.actors.core.turns import NoTurn, Turns


async def holder(turns: Turns, key: str, order: list[str], leave: trio.Event) -> None:
    async with turns.of(key):
        order.append(key)
        await leave.wait()


async def test_one_that_hangs_keeps_no_other_one_waiting() -> None:
    turns, order, never = Turns(total=4, share=2), list[str](), trio.Event()
    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(holder, turns, "hostile", order, never)
        await trio.testing.wait_all_tasks_blocked()

        async with turns.of("other"):
            assert ["hostile", "hostile"] == order
        nursery.cancel_scope.cancel()


async def test_where_all_turns_are_taken_keys_are_served_round_and_round() -> None:
    turns, order = Turns(total=1, share=1), list[str]()
    leave = trio.Event()
    async with trio.open_nursery() as nursery:
        for key in ("busy", "busy", "busy", "late"):
            nursery.start_soon(holder, turns, key, order, leave)
            await trio.testing.wait_all_tasks_blocked()
        leave.set()

    assert ["busy", "busy", "late", "busy"] == order


async def test_where_too_many_of_a_key_wait_others_still_get_their_turn() -> None:
    turns, order, leave = Turns(total=2, share=1, queue=2), list[str](), trio.Event()
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(holder, turns, "busy", order, leave)
        await trio.testing.wait_all_tasks_blocked()
        assert 2 == turns.waiting
        with pytest.raises(NoTurn, match="2 requests wait") as refused:
            await turns.of("busy").__aenter__()
        async with turns.of("other"):
            assert ["busy"] == order
        leave.set()
    assert refused.value.retry_after
    assert (["busy"] * 3, 0) == (order, turns.waiting)


async def test_who_gives_up_waiting_takes_no_turn() -> None:
    turns, order, leave = Turns(total=1, share=1), list[str](), trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(holder, turns, "first", order, leave)
        await trio.testing.wait_all_tasks_blocked()
        with trio.move_on_after(0) as gave_up:
            async with turns.of("first"):
                pytest.fail("it has no turn")
        assert gave_up.cancelled_caught
        leave.set()

    with trio.fail_after(30):
        async with turns.of("first"):
            pass
