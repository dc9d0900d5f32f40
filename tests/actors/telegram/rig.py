"""A whole center with its Telegram part, and a fake Bot API at the other end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import attrs
import trio
from sqlite_utils import Database

from command_center.actors.center import Center, open_center
from command_center.actors.channels.notices import WANTED
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.contracts.addresses import APPROVALS
from command_center.actors.contracts.approvals import CreateApproval
from command_center.actors.telegram.channel import TelegramChannel
from command_center.actors.telegram.messages import INBOX, KeepUpdates
from command_center.actors.telegram.settings import TelegramSettings
from command_center.actors.telegram.updates import read_update
from command_center.actors.tree import CenterSettings
from command_center.runtime import Backoff
from command_center.store import Approval, channel_marks, events, repositories
from command_center.store.tables import approvals
from tests.actors.rows import make_database
from tests.telegram_bot_api import SECRET, TOKEN, FakeBotApi, fake_bot_api

T = TypeVar("T")

ME = 4242
"""The user who is allowed; the private chat has the same id."""

GROUP = -100200
"""The group that is allowed."""


@attrs.frozen
class Rig:
    """The parts that a test uses."""

    center: Center
    api: FakeBotApi
    repository_id: int

    async def receive(self, *updates: dict[str, Any]) -> int:
        """Hand updates to the inbox, as the webhook does; how many were new and allowed."""
        return await self.center.ask(INBOX, KeepUpdates(tuple(map(read_update, updates))))

    async def say(self, text: str, **more: Any) -> None:
        """Say something to the bot in its private chat."""
        await self.receive(self.api.said(text, user_id=ME, **more))

    async def press(self, message: dict[str, Any], button: str) -> dict[str, Any]:
        """Press a button, and give the answer to the press."""
        update = self.api.pressed(message, button, user_id=ME)
        await self.receive(update)
        query = update["callback_query"]["id"]

        def answers() -> list[dict[str, Any]]:
            called = self.api.called("answerCallbackQuery")
            return [params for params in called if params["callback_query_id"] == query]

        await self.api.wait_until(answers)
        return answers()[0]

    async def told(self) -> None:
        """Wait until the notifier has told all that is in the log."""

        def read(db: Database) -> bool:
            mark = channel_marks.find(db, {"name": TelegramChannel.mark})
            last, _ = events.after(db, 0, limit=500, wanted=WANTED)
            return mark is not None and (not last or mark.value >= last[-1].id)

        await self.until(read)

    async def ask(self, title: str = "May I?", **more: Any) -> Approval:
        """Let something ask for a decision."""
        return await self.center.ask(APPROVALS, CreateApproval(title=title, **more))

    async def until(self, query: Callable[[Database], T | None]) -> T:
        """Read until there is something to be read."""
        with trio.fail_after(20):
            while True:
                found = await self.center.storage.read(query)
                if found:
                    return found

    async def approval(self, approval_id: int) -> Approval:
        """An approval as it stands."""
        return await self.center.storage.read(lambda db: approvals.get(db, approval_id))


def telegram_settings(api: FakeBotApi, **more: Any) -> TelegramSettings:
    """Settings for the fake, with limits that do not slow a test."""
    wanted: dict[str, Any] = {
        "mode": "webhook",
        "bot_token": TOKEN,
        "webhook_secret": SECRET,
        "allowed_ids": frozenset({ME, GROUP}),
        "api_base": api.url,
        "timezone": "UTC",
        "chat_seconds": 0.0,
        "group_seconds": 0.0,
        "all_seconds": 0.0,
        "call_seconds": 5.0,
        "poll_seconds": 5,
        "backoff": Backoff(initial=0.01, cap=0.05, jitter=0.0),
    }
    return TelegramSettings(**(wanted | more))


@asynccontextmanager
async def opened(folder: Path, api: FakeBotApi, **more: Any) -> AsyncIterator[Rig]:
    """A center on the database in `folder`, with one repository in which a run may write."""
    database = folder / "center.sqlite3"
    make_database(database)
    settings = CenterSettings(
        database=database,
        data_dir=folder,
        runner="stub",
        bridge=BridgeSettings(disabled="the test needs none"),
        max_sessions=8,
        approval_seconds=3600.0,
        timezone="UTC",
        telegram=telegram_settings(api, **more),
        secrets=(TOKEN, SECRET),
    )
    async with open_center(settings) as center:
        found = await center.storage.read(lambda db: repositories.find(db, {}))
        if found is None:
            checkout = folder / "checkout"
            await trio.run_process(["git", "init", "--quiet", str(checkout)])
            found = await center.storage.write(
                lambda tx: repositories.insert(
                    tx, name="r", local_path=str(checkout), allow_write=True
                )
            )
        yield Rig(center, api, found.id)


@asynccontextmanager
async def rig(folder: Path, **more: Any) -> AsyncIterator[Rig]:
    """A center and a fake with the private chat in it."""
    async with fake_bot_api() as api:
        api.chat(ME)
        async with opened(folder, api, **more) as opened_rig:
            yield opened_rig
