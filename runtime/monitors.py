"""Monitors: who is told, once, that an actor or a supervisor is dead."""

from __future__ import annotations

import attrs


@attrs.frozen
class Down:
    """Told to the monitors of an actor or a supervisor that is dead.

    `reason` is an exit kind or quarantined. `error` is what it died of, where it failed; one that
    was dead already when it was monitored has none any more.
    """

    path: str
    reason: str
    error: BaseException | None = attrs.field(default=None, eq=False)
    to: object = attrs.field(default=None, eq=False, repr=False)
    """The life that it is told to; a later life of that actor is not told."""
