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

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import structlog
import trio

from command_center.actors.clock import later, sleep_until
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
from command_center.actors.errors import Invalid, Unavailable
from command_center.actors.sessions import ledger, sequels, settlement
from command_center.actors.sessions.admission import admit, yield_folder
from command_center.actors.sessions.app_server import translate
from command_center.actors.sessions.limits import with_limits
from command_center.actors.sessions.messages import (
    AnswerDelivered,
    ApprovalSettled,
    GrantSlot,
    ItemSeen,
    LaunchFailed,
    NothingAsked,
    OutputDelta,
    PatchSession,
    PlanChanged,
    SessionCommitted,
    SteerReceipt,
    SteerSession,
    StopDeadline,
    StopSession,
    ThreadOpened,
    TurnEnded,
    TurnLost,
    TurnOpened,
    TurnSilent,
    UsageChanged,
    Warned,
    WorkplaceReady,
)
from command_center.actors.sessions.runner import Runner
from command_center.actors.sessions.transcript import Transcript
from command_center.actors.sessions.transitions import ACTIVE
from command_center.actors.sessions.watch import Watch
from command_center.actors.slots import RequestSlot, SlotsChanged
from command_center.actors.storage import Storage
from command_center.actors.worktree_messages import PrepareWorkplace, TidyWorktrees
from command_center.runtime import (
    Actor,
    ActorCrashed,
    ActorNotFound,
    ActorRef,
    ActorStopped,
    AskTimeout,
    Deferred,
    MailboxFull,
    Refusal,
    handles,
)
from command_center.store import Approval, Session, Transaction, sessions, tasks
from command_center.store.records import SessionStatus

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

GIT_SECONDS = 300.0
"""How long the making of a worktree may take."""

EARLY = 2000
"""What Codex says before it is known which turn is the session's: the newest so many are kept."""

STOP_SECONDS = 5.0
"""How long an interrupted turn may take to end before its process is."""

SIGNS_OF_LIFE = (TurnOpened, ItemSeen, OutputDelta, PlanChanged, Warned)
"""What Codex tells only while it works, and not for having been asked how the turn stands."""

FAILURES = (Refusal, ActorStopped, ActorCrashed, AskTimeout)
"""How a question to another actor may fail."""


@attrs.frozen
class SessionServices:
    """What every session is given: its surroundings, and how it makes its runner."""

    storage: Storage
    instance_id: str
    """Names this process among its former lives."""
    approval_seconds: float
    """How long a person has to decide what Codex asks."""
    stall_seconds: float
    """After how much silence a turn is looked at; 0 for never."""
    max_sessions: int
    """How many may work at once."""
    make_runner: Callable[[str, ActorRef], Runner]
    """Makes the runner that the session was accepted with, to report to that actor."""


