"""Checks of the ways by which people are told: Telegram, and Web Push."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import trio

from command_center.actors.telegram.api import BotApi
from command_center.actors.telegram.errors import (
    BotApiFailed,
    BotApiLimited,
    BotApiRefused,
    BotApiUnreachable,
    TokenRejected,
)
from command_center.actors.telegram.settings import TelegramSettings
from command_center.actors.webpush.settings import KEY_BYTES, KEY_FILE, is_installed
from command_center.http.doctor.check import Subject, Symptom, error, in_data_folder, warning

SET_UP: Final = "command-center telegram setup shows how the bot stands, and mends it (--help)."


async def telegram(subject: Subject) -> Sequence[Symptom]:
    """Ask the Bot API whose the token is, and how updates come in."""
    settings = subject.settings
    if settings.telegram_mode == "off" or settings.telegram_bot_token is None:
        return [Symptom("Telegram is off.")]
    api = BotApi(
        TelegramSettings(
            mode=settings.telegram_mode,
            bot_token=settings.telegram_bot_token.reveal(),
            api_base=settings.telegram_api_base,
        )
    )
    try:
        me, info = await api.call("getMe"), await api.call("getWebhookInfo")
    except TokenRejected as rejected:
        return [error(str(rejected), "Set CC_TELEGRAM_BOT_TOKEN to what BotFather gives you.")]
    except (BotApiFailed, BotApiLimited, BotApiRefused, BotApiUnreachable) as failure:
        mend = "See whether this machine reaches CC_TELEGRAM_API_BASE, and ask again later."
        return [warning(str(failure), mend)]
    finally:
        with trio.move_on_after(2, shield=True):
            await api.close()
    if not (isinstance(me, dict) and isinstance(info, dict)):
        mend = "See what CC_TELEGRAM_API_BASE leads to."
        return [error("What answers there is not the Bot API.", mend)]
    webhook = info.get("url") or ""
    seen = [Symptom(f"The bot is @{me.get('username')}.")]
    if not settings.telegram_allowed_ids:
        seen.append(
            warning(
                "Telegram is on, and the bot obeys nobody.",
                "command-center telegram setup --find-ids finds your id for "
                "CC_TELEGRAM_ALLOWED_IDS.",
            )
        )
    if settings.telegram_mode == "polling" and webhook:
        seen.append(error("A bot with a webhook cannot be polled.", f"{SET_UP} Give it --remove."))
    if settings.telegram_mode == "webhook" and not webhook:
        seen.append(error("No webhook is set at the Bot API.", f"{SET_UP} Give it --url."))
    return seen


@in_data_folder
def push(subject: Subject) -> Sequence[Symptom]:
    """Look for what browsers need to be told with the page closed."""
    settings = subject.settings
    if not is_installed():
        return [
            Symptom(
                "Browsers are told only while the page is open.",
                'With the page closed, too: install "command-center[push]".',
            )
        ]
    key = settings.data_dir / KEY_FILE
    if key.exists() and key.stat().st_size != KEY_BYTES:
        return [
            error(
                f"{key} is no key of push: the next start makes another one, which no browser "
                "knows.",
                "Put it back from a backup: command-center restore FILE.",
            )
        ]
    told = "Browsers can be told with the page closed."
    if settings.push_contact is None:
        contact = "Some push services want a contact: CC_PUSH_CONTACT=mailto:you@your.domain."
        return [Symptom(told, contact)]
    return [Symptom(told)]
