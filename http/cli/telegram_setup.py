"""`command-center telegram setup`: speak to the Bot API, and show how things stand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import click
import trio

from command_center.actors.telegram.api import BotApi
from command_center.actors.telegram.errors import (
    BotApiFailed,
    BotApiLimited,
    BotApiRefused,
    BotApiUnreachable,
    TokenRejected,
)
from command_center.actors.telegram.polling import KINDS
from command_center.actors.telegram.settings import TelegramSettings
from command_center.http.config.settings import Settings
from command_center.http.middleware.gate import WEBHOOK

PORTS: Final = frozenset({None, 443, 80, 88, 8443})
"""The ports of a webhook (https://core.telegram.org/bots/api#setwebhook)."""

Step = Callable[[BotApi], Awaitable[None]]


class SetupRefused(Exception):
    """The command cannot be carried out with these settings."""


class SetupFailed(Exception):
    """The Bot API refused, or did not answer."""


def set_up(
    settings: Settings, *, url: str | None, remove: bool, test: bool, find_ids_seconds: int | None
) -> None:
    """Do what is wanted, in that order, and show how things stand.

    Raises:
        SetupRefused, SetupFailed.
    """
    if settings.telegram_bot_token is None:
        raise SetupRefused("Set CC_TELEGRAM_BOT_TOKEN to the token that BotFather gave you.")
    steps: list[Step] = [show_bot]
    if url is not None:
        if remove:
            raise SetupRefused("Give either --url or --remove.")
        if settings.telegram_webhook_secret is None:
            raise SetupRefused("Set CC_TELEGRAM_WEBHOOK_SECRET: the webhook needs one.")
        address = webhook_address(url)
        steps.append(partial(set_webhook, settings=settings, url=address))
    if remove:
        steps.append(remove_webhook)
    if test:
        steps.append(partial(send_test, settings=settings))
    if find_ids_seconds is not None:
        steps.append(partial(show_ids, seconds=find_ids_seconds))
    steps.append(partial(show_webhook, settings=settings))
    bot = TelegramSettings(
        mode="polling",
        bot_token=settings.telegram_bot_token.reveal(),
        api_base=settings.telegram_api_base,
    )
    try:
        trio.run(_run, bot, steps)
    except (BotApiFailed, BotApiLimited, BotApiRefused, BotApiUnreachable, TokenRejected) as error:
        raise SetupFailed(str(error)) from error


def webhook_address(url: str) -> str:
    """Return the webhook's address on a server that is reached at `url`."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise SetupRefused("--url must begin with https://; Telegram takes no other webhook.")
    if parts.port not in PORTS:
        raise SetupRefused("Telegram reaches webhooks only at the ports 443, 80, 88 and 8443.")
    path = parts.path.rstrip("/")
    if not path.endswith(WEBHOOK):
        path += WEBHOOK
    return parts._replace(path=path, query="", fragment="").geturl()


async def _run(settings: TelegramSettings, steps: list[Step]) -> None:
    api = BotApi(settings)
    try:
        for step in steps:
            await step(api)
    finally:
        with trio.move_on_after(2) as scope:
            scope.shield = True
            await api.close()


async def show_bot(api: BotApi) -> None:
    """Say which bot the token is of."""
    me = await api.call("getMe")
    click.echo(f"Bot:      @{_plain(me.get('username'))}")


async def set_webhook(api: BotApi, *, settings: Settings, url: str) -> None:
    """Have updates sent to the address, with the secret."""
    secret = settings.telegram_webhook_secret
    await api.call(
        "setWebhook",
        {
            "url": url,
            "secret_token": "" if secret is None else secret.reveal(),
            "allowed_updates": KINDS,
            "max_connections": 10,
        },
    )
    click.echo(f"Set:      {url}")
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not {host, parts.netloc} & {*settings.allowed_hosts}:
        click.echo(f"Note:     add this host to the server's own: CC_ALLOWED_HOSTS={host}")
    if settings.telegram_mode != "webhook":
        click.echo("Note:     set CC_TELEGRAM_MODE=webhook, or the server takes no updates there.")


async def remove_webhook(api: BotApi) -> None:
    """Have updates wait for a poll."""
    await api.call("deleteWebhook")
    click.echo("Removed:  updates wait to be polled for (CC_TELEGRAM_MODE=polling).")


async def send_test(api: BotApi, *, settings: Settings) -> None:
    """Write to every allowed id, and say which of them can be written to."""
    if not settings.telegram_allowed_ids:
        click.echo("Test:     nobody is allowed yet; set CC_TELEGRAM_ALLOWED_IDS.")
    for chat_id in settings.telegram_allowed_ids:
        try:
            await api.call(
                "sendMessage", {"chat_id": chat_id, "text": "Command Center can write to you."}
            )
        except BotApiRefused as refused:
            click.echo(f"Test:     {chat_id}: {_plain(refused.description)}")
        else:
            click.echo(f"Test:     {chat_id}: sent")


async def show_ids(api: BotApi, *, seconds: int) -> None:
    """Wait for messages to the bot and show who wrote where. Nothing is acted on or taken away."""
    info = await api.call("getWebhookInfo")
    if info.get("url"):
        click.echo("Ids:      a webhook is set; remove it for a moment with --remove.")
        return
    click.echo(f"Ids:      write anything to the bot now; waiting {seconds} s …")
    seen: set[tuple[object, object]] = set()

    deadline = trio.current_time() + seconds
    while not seen and (left := deadline - trio.current_time()) > 0:
        wait = max(1, min(int(left), 50))
        params = {"timeout": wait}
        for update in await api.call("getUpdates", params, extra_seconds=wait):
            message = update.get("message") or {}
            user, chat = message.get("from") or {}, message.get("chat") or {}
            if user.get("id") and (user["id"], chat.get("id")) not in seen:
                seen.add((user["id"], chat.get("id")))
                name = _plain(user.get("first_name"))
                click.echo(f"          user {user['id']} ({name}) in chat {chat.get('id')}")
    if seen:
        ids = sorted({str(number) for pair in seen for number in pair}, key=int)
        click.echo(f"          CC_TELEGRAM_ALLOWED_IDS={','.join(ids)} lets them all use the bot.")
    else:
        click.echo("          nobody wrote.")


async def show_webhook(api: BotApi, *, settings: Settings) -> None:
    """Say how updates reach the server, and whether that fits its settings."""
    info = await api.call("getWebhookInfo")
    url = info.get("url") or ""
    click.echo(f"Webhook:  {_plain(url) or 'none'}")
    click.echo(f"Waiting:  {info.get('pending_update_count', 0)} updates")
    if info.get("last_error_message"):
        click.echo(f"Failed:   {_plain(info['last_error_message'])}")
    click.echo(f"Mode:     {settings.telegram_mode} (CC_TELEGRAM_MODE)")
    if settings.telegram_mode == "polling" and url:
        click.echo("Conflict: a bot with a webhook cannot poll: --remove it.")
    if settings.telegram_mode == "webhook" and not url:
        click.echo("Missing:  no webhook is set: --url https://…")


def _plain(said: object) -> str:
    """Return what somebody else wrote, without what a terminal would obey."""
    return "".join(c for c in str(said or "") if c.isprintable())[:200]
