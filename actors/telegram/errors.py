"""Errors between the bot and Telegram. None of them holds an address or the token."""

from __future__ import annotations

from typing import Final


class BotApiUnreachable(Exception):
    """There was no whole answer: whether the call had its effect is not known."""

    def __init__(self, method: str, reason: str) -> None:
        """Name the method, and what failed in a word or two."""
        super().__init__(f"The Bot API gave no answer to {method}: {reason}.")
        self.method = method
        self.reason = reason


class BotApiLimited(Exception):
    """Telegram wants no call before `retry_after` seconds have passed."""

    def __init__(self, method: str, retry_after: float) -> None:
        """Name the method, and how long to wait."""
        super().__init__(f"The Bot API wants {retry_after:g} s without {method}.")
        self.method = method
        self.retry_after = retry_after


class BotApiFailed(Exception):
    """The Bot API itself failed, with a status of 500 or more; later it may work."""

    def __init__(self, method: str, status: int) -> None:
        """Name the method and the status."""
        super().__init__(f"The Bot API failed at {method} with status {status}.")
        self.method = method
        self.status = status


class BotApiRefused(Exception):
    """The call is wrong or not allowed; to repeat it changes nothing.

    `migrated_to` is the chat that took the place of the one that was written to, if that is why.
    """

    def __init__(
        self, method: str, status: int, description: str, *, migrated_to: int | None = None
    ) -> None:
        """Quote the Bot API's own description."""
        super().__init__(f"The Bot API refused {method} with status {status}: {description}")
        self.method = method
        self.status = status
        self.description = description
        self.migrated_to = migrated_to


class TokenRejected(Exception):
    """The Bot API does not know the bot's token."""

    def __init__(self) -> None:
        """Name the setting."""
        super().__init__("The Bot API does not know the token in CC_TELEGRAM_BOT_TOKEN.")


class FileTooLarge(Exception):
    """A file that somebody sent is larger than is taken, or than the Bot API gives."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("The file is too large. Send a smaller one, or put it in the repository.")


class NotAnUpdate(Exception):
    """A body is no update of the Bot API."""

    def __init__(self, reason: str) -> None:
        """Say in what it fails."""
        super().__init__(f"The body is not an update: {reason}.")


API_ERRORS: Final = (
    BotApiFailed,
    BotApiLimited,
    BotApiRefused,
    BotApiUnreachable,
    TokenRejected,
)
"""All that a call may raise."""
