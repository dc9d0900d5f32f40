"""`/scheduler`: keeps the automations, starts and stops their actors, and watches the one clock.

Ten thousand sleeping actors need no ten thousand timers: each has its alarm set here, and one task
sleeps until the earliest. It reads the wall clock at least once in `TICK` seconds, so a clock that
was set, or a machine that slept for hours, is noticed within that time; where the clock went back,
the automations whose next due time moves nearer are told.

A thousand may be due at once, at nine in the morning. All of them are fired before the first of
their sessions begins: what the sessions need of the processor and the disk would delay the others.

An automation whose actor does not start, as its row cannot be read, holds up no other: it is logged
and tried again every minute.

Nothing here is kept but alarms, and those are set anew from the automations' rows: by each actor
when it starts, and for all of them when this actor does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

import msgspec
import structlog
import trio

from command_center.actors.automations.actor import (
    AutomationActor,
    AutomationServices,
    outcome_of,
)
from command_center.actors.automations.alarms import Alarms
from command_center.actors.contracts.addresses import (
    AUTOMATIONS,
    TASKS,
    AutomationMessage,
    automation_at,
)
from command_center.actors.contracts.automations import (
    Arm,
    CreateAutomation,
    DeleteAutomation,
    Deliver,
    Due,
    HandRun,
    HookReceipt,
    HookSecret,
    MakeHook,
    PatchAutomation,
    Reload,
    RemoveHook,
    RunAutomation,
)
from command_center.actors.contracts.sessions import SessionCommitted
from command_center.actors.ledger import firing as claims
from command_center.actors.ledger import hooks
from command_center.actors.ledger.automations import (
    create_automation,
    delete_automation,
    enabled,
    may_be_astray,
    patch_automation,
)
from command_center.actors.ledger.spending import CapIsReached
from command_center.actors.rules.errors import Invalid, Unavailable
from command_center.actors.rules.policy import PolicyDenied
from command_center.actors.rules.preconditions import only_if
from command_center.runtime import (
    Actor,
    ActorCrashed,
    ActorNotFound,
    ActorStopped,
    Asked,
    AskTimeout,
    ChildExists,
    ChildSpec,
    Deferred,
    MailboxFull,
    Restart,
    StartFailed,
    handles,
)
from command_center.store import Automation, EventFilter, automations, to_timestamp

R = TypeVar("R")

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

TICK = 1.0
"""Seconds between two looks at the clock, at most."""

SET_BACK = timedelta(seconds=1)
"""A clock that shows so much less than at the last look was set."""

HOLD_SECONDS = 2.0
"""The most seconds that sessions wait for others that are due together to be fired."""

RETRY_SECONDS = 60.0
"""Seconds until an automation whose actor did not start is tried again."""

MAILBOX = 100
"""Messages that may wait for one automation."""


class _Subject(msgspec.Struct):
    """The automation that an event is about."""

    automation_id: int = msgspec.field(name="automationId")


class Scheduler(Actor):
    """Keeps automations and tells them when they are due."""

    def __init__(self, services: AutomationServices) -> None:
        """Give every automation's actor `services`."""
        self._services = services
        self._storage = services.storage
        self._clock = services.clock
        self._alarms = Alarms()
        self._sooner = trio.Event()
        self._lives = trio.Lock()
        self._unstarted: set[int] = set()
        self._firing: set[int] = set()
        self._all_fired = trio.Event()
        self._all_fired.set()
        self._begun: list[int] = []
        self._has_begun = trio.Event()

    async def on_start(self) -> None:
        """Watch the clock, and see to it that each enabled automation has its actor."""
        self.ctx.start_task(self._watch_clock)
        self.ctx.start_task(self._watch_pauses)
        self.ctx.start_task(self._begin_sessions)
        self.ctx.start_task(self._start_all)

    def describe(self) -> Mapping[str, object]:
        """Show how many alarms are set, and when the first goes off."""
        due = self._alarms.next_due()
        return {
            "alarms": len(self._alarms),
            "nextDueAt": None if due is None else to_timestamp(datetime.fromtimestamp(due, UTC)),
            "timezone": self._services.terms.zone.key,
        }

    # ── what people ask ──────────────────────────────────────────────────────────────────────

    @handles(CreateAutomation)
    async def create(self, message: CreateAutomation) -> Deferred[Automation]:
        """Answer once it is committed and, if it is enabled, has its actor."""
        return self.ctx.answer_later(self._create, message)

    async def _create(self, message: CreateAutomation) -> Automation:
        now = self._clock.now()
        automation = await self._storage.write(
            lambda tx: create_automation(tx, message, self._services.terms, now)
        )
        await self._align(automation.id)
        return automation

    @handles(PatchAutomation)
    async def patch(self, message: PatchAutomation) -> Deferred[Automation]:
        """Hand on to the automation's actor; one that is not enabled has none."""
        return self.ctx.answer_later(self._patch, message)

    async def _patch(self, message: PatchAutomation) -> Automation:
        automation = await self._ask(message.automation_id, message)
        if automation is None:
            now = self._clock.now()
            automation = await self._storage.write(
                only_if(
                    message.condition,
                    lambda tx: patch_automation(
                        tx, message.automation_id, message.changes, self._services.terms, now
                    ),
                )
            )
        await self._align(automation.id)
        return automation

    @handles(DeleteAutomation)
    async def delete(self, message: DeleteAutomation) -> Deferred[Automation]:
        """Delete an automation."""
        return self.ctx.answer_later(self._delete, message)

    async def _delete(self, message: DeleteAutomation) -> Automation:
        automation = await self._ask(message.automation_id, message)
        if automation is None:
            automation = await self._storage.write(
                only_if(
                    message.condition,
                    lambda tx: delete_automation(
                        tx, message.automation_id, actor=message.requested_by
                    ),
                )
            )
        await self._align(automation.id)
        return automation

    @handles(RunAutomation)
    async def run(self, message: RunAutomation) -> Deferred[HandRun]:
        """Fire an automation by hand."""
        return self.ctx.answer_later(self._run, message)

    async def _run(self, message: RunAutomation) -> HandRun:
        outcome = await self._ask(message.automation_id, message)
        if outcome is None:
            now = self._clock.now()
            outcome = await self._storage.write(
                lambda tx: claims.run_by_hand(
                    tx,
                    message.automation_id,
                    self._services.terms,
                    now,
                    actor=message.requested_by,
                )
            )
            await self._begin(outcome.session.id)
        return outcome

    @handles(MakeHook)
    async def make_hook(self, message: MakeHook) -> Deferred[HookSecret]:
        """Answer with the secret once it is committed."""
        return self.ctx.answer_later(
            self._storage.write,
            lambda tx: hooks.make_hook(tx, message.automation_id, actor=message.requested_by),
        )

    @handles(RemoveHook)
    async def remove_hook(self, message: RemoveHook) -> Deferred[Automation]:
        """Answer once deliveries are taken no more."""
        return self.ctx.answer_later(
            self._storage.write,
            lambda tx: hooks.remove_hook(tx, message.automation_id, actor=message.requested_by),
        )

    @handles(Deliver)
    async def deliver(self, message: Deliver) -> Deferred[HookReceipt]:
        """Claim a delivery with its run, or, where it can have none, with the reason."""
        return self.ctx.answer_later(self._deliver, message)

    async def _deliver(self, message: Deliver) -> HookReceipt:
        now, terms, automation_id = self._clock.now(), self._services.terms, message.automation_id
        try:
            receipt = await self._storage.write(
                lambda tx: hooks.deliver(
                    tx, automation_id, terms, now, delivery=message.delivery, fields=message.fields
                )
            )
        except (PolicyDenied, Invalid, CapIsReached) as refused:
            outcome, reason = outcome_of(refused), str(refused)
            receipt = await self._storage.write(
                lambda tx: hooks.refuse(
                    tx,
                    automation_id,
                    now,
                    delivery=message.delivery,
                    outcome=outcome,
                    reason=reason,
                )
            )
        if not receipt.is_repeated:
            if receipt.session_id is not None:
                await self._begin(receipt.session_id)
            await self._align(automation_id)
        return receipt

    async def _ask(self, automation_id: int, message: Asked[AutomationMessage, R]) -> R | None:
        """Return the answer of the automation's actor; None if it has none."""
        try:
            return await self.ctx.lookup(automation_at(automation_id)).ask(message)
        except (ActorNotFound, ActorStopped):
            return None
        except (ActorCrashed, AskTimeout) as error:
            raise Unavailable(
                f"Automation {automation_id} did not answer; its actor is being restarted.",
                retry_after=1.0,
            ) from error

    # ── the automations' actors ──────────────────────────────────────────────────────────────

    async def _start_all(self) -> None:
        for automation in await self._storage.read(enabled):
            async with self._lives:
                await self._start(automation.id, automation)

    async def _align(self, automation_id: int) -> None:
        """Give an enabled automation an actor, and end that of any other, whoever raced."""
        async with self._lives:
            automation = await self._storage.read(lambda db: automations.get(db, automation_id))
            if automation.enabled:
                await self._start(automation_id, automation)
                return
            self._alarms.set(automation_id, None)
            ref = self.ctx.find(automation_at(automation_id))
            if ref is not None:
                await self.ctx.stop_child(ref)

    async def _start(self, automation_id: int, automation: Automation) -> None:
        fresh = [automation]  # only the first life may believe it
        try:
            await self.ctx.start_child(
                AUTOMATIONS,
                ChildSpec(
                    id=str(automation_id),
                    start=partial(
                        AutomationActor,
                        automation_id,
                        self._services,
                        lambda: fresh.pop() if fresh else None,
                    ),
                    restart=Restart.PERMANENT,
                    mailbox=MAILBOX,
                ),
            )
        except ChildExists:
            with contextlib.suppress(ActorNotFound, ActorStopped):
                await self.ctx.lookup(automation_at(automation_id)).tell(Reload())
        except StartFailed as failed:
            log.warning("automation.not_started", automation=automation_id, reason=str(failed))
            self._unstarted.add(automation_id)
            retry = self._clock.now() + timedelta(seconds=RETRY_SECONDS)
            self._alarms.set(automation_id, retry.timestamp())
            self._sooner.set()

    async def _watch_pauses(self) -> None:
        """Watch for automations that paused themselves in a transaction that ended a session."""
        wanted = EventFilter(types=("automation.paused",))
        while True:
            with self._services.fanout.subscribe(wanted) as subscription:
                while frames := await subscription.drain():
                    for frame in frames:
                        await self._align(msgspec.json.decode(frame, type=_Subject).automation_id)
            if subscription.closed == "shutdown":
                return

    # ── the clock ────────────────────────────────────────────────────────────────────────────

    @handles(Arm)
    async def arm(self, message: Arm) -> None:
        """Set, move or remove an automation's alarm, and see to the session that it has begun."""
        self._unstarted.discard(message.automation_id)
        self._alarms.set(message.automation_id, message.due)
        self._sooner.set()
        self._firing.discard(message.automation_id)
        if not self._firing:
            self._all_fired.set()
        if message.begun is not None:
            self._begun.append(message.begun)
            self._has_begun.set()

    async def _begin_sessions(self) -> None:
        """Have the sessions' actors started, but first let all fire that are due together."""
        while True:
            await self._has_begun.wait()
            with trio.move_on_after(HOLD_SECONDS):
                await self._all_fired.wait()
            self._has_begun = trio.Event()
            begun, self._begun = self._begun, []
            for session_id in begun:
                await self._begin(session_id)

    async def _begin(self, session_id: int) -> None:
        """Tell `/tasks` of the session; if it is away, it finds the session when it comes back."""
        with contextlib.suppress(ActorNotFound, ActorStopped):
            await self.ctx.lookup(TASKS).tell(SessionCommitted(session_id))

    async def _watch_clock(self) -> None:
        latest = self._clock.now()
        while True:
            self._sooner = trio.Event()
            now = self._clock.now()
            if latest - now > SET_BACK:
                self.ctx.start_task(self._heed_set_clock, now)
            latest = now
            moment = now.timestamp()
            for automation_id in self._alarms.take_due(moment):
                self._tell_due(automation_id, moment)
            due = self._alarms.next_due()
            seconds = TICK if due is None else min(max(due - moment, 0.0), TICK)
            await self._clock.pause(seconds, self._sooner)

    def _tell_due(self, automation_id: int, moment: float) -> None:
        """Tell it, or start it if it did not; one that is gone sets its alarm when it is back."""
        if automation_id in self._unstarted:
            self._unstarted.discard(automation_id)
            self.ctx.start_task(self._align, automation_id)
            return
        with contextlib.suppress(ActorNotFound, ActorStopped):
            try:
                self.ctx.lookup(automation_at(automation_id)).try_tell(Due())
                self._firing.add(automation_id)
                self._all_fired = trio.Event()
            except MailboxFull:
                self._alarms.set(automation_id, moment + TICK)

    async def _heed_set_clock(self, now: datetime) -> None:
        terms = self._services.terms
        earlier = await self._storage.read(
            lambda db: [one.id for one in enabled(db) if may_be_astray(one, terms, now)]
        )
        for automation_id in earlier:
            with contextlib.suppress(ActorNotFound, ActorStopped):
                await self.ctx.lookup(automation_at(automation_id)).tell(Reload())
