"""Words to the user of an update: each step, and why it goes no further."""

from __future__ import annotations

import sys
from contextlib import suppress


class UpdateFailed(Exception):
    """The update goes no further; the message says why, and how things are now."""


def say(text: str) -> None:
    """Tell the user; one whose terminal has closed is not told."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
