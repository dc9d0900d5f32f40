"""The pool of a host: clones that it makes for runs, and keeps for the next ones.

The host's own user says from which remotes it clones, and how much of the disk that may take. The
server names a remote and a depth, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import attrs

CLONE_SECONDS: Final = 900.0
"""Seconds that a clone may take; what is begun by then is taken away again."""


@attrs.frozen
class PoolClone:
    """A clone in the pool of a host: its folder, and if it was made just now."""

    path: Path
    is_new: bool


@attrs.frozen
class HostClock:
    """A reading of a host's clock, which nobody sets: the start of the machine, and seconds."""

    boot: str
    seconds: float


@attrs.frozen
class HeldLease:
    """A lease by its number, and the folder in which the run works that has it."""

    number: int
    folder: str


@attrs.frozen
class LeaseReport:
    """The clock of the host as it answers, and the leases that it has ended by itself.

    Attributes:
        clock: read after what was asked has been done.
        ended: the numbers of those leases, of what was asked for. Nothing works for them any more.
    """

    clock: HostClock
    ended: tuple[int, ...]


@attrs.frozen
class PoolState:
    """State of a pool.

    Attributes:
        remotes: the patterns of the remotes that may be cloned; none if the host is no pool.
        size: bytes that the clones take.
        limit: bytes that they may take.
    """

    remotes: tuple[str, ...] = ()
    size: int = 0
    limit: int = 0


class Pool(Protocol):
    """The pool of a host. Only hosts that dial out have one."""

    async def state(self) -> PoolState:
        """Say what may be cloned, and how full the pool is."""

    async def obtain(self, remote: str, depth: int | None) -> PoolClone:
        """Clone a remote, or fetch what is new where it is there already.

        The host's own git and credentials do that, and run nothing of what comes. A `depth` is a
        number of commits of the default branch alone; one that was cloned deeper stays so.

        Raises:
            Conflict: the host's user allows no clone of it, it is no address, it has no commit, or
                the pool has no room for it.
            Unavailable: it cannot be reached, or took longer than CLONE_SECONDS.
        """

    async def hold(
        self,
        leases: Sequence[HeldLease],
        over: Sequence[int],
        since: HostClock | None,
        seconds: float,
    ) -> LeaseReport:
        """Have these leases, and no others, for `seconds` after a former reading of the clock.

        At the end of a lease the host ends what works for it, whether anybody can be reached or
        not. Since the seconds count from a reading that the server has had, no delay on the way
        makes a lease longer than the server knows. A lease that has ended is never held again, and
        one has ended, too, that comes when a later one of its folder has been here already.

        Args:
            leases: all that this host is to have.
            over: leases that were lost: what works for them still is ended now.
            since: a reading that this host has given; None to be given one, which holds nothing.
            seconds: how long they are held after it.

        Raises:
            Conflict: the host is no pool.
            Unavailable: what is over could not be ended.
        """
