"""The knowledge that a centre has of its cluster."""

from __future__ import annotations

import math
import secrets
import time
from typing import Any, Final, Literal

import attrs

from command_center.actors.cluster.signs import LeaderSign
from command_center.actors.cluster.stream_log import PATIENCE

SILENT_LEADER: Final = PATIENCE + 1.0
"""Seconds after which a leader of whom nothing is heard leads no more: its beat was refused."""


@attrs.define
class ClusterView:
    """The knowledge that a centre has of its cluster; kept through the lives of its actor.

    Attributes:
        centre: the random name of this life of the process.
        role: `joining` while there is no copy yet.
        leader: the last sign of the centre that leads, as far as it is known.
        has_led: this process has led.
        heard: when the leader was last heard of, by the monotonic clock.
        lag: messages of the stream that are not in the copy yet.
        beats: signs of a leader that were published, or received.
        rejoins: times that a copy was begun anew.
        sequence: of the stream, up to which everything is here.
        problem: the reason for which this centre does not follow; None while it does, or leads.
    """

    centre: str = attrs.field(factory=lambda: secrets.token_hex(8))
    role: Literal["joining", "standby", "leader"] = "joining"
    leader: LeaderSign | None = None
    has_led: bool = False
    heard: float = -math.inf
    lag: int = 0
    beats: int = 0
    rejoins: int = 0
    sequence: int = 0
    problem: str | None = None

    @property
    def epoch(self) -> int:
        """Return the number of the last leadership that is known; 0 before the first."""
        return 0 if self.leader is None else self.leader.epoch

    @property
    def url(self) -> str | None:
        """Return where clients reach the leader; None while nobody is heard to lead."""
        if self.leader is None or self.leader.ends:
            return None
        is_silent = time.monotonic() - self.heard >= SILENT_LEADER
        return None if is_silent and self.role != "leader" else self.leader.url

    def described(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "role": self.role,
            "leader": self.url,
            "epoch": self.epoch,
            "lag": self.lag,
            "beats": self.beats,
            "rejoins": self.rejoins,
            "sequence": self.sequence,
            "problem": self.problem,
        }
