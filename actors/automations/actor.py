"""One enabled automation: it acts on its due times, and is the one through whom it is changed.

One that runs by events has no due times: it follows the log by itself.

The actor does not watch the clock; `/scheduler` tells it when its due time has come. What it knows
is its row, and every act checks the row again in its transaction, so a message that comes late,
twice or to a second incarnation changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

import attrs
import structlog
import trio

from command_center.actors.automations.clock import WallClock
from command_center.actors.contracts.addresses import SCHEDULER
from command_center.actors.contracts.automations import (
    Arm,
    DeleteAutomation,
    Due,
    FollowEvents,
    HandRun,
    PatchAutomation,
    Reload,
    RunAutomation,
)
from command_center.actors.core.events import Fanout
from command_center.actors.core.storage import Storage
from command_center.actors.ledger import event_firing
from command_center.actors.ledger import firing as claims
from command_center.actors.ledger.automations import (
    Terms,
    delete_automation,
    is_astray,
    patch_automation,
    plan_of,
    rearm,
)
from command_center.actors.ledger.spending import CapIsReached
from command_center.actors.rules.errors import Conflict, Invalid, NotFound, Unavailable
from command_center.actors.rules.event_triggers import OnEvent
from command_center.actors.rules.placement import NowhereToRun
from command_center.actors.rules.policy import PolicyDenied
from command_center.actors.rules.preconditions import only_if
from command_center.runtime import (
    Actor,
    ActorCrashed,
    ActorStopped,
    AskTimeout,
    Refusal,
    handles,
    origin,
)
from command_center.store import (
    Automation,
    AutomationOutcome,
    EventFilter,
    Transaction,
    automations,
    from_timestamp,
)

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

RETRY_SECONDS = 5.0
"""Seconds until a due time that the store could not take is tried again."""

_Act: TypeAlias = Callable[[Transaction, int, Terms, datetime], claims.Claim]


class _Refuse(Protocol):
    """Claims what is due for a run that cannot be made."""

    def __call__(
        self,
        tx: Transaction,
        automation_id: int,
        terms: Terms,
        now: datetime,
        *,
        outcome: AutomationOutcome,
        reason: str,
    ) -> claims.Claim: ...


@attrs.frozen
class AutomationServices:
    """The services that every automation is given."""

    storage: Storage
    fanout: Fanout
    clock: WallClock
    terms: Terms


class AutomationActor(Actor):
    """Stands for one enabled automation."""

    def __init__(
        self,
        automation_id: int,
        services: AutomationServices,
        known: Callable[[], Automation | None] = lambda: None,
    ) -> None:
        """Stand for it; its row is read when the actor starts, unless it is `known`."""
        self._id = automation_id
        self._services = services
        self._storage = services.storage
        self._known = known
        self._automation: Automation
        self._followed: EventFilter | None = None
        """The events that are followed; None where it does not run by events."""
        self._following: trio.CancelScope | None = None

    async def on_start(self) -> None:
        """Read the row, and have the alarm set for its due time, even one that has passed.

        What it does by the clock it does not do for whoever made it.
        """
        origin.set(None)
        known = self._known()
        if known is None:
            known = await self._storage.read(lambda db: automations.get(db, self._id))
        self._automation = known
        await self._check_clock()
        await self._arm_anew()

    def describe(self) -> Mapping[str, object]:
        """Return the automation's own inspection fields."""
        automation = self._automation
        return {
            "automationId": automation.id,
            "scheduleExpr": automation.schedule_expr,
            "timezone": automation.timezone or self._services.terms.zone.key,
            "enabled": automation.enabled,
            "nextRunAt": automation.next_run_at,
            "lastOutcome": automation.last_outcome,
            "consecutiveFailures": automation.consecutive_failures,
        }

    @handles(Due)
    async def due(self, _message: Due) -> None:
        """Claim the due time with its run, or, where it can have none, with the reason."""
        now = self._services.clock.now()
        try:
            claim = await self._claim(claims.claim, claims.refuse, now)
        except Unavailable as error:
            log.warning("automation.postponed", automation=self._id, reason=str(error))
            again = now + timedelta(seconds=RETRY_SECONDS)
            await self._tell(Arm(self._id, again.timestamp()))
            return
        self._automation = claim.automation
        await self._arm(begun=claim.session_id)

    @handles(FollowEvents)
    async def follow_events(self, _message: FollowEvents) -> bool:
        """Claim the next event; one at a time, so that whoever changes it comes in between."""
        claim = await self._claim(
            event_firing.claim_event, event_firing.refuse_event, self._services.clock.now()
        )
        self._automation = claim.automation
        await self._arm(begun=claim.session_id)
        return claim.has_more

    async def _claim(self, act: _Act, refuse: _Refuse, now: datetime) -> claims.Claim:
        """Act on what is due, or claim it with the reason for which it has no run."""
        terms = self._services.terms
        try:
            return await self._storage.write(lambda tx: act(tx, self._id, terms, now))
        except (PolicyDenied, Conflict, Invalid, NotFound) as refused:
            outcome = outcome_of(refused)
            reason = str(refused)
            return await self._storage.write(
                lambda tx: refuse(tx, self._id, terms, now, outcome=outcome, reason=reason)
            )

    @handles(PatchAutomation)
    async def patch(self, message: PatchAutomation) -> Automation:
        """Change it; answered when the change is durable and the alarm is set anew."""
        now = self._services.clock.now()
        self._automation = await self._storage.write(
            only_if(
                message.condition,
                lambda tx: patch_automation(
                    tx, self._id, message.changes, self._services.terms, now
                ),
            )
        )
        await self._arm()
        return self._automation

    @handles(DeleteAutomation)
    async def delete(self, message: DeleteAutomation) -> Automation:
        """Take it away."""
        self._automation = await self._storage.write(
            only_if(
                message.condition,
                lambda tx: delete_automation(tx, self._id, actor=message.requested_by),
            )
        )
        await self._arm()
        return self._automation

    @handles(RunAutomation)
    async def run(self, message: RunAutomation) -> HandRun:
        """Run it by hand; the schedule stays as it is."""
        now = self._services.clock.now()
        outcome = await self._storage.write(
            lambda tx: claims.run_by_hand(
                tx, self._id, self._services.terms, now, actor=message.requested_by
            )
        )
        self._automation = outcome.automation
        await self._arm(begun=outcome.session.id)
        return outcome

    @handles(Reload)
    async def reload(self, _message: Reload) -> None:
        """Look at the row and the clock again."""
        self._automation = await self._storage.read(lambda db: automations.get(db, self._id))
        await self._check_clock()
        await self._arm_anew()

    async def _check_clock(self) -> None:
        """Find the next due time again after the clock or the time zone was changed."""
        now = self._services.clock.now()
        terms = self._services.terms
        if self._automation.enabled and is_astray(self._automation, terms, now):
            self._automation = await self._storage.write(lambda tx: rearm(tx, self._id, terms, now))

    def _follow_events(self) -> None:
        """Follow the events that are to begin runs, if there are any, and no others any more."""
        automation = self._automation
        schedule, _ = plan_of(automation, self._services.terms)
        wanted = None
        if automation.enabled and isinstance(schedule, OnEvent):
            wanted = event_firing.wanted_by(automation, schedule)
        if wanted == self._followed:
            return
        if self._following is not None:
            self._following.cancel()
        self._followed = wanted
        self._following = None if wanted is None else self.ctx.start_task(self._follow, wanted)

    async def _follow(self, wanted: EventFilter) -> None:
        """Look at the log now, and whenever it has an event that may be meant."""
        origin.set(None)
        while True:
            with self._services.fanout.subscribe(wanted) as news:
                while news.closed is None:
                    try:
                        has_more = await self.ctx.ref.ask(FollowEvents())
                    except (ActorStopped, ActorCrashed):
                        return
                    except AskTimeout:
                        continue
                    except Unavailable as error:
                        log.warning("automation.postponed", automation=self._id, reason=str(error))
                        await self._services.clock.pause(RETRY_SECONDS, trio.Event())
                        continue
                    if not has_more:
                        await news.drain()
                if news.closed == "shutdown":
                    return

    async def _arm(self, *, begun: int | None = None) -> None:
        self._follow_events()
        due = self._automation.next_run_at if self._automation.enabled else None
        moment = None if due is None else from_timestamp(due).timestamp()
        await self._tell(Arm(self._id, moment, begun))

    async def _arm_anew(self) -> None:
        """Say all again: a life may have ended between a commit and what was to be said of it."""
        started = self._automation.last_outcome == "started"
        await self._arm(begun=self._automation.last_session_id if started else None)

    async def _tell(self, message: Arm) -> None:
        await self.ctx.lookup(SCHEDULER).tell(message)


def outcome_of(refused: Refusal) -> AutomationOutcome:
    """Return what became of a run that could not be made.

    A cap that is reached, or that no host can be chosen now, is no failure.
    """
    match refused:
        case PolicyDenied():
            return "denied"
        case CapIsReached() | NowhereToRun():
            return "skipped"
        case _:
            return "invalid"
