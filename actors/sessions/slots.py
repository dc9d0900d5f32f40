"""`/slots`: how many sessions work at once, and which comes next.

A session that is queued asks for a slot and is granted one when its turn comes: by priority, then
by age, and never two sessions in one thread, or two that write in one working directory. A host may
have fewer slots than there are in all, and none while it drains or is away; others pass those that
wait for it. Where the run leaves the host open, a waiting session is told to choose another one. A
slot is held until the session's actor is gone. Nothing here is kept but who asked: after a crash,
what is held and who waits is read from the sessions' own rows.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import structlog
from sqlite_utils import Database

from command_center.actors.contracts.addresses import TASKS, session_at
from command_center.actors.contracts.sessions import (
    ChooseHost,
    GrantSlot,
    RequestSlot,
    SessionCommitted,
    SlotsChanged,
)
from command_center.actors.core.storage import Storage
from command_center.actors.ledger.hosts import states_of
from command_center.actors.ledger.left_commands import running_commands
from command_center.actors.rules.errors import Unavailable
from command_center.actors.rules.host_room import is_closed, no_room
from command_center.actors.rules.occupancy import Obstacle, obstacle
from command_center.actors.rules.placement import leaves_host_open
from command_center.runtime import (
    Actor,
    ActorNotFound,
    Down,
    MailboxFull,
    handles,
    working_for,
)
from command_center.store import (
    HostState,
    Session,
    now_timestamp,
    orphaned_turns,
    sessions,
)
from command_center.store.statuses import ACTIVE

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

PAUSE_SECONDS: Final = 1.0
"""Seconds to wait where the rows cannot be read, before they are looked at again."""

RANK: Final[Mapping[str, int]] = {"high": 0, "normal": 1, "low": 2}
"""The order of priorities: the smaller, the sooner."""


class Slots(Actor):
    """Grants slots to queued sessions."""

    def __init__(
        self,
        storage: Storage,
        *,
        limit: int,
        absence: Callable[[Session], str | None] = lambda _: None,
    ) -> None:
        """Let `limit` sessions work at once; `absence` says why a session's host is away."""
        self._storage = storage
        self._limit = limit
        self._absence = absence
        self._shut: set[str] = set()
        """Hosts on which nothing begins, as the last look has found."""
        self._choosing: set[int] = set()
        """Sessions that were told to choose another host since those hosts have changed."""
        self._granted: dict[str, int] = {}
        self._looking = False
        self._held = 0
        self._waiting = 0

    async def on_start(self) -> None:
        """Find the sessions that were granted a slot, or waited, before a crash."""
        for session in await self._storage.read(live_sessions):
            self._watch(session.id)
        self._look_soon()

    def describe(self) -> Mapping[str, object]:
        """Return how many slots are held and wanted."""
        return {"limit": self._limit, "held": self._held, "waiting": self._waiting}

    @handles(RequestSlot)
    async def requested(self, message: RequestSlot) -> None:
        """Watch the session, so that its slot is free again when it is gone."""
        self._granted.pop(message.ref.path, None)
        self.ctx.monitor(message.ref)
        self._look_soon()

    @handles(SlotsChanged)
    async def changed(self, _message: SlotsChanged) -> None:
        """Look again; a little later, where nothing can be read now."""
        self._looking = False
        try:
            await self._grant()
        except Unavailable as error:
            log.warning("slots.unread", reason=str(error))
            self.ctx.send_after(PAUSE_SECONDS, SlotsChanged())

    @handles(Down)
    async def gone(self, message: Down) -> None:
        """Free the slot of a session whose actor is gone."""
        self._granted.pop(message.path, None)
        self._look_soon()

    def _look_soon(self) -> None:
        """Look once, after the messages that wait already: a thousand requests are one look."""
        if not self._looking:
            self._looking = True
            try:
                self.ctx.ref.try_tell(SlotsChanged())
            except MailboxFull:
                self._looking = False

    async def _grant(self) -> None:
        """Grant what can be granted, in order."""
        granted = frozenset(self._granted.values())
        (live, leaving, lingering), states, unsettled = await self._storage.read(
            lambda db: (
                live_and_ended(db, granted),
                states_of(db),
                orphaned_turns.waited_for(db),
            )
        )
        held = [s for s in live if s.status in ACTIVE or session_at(s.id) in self._granted]
        held += leaving
        for session in live:  # what an actor holds, it holds until it is gone
            ref = self.ctx.find(session_at(session.id))
            if session.status in ACTIVE and ref is not None and not ref.is_dead:
                self._granted[ref.path] = session.id
        holding = {session.id for session in held}
        queued = [session for session in in_order(live) if session.id not in holding]
        shut = {
            one.host
            for one in queued
            if is_closed(one.host, states.get(one.host), self._absence(one)) is not None
        }
        self._choose_anew(queued, shut)
        for session in list(queued):
            if len(held) >= self._limit:
                break
            if obstacle(session, held, lingering, unsettled) is not None:
                continue
            if session.host in shut or no_room(states.get(session.host), held) is not None:
                continue
            try:
                ref = self.ctx.lookup(session_at(session.id))
                if ref.is_dead:
                    continue  # set aside: it is for an operator to bring it back
                with working_for(None):  # it was not for this session that a slot became free
                    ref.try_tell(GrantSlot())
            except ActorNotFound:
                await self.ctx.lookup(TASKS).tell(SessionCommitted(session.id))
                continue
            except MailboxFull:
                continue
            self._granted[ref.path] = session.id
            held.append(session)
            queued.remove(session)
        self._held, self._waiting = len(held), len(queued)

    def _choose_anew(self, queued: list[Session], shut: set[str]) -> None:
        """Have the sessions of shut hosts choose another one; again once that may have changed."""
        if shut != self._shut:
            self._shut = shut
            self._choosing.clear()
        waiting = {one.id for one in queued if one.host in shut and leaves_host_open(one)}
        for session_id in sorted(waiting - self._choosing):
            ref = self.ctx.find(session_at(session_id))
            if ref is None:
                continue
            with contextlib.suppress(MailboxFull), working_for(None):
                ref.try_tell(ChooseHost())
                self._choosing.add(session_id)
        self._choosing &= waiting

    def _watch(self, session_id: int) -> None:
        try:
            self.ctx.monitor(self.ctx.lookup(session_at(session_id)))
        except ActorNotFound:
            return


