"""From the queue to the turn: what has to be true before Codex is told anything.

A session waits for a slot, is judged by policy once more, has its working directory made ready,
opens its thread and begins its turn. Each step is committed before the next one is taken, so that
a new life of the actor knows how far the former one was.
"""

from __future__ import annotations

from functools import partial

import attrs
import structlog
import trio

from command_center.actors.contracts.addresses import REPOSITORIES, SLOTS
from command_center.actors.contracts.leases import LEASE_SECONDS, TakeLease, leases_on
from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.contracts.sessions import (
    RequestSlot,
    SetUpEnded,
    SlotsChanged,
    WorkplaceReady,
)
from command_center.actors.contracts.turns import LaunchFailed, ThreadOpened
from command_center.actors.contracts.worktrees import (
    Prepared,
    PrepareWorkplace,
    SeeConfiguration,
    SeenConfiguration,
    SetUpScript,
)
from command_center.actors.core.clock import sleep_until
from command_center.actors.ledger import sessions as ledger
from command_center.actors.ledger.admission import admit, yield_folder
from command_center.actors.ledger.placing import choose_again
from command_center.actors.ledger.setup import finish_setup, weigh_setup
from command_center.actors.ledger.trust import weigh_configuration
from command_center.actors.rules.errors import Unavailable
from command_center.actors.rules.preconditions import Condition, only_if
from command_center.actors.sessions.runner import FAILURES, Runner
from command_center.actors.sessions.services import SessionServices
from command_center.actors.sessions.state import SessionState
from command_center.runtime import ActorCrashed, ActorStopped, Context
from command_center.store import Session, Transaction, leases
from command_center.store.records import LOCAL

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

GIT_SECONDS = 300.0
"""Seconds that the making of a worktree may take."""

PREPARE_SECONDS = 60.0
"""Seconds for which the folder is asked for again, where what keeps it may pass."""

PAUSE_SECONDS = 0.5
"""Seconds to wait before it is asked for again."""


