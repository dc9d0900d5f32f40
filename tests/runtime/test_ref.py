"""Asking and telling, as the holder of a handle sees it."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

from command_center.runtime import (
    ActorCrashed,
    ActorRef,
    ActorStopped,
    AskTimeout,
    Backoff,
    ChildSpec,
    Context,
    Deferred,
    MailboxFull,
    SelfAsk,
    UnhandledMessage,
    handles,
    open_system,
)
from tests.runtime.probes import (
    AskedCrash,
    Boom,
    Crash,
    Echo,
    Hold,
    Later,
    Leave,
    NoSuchThing,
    Note,
    Probe,
    Refuse,
    Run,
    Settle,
    Unknown,
    probe,
    tree,
)


async def test_an_ask_returns_what_the_handler_returned() -> None:
    async with open_system(tree(probe("a"))) as system:
        assert await system.lookup("/a").ask(Echo("hello")) == "hello"


async def test_messages_of_one_sender_arrive_in_the_order_sent() -> None:
    log: list[str] = []
    async with open_system(tree(probe("a", log, mailbox=3))) as system:
        ref = system.lookup("/a")
        for number in range(20):
            await ref.tell(Note(str(number)))
        await ref.ask(Echo("end"))
    assert [f"a {number}" for number in range(20)] == log[1:21]


async def test_a_tell_waits_for_room_and_does_not_overtake(
    autojump_clock: trio.testing.MockClock,
) -> None:
    log: list[str] = []

    async def send(ref: ActorRef[Any], text: str) -> None:
        await ref.tell(Note(text))

    async with open_system(tree(probe("a", log, mailbox=1))) as system:
        ref = system.lookup("/a")
        hold = Hold()
        async with trio.open_nursery() as nursery:
            await ref.tell(hold)
            await hold.taken.wait()
            for text in ("one", "two", "three"):
                nursery.start_soon(send, ref, text)
                await trio.testing.wait_all_tasks_blocked()
            assert system.snapshot_of("/a").depth == 1
            hold.gate.set()
        await ref.ask(Echo("end"))
    assert ["a one", "a two", "a three", "a end"] == log[1:5]


async def test_a_tell_that_is_cancelled_while_it_waits_was_not_sent(
    autojump_clock: trio.testing.MockClock,
) -> None:
    log: list[str] = []
    async with open_system(tree(probe("a", log, mailbox=1))) as system:
        ref = system.lookup("/a")
        hold = Hold()
        await ref.tell(hold)
        await hold.taken.wait()
        await ref.tell(Note("kept"))
        with trio.move_on_after(1):
            await ref.tell(Note("given up"))
        hold.gate.set()
        await ref.ask(Echo("end"))
        assert system.totals().sent == 3
    assert ["a kept", "a end"] == log[1:3]


async def test_try_tell_refuses_when_there_is_no_room() -> None:
    async with open_system(tree(probe("a", mailbox=2))) as system:
        ref = system.lookup("/a")
        system.suspend("/a", reason="test")
        ref.try_tell(Note("one"))
        ref.try_tell(Note("two"))
        with pytest.raises(MailboxFull) as caught:
            ref.try_tell(Note("three"))
        assert (caught.value.target, caught.value.message, caught.value.capacity) == (
            "/a",
            "Note",
            2,
        )
        assert system.totals().sent == 2


async def test_a_refusal_is_an_answer_and_the_actor_lives_on() -> None:
    log: list[str] = []
    async with open_system(tree(probe("a", log))) as system:
        ref = system.lookup("/a")
        with pytest.raises(NoSuchThing):
            await ref.ask(Refuse())
        await ref.tell(Refuse())
        assert await ref.ask(Echo("alive")) == "alive"
        assert (system.snapshot_of("/a").refused, system.snapshot_of("/a").handled) == (2, 3)
    assert log.count("a start") == 1


async def test_a_crash_tells_the_asker_whose_message_was_in_hand() -> None:
    async with open_system(tree(probe("a"))) as system:
        with pytest.raises(ActorCrashed) as caught:
            await system.lookup("/a").ask(AskedCrash())
        assert isinstance(caught.value.error, Boom)
        assert (caught.value.target, caught.value.message) == ("/a", "AskedCrash")


async def test_an_ask_without_a_handler_is_refused_and_becomes_a_dead_letter() -> None:
    async with open_system(tree(probe("a"))) as system:
        with pytest.raises(UnhandledMessage):
            await system.lookup("/a").ask(Unknown())
        assert [letter.reason.value for letter in system.dead_letters] == ["unhandled"]


async def test_an_ask_times_out_and_names_target_message_and_time(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_system(tree(probe("a"))) as system:
        hold = Hold()
        with pytest.raises(AskTimeout) as caught:
            await system.lookup("/a").ask(hold, timeout=2.0)
        assert str(caught.value) == "/a did not answer Hold within 2.000 s."
        hold.gate.set()
        assert await system.lookup("/a").ask(Echo("next")) == "next"


async def test_one_deadline_covers_the_wait_for_room_and_for_the_reply(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_system(tree(probe("a", mailbox=1))) as system:
        ref = system.lookup("/a")
        hold = Hold()
        await ref.tell(hold)
        await hold.taken.wait()
        await ref.tell(Note("fills the mailbox"))
        began = trio.current_time()
        with pytest.raises(AskTimeout):
            await ref.ask(Echo("never"), timeout=3.0)
        assert trio.current_time() - began == pytest.approx(3.0)
        hold.gate.set()


async def test_a_late_reply_is_dropped(autojump_clock: trio.testing.MockClock) -> None:
    async with open_system(tree(probe("a"))) as system:
        ref = system.lookup("/a")
        with pytest.raises(AskTimeout):
            await ref.ask(Later(), timeout=1.0)
        await ref.tell(Settle("late"))
        assert await ref.ask(Echo("fine")) == "fine"


async def test_a_deferred_reply_is_settled_by_a_later_message() -> None:
    answers: list[str] = []
    async with open_system(tree(probe("a"))) as system, trio.open_nursery() as nursery:
        ref = system.lookup("/a")

        async def ask() -> None:
            answers.append(await ref.ask(Later()))

        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked()
        assert await ref.ask(Echo("not blocked")) == "not blocked"
        await ref.tell(Settle("first"))
        await ref.tell(Settle("second, harmless"))
        await ref.ask(Echo("end"))
    assert answers == ["first"]


async def test_a_deferred_reply_fails_when_its_actor_crashes() -> None:
    async with open_system(tree(probe("a"))) as system, trio.open_nursery() as nursery:
        ref = system.lookup("/a")

        async def ask() -> None:
            with pytest.raises(ActorCrashed):
                await ref.ask(Later())

        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked()
        await ref.tell(Crash())


async def test_asking_a_dead_actor_fails_at_once(autojump_clock: trio.testing.MockClock) -> None:
    async with open_system(tree(probe("a"))) as system:
        ref = system.lookup("/a")
        await system.stop_child("/a", reason="test")
        began = trio.current_time()
        with pytest.raises(ActorStopped):
            await ref.ask(Echo("hello"))
        assert trio.current_time() == began
        assert [letter.reason.value for letter in system.dead_letters] == ["stopped"]


async def test_asking_a_dying_actor_fails_at_once(autojump_clock: trio.testing.MockClock) -> None:
    async with open_system(tree(probe("a"))) as system, trio.open_nursery() as nursery:
        ref = system.lookup("/a")
        hold = Hold()
        await ref.tell(hold)
        await hold.taken.wait()
        began = trio.current_time()

        async def waits_in_the_mailbox() -> None:
            with pytest.raises(ActorStopped) as stopped:
                await ref.ask(Echo("waiting"))
            assert not stopped.value.was_taken
            assert trio.current_time() == began

        async def stops() -> None:
            await system.stop_child("/a", reason="test")

        nursery.start_soon(waits_in_the_mailbox)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(stops)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(ActorStopped):
            await ref.ask(Echo("new"))
        assert trio.current_time() == began
        hold.gate.set()


async def test_senders_in_line_for_a_dying_actor_are_released(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_system(tree(probe("a", mailbox=1))) as system, trio.open_nursery() as nursery:
        ref = system.lookup("/a")
        system.suspend("/a", reason="test")
        await ref.tell(Note("in the mailbox"))
        nursery.start_soon(ref.tell, Note("in line"))

        async def asks_in_line() -> None:
            with pytest.raises(ActorStopped):
                await ref.ask(Echo("in line too"))

        nursery.start_soon(asks_in_line)
        await trio.testing.wait_all_tasks_blocked()
        await system.stop_child("/a", reason="test")
        assert len(system.dead_letters) == 3
        totals = system.totals()
        assert (totals.sent, totals.dead) == (3, 3)


async def test_a_message_to_a_stopped_actor_becomes_a_dead_letter() -> None:
    async with open_system(tree(probe("a"))) as system:
        ref = system.lookup("/a")
        await system.stop_child("/a", reason="test")
        await ref.tell(Note("one"))
        ref.try_tell(Note("two"))
        assert [(letter.path, letter.message) for letter in system.dead_letters] == [
            ("/a", Note("one")),
            ("/a", Note("two")),
        ]


async def test_an_actor_that_asks_itself_gets_an_error_and_no_deadlock() -> None:
    caught: list[SelfAsk] = []

    def ask_myself(ctx: Context) -> trio.Event:
        async def ask() -> None:
            await ctx.ref.ask(Echo("myself"))

        coroutine = ask()
        try:
            coroutine.send(None)
        except SelfAsk as error:
            caught.append(error)
        done = trio.Event()
        done.set()
        return done

    async with open_system(tree(probe("a"))) as system:
        ref = system.lookup("/a")
        await ref.tell(Run(ask_myself))
        await ref.ask(Echo("end"))
    assert [error.target for error in caught] == ["/a"]


async def test_the_mailbox_outlives_a_restart_with_everything_but_the_message_in_hand() -> None:
    log: list[str] = []
    async with open_system(tree(probe("a", log))) as system:
        ref = system.lookup("/a")
        system.suspend("/a", reason="test")
        await ref.tell(Note("before"))
        await ref.tell(Crash())
        await ref.tell(Note("after"))
        system.resume("/a", reason="test")
        assert await ref.ask(Echo("end")) == "end"
        assert system.totals().lost == 1
    assert log[:6] == ["a start", "a before", "a stop", "a start", "a after", "a end"]


async def test_a_handle_stays_dead_when_another_child_takes_its_path() -> None:
    async with open_system(tree(probe("boss"))) as system:
        old = await system.start_child("/", probe("x"))
        await old.tell(Leave())
        await system.stop_child("/x", reason="test")
        new = await system.start_child("/", probe("x"))
        assert await new.ask(Echo("new")) == "new"
        with pytest.raises(ActorStopped):
            await old.ask(Echo("old"))


async def test_what_a_handler_tells_its_own_actor_needs_no_room() -> None:
    log: list[str] = []

    class TellsItself(Probe):
        @handles(Note)
        async def note(self, message: Note) -> None:  # type: ignore[override]
            self.write(message.text)
            if message.text == "first":
                await self.ctx.ref.tell(Note("to myself"))

    spec = tree(ChildSpec("a", lambda: TellsItself(log, "a"), mailbox=1))
    async with open_system(spec) as system, trio.open_nursery() as nursery:
        ref = system.lookup("/a")
        system.suspend("/a", reason="test")
        for text in ("first", "second", "third"):
            nursery.start_soon(ref.tell, Note(text))
            await trio.testing.wait_all_tasks_blocked()
        system.resume("/a", reason="test")
        with trio.fail_after(5):
            assert "end" == await ref.ask(Echo("end"))
        assert {"a first", "a second", "a third", "a to myself"} <= set(log)


async def test_messages_without_a_handler_leave_others_their_turn() -> None:
    async with open_system(tree(probe("a", mailbox=10_000))) as system:
        ref = system.lookup("/a")
        system.suspend("/a", reason="test")
        for _ in range(10_000):
            ref.try_tell(Unknown())
        system.resume("/a", reason="test")
        while not system.dead_letters.total:
            await trio.lowlevel.checkpoint()
        assert system.dead_letters.total < 1000


async def test_a_refusal_that_a_nursery_wraps_is_an_answer() -> None:
    class InNursery(Probe):
        @handles(Refuse)
        async def refuse(self, _message: Refuse) -> None:
            async with trio.open_nursery() as outer:
                outer.start_soon(trio.sleep_forever)
                async with trio.open_nursery() as inner:
                    inner.start_soon(trio.sleep_forever)
                    raise NoSuchThing

        @handles(AskedCrash)
        async def asked_crash(self, _message: AskedCrash) -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.fail)
                raise NoSuchThing

        async def fail(self) -> None:
            raise ValueError

        @handles(Later)
        async def later(self, _message: Later) -> Deferred[str]:
            return self.ctx.answer_later(self.refuse_later)

        async def refuse_later(self) -> str:
            async with trio.open_nursery():
                raise NoSuchThing

    async with open_system(tree(ChildSpec("a", InNursery))) as system:
        ref = system.lookup("/a")
        for request in (Refuse(), Later()):
            with pytest.raises(NoSuchThing):
                await ref.ask(request)
        assert 0 == system.snapshot_of("/a").restarts
        with pytest.raises(ActorCrashed):
            await ref.ask(AskedCrash())


async def test_a_request_may_be_sent_now_and_waited_for_later() -> None:
    async with open_system(tree(probe("a", mailbox=1))) as system:
        ref = system.lookup("/a")
        first = ref.send_request(hold := Hold())
        await hold.taken.wait()
        second = ref.send_request(Echo("second"))
        with pytest.raises(MailboxFull):
            ref.send_request(Echo("third"))
        hold.gate.set()
        assert "second" == await second.wait()
        assert "released" == await first.wait()
        assert "released" == await first.wait()  # and again
        with pytest.raises(NoSuchThing):
            await ref.send_request(Refuse()).wait()
        with pytest.raises(ActorCrashed):
            await ref.send_request(AskedCrash()).wait()
        await system.stop_child("/a", reason="test")
        with pytest.raises(ActorStopped):
            await ref.send_request(Echo("late")).wait()
        assert 1 == system.totals().dead


async def test_a_request_that_was_sent_times_out(autojump_clock: trio.testing.MockClock) -> None:
    async with open_system(tree(probe("a"))) as system:
        request = system.lookup("/a").send_request(Later(), timeout=3.0)
        with pytest.raises(AskTimeout, match=r"3\.000 s"):
            await request.wait()
        with pytest.raises(AskTimeout):
            await request.wait()
        assert 3.0 == round(trio.current_time() - request.asked_at, 3)


async def test_who_does_not_want_to_wait_for_a_start_is_told_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    spec = tree(probe("a"), backoff=Backoff(initial=5.0, jitter=0.0))
    async with open_system(spec) as system:
        ref = system.lookup("/a")
        assert "hi" == await ref.ask(Echo("hi"), wait_for_start=False)
        await ref.tell(Crash())
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(ActorStopped, match="not started"):
            await ref.ask(Echo("hi"), wait_for_start=False)
        assert "hi" == await ref.ask(Echo("hi"), timeout=10.0)
        assert 0 == system.totals().dead