def live_sessions(db: Database) -> list[Session]:
    """List the sessions that hold a slot or wait for one; a damaged one does neither."""
    return [
        session
        for status in ("queued", *sorted(ACTIVE))
        for session in sessions.sound(db, {"status": status}, texts=False)[0]
    ]


def live_and_ended(
    db: Database, granted: frozenset[int]
) -> tuple[list[Session], list[Session], list[Session]]:
    """List the live sessions, and of those with a slot the ones that have ended.

    The actors of the second may still have to clean up. The third are ended ones whose commands go
    on: they hold no slot, and their thread may be prompted.
    """
    live = live_sessions(db)
    others = sorted(granted.difference(session.id for session in live))
    ended = [one for one in sessions.every(db, {"id": others}, texts=False) if one.finished_at]
    lingering = [
        session
        for session in ended
        if session.status == "completed" and running_commands(db, session.id)
    ]
    return live, [session for session in ended if session not in lingering], lingering


def in_order(live: list[Session]) -> list[Session]:
    """List the queued ones, the next to begin first: by priority, then by age."""
    now = now_timestamp()
    queued = [
        session
        for session in live
        if session.status == "queued" and (session.begin_after or "") <= now
    ]
    return sorted(queued, key=lambda session: (RANK[session.priority], session.id))


class Wait(NamedTuple):
    """A queued session's place and what it waits for, for people, and the session it waits for."""

    reason: str | None
    session_id: int | None = None


def waiting_for(
    session: Session,
    live: list[Session],
    left: list[Session] | None = None,
    unsettled: list[Session] | None = None,
    *,
    limit: int,
    state: HostState | None = None,
    absence: str | None = None,
) -> Wait:
    """Say why a queued session waits; nothing of one that doesn't.

    Args:
        session: the one that may wait.
        live: the sessions that hold a slot, or wait for one.
        left: the completed sessions of its folder whose commands go on.
        unsettled: the sessions that have ended while their turns may still run.
        limit: how many may work at once.
        state: what is wanted of its host.
        absence: why its host is away; None if it is there.
    """
    if session.status != "queued":
        return Wait(None)
    order = [other.id for other in in_order(live)]
    if session.id not in order:
        return Wait(f"Attempt {session.attempt} begins after {session.begin_after}.")
    active = [other for other in live if other.status in ACTIVE]
    found = obstacle(session, active, left or (), unsettled or ())
    place = f"Number {order.index(session.id) + 1} in the queue:"
    if found is not None:
        why = f"it waits for session {found.session.id}, {_what_it_does(found)}."
        return Wait(f"{place} {why}", found.session.id)
    on_host = is_closed(session.host, state, absence) or no_room(state, active)
    if on_host is not None:
        return Wait(f"{place} {on_host}.")
    why = f"{len(active)} of {limit} slots are in use"
    for other in active:
        if other.status == "waiting_approval":
            why += f", one by session {other.id}, which waits for your decision."
            return Wait(f"{place} {why}", other.id)
    return Wait(f"{place} {why}.")


def _what_it_does(found: Obstacle) -> str:
    """Say what keeps the other session from being out of the way."""
    other, shared = found
    if other.status == "waiting_approval":
        return "which waits for your decision"
    if other.finished_at is not None and other.status != "completed":
        return (
            f"whose turn on host {other.host} is yet to be ended. If that host does not come back: "
            f"`command-center abandon {other.id}`"
        )
    if shared == "thread":
        return "which works in the same thread"
    if other.finished_at is not None:
        return f"whose commands still run in {other.cwd}"
    return f"which is writing in {other.cwd}"
