"""`command-center telegram setup` against a fake Bot API in another thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import attrs
import platformdirs
import pytest
import trio
from click.testing import CliRunner, Result

from command_center.http.cli.main import main
from command_center.http.config.settings import DECLARATIONS
from tests.telegram_bot_api import SECRET, TOKEN, FakeBotApi, fake_bot_api

HOOK = "https://cc.example.test/api/telegram/webhook"


@attrs.define
class Running:
    """A fake that runs beside the command, which has an event loop of its own."""

    api: FakeBotApi
    token: trio.lowlevel.TrioToken

    def setup(self, *words: str, **variables: str) -> Result:
        variables = {
            "CC_TELEGRAM_BOT_TOKEN": TOKEN,
            "CC_TELEGRAM_API_BASE": self.api.url,
            **variables,
        }
        return CliRunner().invoke(
            main, ("telegram", "setup", *words), env=variables, prog_name="command-center"
        )


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    for declaration in DECLARATIONS.values():
        monkeypatch.delenv(declaration.variable, raising=False)
    monkeypatch.delenv("CC_CONFIG", raising=False)
    monkeypatch.setattr(platformdirs, "user_config_path", lambda *_, **__: tmp_path)
    started = threading.Event()
    running: list[Running] = []
    stop = trio.Event()

    async def serve() -> None:
        async with fake_bot_api() as api:
            running.append(Running(api, trio.lowlevel.current_trio_token()))
            started.set()
            await stop.wait()

    thread = threading.Thread(target=trio.run, args=(serve,))
    thread.start()
    assert started.wait(10)
    yield running[0]
    running[0].token.run_sync_soon(stop.set)
    thread.join()


def test_without_options_it_shows_how_things_stand(fake: Running) -> None:
    told = fake.setup()
    assert 0 == told.exit_code
    assert "Bot:      @command_center_bot" in told.output
    assert "Webhook:  none" in told.output
    assert TOKEN not in told.output


def test_the_webhook_is_set_with_the_secret_and_the_kinds_that_are_wanted(fake: Running) -> None:
    told = fake.setup("--url", "https://cc.example.test/", CC_TELEGRAM_WEBHOOK_SECRET=SECRET)
    assert 0 == told.exit_code
    (params,) = fake.api.called("setWebhook")
    assert (HOOK, SECRET) == (params["url"], params["secret_token"])
    assert ["message", "callback_query"] == params["allowed_updates"]
    assert f"Webhook:  {HOOK}" in told.output
    assert "CC_ALLOWED_HOSTS=cc.example.test" in told.output
    assert SECRET not in told.output


def test_the_webhook_is_removed(fake: Running) -> None:
    fake.api.webhook["url"] = HOOK
    told = fake.setup("--remove", CC_TELEGRAM_MODE="polling")
    assert 0 == told.exit_code
    assert "Webhook:  none" in told.output


def test_a_webhook_beside_polling_is_called_a_conflict(fake: Running) -> None:
    fake.api.webhook["url"] = HOOK
    assert "Conflict: a bot with a webhook cannot poll" in (
        fake.setup(CC_TELEGRAM_MODE="polling").output
    )


def test_the_test_message_says_whom_the_bot_can_write_to(fake: Running) -> None:
    fake.api.chat(7)
    told = fake.setup("--test", CC_TELEGRAM_ALLOWED_IDS="7,8")
    assert "Test:     7: sent" in told.output
    assert "Test:     8: Bad Request: chat not found" in told.output
    assert ["Command Center can write to you."] == fake.api.texts(7)


def test_ids_are_found_by_writing_to_the_bot_and_the_update_is_not_taken_away(
    fake: Running,
) -> None:
    update = fake.api.said("hello", user_id=7, chat_id=-9)
    update["message"]["from"]["first_name"] = "Eve\x1b[31m"
    fake.api.updates.append(update)
    told = fake.setup("--find-ids", "--seconds", "5")
    assert "user 7 (Eve[31m) in chat -9" in told.output
    assert "CC_TELEGRAM_ALLOWED_IDS=-9,7" in told.output
    assert [update] == list(fake.api.updates)


@pytest.mark.parametrize(
    ("words", "variables", "said"),
    [
        (["--url", HOOK], {}, "Set CC_TELEGRAM_WEBHOOK_SECRET"),
        (["--url", "http://x"], {"CC_TELEGRAM_WEBHOOK_SECRET": SECRET}, "https://"),
        (["--url", "https://x:9000"], {"CC_TELEGRAM_WEBHOOK_SECRET": SECRET}, "8443"),
        (["--url", HOOK, "--remove"], {"CC_TELEGRAM_WEBHOOK_SECRET": SECRET}, "either"),
        ([], {"CC_TELEGRAM_BOT_TOKEN": ""}, "Set CC_TELEGRAM_BOT_TOKEN"),
        ([], {"CC_TELEGRAM_BOT_TOKEN": "nonsense"}, "CC_TELEGRAM_BOT_TOKEN"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(
    fake: Running, words: list[str], variables: dict[str, str], said: str
) -> None:
    told = fake.setup(*words, **variables)
    assert 2 == told.exit_code
    assert said in told.output
    assert [] == fake.api.called("setWebhook")


def test_a_wrong_token_is_told_of_without_the_token(fake: Running) -> None:
    told = fake.setup(CC_TELEGRAM_BOT_TOKEN=TOKEN[:-1] + "Z")
    assert 1 == told.exit_code
    assert "does not know the token in CC_TELEGRAM_BOT_TOKEN" in told.output
    assert TOKEN[:20] not in told.output
    assert TOKEN[:20] not in repr(told.exception)
