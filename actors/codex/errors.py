"""The errors between Command Center and Codex, in words that reach the caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from command_center.actors.rules.errors import Conflict, Unavailable
from command_center.runtime import Refusal


class CodexError(Refusal):
    """Codex answered a request with an error; `code`, `reason` and `data` are Codex's own."""

    def __init__(self, method: str, code: int, reason: str, data: Any = None) -> None:
        """Keep what Codex said of `method`."""
        super().__init__(f"Codex refused {method}: {reason}")
        self.method = method
        self.code = code
        self.reason = reason
        self.data = data


class CodexTimeout(Refusal):
    """Codex did not answer a request in time; whether it took effect is not known."""

    def __init__(self, method: str, seconds: float) -> None:
        """Name the request and the time given to it."""
        super().__init__(f"Codex did not answer {method} within {seconds:g} s.")
        self.method = method
        self.seconds = seconds


class AnswerTooLong(CodexTimeout):
    """Codex's answer was too long and was skipped; whether it took effect is not known."""

    def __init__(self, method: str, limit: int) -> None:
        """Name the request and the bytes that an answer may have."""
        Refusal.__init__(
            self, f"Codex answered {method} with more than {limit} bytes. Ask for less at once."
        )
        self.method = method
        self.seconds = 0.0
        self.limit = limit


class AnswerMisread(CodexTimeout):
    """Codex's answer is none of its protocol; whether the request took effect is not known."""

    def __init__(self, method: str, problem: str) -> None:
        """Name the request and what is wrong with the answer."""
        Refusal.__init__(self, f"Codex answered {method} with what cannot be read: {problem}")
        self.method = method
        self.seconds = 0.0


class BridgeUnavailable(Refusal):
    """There is no connection to Codex, or it was lost before the answer came.

    `retry_after` is in seconds, where the next attempt to connect is known.
    """

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        """Say what failed and what the user can do."""
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class NoAnswer(Unavailable):
    """Codex is there, but did not answer this in time, or in more bytes than are taken."""


class UnsupportedCodex(Conflict):
    """This Codex is of a version that cannot be used; it says which to install."""


class ThreadElsewhere(Refusal):
    """Another process of Codex writes the thread, and it cannot be reached now."""

    def __init__(self, thread_id: str, advice: str) -> None:
        """Name the thread, and say what the user can do."""
        super().__init__(f"Thread {thread_id} is open in another Codex. {advice}")
        self.thread_id = thread_id


class RequestGone(Refusal):
    """The request that was to be answered is not open any more on this connection."""

    def __init__(self, request_id: str) -> None:
        """Name the request as the bridge named it."""
        super().__init__(f"Codex's request {request_id} is no longer open.")
        self.request_id = request_id


class NotConfined(Refusal):
    """Codex lets a thread do other things than it was asked to, so nothing is begun in it."""

    def __init__(self, setting: str, *, asked: object, found: object) -> None:
        """Name the setting as Codex does, and both of its values."""
        super().__init__(
            f"Codex was asked for {setting} {asked}, but it set {found}. Its managed configuration "
            "may demand that. No turn was begun. Change that, or what the run asks for."
        )
        self.setting = setting


class ProfileTooWide(Refusal):
    """A permission profile lets commands do more than the run may, so nothing is begun in it."""

    def __init__(self, profile: str, *, asked: object, found: object) -> None:
        """Show what the profile gives as Codex spells it, and what the run may have."""
        super().__init__(
            f"Permission profile {profile} gives {found}, but this run may have no more than "
            f"{asked}. No turn was begun. Choose a narrower profile, or allow the run more."
        )
        self.profile = profile


class ProjectTouched(Refusal):
    """The files by which a project configures Codex changed while Codex was reading them."""

    def __init__(self, folders: Sequence[str]) -> None:
        """Name the folders that they lie in."""
        super().__init__(
            f"The files in {' and '.join(folders) or 'the folder'} changed while Codex was reading "
            "them. No turn was begun. Run it again to decide about the files as they are now."
        )


class NotAMessage(Exception):
    """Codex printed what is no message of its protocol; `excerpt` shows its beginning."""

    def __init__(self, problem: str, data: bytes) -> None:
        """Say what is wrong with the data."""
        self.problem = problem
        self.excerpt = data[:200].decode("utf-8", "replace")
        super().__init__(f"{problem}: {self.excerpt!r}")


class MessageTooLong(Exception):
    """A message exceeded the limit in bytes and was skipped; the next one can be read.

    `head` is how it began.
    """

    def __init__(self, limit: int, head: bytes = b"") -> None:
        """Name the limit."""
        self.limit = limit
        self.head = head
        super().__init__(f"Codex sent a message of more than {limit} bytes; it was skipped.")


class WireClosed(Exception):
    """The connection to Codex could not be made, or has ended; nothing more comes or goes."""

    def __init__(self, reason: str) -> None:
        """Say why, as far as it is known."""
        self.reason = reason
        super().__init__(reason)
