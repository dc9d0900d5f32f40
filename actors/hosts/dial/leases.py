"""`/hosts/NAME/leases`: keeps the leases of a pool host, and gives away the runs that it lost.

Each word to the host is two questions. The first one asks for its clock. The second one has its
leases last for LEASE_SECONDS from that reading on. So the host ends a run no later than that many
seconds after the moment at which the reading arrived here, however long the second one was on its
way. That moment is measured by a clock of this machine that nobody sets and that goes on in its
sleep. Both clocks go right to within `DRIFT`, which is added twice; then the host has
MARGIN_SECONDS to end the run. Only after that it is another host's.

What a former life of this actor has said last is not known. It was before this one began, and so
the seconds count from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import structlog
import trio

from command_center.actors.contracts.addresses import TASKS, session_at
from command_center.actors.contracts.leases import (
    LEASE_SECONDS,
    MARGIN_SECONDS,
    RENEW_SECONDS,
    ReassignRun,
    RenewLeases,
    TakeLease,
)
from command_center.actors.contracts.pools import CLONE_SECONDS, HeldLease, Pool
from command_center.actors.contracts.turns import TurnLost
from command_center.actors.core.boot_clock import DRIFT, boot_seconds
from command_center.actors.core.storage import Storage
from command_center.actors.git import Git
from command_center.actors.git.facts import read_status
from command_center.actors.git.pushing import read_missing
from command_center.actors.hosts.link.standing import Standing
from command_center.actors.ledger import leases as ledger
from command_center.actors.rules.errors import Conflict
from command_center.runtime import (
    Actor,
    ActorNotFound,
    ActorStopped,
    AskTimeout,
    Deferred,
    MailboxFull,
    Refusal,
    handles,
)
from command_center.store import leases
from command_center.store.leases import RunLease

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class PoolLeases(Actor):
    """Renews the leases of one host, and has those reassigned that it lost."""

    def __init__(
        self,
        storage: Storage,
        standing: Standing,
        pool: Pool,
        git: Git,
        clock: Callable[[], float] = boot_seconds,
    ) -> None:
        """Speak with `pool` while `standing` says that it is there."""
        self._storage = storage
        self._standing = standing
        self._pool = pool
        self.git = git
        self._clock = clock
        self._heard: dict[int, float] = {}
        """Moments at which the readings arrived that the leases count from at the latest."""
        self._began = 0.0
        self._speaking = trio.Lock()
        self._moving: set[int] = set()

    async def on_start(self) -> None:
        """Go on with the leases that are there."""
        self._began = self._clock()
        self.ctx.start_task(self._keep)

    def describe(self) -> Mapping[str, object]:
        """Show for how many seconds each lease was not renewed."""
        now = self._clock()
        return {"leases": {number: round(now - at, 1) for number, at in self._heard.items()}}

    @handles(TakeLease)
    def take(self, message: TakeLease) -> Deferred[None]:
        """Answer once the host holds it."""
        return self.ctx.answer_later(self._take, message.session_id)

    @handles(RenewLeases)
    def renew(self, _message: RenewLeases) -> Deferred[None]:
        """Do now what is due."""
        return self.ctx.answer_later(self._round)

    async def _keep(self) -> None:
        while True:
            try:
                await self._round()
            except Refusal as error:
                log.warning("leases.unread", host=self._standing.name, reason=str(error))
            await trio.sleep(RENEW_SECONDS)

    async def _take(self, session_id: int) -> None:
        number = await self._storage.write(lambda tx: ledger.take_lease(tx, session_id))
        if number is None:
            return
        ended = await self._speak()
        if number in ended:
            raise Conflict(f"Host {self._standing.name} has ended lease {number} already.")

    async def _round(self) -> None:
        """Renew what is held, take away what was not for too long, and see to what was lost."""
        known = await self._known()
        if not known:
            return
        if any(one.status == "held" and one.session.finished_at is not None for one in known):
            await self._storage.write(lambda tx: ledger.close_ended(tx, self._standing.name))
        if self._standing.link is not None:
            try:
                await self._speak()
            except Refusal as error:
                log.warning("leases.not_renewed", host=self._standing.name, reason=str(error))
        await self._lose_late()
        for lease in await self._known():
            if lease.status == "lost":
                await self._see_to(lease)
            elif lease.status != "held" and self._standing.link is not None:
                await self._look_at_left_work(lease)

    async def _known(self) -> list[RunLease]:
        return await self._storage.read(lambda db: leases.of_host(db, self._standing.name))

    async def _speak(self) -> tuple[int, ...]:
        """Have the host hold what it is to hold; return what it has ended by itself.

        Raises:
            Unavailable: it is away.
            Conflict: it is no pool any more.
        """
        async with self._speaking:
            known = await self._known()
            held = {one.number: one for one in known if one.status == "held"}
            over = [one.number for one in known if one.status != "held"]
            wanted = [HeldLease(one.number, one.session.cwd) for one in held.values()]
            report = await self._pool.hold(wanted, over, None, LEASE_SECONDS)
            arrived = self._clock()
            for number in held:
                self._heard[number] = arrived
            report = await self._pool.hold(wanted, over, report.clock, LEASE_SECONDS)
        kept = [number for number in held if number not in report.ended]
        if kept:
            renewed = partial(ledger.keep_renewed, host=self._standing.name, numbers=kept)
            await self._storage.write(partial(renewed, actor=self.ctx.path))
        for number in report.ended:
            await self._lose(held[number], "The host had not heard of the server, and ended it.")
        return report.ended

    async def _lose_late(self) -> None:
        """Take away what the host has ended by now, whatever it hears."""
        patience = LEASE_SECONDS * (1 + 2 * DRIFT) + MARGIN_SECONDS
        for lease in await self._known():
            silent = self._clock() - self._heard.get(lease.number, self._began)
            if lease.status == "held" and silent > patience:
                reason = self._standing.absence or "It does not answer."
                await self._lose(lease, f"It was not heard of for {silent:.0f} s: {reason}")

    async def _lose(self, lease: RunLease, reason: str) -> None:
        number, session_id = lease.number, lease.session.id
        self._heard.pop(number, None)
        if await self._storage.write(lambda tx: ledger.lose(tx, number, session_id, reason)):
            log.warning("leases.lost", host=self._standing.name, lease=number, reason=reason)
            self._end_session(lease)

    def _end_session(self, lease: RunLease) -> None:
        """Have the session end; where its actor is not there, or busy, the next round does."""
        host = self._standing.name
        lost = TurnLost(reason=f"Host {host} lost the lease of the run.", leaves_turn=True)
        try:
            self.ctx.lookup(session_at(lease.session.id)).try_tell(lost)
        except (ActorNotFound, MailboxFull):
            return

    async def _see_to(self, lease: RunLease) -> None:
        """End the session of a lost lease, and then have its run given to another host."""
        if lease.session.finished_at is None:
            self._end_session(lease)
        elif lease.number not in self._moving:
            self._moving.add(lease.number)
            self.ctx.start_task(self._move, lease)

    async def _move(self, lease: RunLease) -> None:
        try:
            message = ReassignRun(lease.session.id)
            await self.ctx.lookup(TASKS).ask(message, timeout=2 * CLONE_SECONDS)
        except (Refusal, ActorNotFound, ActorStopped, AskTimeout, MailboxFull) as error:
            log.warning("leases.not_moved", lease=lease.number, reason=str(error))
        finally:
            self._moving.discard(lease.number)

    async def _look_at_left_work(self, lease: RunLease) -> None:
        """Tell what the host has of a run that it has lost; it is left there."""
        tell = partial(ledger.tell_left_work, lease=lease)
        try:
            found = await self.git.open(Path(lease.session.cwd))
            status = await read_status(found)
            listed = await found.run("for-each-ref", "--format=%(objectname)", "refs/remotes")
            there = listed.text.split()
            count = 0 if status.head is None else (await read_missing(found, status.head, there))[1]
        except Conflict as error:
            await self._storage.write(partial(tell, problem=str(error)))
        except Refusal as error:
            log.warning("leases.not_looked_at", lease=lease.number, reason=str(error))
        else:
            await self._storage.write(partial(tell, commits=count, is_dirty=status.dirty))
