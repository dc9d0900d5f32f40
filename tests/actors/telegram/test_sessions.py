"""Live sessions from the phone, and crashes of Telegram's own actors."""

from __future__ import annotations

from pathlib import Path

import attrs
import msgspec
import trio

from command_center.actors.contracts.sessions import SteerReceipt, SteerSession, StopSession
from command_center.actors.rules.errors import Conflict
from command_center.actors.telegram.inbox import NO_WEBHOOK
from command_center.runtime import Actor, ChildSpec, handles
from command_center.store import (
    Session,
    Transaction,
    followups,
    sessions,
    telegram_messages,
)
from tests.actors.telegram.rig import ME, Rig, opened, rig
from tests.actors.telegram.test_commands import insert_session
from tests.telegram_bot_api import Fault, fake_bot_api


@attrs.define
class Heard:
    """The messages that a session was told, and its answer to being steered."""

    session: Session
    steered: list[SteerSession] = attrs.field(factory=list)
    stopped: list[StopSession] = attrs.field(factory=list)
    refusal: Conflict | None = None
    held: trio.Event | None = None


class LiveSession(Actor):
    """Stands where a session's own actor would, with a turn that runs."""

    __slots__ = ("heard",)

    def __init__(self, heard: Heard) -> None:
        self.heard = heard

    @handles(SteerSession)
    async def steer(self, message: SteerSession) -> SteerReceipt:
        self.heard.steered.append(message)
        if self.heard.held is not None:
            await self.heard.held.wait()
        if self.heard.refusal is not None:
            raise self.heard.refusal
        return SteerReceipt(session=self.heard.session, turn_id="turn-1")

    @handles(StopSession)
    async def stop(self, message: StopSession) -> Session:
        self.heard.stopped.append(message)
        return msgspec.structs.replace(self.heard.session, status="stopped")


async def live_session(r: Rig) -> Heard:
    session = await insert_session(r, status="running")
    heard = Heard(session)
    spec = ChildSpec(id=str(session.id), start=lambda: LiveSession(heard))
    await r.center.system.start_child("/sessions", spec)
    return heard


async def test_the_only_session_is_steered_by_its_words_alone(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        heard = await live_session(r)
        await r.say("/steer Use the smaller\nfixture")
        await r.api.message(ME, "has it.")
        assert ["Use the smaller\nfixture"] == [m.message for m in heard.steered]
        assert [f"telegram:{ME}"] == [m.requested_by for m in heard.steered]


async def test_a_reply_to_a_message_of_a_live_session_steers_it(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        heard = await live_session(r)
        await r.say("/sessions")
        await r.press(await r.api.message(ME, "Fix it"), "💬")
        asked = await r.api.message(ME, "What do you want to say to session 1?")
        await r.say("First the docs", reply_to=asked)
        answer = await r.api.message(ME, "has it.")
        await r.say("And then the tests", reply_to=answer)
        await r.api.message(ME, "has it.", count=2)
        assert ["First the docs", "And then the tests"] == [m.message for m in heard.steered]


async def test_a_refused_message_says_why(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        heard = await live_session(r)
        heard.refusal = Conflict("Only an active turn can be steered.")
        await r.say("/steer Hello")
        await r.api.message(ME, "That did not work. Only an active turn can be steered.")


async def test_what_takes_long_does_not_keep_the_chat_waiting(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        heard = await live_session(r)
        heard.held = trio.Event()
        await r.say("/steer Hello")
        approval = await r.ask()
        await r.press(await r.api.message(ME, "May I?"), "Approve")
        assert "approved" == (await r.approval(approval.id)).status
        heard.held.set()
        await r.api.message(ME, "has it.")


async def test_a_session_is_stopped_by_a_button(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        heard = await live_session(r)
        await r.say("/sessions")
        answer = await r.press(await r.api.message(ME, "Fix it"), "Stop")
        assert "Session 1 is stopped." == answer["text"]
        assert [f"telegram:{ME}"] == [m.requested_by for m in heard.stopped]


async def test_a_follow_up_to_a_running_turn_waits_for_its_end(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await live_session(r)
        await r.say("/new 1 And then the tests")
        await r.api.message(ME, "I will say it when session 1 has ended its turn.")
        kept = await r.center.storage.read(lambda db: followups.every(db, {}))
        assert ["And then the tests"] == [followup.message for followup in kept]


async def test_crashes_of_telegrams_actors_lose_no_message_and_no_session_notices(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as r:
        heard = await live_session(r)
        system = r.center.system
        for number in range(12):
            r.api.fail_next("sendMessage", Fault(drop=True, accepted=bool(number % 2)))
            await r.ask(f"Question {number}?")
            child = ("outbox", "notifier", "inbox")[number % 3]
            await system.restart(f"/telegram/{child}", reason="test")
        for number in range(12):
            await r.api.message(ME, f"Question {number}?")
        rows = await r.center.storage.read(
            lambda db: telegram_messages.count(db, {"purpose": "approval", "chat_id": ME})
        )
        assert 12 == rows
        await r.say("/steer Still there?")
        await r.api.message(ME, "has it.")
        assert 1 == len(heard.steered)


async def test_a_message_to_a_turn_is_not_sent_again_after_a_crash(tmp_path: Path) -> None:
    async with fake_bot_api() as api:
        api.chat(ME)
        async with opened(tmp_path, api) as r:
            heard = await live_session(r)
            heard.held = trio.Event()
            await r.say("/steer Once")
            with trio.fail_after(20):
                while not heard.steered:
                    await trio.lowlevel.checkpoint()
            await r.center.system.restart("/telegram/inbox", reason="test")
            await api.message(ME, "Command Center was stopped while it did this")
            heard.held.set()
            assert 1 == len(heard.steered)

            def end(tx: Transaction) -> Session:
                return sessions.update(tx, 1, status="stopped", finished_at=tx.now)

            await r.center.storage.write(end)


async def test_a_webhook_that_telegram_does_not_know_is_a_problem_that_is_told(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as r:
        await r.api.wait_until(lambda: r.api.called("getWebhookInfo"))
        with trio.fail_after(20):
            while not r.center.system.snapshot_of("/telegram/inbox").description["problem"]:
                await trio.lowlevel.checkpoint()
        told = r.center.system.snapshot_of("/telegram/inbox").description["problem"]
        assert NO_WEBHOOK == told
