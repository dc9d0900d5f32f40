"""Leases of this host: runs that work here only while the server is heard of.

The server gives each run of a pool a lease, which counts from a reading of this machine's clock
that the server has had. When it ends, here is ended what works for it, though nobody can be
reached; the server waits for that long, and a margin, before it gives the run to another host. So
no two hosts work on one run, whatever becomes of the network. The clock is one that nobody sets and
that goes on in the machine's sleep: a laptop that wakes up ends at once what is over.

The leases are noted on the disk, where the keeper of the app-server finds them, too, should this
program be killed or hang. A lease is never held again once it has ended, and no earlier one begins
in a folder that has had a later one. Several that look at one folder may be held at once.

Notes that cannot be read tell nothing of what is to be ended, or was. So all is ended that works in
a worktree or a clone of this host, and no lease is held again that the server has given by then.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs
import msgspec
import structlog
import trio

from command_center.actors.contracts.pools import HeldLease, HostClock, LeaseReport
from command_center.actors.core.boot_clock import boot_seconds
from command_center.actors.hosts.local.boot_id import boot_id
from command_center.runtime import Actor

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 0.5
"""Seconds between two looks for leases that are over."""

LONGEST_SECONDS: Final = 3600.0
"""Seconds that a lease may have, whatever the server says."""

REMEMBERED: Final = 10_000
"""Folders of which the last lease is remembered, and leases that have ended."""

Stop = Callable[[Collection[str]], Awaitable[object]]
"""Ends what works in some folders."""


class NotedLease(msgspec.Struct, frozen=True, kw_only=True):
    """A lease, and the reading of the clock at which it is over."""

    number: int
    folder: str
    until: float


class _Noted(msgspec.Struct, frozen=True, kw_only=True):
    boot: str
    server: str = ""
    held: tuple[NotedLease, ...] = ()
    ended: tuple[int, ...] = ()
    floor: int | None = 0
    last: dict[str, int] = {}


@attrs.define(eq=False)
class HostLeases:
    """The leases that this host has.

    Attributes:
        file: where they are noted.
        stop: ends what works in some folders; raises nothing that it could be tried again for.
        clock: the seconds since the machine was started.
        boot: the name of this start of the machine.
        server: what tells the server that gives the leases from another, whose numbers are others.
    """

    file: Path
    stop: Stop
    server: str = ""
    clock: Callable[[], float] = boot_seconds
    boot: str = attrs.field(factory=boot_id)
    _held: dict[int, NotedLease] = attrs.field(factory=dict, init=False)
    _ended: OrderedDict[int, None] = attrs.field(factory=OrderedDict, init=False)
    _last: OrderedDict[str, int] = attrs.field(factory=OrderedDict, init=False)
    _floor: int | None = attrs.field(default=0, init=False)
    """The last lease that is not held for want of notes; None until the server has named some."""
    _changing: trio.Lock = attrs.field(factory=trio.Lock, init=False)

    def recall(self) -> None:
        """Read what was noted. What worked before the machine was started anew has ended.

        What works for another server is ended soon, since nobody renews its lease any more.
        """
        try:
            noted = msgspec.json.decode(self.file.read_bytes(), type=_Noted)
        except FileNotFoundError:
            return
        except (OSError, msgspec.MsgspecError) as error:
            log.critical("pool.leases_damaged", file=str(self.file), reason=str(error))
            self._floor = None
            everywhere = NotedLease(number=-1, folder=str(self.file.parent), until=0.0)
            self._held[everywhere.number] = everywhere
            return
        self._floor = noted.floor
        if noted.server != self.server:
            for one in noted.held if noted.boot == self.boot else ():
                self._held[-one.number] = msgspec.structs.replace(one, number=-one.number, until=0)
            return
        self._last.update(noted.last)
        self._ended.update(dict.fromkeys(noted.ended))
        for one in noted.held:
            if noted.boot == self.boot:
                self._held[one.number] = one
            else:
                self._ended[one.number] = None

    @property
    def numbers(self) -> list[int]:
        """Return the leases that are held now."""
        return sorted(self._held)

    def are_held_in(self, place: Path) -> bool:
        """Say whether a run has a lease that works in a folder, or below it."""
        return any(Path(one.folder).is_relative_to(place) for one in self._held.values())

    async def hold(
        self,
        leases: Sequence[HeldLease],
        over: Sequence[int],
        since: HostClock | None,
        seconds: float,
    ) -> LeaseReport:
        """Have these leases, and no others; see `contracts.pools`."""
        async with self._changing:
            await self._end_what_is_over()
            lost = [one.folder for number, one in self._held.items() if number in over]
            if lost:
                await self.stop(lost)
            wanted = {one.number: one for one in leases}
            if self._floor is None and (wanted or over):
                self._floor = max([*wanted, *over])
            for number in self._held.keys() - wanted.keys():
                del self._held[number]  # its run has ended by itself, or was ended above
            for number in over:
                self._ended[number] = None
            if since is not None:
                self._renew(wanted, since, min(seconds, LONGEST_SECONDS))
            await self._end_what_is_over()
            await trio.to_thread.run_sync(self._note)
            ended = tuple(number for number in wanted if number in self._ended)
            return LeaseReport(HostClock(self.boot, self.clock()), ended)

    def _renew(self, wanted: Mapping[int, HeldLease], since: HostClock, seconds: float) -> None:
        """Have leases last for so long; one that may not is over, and no other is touched by it."""
        is_known = since.boot == self.boot and since.seconds <= self.clock()
        for number, one in wanted.items():
            if number in self._ended:
                continue
            known = self._held.get(number)
            if known is None and number <= (self._floor or 0):  # it may have ended here already
                self._ended[number] = None
                continue
            if known is not None and not is_known:  # the clock was another one then
                self._held[number] = msgspec.structs.replace(known, until=0.0)
                continue
            last = self._last.get(one.folder, number)
            if not is_known or (known is None and last > number):
                self._ended[number] = None
                continue
            self._last[one.folder] = max(last, number)
            self._last.move_to_end(one.folder)
            until = since.seconds + seconds
            if known is None or until > known.until:
                self._held[number] = NotedLease(number=number, folder=one.folder, until=until)

    async def end_what_is_over(self) -> None:
        """End what works for leases that are over by now."""
        if any(one.until <= self.clock() for one in self._held.values()):
            async with self._changing:
                await self._end_what_is_over()
                await trio.to_thread.run_sync(self._note)

    async def _end_what_is_over(self) -> None:
        now = self.clock()
        late = {number: one for number, one in self._held.items() if one.until <= now}
        if not late:
            return
        log.warning("pool.lease_over", leases=sorted(late))
        await self.stop([one.folder for one in late.values()])
        for number in late:
            del self._held[number]
            self._ended[number] = None

    def _note(self) -> None:
        for kept in (self._ended, self._last):
            while len(kept) > REMEMBERED:
                kept.popitem(last=False)
        noted = _Noted(
            boot=self.boot,
            server=self.server,
            held=tuple(self._held.values()),
            ended=tuple(self._ended),
            floor=self._floor,
            last=dict(self._last),
        )
        partial = self.file.with_suffix(".partial")
        partial.write_bytes(msgspec.json.encode(noted))
        partial.replace(self.file)


class LeaseWatch(Actor):
    """`/leases`: ends what works for leases that are over."""

    def __init__(self, leases: HostLeases) -> None:
        """Watch those leases."""
        self._leases = leases

    async def on_start(self) -> None:
        """Begin to look; a former life of the program may have left some."""
        self.ctx.start_task(self._watch)

    def describe(self) -> Mapping[str, object]:
        """Show the numbers of the leases that are held."""
        return {"leases": self._leases.numbers}

    async def _watch(self) -> None:
        while True:
            await self._leases.end_what_is_over()
            await trio.sleep(LOOK_SECONDS)
