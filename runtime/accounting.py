"""The counts of messages."""

from __future__ import annotations

import attrs


@attrs.define
class Counts:
    """How many messages were sent, and what became of them."""

    sent: int = 0
    handled: int = 0
    refused: int = 0
    lost: int = 0
    dead: int = 0
