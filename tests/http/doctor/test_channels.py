"""Telegram and push: a token that nobody knows, a way in that does not fit, a key that is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from command_center.http.config.parsers import Secret
from command_center.http.doctor.check import Subject
from command_center.http.doctor.examination import examine
from command_center.http.doctor.table import CHECKS
from tests.http.doctor.looks import look, look_for_one, subject
from tests.telegram_bot_api import TOKEN, FakeBotApi, fake_bot_api


def bot(tmp_path: Path, api: FakeBotApi, token: str = TOKEN, **settings: Any) -> Subject:
    return subject(
        tmp_path,
        telegram_mode="polling",
        telegram_bot_token=Secret(token),
        telegram_api_base=api.url,
        telegram_allowed_ids=(7,),
        **settings,
    )


async def test_a_token_that_the_bot_api_does_not_know_is_told_of_and_never_shown(
    tmp_path: Path,
) -> None:
    wrong = "987654321:AAwrongWRONGwrongWRONGwrongWRONGwrong"
    (check,) = (one for one in CHECKS if one.name == "telegram")
    async with fake_bot_api() as api:
        told = await examine(bot(tmp_path, api, wrong), [check])
    (finding,) = told.findings
    assert ("error", "error") == (told.status, finding.level)
    assert "does not know the token" in finding.message
    assert "CC_TELEGRAM_BOT_TOKEN" in (finding.mend or "")
    assert wrong not in str(told)


async def test_a_bot_that_is_well_and_one_with_a_webhook_that_is_polled(tmp_path: Path) -> None:
    async with fake_bot_api() as api:
        level, message, _ = await look_for_one("telegram", bot(tmp_path, api))
        assert ("ok", "The bot is @command_center_bot.") == (level, message)
        api.webhook["url"] = "https://box.example/api/telegram/webhook"
        seen = await look("telegram", bot(tmp_path, api))
        assert ["ok", "error"] == [one.level for one in seen]
        assert "--remove" in (seen[1].mend or "")


async def test_what_answers_as_no_bot_api_does_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fake_bot_api() as api:

        async def empty(_api: FakeBotApi, _path: str, _body: bytes) -> tuple[int, bytes]:
            return 200, b'{"ok": true, "result": []}'

        monkeypatch.setattr(FakeBotApi, "answer", empty)
        level, message, _ = await look_for_one("telegram", bot(tmp_path, api))
    assert ("error", "What answers there is not the Bot API.") == (level, message)


async def test_a_bot_api_that_is_away_is_a_warning(tmp_path: Path) -> None:
    async with fake_bot_api() as api:
        here = bot(tmp_path, api)
    level, *_ = await look_for_one("telegram", here)
    assert "warning" == level


async def test_a_key_of_push_that_was_cut_is_told_of(tmp_path: Path) -> None:
    here = subject(tmp_path)
    here.settings.data_dir.mkdir()
    assert "ok" == (await look_for_one("push", here))[0]
    (here.settings.data_dir / "push.key").write_bytes(b"short")
    level, _, mend = await look_for_one("push", here)
    assert "error" == level
    assert "command-center restore" in mend
