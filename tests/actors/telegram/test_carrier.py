"""Sending: durable, in order, at the pace that the Bot API wants, and through all its failures."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
import trio.testing
from sqlite_utils import Database

from command_center.actors.channels.outbox import MessagesPosted
from command_center.actors.telegram.carrier import Pace, judge
from command_center.actors.telegram.errors import BotApiRefused
from command_center.actors.telegram.markup import text
from command_center.actors.telegram.outgoing import Outgoing, amend, post
from command_center.actors.telegram.settings import TelegramSettings
from command_center.store import (
    TelegramMessage,
    telegram_chats,
    telegram_messages,
)
from tests.actors.telegram.rig import GROUP, ME, Rig, opened, rig
from tests.telegram_bot_api import Fault, fake_bot_api

BLOCKED = "Forbidden: bot was blocked by the user"


async def send(r: Rig, said: str, chat_id: int = ME) -> TelegramMessage:
    message = await r.center.storage.write(lambda tx: post(tx, chat_id, Outgoing(text=text(said))))
    await r.center.system.lookup("/telegram/outbox").tell(MessagesPosted())
    return message


async def row(r: Rig, message: TelegramMessage) -> TelegramMessage:
    return await r.center.storage.read(lambda db: telegram_messages.get(db, message.id))


async def settled(r: Rig, message: TelegramMessage) -> TelegramMessage:
    """The message once it is no longer waiting."""

    def read(db: Database) -> TelegramMessage | None:
        found = telegram_messages.get(db, message.id)
        return None if found.status == "waiting" else found

    return await r.until(read)


async def test_messages_arrive_in_their_order(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        for number in range(20):
            await send(r, f"message {number}")
        await r.api.message(ME, "message 19")
        assert [f"message {n}" for n in range(20)] == r.api.texts(ME)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(500),
        Fault(502, garbage=b"<html>"),
        Fault(drop=True),
        Fault(429, "Too Many Requests: retry after 0", {"retry_after": 0.01}),
        Fault(401, "Unauthorized"),
    ],
    ids=["failed", "gateway", "dropped", "limited", "unauthorized"],
)
async def test_what_fails_for_now_is_tried_again_and_what_follows_waits(
    tmp_path: Path, fault: Fault
) -> None:
    async with rig(tmp_path) as r:
        r.api.fail_next("sendMessage", fault, fault, fault)
        await send(r, "first")
        await send(r, "second")
        await r.api.message(ME, "second")
        assert ["first", "second"] == r.api.texts(ME)


async def test_a_message_whose_answer_was_lost_comes_again_rather_than_never(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as r:
        r.api.fail_next("sendMessage", Fault(drop=True, accepted=True))
        message = await send(r, "twice")
        await r.api.message(ME, "twice", count=2)
        assert "sent" == (await settled(r, message)).status
        assert ["twice", "twice"] == r.api.texts(ME)


async def test_a_wait_that_telegram_wants_outlives_a_restart(tmp_path: Path) -> None:
    async with fake_bot_api() as api:
        api.chat(ME)
        async with opened(tmp_path, api) as r:
            api.limit_next("sendMessage", 3600)
            message = await send(r, "later")
            await r.until(lambda db: telegram_messages.get(db, message.id).not_before)
        async with opened(tmp_path, api) as r:
            other = api.chat(GROUP)
            await send(r, "now", GROUP)
            await api.wait_until(lambda: other.messages)
            assert "waiting" == (await row(r, message)).status
            assert 1 == len([c for c in api.called("sendMessage") if c["chat_id"] == ME])


async def test_a_chat_that_is_limited_holds_up_no_other(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        r.api.chat(GROUP)
        r.api.limit_next("sendMessage", 3600)
        await send(r, "held up")
        await r.api.wait_until(lambda: r.api.called("sendMessage"))
        await send(r, "not held up", GROUP)
        await r.api.message(GROUP, "not held up")
        assert [] == r.api.texts(ME)


async def test_what_waits_when_the_process_ends_is_sent_by_the_next_one(tmp_path: Path) -> None:
    async with fake_bot_api() as api:
        api.chat(ME)
        api.go_down()
        async with opened(tmp_path, api) as r:
            await send(r, "kept")
            await api.wait_until(lambda: api.called("sendMessage"))
        api.come_back()
        async with opened(tmp_path, api):
            await api.message(ME, "kept")


async def test_a_dead_bot_api_keeps_nobody_waiting(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        r.api.go_down()
        with trio.fail_after(5):
            for number in range(30):
                await r.ask(f"Question {number}?")
        r.api.come_back()
        await r.api.message(ME, "Question 29?")


async def test_a_person_who_blocked_the_bot_is_written_to_again_once_they_speak(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as r:
        r.api.chat(GROUP)
        r.api.block(ME)
        first, second = await send(r, "first"), await send(r, "second")
        assert "failed" == (await settled(r, first)).status
        assert "failed" == (await settled(r, second)).status
        await r.until(lambda db: telegram_chats.find(db, {"chat_id": ME, "unreachable": BLOCKED}))
        await r.ask("Unheard?")
        await r.api.message(GROUP, "Unheard?")
        r.api.chat(ME).refusal = None
        await r.say("/status")
        await r.api.message(ME, "Runs on")
        await r.ask("Heard?")
        await r.api.message(ME, "Heard?")
        assert "Unheard?" not in " ".join(r.api.texts(ME))


async def test_a_group_that_became_a_supergroup_is_followed(tmp_path: Path) -> None:
    new = -100_777
    async with rig(tmp_path) as r:
        r.api.chat(GROUP)
        approval = await r.ask("Before?")
        message = await r.api.message(GROUP, "Before?")
        r.api.migrate(GROUP, new)
        await r.ask("After?")
        await r.api.message(new, "After?")
        update = r.api.pressed(
            {**message, "chat": {"id": new, "type": "supergroup"}}, "Approve", user_id=ME
        )
        assert 1 == await r.receive(update)
        await r.api.wait_until(lambda: r.api.called("answerCallbackQuery"))
        assert "approved" == (await r.approval(approval.id)).status


async def test_a_group_that_tells_of_its_migration_itself_is_followed_too(tmp_path: Path) -> None:
    new = -100_778
    async with rig(tmp_path) as r:
        r.api.chat(GROUP)
        r.api.migrate(GROUP, new)
        update = r.api.said("", user_id=ME, chat_id=GROUP)
        update["message"] |= {"migrate_to_chat_id": new}
        del update["message"]["text"]
        await r.receive(update)
        await r.until(lambda db: telegram_chats.find(db, {"migrated_to": new}))
        assert 1 == await r.receive(r.api.said("/status", user_id=ME, chat_id=new))
        await r.api.message(new, "Runs on")


async def test_a_stranger_does_not_get_in_by_telling_of_a_migration(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        claimed = r.api.said("", user_id=ME, chat_id=-100_666)
        claimed["message"] |= {"migrate_from_chat_id": GROUP}
        assert 0 == await r.receive(claimed)
        assert 0 == await r.receive(r.api.said("/status", user_id=ME, chat_id=-100_666))


async def test_markup_that_telegram_does_not_take_is_sent_without_it(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        r.api.fail_next("sendMessage", Fault(400, "Bad Request: can't parse entities: odd"))
        await send(r, "1 < 2 & 3")
        message = await r.api.message(ME, "1 < 2 & 3")
        assert "parse_mode" not in message


async def test_an_edit_of_a_message_that_was_never_sent_is_given_up(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        r.api.fail_next("sendMessage", Fault(400, "Bad Request: odd"))
        message = await send(r, "never")
        assert "failed" == (await settled(r, message)).status
        edit = await r.center.storage.write(lambda tx: amend(tx, message, text("changed")))
        await send(r, "after")
        await r.api.message(ME, "after")
        assert "failed" == (await row(r, edit)).status
        assert [] == r.api.called("editMessageText")


async def test_an_edit_that_changes_nothing_counts_as_done(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        message = await send(r, "same")
        await r.api.message(ME, "same")
        edit = await r.center.storage.write(lambda tx: amend(tx, message, text("same")))
        await send(r, "after")
        await r.api.message(ME, "after")
        assert "sent" == (await row(r, edit)).status


async def test_no_two_messages_to_one_chat_come_faster_than_they_may(tmp_path: Path) -> None:
    async with rig(tmp_path, chat_seconds=0.1) as r:
        for number in range(4):
            await send(r, f"message {number}")
        await r.api.message(ME, "message 3")
        at = [call.at for call in r.api.calls if call.method == "sendMessage"]
        # The fake sees a call a little after it was sent, the first one above all.
        assert at[3] - at[0] >= 0.25


@pytest.mark.parametrize(("chat_id", "seconds"), [(ME, 1.0), (GROUP, 3.0)])
async def test_the_pace_is_one_a_second_for_a_person_and_twenty_a_minute_for_a_group(
    autojump_clock: trio.testing.MockClock, chat_id: int, seconds: float
) -> None:
    pace = Pace(TelegramSettings(mode="polling", bot_token="1:x"))
    begin = trio.current_time()
    at = []
    for _ in range(3):
        await pace.wait(chat_id)
        at.append(round(trio.current_time() - begin, 6))
    assert [0.0, seconds, 2 * seconds] == at
    assert autojump_clock.current_time() >= begin


async def test_one_chats_wait_does_not_delay_another_but_all_together_keep_a_pace(
    autojump_clock: trio.testing.MockClock,
) -> None:
    pace = Pace(TelegramSettings(mode="polling", bot_token="1:x", all_seconds=0.5))
    begin = autojump_clock.current_time()
    at = {}

    async def wait(chat_id: int, times: int) -> None:
        for _ in range(times):
            await pace.wait(chat_id)
        at[chat_id] = trio.current_time() - begin

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait, GROUP, 2)
        nursery.start_soon(wait, 1, 1)
        nursery.start_soon(wait, 2, 1)
    assert {0.0, 0.5, 1.0} >= {at[1], at[2]}
    assert 3.0 <= at[GROUP] <= 4.5


@pytest.mark.parametrize(
    ("status", "description", "verdict"),
    [
        (400, "Bad Request: message is not modified: specified new message content", "as it is"),
        (400, "Bad Request: can't parse entities: Unsupported start tag", "unparsable"),
        (403, "Forbidden: bot was blocked by the user", "gone"),
        (403, "Forbidden: bot was kicked from the group chat", "gone"),
        (403, "Forbidden: user is deactivated", "gone"),
        (400, "Bad Request: chat not found", "gone"),
        (400, "Bad Request: not enough rights to send text messages to the chat", "gone"),
        (400, "Bad Request: message to edit not found", "hopeless"),
        (400, "Bad Request: message is too long", "hopeless"),
    ],
)
def test_each_refusal_has_its_meaning(status: int, description: str, verdict: str) -> None:
    assert verdict == judge(BotApiRefused("sendMessage", status, description))
