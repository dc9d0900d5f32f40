"""The webhook, over real sockets, as Telegram calls it."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from command_center.http.app import create_app
from command_center.http.config.parsers import Secret
from command_center.http.config.settings import Settings
from command_center.http.middleware.gate import Policy
from command_center.http.routes.telegram import telegram_settings
from command_center.store import TelegramUpdate, tasks, telegram_updates
from tests.actors.telegram.rig import GROUP, ME, Rig, rig
from tests.http.live import served
from tests.telegram_bot_api import SECRET, TOKEN

STRANGER = 666


@attrs.frozen
class Hook:
    """A served webhook."""

    rig: Rig
    url: str

    async def deliver(self, update: dict[str, Any] | bytes, **more: Any) -> httpx.Response:
        return await self.rig.api.deliver(self.url, update, **more)

    async def kept(self) -> list[TelegramUpdate]:
        return await self.rig.center.storage.read(lambda db: telegram_updates.every(db, {}))


@asynccontextmanager
async def hooked(folder: Path, **more: Any) -> AsyncIterator[Hook]:
    async with rig(folder, **more) as opened:
        app = create_app(opened.center, Policy(token="the-api-token"))
        async with served(app) as address:
            yield Hook(opened, f"{address.url}/api/telegram/webhook")


async def test_an_update_is_answered_with_200_and_nothing_once_it_is_durable(
    tmp_path: Path,
) -> None:
    async with hooked(tmp_path) as hook:
        update = hook.rig.api.said("/status", user_id=ME)
        response = await hook.deliver(update)
        assert (200, b"") == (response.status_code, response.content)
        assert [update["update_id"]] == [row.update_id for row in await hook.kept()]
        assert update == (await hook.kept())[0].body
        await hook.rig.api.message(ME, "Runs on")


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x", SECRET[:-1], SECRET.lower()])
async def test_a_wrong_secret_is_refused_before_the_body_is_looked_at(
    tmp_path: Path, secret: str | None
) -> None:
    async with hooked(tmp_path) as hook:
        response = await hook.deliver(b"this is no JSON", secret=secret, attempts=1)
        assert 401 == response.status_code
        assert 401 == response.json()["error"]["statusCode"]
        assert SECRET not in response.text
        assert [] == await hook.kept()


async def test_the_secret_is_compared_in_constant_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: list[tuple[int, int]] = []

    def compare(one: bytes, other: bytes) -> bool:
        lengths.append((len(one), len(other)))
        return False

    async with hooked(tmp_path) as hook:
        monkeypatch.setattr(hmac, "compare_digest", compare)
        assert 401 == (await hook.deliver(b"{}", attempts=1)).status_code
    assert [(32, 32)] == lengths


async def test_the_webhook_needs_no_bearer_and_everything_else_does(tmp_path: Path) -> None:
    async with hooked(tmp_path) as hook:
        assert 200 == (await hook.deliver(hook.rig.api.said("/help", user_id=ME))).status_code
        async with httpx.AsyncClient() as client:
            response = await client.get(hook.url.replace("/telegram/webhook", "/tasks"))
        assert 401 == response.status_code


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'"x"', b"\xff\xfe", b'{"update_id": "1"}', b'{"update_id": -1}'],
)
async def test_a_body_that_is_no_update_is_refused(tmp_path: Path, body: bytes) -> None:
    async with hooked(tmp_path) as hook:
        response = await hook.deliver(body, attempts=1)
        assert 400 == response.status_code
        assert 400 == response.json()["error"]["statusCode"]
        assert [] == await hook.kept()


async def test_a_body_of_another_type_than_json_is_refused(tmp_path: Path) -> None:
    async with hooked(tmp_path) as hook:
        update = hook.rig.api.said("/help", user_id=ME)
        response = await hook.deliver(
            update, attempts=1, headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
        assert 415 == response.status_code


async def test_a_huge_body_is_refused(tmp_path: Path) -> None:
    async with hooked(tmp_path) as hook:
        response = await hook.deliver(b'{"update_id": 1, "x": "' + b"x" * 2_000_000, attempts=1)
        assert 413 == response.status_code


async def test_a_body_that_is_nested_too_deep_is_refused(tmp_path: Path) -> None:
    async with hooked(tmp_path) as hook:
        deep = b'{"update_id": 1, "x": ' + b"[" * 5000 + b"]" * 5000 + b"}"
        assert 400 == (await hook.deliver(deep, attempts=1)).status_code


@pytest.mark.parametrize(
    ("user_id", "chat_id"), [(STRANGER, STRANGER), (STRANGER, GROUP), (ME, -100999), (ME, STRANGER)]
)
async def test_whoever_or_wherever_is_not_on_the_list_gets_200_and_leaves_no_trace(
    tmp_path: Path, user_id: int, chat_id: int
) -> None:
    async with hooked(tmp_path) as hook:
        update = hook.rig.api.said("/run everything", user_id=user_id, chat_id=chat_id)
        response = await hook.deliver(update)
        assert (200, b"") == (response.status_code, response.content)
        assert [] == await hook.kept()


async def test_a_bot_and_a_sender_without_a_name_are_not_obeyed(tmp_path: Path) -> None:
    async with hooked(tmp_path) as hook:
        bot = hook.rig.api.said("/status", user_id=ME)
        bot["message"]["from"]["is_bot"] = True
        nobody = hook.rig.api.said("/status", user_id=ME, chat_id=GROUP)
        del nobody["message"]["from"]
        for update in (bot, nobody):
            assert 200 == (await hook.deliver(update)).status_code
        assert [] == await hook.kept()


@pytest.mark.parametrize(
    "kind",
    [
        {"poll": {"id": "1"}},
        {"some_new_kind": {"chat": {"id": ME}}},
        {"message": "not an object"},
        {"message": {"message_id": 1}},
        {"callback_query": {"id": "1", "from": {"id": ME}}},
        {},
    ],
)
async def test_an_unknown_kind_of_update_is_answered_with_200_and_does_nothing(
    tmp_path: Path, kind: dict[str, Any]
) -> None:
    async with hooked(tmp_path) as hook:
        response = await hook.deliver(hook.rig.api.update(**kind))
        assert (200, b"") == (response.status_code, response.content)
        assert [] == await hook.kept()


async def test_an_edited_message_does_nothing(tmp_path: Path) -> None:
    async with hooked(tmp_path) as hook:
        update = hook.rig.api.said("/status", user_id=ME, kind="edited_message")
        assert 200 == (await hook.deliver(update)).status_code
        assert [] == hook.rig.api.called("sendMessage")


async def test_telegram_delivers_again_while_the_inbox_is_away_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    async with hooked(tmp_path) as hook:
        system = hook.rig.center.system
        await system.stop_child("/telegram/inbox", reason="test")
        update = hook.rig.api.said("/status", user_id=ME)
        assert 503 == (await hook.deliver(update, attempts=2)).status_code
        await system.restart("/telegram/inbox", reason="test")
        assert 200 == (await hook.deliver(update)).status_code
        await hook.rig.api.message(ME, "Runs on")


async def test_an_update_that_comes_again_does_nothing_twice(tmp_path: Path) -> None:
    async with hooked(tmp_path) as hook:
        update = hook.rig.api.said(f"/run {hook.rig.repository_id} say hello", user_id=ME)
        for _ in range(3):
            assert 200 == (await hook.deliver(update)).status_code
        await hook.rig.api.message(ME, "is queued")
        assert 1 == len(await hook.kept())
        assert 1 == await hook.rig.center.storage.read(lambda db: tasks.count(db, {}))


async def test_a_bot_that_polls_has_no_webhook(tmp_path: Path) -> None:
    async with hooked(tmp_path, mode="polling") as hook:
        response = await hook.deliver(hook.rig.api.said("/help", user_id=ME), attempts=1)
        assert 404 == response.status_code


def test_settings_for_telegram_hide_their_secrets() -> None:
    settings = telegram_settings(
        Settings(
            telegram_mode="webhook",
            telegram_bot_token=Secret(TOKEN),
            telegram_webhook_secret=Secret(SECRET),
            telegram_allowed_ids=(1, -2),
        )
    )
    assert settings is not None
    assert frozenset({1, -2}) == settings.allowed_ids
    assert TOKEN not in repr(settings)
    assert SECRET not in repr(settings)
    assert telegram_settings(Settings()) is None
