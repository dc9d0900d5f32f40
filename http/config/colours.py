"""Colours for terminals that show them, and for people who like them."""

from __future__ import annotations

import os
from typing import IO


def is_coloured(stream: IO[str]) -> bool:
    """Return True if the stream is a terminal that shows colours, and its user likes them.

    `NO_COLOR` turns them off (no-color.org), and so does a dumb terminal; `FORCE_COLOR` turns them
    on where nobody sees a terminal.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"
