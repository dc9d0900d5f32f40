"""A shell that somebody has: who looks at it, what it wrote of late, and when it ends."""

from __future__ import annotations

import math
import secrets
from contextlib import suppress
from typing import Final

import attrs
import trio

from command_center.actors.codex.requests import shell_mark
from command_center.actors.contracts.shells import Outlet, ShellEnded, ShellNews, ShellSize
from command_center.store import Session, now_timestamp

MOST_KEPT: Final = 256 * 1024
"""Bytes that are kept of what a shell wrote last, in memory alone."""

MOST_SAID: Final = 1024
"""Bytes that are kept of what is written before a shell is there, as by a sandbox that fails."""

LINGER_SECONDS: Final = 600.0
"""Seconds that a shell goes on while nobody looks any more."""

UNUSED_SECONDS: Final = 30.0
"""The same for a shell in which nothing was typed yet: there is nothing to come back to."""

LOST: Final = b"\r\n[some of the output is lost]\r\n"

UNUSED: Final = "Whoever opened it left before anything was typed."
LEFT: Final = f"Nobody has looked for {LINGER_SECONDS / 60:.0f} minutes."
CLOSED: Final = "It was closed."


@attrs.define(eq=False)
class Shell:
    """A shell that runs, or is about to. It ends by itself unless somebody looks.

    Attributes:
        scope: ends it.
        reason: why it ends, if it ends by that.
        started: when it was begun, in seconds of trio's clock.
        begun: set once the sandbox holds it, or it is over.
        is_used: somebody has typed in it.
        is_misplaced: it has ended since its folder is not there.
    """

    device_id: int | None
    actor: str
    size: ShellSize
    id: str = attrs.field(factory=lambda: secrets.token_hex(8))
    opened_at: str = attrs.field(factory=now_timestamp)
    session: Session | None = None
    folder: str | None = None
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    reason: str = CLOSED
    begun: trio.Event = attrs.field(factory=trio.Event)
    is_used: bool = False
    has_ended: bool = False
    is_misplaced: bool = False
    outlet: Outlet | None = None
    started: float = math.inf
    _said: bytes = b""
    _kept: bytearray = attrs.field(factory=bytearray, repr=False)
    _is_cut: bool = False
    _was_shown: bool = False

    def begin(self) -> None:
        """Wait for who looks at it first."""
        self.started = trio.current_time()
        self._wait()

    def has_begun_unheard(self) -> bool:
        """Have begun if some of its output was lost, in which it may have said that it is there.

        Return False otherwise. What it has said since is its own, as far as it was kept.
        """
        if not self._is_cut:
            return False
        self.begun.set()
        said, self._said = self._said, b""
        self.wrote(said)
        return True

    def show(self, outlet: Outlet) -> None:
        """Tell another one from now on, beginning with what was shown of late, if anything was.

        A program asks its terminal by what it writes, and only what is shown for the first time is
        to be answered. So what was shown is told alone, as nothing to the first who looks. Where
        they have left meanwhile, nothing changes.
        """
        if not outlet.statistics().open_receive_channels:
            return
        self._leave(ShellEnded(None, "The terminal is shown elsewhere now."))
        self.outlet, self._is_cut = outlet, False
        if not self.scope.cancel_called:
            self.scope.deadline, self.reason = math.inf, CLOSED
        was_shown, self._was_shown = self._was_shown, True
        self._tell(bytes(self._kept) if was_shown else b"")
        if self._kept and not was_shown:
            self._tell(bytes(self._kept))

    def show_end(self, outlet: Outlet) -> None:
        """Show no more to somebody than that it ends, and why."""
        with suppress(trio.BrokenResourceError):  # they have left
            outlet.send_nowait(b"")
            outlet.send_nowait(ShellEnded(None, self.reason))
        outlet.close()

    def hide(self) -> None:
        """Tell nobody from now on, and wait for who comes back."""
        self.outlet = None
        self._wait()

    def end(self, reason: str) -> None:
        """End it."""
        self.reason = reason
        self.scope.cancel()

    def wrote(self, output: bytes) -> None:
        """Keep it, and tell whoever looks; where they are too slow, some of it is left out.

        What comes before the shell is there is Codex's own.
        """
        if not self.begun.is_set():
            before, mark, output = (self._said + output).partition(shell_mark(self.id))
            self._said = before[-MOST_SAID:]
            if not mark:
                return
            self.begun.set()
        if not output:
            return
        self._kept += output
        if len(self._kept) > MOST_KEPT:
            line = self._kept.find(b"\n", -MOST_KEPT // 2) + 1
            del self._kept[: line or -MOST_KEPT // 2]
        self._tell(output)

    def lose(self) -> None:
        """Take note that some of its output was not told here."""
        self._is_cut = True

    def said(self) -> str:
        """Return the last of what was written before the shell was there, as a line."""
        words = " ".join(self._said.decode(errors="replace").split())
        return "".join(filter(str.isprintable, words))

    def is_over(self, ended: ShellEnded) -> None:
        """Tell whoever looks that nothing more comes."""
        self.has_ended, self.reason = True, ended.reason
        self.begun.set()
        self._leave(ended)

    def _wait(self) -> None:
        if not self.scope.cancel_called:
            seconds, self.reason = (
                (LINGER_SECONDS, LEFT) if self.is_used else (UNUSED_SECONDS, UNUSED)
            )
            self.scope.deadline = trio.current_time() + seconds

    def _leave(self, ended: ShellEnded) -> None:
        if self.outlet is not None:
            self._tell(ended)
        if self.outlet is not None:
            self.outlet.close()
            self.outlet = None

    def _tell(self, news: ShellNews) -> None:
        if self.outlet is None:
            return
        try:
            if self._is_cut:
                self.outlet.send_nowait(LOST)
                self._is_cut = False
            self.outlet.send_nowait(news)
        except trio.WouldBlock:
            self._is_cut = True
        except trio.BrokenResourceError:
            self.hide()
