"""A live session: the actor that carries one run from its queue to its end.

It lives from the session's creation until it has ended, and owns the session's row: every change
goes through a handler here, which writes it (with its events) before anything follows from it. The
runner works in background tasks and reports back as messages, so the actor is always free to be
stopped, steered and inspected.

Each handler says which of the session's parts a message is for, and in which status: `launch` takes
the session to its turn, `drive` has the runner work on it, `transcript` keeps what the turn tells,
`questions` what it asks, `steering` and `interruption` hand on what people want of it, and `ending`
ends it.

**After a crash** of this actor the supervisor starts it again, and after a crash of the whole
process the server does. Both come in through `on_start`: the row says how far the session was, and
the runner finds out what became of the turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import structlog
import trio

from command_center.actors.codex.messages import (
    BridgeConnected,
    BridgeLost,
    CodexAgentHeard,
    CodexLagged,
    CodexNotification,
    CodexRequestRefused,
    CodexRequestResolved,
    CodexServerRequest,
)
from command_center.actors.contracts.events.sessions import (
    GoalRequested,
    RequestRefused,
    SessionStalled,
)
from command_center.actors.contracts.sessions import (
    AgentItemSeen,
    AgentSeen,
    AgentsListed,
    AnswerDelivered,
    ApprovalSettled,
    ChangeGoal,
    ClearGoal,
    GoalChanges,
    GoalTold,
    GrantSlot,
    ItemSeen,
    JoiningThread,
    LaunchFailed,
    ModelTold,
    NoFurtherTurn,
    NothingAsked,
    OutputDelta,
    PatchSession,
    RulesFound,
    SaveDrafts,
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
    WorkplaceReady,
)
from command_center.actors.ledger.budgets import overspent
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.preconditions import Condition, always
from command_center.actors.rules.transitions import ACTIVE
from command_center.actors.sessions.agents import Agents
from command_center.actors.sessions.ending import Ending
from command_center.actors.sessions.goals import Pursuit, no_goal_now
from command_center.actors.sessions.interruption import OVERDUE, Interruption
from command_center.actors.sessions.launch import Launch
from command_center.actors.sessions.questions import Questions
from command_center.actors.sessions.runner import Runner
from command_center.actors.sessions.services import SessionServices
from command_center.actors.sessions.stall_detector import Watch
from command_center.actors.sessions.steering import Steering
from command_center.actors.sessions.transcript import Transcript
from command_center.actors.sessions.turn_driver import Drive
from command_center.actors.sessions.turn_events import SIGNS_OF_LIFE, translate
from command_center.runtime import Actor, Deferred, Refusal, handles
from command_center.store import Session, agents, sessions

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

MAILBOX: Final = 64
"""How much may wait for a session: so few that a stop behind it is heard soon, though each is kept.