@attrs.frozen
class Launch:
    """The steps of one session towards its turn."""

    _ctx: Context
    _state: SessionState
    _runner: Runner
    _services: SessionServices

    def queue_soon(self) -> None:
        """Ask for a slot, without waiting for it."""
        self._ctx.start_task(self._queue)

    async def _queue(self) -> None:
        """Ask for a slot, a retry when its pause is over by the wall clock."""
        session = self._state.session
        if session.begin_after is not None:
            await sleep_until(session.begin_after)
        slots = self._ctx.lookup(SLOTS)
        await slots.tell(RequestSlot(session_id=session.id, ref=self._ctx.ref))

    async def ask_policy(self, condition: Condition, *, actor: str) -> Session:
        """Have a session that was only created queued, or blocked, as somebody asked.

        Raises:
            PolicyDenied, Conflict: it may not begin.
            Unavailable: nothing can be written now.
            PreconditionFailed: the condition does not hold.
        """
        return await self._state.write(only_if(condition, lambda tx: self._admit(tx, actor=actor)))

    async def begin(self) -> None:
        """Take the slot, if policy and the folder still allow it; else wait for another one.

        Raises:
            PolicyDenied, Conflict: it may not begin any more.
        """
        self._ctx.start_task(self._runner.look_ahead, self._state.session)
        admitted = await self._state.change(
            lambda tx: self._admit(tx, actor=ledger.SYSTEM, begin=True)
        )
        if admitted.status == "starting":
            self.prepare_soon()
        elif admitted.status in {"queued", "waiting_limit"}:
            self.queue_soon()  # by which it gives its slot back

    def _admit(self, tx: Transaction, *, actor: str, begin: bool = False) -> Session:
        return admit(
            tx,
            self._state.id,
            actor=actor,
            approval_seconds=self._services.approval_seconds,
            begin=self._services.instance_id if begin else None,
            limit=self._services.max_sessions,
        )

    async def choose_host(self) -> Session:
        """Give the session, while it waits, to a host on which it can begin, if there is one."""
        places = self._services.places
        return await self._state.change(lambda tx: choose_again(tx, self._state.id, places))

    def prepare_soon(self) -> None:
        """Have the working directory made ready; `WorkplaceReady` or `LaunchFailed` follows."""
        self._ctx.start_task(self._prepare)

    async def _prepare(self) -> None:
        """Ask whoever may start git, again for a while where it or the store is away."""
        failing_since: float | None = None
        while True:
            try:
                repositories = self._ctx.lookup(REPOSITORIES)
                prepared = await repositories.ask(
                    PrepareWorkplace(self._state.id), timeout=GIT_SECONDS
                )
                seen = None
                if prepared.undecided is None:
                    await self._take_lease(prepared.session)
                    look = SeeConfiguration(self._state.id)
                    seen = await repositories.ask(look, timeout=GIT_SECONDS)
            except FAILURES as error:
                now = trio.current_time()
                failing_since = now if failing_since is None else failing_since
                passes = isinstance(error, (Unavailable, ActorStopped, ActorCrashed))
                if not passes or now - failing_since > PREPARE_SECONDS:
                    await self._ctx.ref.tell(LaunchFailed(reason=str(error)))
                    return
                log.warning("session.prepare.again", session=self._state.id, reason=str(error))
                await trio.sleep(PAUSE_SECONDS)
            else:
                await self._ctx.ref.tell(WorkplaceReady(prepared, seen))
                return

    async def _take_lease(self, session: Session) -> None:
        """Have the host hold the lease of a run in a clone of a pool, before anything works."""
        is_clone = partial(leases.is_clone, repository_id=session.repository_id)
        if session.host != LOCAL and await self._services.storage.read(is_clone):
            await self._ctx.lookup(leases_on(session.host)).ask(
                TakeLease(session.id), timeout=LEASE_SECONDS
            )

    async def settle_in(self, prepared: Prepared, seen: SeenConfiguration | None) -> bool:
        """Take the folder that is known now, or queue again where another session writes in it.

        Where a person has to decide how the folder is set up, or to trust what was seen there, the
        session is blocked. Whoever waits for the folder that was left, or for the slot, may have
        it. Return whether the session still starts.
        """
        key = self._state.id
        seconds = self._services.approval_seconds

        def settle(tx: Transaction) -> Session:
            if prepared.undecided is not None:
                return weigh_setup(tx, key, prepared.undecided, approval_seconds=seconds)
            placed = yield_folder(tx, key)
            if seen is None or not RUNNERS[self._state.session.runner].is_real:
                return placed
            return weigh_configuration(tx, key, seen, approval_seconds=seconds)

        placed = await self._state.change(settle)
        if placed.worktree_path is not None or placed.status == "blocked":
            await self._ctx.lookup(SLOTS).tell(SlotsChanged())
        if placed.status == "queued":
            self.queue_soon()
        if placed.status == "starting" and prepared.undecided is not None:
            self.prepare_soon()  # somebody has decided meanwhile
            return False
        return placed.status == "starting"

    async def wait_for_host(self) -> bool:
        """Queue again where the host has gone away before a prompt was sent; say if that is so.

        Its slot is free for others meanwhile, and another host may be chosen. A run with a lease
        goes on as it was: its host loses that soon, and by that the run is another host's.
        """
        session, storage = self._state.session, self._services.storage
        if session.stop_requested is not None or self._services.absence(session) is None:
            return False
        lease = await storage.read(lambda db: leases.of_session(db, session.id))
        if lease is not None and lease.status in {"held", "lost"}:
            if lease.status == "held":
                self.prepare_soon()
            return True
        await self._state.change(lambda tx: ledger.move(tx, session.id, "queued"))
        self.queue_soon()  # by which it gives its slot back
        return True

    def set_up_soon(self, script: SetUpScript) -> None:
        """Have the script run in the worktree; `SetUpEnded` follows."""
        self._ctx.start_task(self._set_up, script)

    async def _set_up(self, script: SetUpScript) -> None:
        """Run it; the runner tells what it says meanwhile."""
        try:
            reason = await self._runner.set_up(
                self._state.session, script, seconds=self._services.setup_seconds
            )
        except FAILURES as error:
            reason = str(error)
        await self._ctx.ref.tell(SetUpEnded(reason))

    async def keep_set_up(self) -> None:
        """Commit that the worktree is ready."""
        await self._state.change(lambda tx: finish_setup(tx, self._state.id))

    async def keep_thread(self, opened: ThreadOpened) -> None:
        """Commit which thread is the session's, before any prompt is sent to it."""
        reference = self._runner.reference(opened.thread_id, None)
        await self._state.change(
            lambda tx: ledger.record_thread(
                tx, self._state.id, opened.thread_id, codex_ref=reference, model=opened.model
            )
        )

    async def keep_turn(self, turn_id: str) -> None:
        """Commit which turn is the session's: now it runs."""
        session = self._state.session
        reference = self._runner.reference(session.codex_thread_id, turn_id)
        await self._state.change(
            lambda tx: ledger.record_turn(
                tx,
                session.id,
                turn_id,
                codex_ref=reference,
                runner=self._runner.name,
                instance=self._services.instance_id,
            )
        )
