"""A person at a terminal, who is asked a line at a time.

Questions go to the terminal itself: stdout may be read by a script, which wants the outcome alone.
What was typed before a question stood there answers nothing, so it is thrown away.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from getpass import getpass
from typing import Final, TextIO

from command_center.http.cli.client.terminal import echo, painted

LOOK_SECONDS: Final = 1.0
"""Time between two looks whether the question still stands, while a person thinks."""


class Console:
    """The terminal of a person: what they read and where they type."""

    def __init__(self, source: TextIO, screen: TextIO) -> None:
        """Read what they type from `source`, and show questions on `screen`."""
        self._source = source
        self._screen = screen

    def say(self, text: str, colour: str = "", *, ends: str = "\n") -> None:
        """Show a text, in which no control reaches the terminal."""
        echo(painted(text, colour, self._screen) + ends, self._screen, nl=False)

    def ask(
        self,
        prompt: str,
        *,
        stands: Callable[[], bool] = lambda: True,
        is_secret: bool = False,
    ) -> str | None:
        """Return the line that is typed after the prompt; None once the question stands no more.

        Raises:
            KeyboardInterrupt: Ctrl-C or Ctrl-D.
        """
        if os.name != "posix":
            line = getpass(prompt, self._screen) if is_secret else self._read(prompt)
            return line.strip()
        with _fresh(self._source, is_secret=is_secret):
            self.say(prompt, ends="")
            while not select.select([self._source], [], [], LOOK_SECONDS)[0]:
                if not stands():
                    return None
            line = self._source.readline()
        if is_secret or not line:
            self.say("")
        if not line:
            raise KeyboardInterrupt
        return line.strip()

    def _read(self, prompt: str) -> str:
        self.say(prompt, ends="")
        line = self._source.readline()
        if not line:
            raise KeyboardInterrupt
        return line

    def agrees(self, question: str) -> bool:
        """Return True if they say yes; nothing typed is no."""
        while True:
            typed = (self.ask(f"{question} [y/N]: ") or "").lower()
            if typed in {"y", "yes"}:
                return True
            if typed in {"", "n", "no"}:
                return False


@contextmanager
def _fresh(source: TextIO, *, is_secret: bool) -> Iterator[None]:
    """Throw away what was typed before, and show no letter of a secret while it is typed."""
    if sys.platform != "win32":
        import termios  # noqa: PLC0415 - Windows has none

        before = termios.tcgetattr(source)
        during = [*before]
        if is_secret:
            during[3] &= ~termios.ECHO
        termios.tcsetattr(source, termios.TCSAFLUSH, during)
        try:
            yield
        finally:
            termios.tcsetattr(source, termios.TCSADRAIN, before)
    else:
        yield


def console() -> Console | None:
    """Return the terminal that a person sits at, also where the prompt came by a pipe."""
    streams = [s for s in (sys.stderr, sys.stdout, sys.stdin) if s is not None]  # some are closed
    terminals = [stream for stream in streams if stream.isatty()]
    if not terminals:
        return None
    if sys.platform != "win32":
        try:
            source = open("/dev/tty", encoding="utf-8")  # noqa: PTH123, SIM115 - open to the end
            screen = open("/dev/tty", "w", encoding="utf-8")  # noqa: PTH123, SIM115 - the same
            is_in_front = os.tcgetpgrp(source.fileno()) == os.getpgrp()
        except OSError:  # this process has no terminal of its own
            pass
        else:  # one in the background would be stopped at its first question
            return Console(source, screen) if is_in_front else None
    if sys.stdin not in terminals:
        return None
    return Console(sys.stdin, sys.stderr if terminals == [sys.stdin] else terminals[0])