What Codex tells beyond that waits in the bridge, where it can be joined.
"""


SAVE_SECONDS: Final = 0.9
"""How long what was said of a message may be unkept: then a crash takes no more than a second."""


class SessionActor(Actor):
    """One session, from `created` to its end."""

    def __init__(self, session_id: int, services: SessionServices) -> None:
        """Stand for the session; its row is read when the actor starts."""
        self._id = session_id
        self._services = services
        self._transcript: Transcript
        self._runner: Runner
        self._watch: Watch
        self._launch: Launch
        self._drive: Drive
        self._agents: Agents
        self._questions: Questions
        self._steering: Steering
        self._pursuit: Pursuit
        self._interruption: Interruption
        self._ending: Ending

    @property
    def _session(self) -> Session:
        return self._transcript.session

    # ── start and inspection ─────────────────────────────────────────────────────────────────

    async def on_start(self) -> None:
        """Read the row and go on from there; a turn that died with its process has ended."""
        services = self._services
        session = await services.storage.read(lambda db: sessions.get(db, self._id))
        structlog.contextvars.bind_contextvars(
            session_id=session.id, correlation_id=session.correlation_id
        )
        log.info("session.taken_up", status=session.status)
        self._make_parts(session)
        self._agents.recall(
            await services.storage.read(lambda db: agents.every(db, {"session_id": self._id}))
        )
        if session.finished_at is not None:
            if session.codex_turn_id is None:
                self._runner.doubt()
            self._ending.leave_soon()
        elif session.status == "queued":
            self._launch.queue_soon()
        elif session.status in ACTIVE:
            self._launch.queue_soon()  # known to /slots, its slot is free when it is gone
            lost = session.runner_instance != services.instance_id
            if session.status == "starting" and (self._runner.begins_once or not lost):
                if session.codex_thread_id is not None:
                    self._runner.doubt()
                self._launch.prepare_soon()
            elif lost and not self._runner.survives_restart:
                self.ctx.start_task(self._report_lost)
            else:
                self.ctx.start_task(self._watch.run)
                self._drive.go_on()
                if session.stop_requested is not None:
                    self._interruption.begin()

    def _make_parts(self, session: Session) -> None:
        ctx, services = self.ctx, self._services
        self._transcript = transcript = Transcript(
            session, services.storage, lambda: ctx.start_task(self._save_soon)
        )
        self._runner = runner = services.make_runner(session.runner, ctx.ref)
        self._watch = Watch(ctx.ref, services.stall_seconds)
        self._launch = Launch(ctx, transcript, runner, services)
        self._drive = Drive(ctx, transcript, runner)
        self._agents = Agents(transcript)
        self._questions = Questions(ctx, transcript, runner, services, self._agents)
        self._steering = Steering(services.storage, transcript, runner)
        self._pursuit = Pursuit(ctx, transcript, runner)
        self._interruption = Interruption(ctx, transcript, runner)
        self._ending = Ending(ctx, transcript, runner, services, self._interruption, self._steering)

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
        return await self._stop(message, always)

    async def _stop(
        self, message: StopSession, condition: Condition
    ) -> Session | Deferred[Session]:
        if self._session.finished_at is not None:
            await self._transcript.check(condition)
            self._ending.end_commands_soon()
            return self._session
        wanted = await self._interruption.want(message, condition)
        if wanted.finished_at is not None:
            return wanted
        began = wanted.status != "starting" or not self._runner.withhold()
        if wanted.status in ACTIVE and began and self._agents.ended_before_them is None:
            return self._interruption.wait()
        await self._ending.end("stopped", reason=None)
        return self._session

    @handles(SteerSession)
    async def steer(self, message: SteerSession) -> Deferred[SteerReceipt]:
        """Record the wish; answer when the turn has taken it, and that is recorded, too."""
        if self._session.finished_at is not None:
            raise Conflict(
                f"Session {self._id} is {self._session.status} and has no turn to steer any more.",
                currentStatus=self._session.status,
            )
        event = await self._steering.request(message)
        return self.ctx.answer_later(self._steering.perform, message, event)

    @handles(PatchSession)
    async def patch(self, message: PatchSession) -> Session | Deferred[Session]:
        """`stopped` stops; `running` and `queued` start a created session through policy."""
        changes, condition = message.changes, message.condition
        if changes.status == "stopped":
            return await self._stop(StopSession(requested_by=changes.requested_by), condition)
        if self._session.status in ACTIVE | {"queued"}:
            await self._transcript.check(condition)
            return self._session
        admitted = await self._launch.ask_policy(condition, actor=changes.requested_by)
        if admitted.status == "queued":
            self._launch.queue_soon()
        return self._session

    # ── what other actors tell ───────────────────────────────────────────────────────────────

    @handles(GrantSlot)
    async def granted(self, _message: GrantSlot) -> None:
        """Check policy once more, and begin."""
        if self._session.status != "queued":
            return
        try:
            await self._launch.begin()
        except Refusal as refused:
            await self._ending.end("failed", reason=str(refused))

    @handles(WorkplaceReady)
    async def workplace_ready(self, message: WorkplaceReady) -> None:
        """Launch the runner in the folder."""
        if self._session.status != "starting":
            return
        await self._launch.settle_in(message.session, message.configuration)
        if self._session.status == "starting":
            if self._session.stop_requested is not None and self._runner.withhold():
                await self._ending.end("stopped", reason=None)
            else:
                self.ctx.start_task(self._watch.run)
                self._drive.go_on()
                if self._session.stop_requested is not None:
                    self._interruption.begin()

    @handles(ApprovalSettled)
    async def settled(self, message: ApprovalSettled) -> None:
        """A blocked run may go on or has ended; what Codex asked is answered."""
        await self._transcript.refresh()
        if message.approval.kind in {"run", "trust"}:
            if self._session.finished_at is not None:
                self.ctx.stop()
            elif self._session.status == "queued":
                self._launch.queue_soon()
        elif self._session.status in ACTIVE:
            self._questions.answer_soon(message.approval)

    @handles(BridgeLost)
    async def bridge_lost(self, message: BridgeLost) -> None:
        """Without its app-server the turn is lost, unless the app-server outlives connections.

        A turn that is only about to begin is begun on the next one: the launch sees to that.
        """
        if self._session.status == "starting":
            self._drive.look_again()
        elif self._session.status in ACTIVE and (
            message.ends_turns or not self._runner.survives_restart
        ):
            await self.lost(TurnLost(reason=message.reason))

    @handles(BridgeConnected)
    async def bridge_connected(self, _message: BridgeConnected) -> None:
        """Join the thread again and catch up."""
        if self._session.status in ACTIVE:
            self._drive.go_on()

    @handles(CodexAgentHeard)
    def agent_heard(self, _message: CodexAgentHeard) -> None:
        """A turn is not silent while a sub-agent of it works."""
        self._watch.heard()

    @handles(CodexLagged)
    async def lagged(self, _message: CodexLagged) -> None:
        """Some of what Codex told was dropped: read again what counts."""
        if self._session.status in ACTIVE:
            self._drive.go_on()

    # ── what the runner reports ──────────────────────────────────────────────────────────────

    @handles(CodexNotification)
    async def notified(self, message: CodexNotification) -> None:
        """Keep each fact that Codex tells of the session's turn."""
        if self._session.status == "starting":
            self._drive.hold(message)
        elif self._session.status in ACTIVE:
            if message.thread_id == self._session.codex_thread_id:
                await self._heard(message)
            else:
                await self._heard_of_agent(message)

    async def _heard_of_agent(self, message: CodexNotification) -> None:
        """What its sub-agents say and do is the session's, and so is what they use."""
        self._watch.heard()
        agent = await self._agents.meet(message.thread_id, message.parent_id)
        for fact in translate(message, None):
            match fact:
                case UsageChanged():
                    await self._transcript.keep_agent_usage(message.thread_id, fact.usage)
                    await self._check_budget()
                case GoalTold():
                    continue  # the session pursues its own
                case _ if agent is None:
                    continue
                case TurnOpened():
                    await self._agents.stand(agent, "running")
                case TurnEnded():
                    await self._agents.stand(agent, fact.outcome)
                    await self._end_after_agents()
                case ItemSeen():
                    await self._transcript.observe(fact, agent)
                    await self._agents.hear(fact.body, message.thread_id)
                    await self._end_after_agents()
                case _:
                    await self._transcript.observe(fact, agent)

    async def _end_after_agents(self) -> None:
        """End a session whose turn is over, once none of its sub-agents works any more."""
        ended = self._agents.ended_before_them
        if ended is not None and not self._agents.are_working:
            await self.turn_ended(ended)

    async def _heard(self, message: CodexNotification) -> None:
        is_review = self._session.type == "review_task"
        for fact in translate(message, self._session.codex_turn_id, is_review=is_review):
            if isinstance(fact, SIGNS_OF_LIFE):
                self._watch.heard()
            match fact:
                case TurnOpened():
                    await self.turn_opened(fact)
                case GoalTold() if self._session.goal is not None and self._drive.is_under_way:
                    pass  # the runner tells it behind the turns that led to it
                case GoalTold():
                    await self.goal_told(fact)
                case TurnEnded() if self._drive.has_recovered:
                    self._drive.end_after_recovery(fact)
                case TurnEnded():
                    await self.turn_ended(fact)
                case ItemSeen():
                    await self.item_seen(fact)
                case _:
                    await self._transcript.observe(fact)
                    if isinstance(fact, UsageChanged):
                        await self._check_budget()

    async def _check_budget(self) -> None:
        """Interrupt a turn that has used more tokens than the session or its task may."""
        reason = await self._transcript.keep(lambda tx: overspent(tx, self._id))
        if reason is not None:
            await self._give_up("budget", reason)

    async def _give_up(self, actor: str, reason: str) -> None:
        """End the turn, or the sub-agents that it left, by nobody's wish but a limit's."""
        await self._interruption.limit(actor, reason)
        if self._agents.ended_before_them is None:
            self._interruption.begin()
        else:
            await self._ending.end("interrupted", reason=reason)

    @handles(RulesFound)
    def rules_found(self, message: RulesFound) -> None:
        """Tell from now on of commands that are let out of the sandbox by rules."""
        self._transcript.rules = message.rules

    @handles(ItemSeen)
    async def item_seen(self, message: ItemSeen) -> None:
        """Keep the item; it also shows that the turn has begun."""
        if self._session.status in ACTIVE:
            await self.turn_opened(TurnOpened(turn_id=message.turn_id))
            await self._transcript.observe(message)
            await self._agents.hear(message.body, self._session.codex_thread_id or "")
            await self._questions.ask_meanwhile(message)
        elif message.completed and message.type == "commandExecution":
            await self._transcript.observe(message)  # it outlived its turn

    @handles(AgentSeen)
    async def agent_seen(self, message: AgentSeen) -> None:
        """Keep what Codex says of a sub-agent when it is asked."""
        if self._session.status in ACTIVE:
            await self._agents.learn(message)

    @handles(AgentItemSeen)
    async def agent_item_seen(self, message: AgentItemSeen) -> None:
        """Keep an item of a sub-agent that was missed."""
        agent = self._agents.of(message.thread_id)
        if self._session.status in ACTIVE and agent is not None:
            await self._transcript.observe(message.item, agent)
            await self._agents.hear(message.item.body, message.thread_id)

    @handles(AgentsListed)
    async def agents_listed(self, message: AgentsListed) -> None:
        """Those that Codex has no more have ended, and perhaps the session with them."""
        if self._session.status in ACTIVE:
            await self._agents.reconcile(message)
            await self._end_after_agents()

    @handles(OutputDelta)
    async def output(self, message: OutputDelta) -> None:
        """Show it to whoever watches now; the finished item is what is kept."""
        if self._session.status in ACTIVE:
            await self._transcript.observe(message)

    async def _save_soon(self) -> None:
        await trio.sleep(SAVE_SECONDS)
        await self.ctx.ref.tell(SaveDrafts())

    @handles(SaveDrafts)
    async def save_drafts(self, _message: SaveDrafts) -> None:
        """Keep what was said so far, once a second while something is said."""
        if self._session.status in ACTIVE:
            await self._transcript.keep_drafts()

    @handles(CodexServerRequest)
    async def asked(self, message: CodexServerRequest) -> None:
        """Codex wants a decision: it becomes an approval, or is answered by one settled before."""
        if self._session.status == "starting":
            self._drive.hold(message)
        elif self._session.status in ACTIVE:
            await self._questions.ask(message)

    @handles(AnswerDelivered)
    async def delivered(self, message: AnswerDelivered) -> None:
        """Codex goes on; it was not silent, but waited."""
        self._watch.heard()
        await self._questions.keep_delivery(message.approval_id)

    @handles(CodexRequestResolved)
    async def request_resolved(self, message: CodexRequestResolved) -> None:
        """Codex has its answer, from here or from another client of it."""
        if self._session.status == "starting":
            self._drive.drop_question(message.request_id)
        elif self._session.status in ACTIVE:
            await self._questions.close(message.request_id)

    @handles(JoiningThread)
    def joining(self, _message: JoiningThread) -> None:
        """What Codex still waits for, it asks again after this; what it told before is read."""
        self._questions.join()
        self._drive.has_recovered = True

    @handles(NothingAsked)
    async def nothing_asked(self, _message: NothingAsked) -> None:
        """Codex, as it was joined again, waited for nobody."""
        if self._session.status in ACTIVE:
            await self._questions.close_all()

    @handles(CodexRequestRefused)
    async def request_refused(self, message: CodexRequestRefused) -> None:
        """Codex asked what nobody here understands."""
        await self._transcript.tell(RequestRefused(method=message.method))

    @handles(ModelTold)
    async def model_told(self, message: ModelTold) -> None:
        """Where no model was asked for, it is the one that Codex uses."""
        if self._session.model is None:
            key = self._id
            self._transcript.session = await self._transcript.keep(
                lambda tx: sessions.update(tx, key, model=message.model)
            )

    @handles(ThreadOpened)
    async def thread_opened(self, message: ThreadOpened) -> None:
        """Commit the thread, and only then start the turn in it."""
        if self._session.status != "starting":
            return
        await self._launch.keep_thread(message.thread_id)
        if self._session.stop_requested is None:
            self._drive.go_on()
        else:
            await self._ending.end("stopped", reason=None)

    @handles(TurnOpened)
    async def turn_opened(self, message: TurnOpened) -> None:
        """The session runs; a stop that came before now interrupts it. Or it goes on."""
        if self._session.status != "starting":
            await self._go_on_with(message.turn_id)
            return
        await self._launch.keep_turn(message.turn_id)
        self.ctx.start_task(self._watch.run)
        for held in self._drive.take_held():
            if isinstance(held, CodexNotification):
                await self.notified(held)
            elif self._drive.is_of_turn(held, message.turn_id):
                await self.asked(held)
        self._drive.dispel()
        if self._session.stop_requested is not None and self._session.finished_at is None:
            self._interruption.begin_anew()

    async def _go_on_with(self, turn_id: str) -> None:
        """Codex has begun another turn, for the session's goal or at a word of a sub-agent."""
        if turn_id == self._session.codex_turn_id:
            return
        if self._drive.ended_meanwhile is not None and self._session.goal is not None:
            await self.turn_ended(self._drive.ended_meanwhile)
        waits = self._pursuit.is_between or self._agents.ended_before_them is not None
        if waits and self._session.status in ACTIVE:
            self._drive.ended_meanwhile = self._agents.ended_before_them = None
            await self._pursuit.begin_turn(turn_id)
            self._watch.heard()
            if self._session.stop_requested is not None:
                self._interruption.begin_anew()

    @handles(GoalTold)
    async def goal_told(self, message: GoalTold) -> None:
        """Keep it. Between two turns, the session ends where Codex begins no other."""
        if self._session.status not in ACTIVE:
            return
        await self._pursuit.keep(message)
        if self._pursuit.is_between and not self._pursuit.goes_on:
            await self._end_pursuit(self._pursuit.why)

    @handles(NoFurtherTurn)
    async def no_further_turn(self, message: NoFurtherTurn) -> None:
        """Codex does not go on, though it has a goal."""
        between = self._pursuit.is_between and self._session.status in ACTIVE
        if between and message.turn_id == self._session.codex_turn_id:
            await self._end_pursuit("Codex began no further turn for its goal.")

    async def _end_pursuit(self, reason: str | None) -> None:
        wanted = self._session.stop_requested is None
        await self._ending.end("completed" if wanted else "interrupted", reason=reason)

    @handles(ChangeGoal)
    async def change_goal(self, message: ChangeGoal) -> Deferred[Session]:
        """Record the wish; answer when Codex has it."""
        changes = message.changes
        told = GoalRequested(
            objective=changes.objective,
            token_budget=changes.token_budget,
            status=changes.status,
            cleared=False,
        )
        return await self._change_goal(told, changes, changes.requested_by)

    @handles(ClearGoal)
    async def clear_goal(self, message: ClearGoal) -> Deferred[Session]:
        """Record the wish; answer when Codex has it."""
        told = GoalRequested(objective=None, token_budget=None, status=None, cleared=True)
        return await self._change_goal(told, None, message.requested_by)

    async def _change_goal(
        self, told: GoalRequested, changes: GoalChanges | None, actor: str
    ) -> Deferred[Session]:
        session = self._session
        is_live = session.finished_at is None and session.codex_turn_id is not None
        if not is_live or session.goal is None:
            raise no_goal_now(session)
        await self._transcript.tell(told, actor=actor)
        return self.ctx.answer_later(self._perform_change, changes)

    async def _perform_change(self, changes: GoalChanges | None) -> Session:
        await self._runner.change_goal(self._session, changes)
        key = self._id
        return await self._services.storage.read(lambda db: sessions.get(db, key))

    @handles(LaunchFailed)
    async def launch_failed(self, message: LaunchFailed) -> None:
        """The turn did not begin: the session has failed, or stopped where that was the wish."""
        if self._session.status == "starting":
            await self._ending.end("failed", reason=message.reason)

    @handles(TurnEnded)
    async def turn_ended(self, message: TurnEnded) -> None:
        """The session ends as its turn did; as `stopped` where somebody wanted that.

        One that completed waits for the sub-agents that it has left at work.
        """
        if self._session.status not in ACTIVE:
            return
        known = self._session.codex_turn_id
        if known is not None and message.turn_id not in {None, known}:
            return  # of a turn before: Codex has gone on
        await self.turn_opened(TurnOpened(turn_id=known or message.turn_id or "unknown"))
        if self._session.status not in ACTIVE:
            return
        completed = message.outcome == "completed"
        goes_on = self._pursuit.goes_on and self._session.stop_requested is None
        if completed and goes_on and not self._pursuit.is_between:
            refused = await self._pursuit.wait_for_next()
            if refused is not None:
                await self._give_up("policy", refused)
        elif completed and not goes_on and self._agents.are_working:
            self._agents.ended_before_them = message
        elif completed and not goes_on and self._session.goal is not None:
            await self._end_pursuit(self._pursuit.why)
        elif not (completed and goes_on):
            await self._ending.end(message.outcome, reason=message.reason)

    @handles(TurnLost)
    async def lost(self, message: TurnLost) -> None:
        """The turn is gone: the session was interrupted, and says by what."""
        if self._drive.ended_meanwhile is not None:
            await self.turn_ended(self._drive.ended_meanwhile)
        elif self._session.status in ACTIVE:
            await self._ending.end(
                "interrupted", reason=message.reason, leaves_turn=message.leaves_turn
            )

    @handles(TurnSilent)
    async def silent(self, message: TurnSilent) -> None:
        """Nothing was heard for long: ask Codex, and give up what stays silent.

        What was heard while this message waited is a sign of life, too. Codex is not silent while
        it waits for a person, but it is if it says nothing once that person has decided. Nor is it
        while it sleeps, for as long as it said that it would.
        """
        status = self._session.status
        if status not in ACTIVE or self._watch.silence() < message.seconds:
            return
        waits = status == "waiting_approval" and await self._questions.wait_for_person()
        if waits or await self._transcript.is_sleeping():
            self._watch.heard()
        elif message.count == 1:
            await self._transcript.tell(SessionStalled(silent_seconds=message.seconds))
            if status != "starting":
                self._drive.go_on()
        else:
            reason = f"The turn was silent for {message.seconds:.0f} seconds."
            await self._give_up("stall", reason)

    @handles(StopDeadline)
    async def stop_overdue(self, _message: StopDeadline) -> None:
        """The turn did not heed the interruption and was given up: so is the session."""
        if self._drive.ended_meanwhile is not None:
            await self.turn_ended(self._drive.ended_meanwhile)
        elif self._session.finished_at is None:
            await self._ending.end("interrupted", reason=OVERDUE, leaves_turn=True)
