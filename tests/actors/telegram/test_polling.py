"""Polling: the same updates with the same care, and never beside a webhook."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from command_center.actors.telegram.inbox import OFFSET
from command_center.actors.telegram.polling import (
    FORGETS_AFTER,
    HAS_WEBHOOK,
    OTHER_POLLS,
    is_fresh,
    read,
)
from command_center.store import channel_marks, telegram_updates
from command_center.store.timestamps import from_timestamp
from tests.actors.telegram.rig import ME, Rig, opened, rig
from tests.telegram_bot_api import Fault, fake_bot_api


def problem(r: Rig) -> str | None:
    """Return what the actor says that keeps it from polling."""
    told = r.center.system.snapshot_of("/telegram/polling").description.get("problem")
    return None if told is None else str(told)


async def test_what_polling_brings_is_acted_on_and_confirmed(tmp_path: Path) -> None:
    async with rig(tmp_path, mode="polling") as r:
        first, second = (r.api.said("/status", user_id=ME) for _ in range(2))
        stranger = r.api.said("/status", user_id=666)
        r.api.queue(first, second, stranger)
        await r.api.message(ME, "Runs on", count=2)
        await r.api.wait_until(
            lambda: r.api.called("getUpdates")[-1].get("offset") == stranger["update_id"] + 1
        )
        assert not r.api.updates
        assert 2 == await r.center.storage.read(lambda db: telegram_updates.count(db, {}))


async def test_polling_goes_on_where_it_stopped(tmp_path: Path) -> None:
    async with fake_bot_api() as api:
        api.chat(ME)
        async with opened(tmp_path, api, mode="polling") as r:
            update = api.said("/status", user_id=ME)
            api.queue(update)
            await api.message(ME, "Runs on")
            await r.until(lambda db: channel_marks.find(db, {"name": OFFSET}))
        before = len(api.called("getUpdates"))
        async with opened(tmp_path, api, mode="polling"):
            await api.wait_until(lambda: len(api.called("getUpdates")) > before)
            assert update["update_id"] + 1 == api.called("getUpdates")[before]["offset"]
        assert 1 == len(api.texts(ME))


async def test_updates_that_come_again_because_an_answer_was_lost_do_nothing_twice(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path, mode="polling") as r:
        update = r.api.said("/run Once", user_id=ME)
        r.api.queue(update)
        await r.api.message(ME, "is queued")
        r.api.queue(update)
        r.api.queue(r.api.said("/help", user_id=ME))
        await r.api.message(ME, "Command Center")
        assert 1 == sum("is queued" in text for text in r.api.texts(ME))


async def test_where_a_webhook_is_set_polling_waits_and_says_what_to_do(tmp_path: Path) -> None:
    async with fake_bot_api() as api:
        api.chat(ME)
        api.webhook["url"] = "https://example.test/api/telegram/webhook"
        async with opened(tmp_path, api, mode="polling") as r:
            await api.wait_until(lambda: len(api.called("getUpdates")) > 1)
            assert HAS_WEBHOOK == problem(r)
            api.webhook["url"] = ""
            api.queue(api.said("/status", user_id=ME))
            await api.message(ME, "Runs on")
        assert [] == api.called("deleteWebhook")


async def test_another_program_that_polls_is_named(tmp_path: Path) -> None:
    fault = Fault(409, "Conflict: terminated by other getUpdates request")
    async with fake_bot_api() as api:
        api.fail_next("getUpdates", *[fault] * 100)
        async with opened(tmp_path, api, mode="polling") as r:
            await api.wait_until(lambda: problem(r) == OTHER_POLLS)


async def test_polling_survives_a_bot_api_that_fails_in_every_way(tmp_path: Path) -> None:
    async with fake_bot_api() as api:
        api.chat(ME)
        api.fail_next(
            "getUpdates",
            Fault(500),
            Fault(drop=True),
            Fault(429, "Too Many Requests", {"retry_after": 0.01}),
            Fault(401, "Unauthorized"),
            Fault(400, "Bad Request: odd"),
            Fault(200, garbage=b'{"ok": true, "result": [1, {}, {"update_id": "x"}]}'),
            Fault(200, garbage=b'{"ok": true, "result": {}}'),
        )
        async with opened(tmp_path, api, mode="polling"):
            api.queue(api.said("/status", user_id=ME))
            await api.message(ME, "Runs on")


async def test_after_a_week_of_silence_the_numbers_may_begin_anew(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        mark = await r.center.storage.write(
            lambda tx: channel_marks.insert(tx, name=OFFSET, value=10)
        )
        kept = from_timestamp(mark.updated_at)
        assert is_fresh(mark, kept + FORGETS_AFTER - timedelta(minutes=1))
        assert not is_fresh(mark, kept + FORGETS_AFTER)


def test_what_is_no_update_is_left_out() -> None:
    assert read({"update_id": "no number"}) is None
    assert read(None) is None
