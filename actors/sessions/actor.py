"""A live session: the actor that carries one run from its queue to its end.

It lives from the session's creation until it has ended, and owns the session's row: every change
goes through a handler here, which writes it (with its events) before anything follows from it. The
runner works in background tasks and reports back as messages, so the actor is always free to be
stopped, steered and inspected.

**After a crash** of this actor the supervisor starts it again, and after a crash of the whole
process the server does. Both come in through `on_start`: the row says how far the session was, and
the runner finds out what became of the turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import structlog
import trio

from command_center.actors.clock import later
from command_center.actors.codex.approvals import FILE_CHANGE, describe_request
from command_center.actors.codex.messages import (
    BridgeConnected,
    BridgeLost,
    CodexLagged,
    CodexNotification,
    CodexRequestRefused,
    CodexRequestResolved,
    CodexServerRequest,
)
from command_center.actors.errors import Conflict, Invalid, PolicyDenied
from command_center.actors.events import PublishLive
from command_center.actors.sessions import ledger
from command_center.actors.sessions.admission import admit
from command_center.actors.sessions.app_server import Fact, translate
from command_center.actors.sessions.messages import (
    AnswerDelivered,
    ApprovalSettled,
    DiffChanged,
    GrantSlot,
    ItemSeen,
    LaunchFailed,
    OutputDelta,
    PatchSession,
    PlanChanged,
    SteerReceipt,
    SteerSession,
    StopDeadline,
    StopSession,
    ThreadOpened,
    TurnEnded,
    TurnLost,
    TurnOpened,
    UsageChanged,
    Warned,
    WorkplaceReady,
)
from command_center.actors.sessions.runner import Runner
from command_center.actors.sessions.transitions import ACTIVE
from command_center.actors.slots import RequestSlot, SlotsChanged
from command_center.actors.storage import Storage
from command_center.actors.worktree_messages import PrepareWorkplace
from command_center.runtime import (
    Actor,
    ActorCrashed,
    ActorStopped,
    AskTimeout,
    Deferred,
    Refusal,
    handles,
)
from command_center.store import Approval, Session, Transaction, sessions

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

GIT_SECONDS = 300.0
"""How long the making of a worktree may take."""

STOP_SECONDS = 5.0
"""How long an interrupted turn may take to end before its process is."""


@attrs.frozen
class SessionServices:
    """What every session is given: its surroundings, and how it makes its runner."""

    storage: Storage
    instance_id: str
    """Names this process among its former lives."""
    approval_seconds: float
    """How long a person has to decide what Codex asks."""
    make_runner: Any
    """`(name, ref) -> Runner`, for the runner that the session was accepted with."""


class SessionActor(Actor):
    """One session, from `created` to its end."""

    def __init__(self, session_id: int, services: SessionServices) -> None:
        """Stand for the session; its row is read when the actor starts."""
        self._id = session_id
        self._services = services
        self._storage = services.storage
        self._session: Session
        self._runner: Runner
        self._stop_waiters: list[Deferred[Session]] = []
        self._interrupting = False
        self._open_requests: dict[str, CodexServerRequest] = {}

    # ── start, stop, inspection ──────────────────────────────────────────────────────────────

    async def on_start(self) -> None:
        """Read the row and go on from there; a turn that died with its process has ended."""
        self._session = await self._storage.read(lambda db: sessions.get(db, self._id))
        self._runner = self._services.make_runner(self._session.runner, self.ctx.ref)
        session = self._session
        if session.finished_at is not None:
            self.ctx.stop()
        elif session.status == "queued":
            await self._queue()
        elif session.status in ACTIVE:
            lost = session.runner_instance != self._services.instance_id
            if lost and not self._runner.survives_restart:
                self.ctx.start_task(self._report_lost)
            elif session.status == "starting":
                self.ctx.start_task(self._prepare)
            else:
                self.ctx.start_task(self._runner.recover, session)

    async def _report_lost(self) -> None:
        await self.ctx.ref.tell(
            TurnLost(reason="The server was restarted, and the turn ended with its runner.")
        )

    def describe(self) -> Mapping[str, object]:
        """The session's own inspection fields."""
        session = self._session
        return {
            "sessionId": session.id,
            "taskId": session.task_id,
            "status": session.status,
            "runner": session.runner,
            "codexRef": session.codex_ref,
        }

    # ── what people ask ──────────────────────────────────────────────────────────────────────

    @handles(StopSession)
    async def stop(self, message: StopSession) -> Session | Deferred[Session]:
        """Interrupt the turn and answer when it has ended; before a turn, end at once."""
        if self._session.finished_at is not None:
            return self._session
        self._session = await self._storage.write(
            lambda tx: ledger.request_stop(
                tx, self._id, reason=message.reason, actor=message.requested_by
            )
        )
        if self._session.status not in ACTIVE:
            await self._end("stopped", reason=self._stop_reason())
            return self._session
        waiter: Deferred[Session] = self.ctx.defer()
        self._stop_waiters.append(waiter)
        self._interrupt()
        return waiter

    @handles(SteerSession)
    async def steer(self, message: SteerSession) -> Deferred[SteerReceipt]:
        """Record the wish, hand it to the turn, record what came of it, and answer."""
        session = self._session
        if not message.message.strip():
            raise Invalid.field("message", "Expected some text.")
        if session.runner != "app-server" or session.codex_turn_id is None:
            raise Conflict(
                f"Session {session.id} ({session.runner}, {session.status}) has no active "
                "app-server turn to steer.",
                currentStatus=session.status,
                runner=session.runner,
            )
        event = await self._storage.write(
            lambda tx: ledger.tell(
                tx,
                sessions.get(tx.db, self._id),
                "session.steer.requested",
                actor=message.requested_by,
                data={"message": message.message, "turnId": session.codex_turn_id},
            )
        )
        reply: Deferred[SteerReceipt] = self.ctx.defer()
        self.ctx.start_task(self._steer, message, event, reply)
        return reply

    async def _steer(
        self, message: SteerSession, event: int, reply: Deferred[SteerReceipt]
    ) -> None:
        outcome: dict[str, Any]
        refusal: Refusal | None = None
        turn_id = ""
        try:
            turn_id = await self._runner.steer(self._session, message.message)
            kind, outcome = "session.steer.acknowledged", {"turnId": turn_id}
        except Refusal as error:
            refusal = error
            kind, outcome = "session.steer.rejected", {"reason": str(error)}

        def unit(tx: Transaction) -> Session:
            session = sessions.get(tx.db, self._id)
            ledger.tell(tx, session, kind, actor="codex", data=outcome, causation_id=event)
            return session

        session = await self._storage.write(unit)
        if refusal is None:
            reply.send(SteerReceipt(session=session, turn_id=turn_id))
        else:
            reply.fail(refusal)

    @handles(PatchSession)
    async def patch(self, message: PatchSession) -> Session | Deferred[Session]:
        """`stopped` stops; `running` and `queued` start a created session through policy."""
        if message.status == "stopped":
            return await self.stop(StopSession(requested_by=message.requested_by))
        if self._session.status in ACTIVE | {"queued"}:
            return self._session
        self._session = await self._storage.write(
            lambda tx: admit(
                tx,
                self._id,
                actor=message.requested_by,
                approval_seconds=self._services.approval_seconds,
            )
        )
        if self._session.status == "queued":
            await self._queue()
        return self._session

    # ── what other actors tell ───────────────────────────────────────────────────────────────

    @handles(GrantSlot)
    async def granted(self, _message: GrantSlot) -> None:
        """Check policy once more, and begin."""
        if self._session.status != "queued":
            return
        try:
            self._session = await self._storage.write(
                lambda tx: admit(
                    tx,
                    self._id,
                    actor=ledger.SYSTEM,
                    approval_seconds=self._services.approval_seconds,
                    begin=self._services.instance_id,
                )
            )
        except (Conflict, PolicyDenied) as refused:
            await self._end("failed", reason=str(refused))
            return
        if self._session.status == "starting":
            self.ctx.start_task(self._prepare)

    async def _prepare(self) -> None:
        """Have the working directory made ready, by whoever may start git."""
        try:
            session = await self.ctx.lookup("/repositories").ask(
                PrepareWorkplace(self._id), timeout=GIT_SECONDS
            )
        except (Refusal, ActorStopped, ActorCrashed, AskTimeout) as error:
            await self.ctx.ref.tell(LaunchFailed(reason=str(error)))
        else:
            await self.ctx.ref.tell(WorkplaceReady(session))

    @handles(WorkplaceReady)
    async def workplace_ready(self, message: WorkplaceReady) -> None:
        """Launch the runner there; whoever waits for the folder that was left may have it."""
        if self._session.status != "starting":
            return
        self._session = await self._storage.read(lambda db: sessions.get(db, self._id))
        if message.session.worktree_path is not None:
            await self.ctx.lookup("/slots").tell(SlotsChanged())
        if self._session.stop_requested is not None:
            await self._end("stopped", reason=self._stop_reason())
        else:
            self.ctx.start_task(self._runner.launch, self._session)

    @handles(ApprovalSettled)
    async def settled(self, message: ApprovalSettled) -> None:
        """A blocked run may go on or has ended; what Codex asked is answered."""
        self._session = await self._storage.read(lambda db: sessions.get(db, self._id))
        if message.approval.kind == "run":
            if self._session.finished_at is not None:
                self.ctx.stop()
            elif self._session.status == "queued":
                await self._queue()
        elif self._session.status in ACTIVE:
            self._deliver_soon(message.approval)

    @handles(BridgeLost)
    async def bridge_lost(self, message: BridgeLost) -> None:
        """Without its app-server the turn is lost, unless the app-server outlives connections."""
        if self._session.status in ACTIVE and not self._runner.survives_restart:
            await self.lost(TurnLost(reason=message.reason))

    @handles(BridgeConnected)
    async def bridge_connected(self, _message: BridgeConnected) -> None:
        """Join the thread again and catch up."""
        if self._session.status in ACTIVE:
            self.ctx.start_task(self._runner.recover, self._session)

    # ── what the runner reports ──────────────────────────────────────────────────────────────

    @handles(CodexNotification)
    async def notified(self, message: CodexNotification) -> None:
        """Keep each fact that Codex tells of the session's turn."""
        for fact in translate(message, self._session.codex_turn_id):
            if self._session.status == "starting" and isinstance(fact, ItemSeen):
                await self.turn_opened(TurnOpened(turn_id=fact.turn_id))
            await self._observe(fact)

    async def _observe(self, fact: Fact) -> None:
        match fact:
            case TurnOpened():
                await self.turn_opened(fact)
            case ItemSeen():
                await self.item_seen(fact)
            case OutputDelta():
                await self.output(fact)
            case PlanChanged():
                await self._keep("session.plan", {"plan": fact.plan}, plan=fact.plan)
            case DiffChanged():
                if fact.diff != self._session.diff:
                    await self._keep("session.diff", {"bytes": len(fact.diff)}, diff=fact.diff)
            case UsageChanged():
                await self._keep("session.usage", fact.usage, token_usage=fact.usage)
            case Warned():
                await self._tell("session.warning", {"message": fact.message, **fact.details})
            case TurnEnded():
                await self.turn_ended(fact)

    @handles(CodexServerRequest)
    async def asked(self, message: CodexServerRequest) -> None:
        """Codex wants a decision: it becomes an approval, or is answered by one settled earlier."""
        if self._session.status == "starting" and "turnId" in message.params:
            await self.turn_opened(TurnOpened(turn_id=str(message.params["turnId"])))
        changes: Sequence[Mapping[str, Any]] = ()
        if message.method == FILE_CHANGE:
            item_id = str(message.params["itemId"])
            item = await self._storage.read(lambda db: ledger.item_body(db, self._id, item_id))
            changes = (item or {}).get("changes", ())
        wanted = describe_request(message.method, message.params, changes)
        self._open_requests[message.request_id] = message

        def unit(tx: Transaction) -> tuple[Session, Approval]:
            return ledger.request_approval(
                tx,
                self._id,
                wanted,
                request_id=message.request_id,
                request={"method": message.method, "params": message.params},
                expires_at=later(tx.now, self._services.approval_seconds),
            )

        self._session, approval = await self._storage.write(unit)
        if approval.status != "pending":
            self._deliver_soon(approval)

    def _deliver_soon(self, approval: Approval) -> None:
        """Answer Codex, if it has asked this incarnation; else it will ask again."""
        request = self._open_requests.get(approval.codex_request_id or "")
        if request is not None and approval.delivered_at is None:
            self.ctx.start_task(self._deliver, request, approval)

    async def _deliver(self, request: CodexServerRequest, approval: Approval) -> None:
        try:
            await self._runner.answer(request, approval)
        except (Refusal, ActorStopped, ActorCrashed, AskTimeout) as error:
            log.warning("approval.undelivered", approval=approval.id, reason=str(error))

    @handles(AnswerDelivered)
    async def delivered(self, message: AnswerDelivered) -> None:
        """Codex goes on."""
        session = await self._storage.write(
            lambda tx: ledger.record_delivery(tx, message.approval_id)
        )
        if session is not None:
            self._session = session

    @handles(CodexRequestResolved)
    async def request_resolved(self, message: CodexRequestResolved) -> None:
        """What was not answered here was answered by another client of Codex."""
        if message.answered_here or self._session.status not in ACTIVE:
            return
        self._session = await self._storage.write(
            lambda tx: ledger.close_request(tx, self._id, message.request_id)
        )

    @handles(CodexRequestRefused)
    async def request_refused(self, message: CodexRequestRefused) -> None:
        """Codex asked what nobody here understands."""
        await self._tell("session.request.refused", {"method": message.method})

    @handles(CodexLagged)
    async def lagged(self, _message: CodexLagged) -> None:
        """Some of what Codex told was dropped: read again what counts."""
        if self._session.status in ACTIVE:
            self.ctx.start_task(self._runner.recover, self._session)

    @handles(ThreadOpened)
    async def thread_opened(self, message: ThreadOpened) -> None:
        """Commit the thread, and only then start the turn in it."""
        if self._session.status != "starting":
            return
        reference = self._runner.reference(message.thread_id, None)
        self._session = await self._storage.write(
            lambda tx: ledger.record_thread(tx, self._id, message.thread_id, codex_ref=reference)
        )
        if self._session.stop_requested is not None:
            await self._end("stopped", reason=self._stop_reason())
            return
        self.ctx.start_task(self._runner.launch, self._session)

    @handles(TurnOpened)
    async def turn_opened(self, message: TurnOpened) -> None:
        """The session runs; a stop that came before now interrupts it."""
        if self._session.status != "starting":
            return
        reference = self._runner.reference(self._session.codex_thread_id, message.turn_id)
        self._session = await self._storage.write(
            lambda tx: ledger.record_turn(
                tx, self._id, message.turn_id, codex_ref=reference, runner=self._runner.name
            )
        )
        if self._session.stop_requested is not None:
            self._interrupting = False
            self._interrupt()

    @handles(LaunchFailed)
    async def launch_failed(self, message: LaunchFailed) -> None:
        """The turn did not begin: the session has failed, or stopped where that was the wish."""
        if self._session.status != "starting":
            return
        if self._session.stop_requested is not None:
            await self._end("stopped", reason=self._stop_reason())
        else:
            await self._end("failed", reason=message.reason)

    @handles(ItemSeen)
    async def item_seen(self, message: ItemSeen) -> None:
        """Keep the item; a finished one is told of."""
        if not message.completed:
            self._live("session.item.started", {"item": message.body, "turnId": message.turn_id})
        self._session = await self._storage.write(
            lambda tx: ledger.record_item(
                tx,
                self._id,
                turn_id=message.turn_id,
                item_id=message.item_id,
                kind=message.type,
                completed=message.completed,
                body=message.body,
            )
        )

    @handles(OutputDelta)
    async def output(self, message: OutputDelta) -> None:
        """Show it to whoever watches now; the finished item is what is kept."""
        self._live(
            "session.output.delta",
            {"itemId": message.item_id, "delta": message.delta, "stream": message.stream},
        )

    @handles(TurnEnded)
    async def turn_ended(self, message: TurnEnded) -> None:
        """The session ends as its turn did; as `stopped` where somebody wanted that."""
        if self._session.status not in ACTIVE:
            return
        if self._session.status == "starting":
            await self.turn_opened(TurnOpened(turn_id=self._session.codex_turn_id or "unknown"))
        if message.outcome == "interrupted" and self._session.stop_requested is not None:
            await self._end("stopped", reason=self._stop_reason())
        else:
            await self._end(message.outcome, reason=message.reason)

    @handles(TurnLost)
    async def lost(self, message: TurnLost) -> None:
        """The turn is gone: the session was interrupted, and says by what."""
        if self._session.status not in ACTIVE:
            return
        if self._session.stop_requested is not None:
            await self._end("stopped", reason=self._stop_reason())
        else:
            await self._end("interrupted", reason=message.reason)

    @handles(StopDeadline)
    async def stop_overdue(self, _message: StopDeadline) -> None:
        """The turn did not heed the interruption and was given up: so is the session."""
        if self._session.finished_at is None:
            await self._end("stopped", reason=f"{self._stop_reason()} It did not end in time.")

    # ── how it is done ───────────────────────────────────────────────────────────────────────

    async def _queue(self) -> None:
        await self.ctx.lookup("/slots").tell(RequestSlot(session_id=self._id, ref=self.ctx.ref))

    def _interrupt(self) -> None:
        if self._interrupting:
            return
        self._interrupting = True
        self.ctx.start_task(self._interrupt_turn)

    async def _interrupt_turn(self) -> None:
        """Interrupt, give the turn its time to end, then give it up. Ends with the actor."""
        session = self._session
        with trio.move_on_after(STOP_SECONDS):
            if session.status != "starting":
                try:
                    await self._runner.interrupt(session)
                except Refusal as error:
                    log.warning("session.interrupt.failed", session=self._id, reason=str(error))
            await trio.sleep_forever()
        with trio.move_on_after(STOP_SECONDS):
            try:
                await self._runner.abandon(session)
            except Refusal as error:
                log.warning("session.abandon.failed", session=self._id, reason=str(error))
        await self.ctx.ref.tell(StopDeadline())

    def _stop_reason(self) -> str:
        wish = self._session.stop_requested or {}
        reason = f": {wish['reason']}" if wish.get("reason") else "."
        return f"Stopped by {wish.get('requestedBy', ledger.SYSTEM)}{reason}"

    async def _end(self, status: Any, *, reason: str | None) -> None:
        """Take the session to its end, tell who waited for it, and stop this actor."""
        self._session = await self._storage.write(
            lambda tx: ledger.move(tx, self._id, status, exit_reason=reason)
        )
        for waiter in self._stop_waiters:
            waiter.send(self._session)
        self._stop_waiters.clear()
        with trio.move_on_after(STOP_SECONDS):
            await self._runner.close(self._session)
        self.ctx.stop()

    async def _keep(self, kind: str, data: Mapping[str, Any], **changes: Any) -> None:
        """Keep a new state of the turn that whoever watches now is shown; only the last counts."""
        self._session = await self._storage.write(
            lambda tx: sessions.update(tx, self._id, **changes)
        )
        self._live(kind, data)

    async def _tell(self, kind: str, data: Mapping[str, Any]) -> None:
        await self._storage.write(
            lambda tx: ledger.tell(tx, sessions.get(tx.db, self._id), kind, data=data)
        )

    def _live(self, kind: str, data: Mapping[str, Any]) -> None:
        session = self._session
        self._services.storage.live(
            PublishLive(
                type=kind,
                repository_id=session.repository_id,
                task_id=session.task_id,
                session_id=session.id,
                correlation_id=session.correlation_id,
                data=dict(data),
            )
        )
