"""The settings of the Telegram actors."""

from __future__ import annotations

from typing import Literal

import attrs

from command_center.runtime import Backoff


@attrs.frozen(kw_only=True)
class TelegramSettings:
    """Settings of the bot: how it is reached, and whom it obeys.

    Attributes:
        mode: how updates come in.
        bot_token: BotFather's; it is shown by nothing.
        webhook_secret: what Telegram sends with each update to the webhook.
        allowed_ids: users and chats; an update must come from one of each.
        api_base: the address of the Bot API.
        timezone: of quiet hours and of moments in messages; None for the machine's.
        chat_seconds: between two messages to one person (Bot API FAQ: one a second).
        group_seconds: between two messages to one group (Bot API FAQ: 20 a minute).
        all_seconds: between any two messages (Bot API FAQ: about 30 a second).
        call_seconds: how long the Bot API may take to answer.
        poll_seconds: how long a poll waits for updates.
        backoff: the waits after failures that pass.
    """

    mode: Literal["webhook", "polling"]
    bot_token: str = attrs.field(repr=False)
    webhook_secret: str | None = attrs.field(default=None, repr=False)
    allowed_ids: frozenset[int] = frozenset()
    api_base: str = "https://api.telegram.org"
    timezone: str | None = None
    chat_seconds: float = 1.0
    group_seconds: float = 3.0
    all_seconds: float = 0.04
    call_seconds: float = 20.0
    poll_seconds: int = 50
    backoff: Backoff = attrs.field(default=Backoff(initial=1.0, cap=60.0, jitter=0.0))