class SessionActor(Actor):
    """One session, from `created` to its end."""

    def __init__(self, session_id: int, services: SessionServices) -> None:
        """Stand for the session; its row is read when the actor starts."""
        self._id = session_id
        self._services = services
        self._storage = services.storage
        self._transcript: Transcript
        self._runner: Runner
        self._watch: Watch
        self._stop_waiters: list[Deferred[Session]] = []
        self._interrupting = False
        self._driving = False
        self._again = False
        self._driven = trio.Event()
        self._recovered = False
        self._ended_meanwhile: TurnEnded | None = None
        self._early: list[CodexNotification | CodexServerRequest] = []
        self._open_requests: dict[str, CodexServerRequest] = {}

    @property
    def _session(self) -> Session:
        return self._transcript.session

    # ── start, stop, inspection ──────────────────────────────────────────────────────────────

    async def on_start(self) -> None:
        """Read the row and go on from there; a turn that died with its process has ended."""
        session = await self._storage.read(lambda db: sessions.get(db, self._id))
        self._transcript = Transcript(session, self._storage)
        self._runner = self._services.make_runner(session.runner, self.ctx.ref)
        self._watch = Watch(self.ctx.ref, self._services.stall_seconds)
        if session.finished_at is not None:
            self.ctx.stop()
        elif session.status == "queued":
            self.ctx.start_task(self._queue)
        elif session.status in ACTIVE:
            self.ctx.start_task(self._queue)  # known to /slots, its slot is free when it is gone
            lost = session.runner_instance != self._services.instance_id
            if session.status == "starting" and (self._runner.begins_once or not lost):
                self._runner.doubt()
                self.ctx.start_task(self._prepare)
            elif lost and not self._runner.survives_restart:
                self.ctx.start_task(self._report_lost)
            else:
                self.ctx.start_task(self._watch.run)
                self._drive()
                if session.stop_requested is not None:
                    self._interrupt()

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
            "silentSeconds": round(self._watch.silence(), 1),
        }

    # ── what people ask ──────────────────────────────────────────────────────────────────────

    @handles(StopSession)
    async def stop(self, message: StopSession) -> Session | Deferred[Session]:
        """Interrupt the turn and answer when it has ended; before a turn, end at once."""
        if self._session.finished_at is not None:
            return self._session
        wanted = await self._transcript.write(
            lambda tx: ledger.request_stop(
                tx, self._id, reason=message.reason, actor=message.requested_by
            )
        )
        if wanted.finished_at is not None:
            return wanted
        if wanted.status not in ACTIVE:
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
        self._runner.check_steerable(session)

        def request(tx: Transaction) -> int:
            return ledger.tell(
                tx,
                session,
                "session.steer.requested",
                actor=message.requested_by,
                data={"message": message.message, "turnId": session.codex_turn_id},
            )

        event = await self._storage.write(request)
        return self.ctx.answer_later(self._steer, message, event)

    async def _steer(self, message: SteerSession, event: int) -> SteerReceipt:
        refusal: Refusal | None = None
        turn_id = ""
        try:
            turn_id = await self._runner.steer(self._session, message.message, event)
        except Refusal as error:
            refusal = error
        except (ActorStopped, ActorCrashed, AskTimeout) as error:
            refusal = Unavailable(f"The bridge to Codex did not answer: {error}")

        def record(tx: Transaction) -> Session:
            session = sessions.get(tx.db, self._id)
            kind = "session.steer.rejected" if refusal else "session.steer.acknowledged"
            data = {"reason": str(refusal)} if refusal else {"turnId": turn_id}
            ledger.tell(tx, session, kind, actor="codex", data=data, causation_id=event)
            return session

        session = await self._transcript.keep(record)
        if refusal is not None:
            raise refusal
        return SteerReceipt(session=session, turn_id=turn_id)

    @handles(PatchSession)
    async def patch(self, message: PatchSession) -> Session | Deferred[Session]:
        """`stopped` stops; `running` and `queued` start a created session through policy."""
        if message.status == "stopped":
            return await self.stop(StopSession(requested_by=message.requested_by))
        if self._session.status in ACTIVE | {"queued"}:
            return self._session
        await self._transcript.write(lambda tx: self._admit(tx, actor=message.requested_by))
        if self._session.status == "queued":
            self.ctx.start_task(self._queue)
        return self._session

    # ── what other actors tell ───────────────────────────────────────────────────────────────

    @handles(GrantSlot)
    async def granted(self, _message: GrantSlot) -> None:
        """Check policy once more, and begin."""
        if self._session.status != "queued":
            return
        try:
            admitted = await self._transcript.keep(
                lambda tx: self._admit(tx, actor=ledger.SYSTEM, begin=True)
            )
        except Refusal as refused:
            await self._end("failed", reason=str(refused))
            return
        self._transcript.session = admitted
        if admitted.status == "starting":
            self.ctx.start_task(self._prepare)
        elif admitted.status == "queued":
            self.ctx.start_task(self._queue)

    async def _prepare(self) -> None:
        """Have the working directory made ready, by whoever may start git."""
        try:
            session = await self.ctx.lookup("/repositories").ask(
                PrepareWorkplace(self._id), timeout=GIT_SECONDS
            )
        except FAILURES as error:
            await self.ctx.ref.tell(LaunchFailed(reason=str(error)))
        else:
            await self.ctx.ref.tell(WorkplaceReady(session))

    @handles(WorkplaceReady)
    async def workplace_ready(self, message: WorkplaceReady) -> None:
        """Launch the runner there; whoever waits for the folder that was left may have it."""
        if self._session.status != "starting":
            return
        placed = await self._transcript.keep(lambda tx: yield_folder(tx, self._id))
        self._transcript.session = placed
        if message.session.worktree_path is not None:
            await self.ctx.lookup("/slots").tell(SlotsChanged())
        if placed.status == "queued":
            self.ctx.start_task(self._queue)
        elif placed.stop_requested is not None:
            await self._end("stopped", reason=self._stop_reason())
        else:
            self.ctx.start_task(self._watch.run)
            self._drive()

    @handles(ApprovalSettled)
    async def settled(self, message: ApprovalSettled) -> None:
        """A blocked run may go on or has ended; what Codex asked is answered."""
        await self._transcript.refresh()
        if message.approval.kind == "run":
            if self._session.finished_at is not None:
                self.ctx.stop()
            elif self._session.status == "queued":
                self.ctx.start_task(self._queue)
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
        self._recover()

    @handles(CodexLagged)
    async def lagged(self, _message: CodexLagged) -> None:
        """Some of what Codex told was dropped: read again what counts."""
        self._recover()

    # ── what the runner reports ──────────────────────────────────────────────────────────────

    @handles(CodexNotification)
    async def notified(self, message: CodexNotification) -> None:
        """Keep each fact that Codex tells of the session's turn."""
        if self._session.status == "starting":
            self._hold(message)
            return
        for fact in translate(message, self._session.codex_turn_id):
            if isinstance(fact, SIGNS_OF_LIFE):
                self._watch.heard()
            match fact:
                case TurnOpened():
                    await self.turn_opened(fact)
                case TurnEnded() if self._recovered:
                    self._ended_meanwhile = fact
                    self.ctx.start_task(self._end_after_recovery, fact)
                case TurnEnded():
                    await self.turn_ended(fact)
                case ItemSeen():
                    await self.item_seen(fact)
                case _:
                    await self._transcript.observe(fact)
                    if isinstance(fact, UsageChanged):
                        await self._check_budget()

    @handles(ItemSeen)
    async def item_seen(self, message: ItemSeen) -> None:
        """Keep the item; it also shows that the turn has begun."""
        await self.turn_opened(TurnOpened(turn_id=message.turn_id))
        await self._transcript.observe(message)

    @handles(OutputDelta)
    async def output(self, message: OutputDelta) -> None:
        """Show it to whoever watches now; the finished item is what is kept."""
        await self._transcript.observe(message)

    @handles(CodexServerRequest)
    async def asked(self, message: CodexServerRequest) -> None:
        """Codex wants a decision: it becomes an approval, or is answered by one settled before."""
        if self._session.status == "starting":
            self._hold(message)
            return
        changes: Sequence[Mapping[str, Any]] = ()
        if message.method == FILE_CHANGE:
            item_id = str(message.params["itemId"])
            item = await self._storage.read(lambda db: ledger.item_body(db, self._id, item_id))
            changes = (item or {}).get("changes", ())
        described = describe_request(message.method, message.params, changes)
        wanted = with_limits(self._session, described)
        self._open_requests[message.request_id] = message
        self._transcript.session, approval = await self._transcript.keep(
            lambda tx: settlement.request_approval(
                tx,
                self._id,
                wanted,
                request_id=message.request_id,
                request={"method": message.method, "params": message.params},
                expires_at=later(tx.now, self._services.approval_seconds),
            )
        )
        if approval.status != "pending":
            self._deliver_soon(approval)

    @handles(AnswerDelivered)
    async def delivered(self, message: AnswerDelivered) -> None:
        """Codex goes on."""
        session = await self._transcript.keep(
            lambda tx: settlement.record_delivery(tx, message.approval_id)
        )
        if session is not None:
            self._transcript.session = session

    @handles(CodexRequestResolved)
    async def request_resolved(self, message: CodexRequestResolved) -> None:
        """What was not answered here was answered by another client of Codex."""
        if self._session.status not in ACTIVE:
            return
        self._transcript.session = await self._transcript.keep(
            lambda tx: settlement.close_request(tx, self._id, message.request_id)
        )

    @handles(NothingAsked)
    async def nothing_asked(self, _message: NothingAsked) -> None:
        """Codex waits for nobody: what is pending here was answered while nobody listened."""
        if self._session.status in ACTIVE:
            self._transcript.session = await self._transcript.keep(
                lambda tx: settlement.close_requests(tx, self._id)
            )

    @handles(CodexRequestRefused)
    async def request_refused(self, message: CodexRequestRefused) -> None:
        """Codex asked what nobody here understands."""
        await self._transcript.tell("session.request.refused", {"method": message.method})

    @handles(ThreadOpened)
    async def thread_opened(self, message: ThreadOpened) -> None:
        """Commit the thread, and only then start the turn in it."""
        if self._session.status != "starting":
            return
        reference = self._runner.reference(message.thread_id, None)
        self._transcript.session = await self._transcript.keep(
            lambda tx: ledger.record_thread(tx, self._id, message.thread_id, codex_ref=reference)
        )
        if self._session.stop_requested is not None:
            await self._end("stopped", reason=self._stop_reason())
        else:
            self._drive()

    @handles(TurnOpened)
    async def turn_opened(self, message: TurnOpened) -> None:
        """The session runs; a stop that came before now interrupts it."""
        if self._session.status != "starting":
            return
        reference = self._runner.reference(self._session.codex_thread_id, message.turn_id)
        self._transcript.session = await self._transcript.keep(
            lambda tx: ledger.record_turn(
                tx,
                self._id,
                message.turn_id,
                codex_ref=reference,
                runner=self._runner.name,
                instance=self._services.instance_id,
            )
        )
        self.ctx.start_task(self._watch.run)
        early, self._early = self._early, []
        for held in early:
            if isinstance(held, CodexNotification):
                await self.notified(held)
            elif held.params.get("turnId") in {None, message.turn_id}:
                await self.asked(held)
        if self._session.stop_requested is not None:
            self._interrupting = False
            self._interrupt()

    @handles(LaunchFailed)
    async def launch_failed(self, message: LaunchFailed) -> None:
        """The turn did not begin: the session has failed, or stopped where that was the wish."""
        if self._session.status == "starting":
            await self._end("failed", reason=message.reason)

    @handles(TurnEnded)
    async def turn_ended(self, message: TurnEnded) -> None:
        """The session ends as its turn did; as `stopped` where somebody wanted that."""
        if self._session.status not in ACTIVE:
            return
        await self.turn_opened(TurnOpened(turn_id=self._session.codex_turn_id or "unknown"))
        await self._end(message.outcome, reason=message.reason)

    @handles(TurnLost)
    async def lost(self, message: TurnLost) -> None:
        """The turn is gone: the session was interrupted, and says by what."""
        if self._ended_meanwhile is not None:
            await self.turn_ended(self._ended_meanwhile)
        elif self._session.status in ACTIVE:
            await self._end("interrupted", reason=message.reason)

    @handles(TurnSilent)
    async def silent(self, message: TurnSilent) -> None:
        """Nothing was heard for long: ask Codex, and give up what stays silent."""
        if self._session.status not in {"starting", "running"}:
            self._watch.heard()
        elif message.count == 1:
            await self._transcript.tell("session.stalled", {"silentSeconds": message.seconds})
            if self._session.status == "running":
                self._drive()
        else:
            reason = f"The turn was silent for {message.seconds:.0f} seconds."
            await self._give_up("stall", reason)

    @handles(StopDeadline)
    async def stop_overdue(self, _message: StopDeadline) -> None:
        """The turn did not heed the interruption and was given up: so is the session."""
        if self._session.finished_at is None:
            await self._end("interrupted", reason="The turn did not end in time.")

    # ── how it is done ───────────────────────────────────────────────────────────────────────

    def _admit(self, tx: Transaction, *, actor: str, begin: bool = False) -> Session:
        return admit(
            tx,
            self._id,
            actor=actor,
            approval_seconds=self._services.approval_seconds,
            begin=self._services.instance_id if begin else None,
            limit=self._services.max_sessions,
        )

    async def _queue(self) -> None:
        """Ask for a slot, a retry when its pause is over by the wall clock."""
        if self._session.begin_after is not None:
            await sleep_until(self._session.begin_after)
        await self.ctx.lookup("/slots").tell(RequestSlot(session_id=self._id, ref=self.ctx.ref))

    def _recover(self) -> None:
        if self._session.status in ACTIVE:
            self._drive()

    def _drive(self) -> None:
        """Have the runner begin the turn or find it again, never twice at a time."""
        self._again = True
        if not self._driving:
            self._driving = True
            self._driven = trio.Event()
            self.ctx.start_task(self._drive_on)

    async def _drive_on(self) -> None:
        while self._again and self._session.status in ACTIVE:
            self._again = False
            if self._session.status == "starting":
                await self._runner.launch(self._session)
            else:
                self._recovered = True
                await self._runner.recover(self._session)
        self._driving = False
        self._driven.set()

    async def _end_after_recovery(self, ended: TurnEnded) -> None:
        """Have a turn that ended while it was found again end behind all that it said before."""
        await self._driven.wait()
        await self.ctx.ref.tell(ended)

    def _hold(self, message: CodexNotification | CodexServerRequest) -> None:
        """Keep what Codex says of the thread until it is known which turn is the session's."""
        self._early.append(message)
        del self._early[:-EARLY]

    def _deliver_soon(self, approval: Approval) -> None:
        """Answer Codex, if it has asked this incarnation; else it will ask again."""
        request = self._open_requests.get(approval.codex_request_id or "")
        if request is not None and approval.delivered_at is None:
            self.ctx.start_task(self._deliver, request, approval)

    async def _deliver(self, request: CodexServerRequest, approval: Approval) -> None:
        try:
            await self._runner.answer(request, approval)
        except FAILURES as error:
            log.warning("approval.undelivered", approval=approval.id, reason=str(error))

    async def _check_budget(self) -> None:
        """Interrupt a turn that has used more tokens than the session or its task may."""

        def over(tx: Transaction) -> str | None:
            session = sessions.get(tx.db, self._id)
            task = tasks.get(tx.db, session.task_id)
            used = sequels.used_tokens(session)
            if session.token_budget is not None and used > session.token_budget:
                return f"The session used {used} of {session.token_budget} tokens."
            if task.token_budget is not None:
                used = sequels.task_tokens(tx, task)
                if used > task.token_budget:
                    return f"Task {task.id} used {used} of {task.token_budget} tokens."
            return None

        reason = await self._transcript.keep(over)
        if reason is not None:
            await self._give_up("budget", reason)

    async def _give_up(self, actor: str, reason: str) -> None:
        """Interrupt the turn by nobody's wish but a limit's."""
        self._transcript.session = await self._transcript.keep(
            lambda tx: ledger.request_stop(
                tx, self._id, reason=reason, actor=actor, outcome="interrupted"
            )
        )
        self._interrupt()

    def _interrupt(self) -> None:
        if not self._interrupting:
            self._interrupting = True
            self.ctx.start_task(self._interrupt_turn)

    async def _interrupt_turn(self) -> None:
        """Interrupt, give the turn its time to end, then give it up. Ends with the actor."""
        session = self._session
        with trio.move_on_after(STOP_SECONDS):
            if session.status != "starting":
                try:
                    await self._runner.interrupt(session)
                except FAILURES as error:
                    log.warning("session.interrupt.failed", session=self._id, reason=str(error))
            await trio.sleep_forever()
        with trio.move_on_after(STOP_SECONDS):
            try:
                await self._runner.abandon(session)
            except FAILURES as error:
                log.warning("session.abandon.failed", session=self._id, reason=str(error))
        await self.ctx.ref.tell(StopDeadline())

    def _stop_reason(self) -> str:
        wish = self._session.stop_requested or {}
        if wish.get("outcome") == "interrupted":
            return str(wish["reason"])
        reason = f": {wish['reason']}" if wish.get("reason") else "."
        return f"Stopped by {wish.get('requestedBy', ledger.SYSTEM)}{reason}"

    async def _end(self, status: SessionStatus, *, reason: str | None) -> None:
        """Take the session to its end, tell who waits for that, and stop this actor.

        A turn that ended otherwise than by completing, after somebody wanted it to end, ended by
        that wish.
        """
        wish = self._session.stop_requested
        if wish is not None and status != "completed":
            late = f" {reason}" if reason == "The turn did not end in time." else ""
            status, reason = wish.get("outcome", "stopped"), f"{self._stop_reason()}{late}"
        self._transcript.session, sequel = await self._transcript.keep(
            lambda tx: sequels.end(
                tx,
                self._id,
                status,
                reason=reason,
                approval_seconds=self._services.approval_seconds,
            )
        )
        for waiter in self._stop_waiters:
            waiter.send(self._session)
        self._stop_waiters.clear()
        await self.ctx.lookup("/slots").tell(SlotsChanged())
        if sequel is not None:
            await self.ctx.lookup("/tasks").tell(SessionCommitted(sequel.id))
        with trio.move_on_after(STOP_SECONDS):
            await self._runner.close(self._session)
        if self._session.worktree_path is not None:
            # One that is not told now is found when the server starts.
            with contextlib.suppress(ActorNotFound, MailboxFull):
                self.ctx.lookup("/repositories").try_tell(
                    TidyWorktrees(self._session.repository_id)
                )
        self.ctx.stop()
