"""The counts of messages."""

from __future__ import annotations

import attrs


@attrs.define
class Counts:
    """Counts of messages: those sent, and those of each outcome."""

    sent: int = 0
    handled: int = 0
    refused: int = 0
    lost: int = 0
    dead: int = 0
