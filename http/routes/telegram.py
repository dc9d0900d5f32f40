"""/api/telegram/webhook: where Telegram leaves its updates; not for general clients.

The secret comes before everything else: whoever does not send it in
`X-Telegram-Bot-Api-Secret-Token` is refused before the body is looked at. An update is answered
with 200 and an empty body once it is durable, or where it is from somebody who is not allowed;
any other status makes Telegram send it again.
"""

from __future__ import annotations

import hashlib
import hmac

from quart import Response, request

from command_center.actors.center import Center
from command_center.actors.telegram.errors import NotAnUpdate
from command_center.actors.telegram.messages import INBOX, KeepUpdates
from command_center.actors.telegram.settings import TelegramSettings
from command_center.actors.telegram.updates import decode_update
from command_center.http.config.settings import Settings
from command_center.http.wire.operation import NOTHING, Api
from command_center.http.wire.problems import MalformedBody, Problem, error_response

HEADER = "X-Telegram-Bot-Api-Secret-Token"

api = Api[Center]("Telegram")


@api.operation(
    "POST",
    "/api/telegram/webhook",
    body=dict,
    answers={200: NOTHING},
    refuses=(404,),
    is_done_once=False,
    is_open=True,
)
async def receive_update(center: Center) -> Response:
    """Take an update; for Telegram alone."""
    settings = center.settings.telegram
    secret = None if settings is None or settings.mode != "webhook" else settings.webhook_secret
    if secret is None:
        return error_response(
            Problem(404, "The webhook is off. To turn it on, set CC_TELEGRAM_MODE=webhook.")
        )
    if not is_secret(request.headers.get(HEADER), secret):
        return error_response(Problem(401, f"Send the webhook's secret in {HEADER}."))
    body = await request.get_data(cache=False, as_text=False, parse_form_data=False)
    try:
        update = decode_update(body)
    except NotAnUpdate as error:
        raise MalformedBody(str(error)) from error
    await center.ask(INBOX, KeepUpdates((update,)))
    return Response(b"", status=200)


def telegram_settings(settings: Settings) -> TelegramSettings | None:
    """Return the settings of the Telegram actors; None where Telegram is off."""
    token, secret = settings.telegram_bot_token, settings.telegram_webhook_secret
    if settings.telegram_mode == "off" or token is None:
        return None
    return TelegramSettings(
        mode=settings.telegram_mode,
        bot_token=token.reveal(),
        webhook_secret=None if secret is None else secret.reveal(),
        allowed_ids=frozenset(settings.telegram_allowed_ids),
        api_base=settings.telegram_api_base,
        timezone=settings.timezone,
    )


def is_secret(given: str | None, secret: str) -> bool:
    """Return True if the header holds the secret; the time this takes tells nothing about it."""
    return hmac.compare_digest(_digest(given or ""), _digest(secret))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
