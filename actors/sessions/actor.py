"""A live session: the actor that carries one run from its queue to its end.

It lives from the session's creation until it has ended, and owns the session's row: every change
goes through a handler here, which writes it (with its events) before anything follows from it. The
runner works in background tasks and reports back as messages, so the actor is always free to be
stopped, steered and inspected.

Each handler says which of the session's parts a message is for, and `when`: in which of the phases
of `rules.transitions` it is taken. Of the parts, `state` holds the row, `launch` takes the session
to its turn, `driver` has the runner work on it, `hearing` reads what Codex tells, `transcript`
keeps it, `questions` keeps what Codex asks, `steering`, `pursuit` and `interruption` hand on what
people want of the turn, `limits` ends it when a limit is reached, `turn_ends` says whether the
session goes on when a turn has ended, and `ending` ends the session.

**After a crash** of this actor the supervisor starts it again, and after a crash of the whole
process the server does. Both come in through `on_start`: the row says how far the session was, and
the runner finds out what became of the turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import structlog
from sqlite_utils import Database

from command_center.actors.contracts.comments import SentComments, SteerComments
from command_center.actors.contracts.events.sessions import RequestRefused, StartDelayed
from command_center.actors.contracts.messages import Said, SayNow
from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.contracts.sessions import (
    ApprovalSettled,
    ChangeGoal,
    ChooseHost,
    ClearGoal,
    GrantSlot,
    LabelSession,
    PatchSession,
    SaveDrafts,
    SetUpEnded,
    SteerReceipt,
    SteerSession,
    StopDeadline,
    StopSession,
    WorkplaceReady,
)
from command_center.actors.contracts.turns import (
    AgentItemSeen,
    AgentSeen,
    AgentsListed,
    AnswerDelivered,
    ConnectionBack,
    ConnectionLost,
    GoalTold,
    ItemSeen,
    JoiningThread,
    LaunchDelayed,
    LaunchFailed,
    ModelTold,
    NewsDropped,
    NoFurtherTurn,
    NothingAsked,
    Observation,
    Question,
    QuestionClosed,
    QuestionRefused,
    SettingsTold,
    SetUpTold,
    SubAgentWorks,
    ThreadIdle,
    ThreadNews,
    ThreadOpened,
    TurnDoubted,
    TurnEnded,
    TurnLoosened,
    TurnLost,
    TurnOpened,
    TurnSilent,
    UsageChanged,
)
from command_center.actors.contracts.usage_limits import LimitOver
from command_center.actors.ledger import sessions as ledger
from command_center.actors.ledger.sessions import check_unstopped
from command_center.actors.ledger.spending import CapIsReached
from command_center.actors.ledger.usage_limits import LimitSkipped
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.preconditions import Condition, always, only_if
from command_center.actors.rules.transitions import ENDED, IN_TURN, LIVE, PHASES, check
from command_center.actors.sessions.agents import Agents
from command_center.actors.sessions.ending import Ending
from command_center.actors.sessions.goals import Pursuit, no_goal_now
from command_center.actors.sessions.hearing import Hearing
from command_center.actors.sessions.interruption import OVERDUE, Interruption
from command_center.actors.sessions.launch import Launch
from command_center.actors.sessions.limits import Limits
from command_center.actors.sessions.questions import Questions
from command_center.actors.sessions.runner import Runner
from command_center.actors.sessions.services import SessionServices
from command_center.actors.sessions.stall_detector import StallDetector
from command_center.actors.sessions.state import SessionState
from command_center.actors.sessions.steering import Steering, receipt_of, said_by
from command_center.actors.sessions.transcript import Transcript
from command_center.actors.sessions.turn_driver import TurnDriver
from command_center.actors.sessions.turn_ends import TurnEnds
from command_center.runtime import Actor, Deferred, Refusal, handles
from command_center.store import Agent, Session, agents, hook_answers, sessions
from command_center.store.hook_answers import HookAnswer
from command_center.store.statuses import ACTIVE

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

MAILBOX: Final = 64
"""Messages that may wait for a session: so few that a stop behind them is heard soon.

What Codex tells beyond that waits in the bridge, where it can be joined.
"""


DOUBT_SECONDS: Final = 2.0
"""Seconds after which the end of a turn, whose thread is idle, should have been heard."""

SAVE_SECONDS: Final = 0.9
"""Seconds for which what was said of a message may be unkept: a crash takes no more than one."""


def _cannot_be_steered(actor: SessionActor) -> Conflict:
    session = actor.session
    return Conflict(
        f"Session {session.id} is {session.status} and has no turn to steer any more.",
        currentStatus=session.status,
    )


def _has_no_goal(actor: SessionActor) -> Conflict:
    return no_goal_now(actor.session)


class SessionActor(Actor):
    """One session, from `created` to its end."""

    states = PHASES

    def __init__(self, session_id: int, services: SessionServices) -> None:
        """Stand for the session; its row is read when the actor starts."""
        self._id = session_id
        self._services = services
        self._state: SessionState
        self._transcript: Transcript
        self._runner: Runner
        self._watch: StallDetector
        self._launch: Launch
        self._driver: TurnDriver
        self._agents: Agents
        self._questions: Questions
        self._steering: Steering
        self._pursuit: Pursuit
        self._interruption: Interruption
        self._ending: Ending
        self._turn_ends: TurnEnds
        self._limits: Limits
        self._hearing: Hearing

    @property
    def session(self) -> Session:
        """Return the session's row as it is now."""
        return self._state.session

    @property
    def state(self) -> str:
        """Return how far the session is; it chooses among the handlers."""
        return self._state.phase

    # ── start and inspection ─────────────────────────────────────────────────────────────────

    async def on_start(self) -> None:
        """Read the row and go on from there; a turn that died with its process has ended."""
        session, its_agents, its_answers = await self._read_rows()
        structlog.contextvars.bind_contextvars(
            session_id=session.id, correlation_id=session.correlation_id
        )
        log.info("session.taken_up", status=session.status)
        self._make_parts(session)
        self._agents.recall(its_agents)
        self._transcript.hooks.recall(its_answers)
        match self._state.phase:
            case "ended":
                if session.codex_turn_id is None:
                    self._runner.assume_prompt_sent()
                self._ending.leave_soon()
            case "queued":
                self._launch.queue_soon()
            case phase if phase in ACTIVE:
                self._take_up(session)

    async def _read_rows(self) -> tuple[Session, list[Agent], list[HookAnswer]]:
        """Read what is kept of it, behind what a former life has written and knows nothing of."""

        def read(db: Database) -> tuple[Session, list[Agent], list[HookAnswer]]:
            its_agents = agents.every(db, {"session_id": self._id})
            return sessions.get(db, self._id), its_agents, hook_answers.every(db, self._id)

        services = self._services
        if self._id not in services.unconfirmed:
            return await services.storage.read(read)
        rows = await services.storage.write(lambda tx: read(tx.db))
        services.unconfirmed.discard(self._id)
        return rows

    def _take_up(self, session: Session) -> None:
        """Go on with a session that a former life of the actor, or of the server, began."""
        self._launch.queue_soon()  # known to /slots, its slot is free when it is gone
        lost = session.runner_instance != self._services.instance_id
        if session.status == "starting" and (self._runner.begins_once or not lost):
            if session.codex_thread_id is not None:
                self._runner.assume_prompt_sent()
            self._launch.prepare_soon()
        elif lost and not self._runner.survives_restart:
            self.ctx.start_task(self._report_lost)
        else:
            self._drive_on()

    def _make_parts(self, session: Session) -> None:
        ctx, services = self.ctx, self._services
        self._state = state = SessionState(session, services.storage, services.unconfirmed)
        self._transcript = transcript = Transcript(
            state, services.storage, lambda: ctx.send_after(SAVE_SECONDS, SaveDrafts())
        )
        self._runner = runner = services.make_runner(session, ctx.ref)
        self._watch = watch = StallDetector(ctx.ref, services.stall_seconds)
        self._launch = Launch(ctx, state, runner, services)
        self._driver = driver = TurnDriver(ctx, state, runner)
        self._agents = agents = Agents(state, runner)
        self._questions = questions = Questions(ctx, state, runner, services, agents)
        self._steering = steering = Steering(services.storage, state, runner)
        self._pursuit = pursuit = Pursuit(ctx, state, runner, services.storage)
        self._interruption = interruption = Interruption(ctx, state, runner, services.absence)
        self._ending = ending = Ending(
            ctx, state, transcript, runner, services, agents, interruption, steering
        )
        self._turn_ends = TurnEnds(
            state, watch, driver, runner, agents, pursuit, interruption, ending, self.handle_now
        )
        self._limits = limits = Limits(state, transcript, watch, driver, questions, agents, ending)
        self._hearing = Hearing(
            state, runner, transcript, watch, driver, agents, limits, self.handle_now
        )

    async def _report_lost(self) -> None:
        await self.ctx.ref.tell(
            TurnLost(reason="The server was restarted, and the turn ended with its runner.")
        )

    def _drive_on(self) -> None:
        """Have the runner begin or find the turn, and interrupt it where that is wanted."""
        self.ctx.start_task(self._watch.run)
        self._driver.go_on()
        if self.session.stop_requested is not None:
            self._interruption.begin()

    def describe(self) -> Mapping[str, object]:
        """Return the session's own inspection fields."""
        session = self.session
        return {
            "sessionId": session.id,
            "taskId": session.task_id,
            "status": session.status,
            "runner": session.runner,
            "codexRef": session.codex_ref,
            "silentSeconds": round(self._watch.silence(), 1),
        }

    # ── what people ask ──────────────────────────────────────────────────────────────────────

    @handles(StopSession, when=LIVE)
    async def stop(self, message: StopSession) -> Session | Deferred[Session]:
        """Interrupt the turn and answer when it has ended; before a turn, end at once."""
        return await self._ending.stop(message, always)

    @handles(StopSession, when=ENDED)
    async def stop_again(self, _message: StopSession) -> Session:
        """End what the turn left running."""
        return await self._stop_again(always)

    async def _stop_again(self, condition: Condition) -> Session:
        await self._state.check(condition)
        self._ending.end_commands_soon()
        return self.session

    @handles(SteerSession, when=LIVE, otherwise=_cannot_be_steered)
    async def steer(self, message: SteerSession) -> Deferred[SteerReceipt]:
        """Record the request; answer when the turn has taken it, and that is recorded too."""
        event = await self._steering.request(message)
        return self.ctx.answer_later(self._steering.perform, message, event, receipt_of)

    @handles(SayNow, when=LIVE)
    async def say_now(self, message: SayNow) -> Deferred[Said | None] | None:
        """Steer the turn, if there is one that can be steered; one being stopped takes nothing."""
        wanted = message.wanted
        check_unstopped(self.session)
        refusal = self._steering.refusal()
        if refusal is not None and wanted.how == "auto":
            return None
        steer = SteerSession(
            message=wanted.message,
            attachments=wanted.attachments,
            requested_by=wanted.requested_by,
        )
        event = await self._steering.request(steer)
        return self.ctx.answer_later(self._steering.perform, steer, event, said_by(wanted))

    @handles(SayNow, when=ENDED)
    async def say_nothing_now(self, message: SayNow) -> None:
        """Answer that no turn runs; refuse what is for a running turn alone."""
        if message.wanted.how == "steer":
            raise _cannot_be_steered(self)

    @handles(SteerComments, when=LIVE, otherwise=_cannot_be_steered)
    async def steer_comments(self, message: SteerComments) -> Deferred[SentComments]:
        """Say all open comments to the turn; answer when it has taken them."""
        steer, event, sent = await self._steering.request_comments(message)

        async def perform() -> SentComments:
            receipt = await self._steering.perform(steer, event, receipt_of)
            return SentComments(session=receipt.session, comments=sent)

        return self.ctx.answer_later(perform)

    @handles(PatchSession, when={"created", "blocked", "waiting_limit"})
    async def patch(self, message: PatchSession) -> Session | Deferred[Session]:
        """Stop the session, or have policy let it begin, also before a limit resets."""
        if message.stop is not None:
            return await self._ending.stop(message.stop, message.condition)
        actor = message.changes.requested_by
        admitted = await self._launch.ask_policy(message.condition, actor=actor)
        if admitted.status == "queued":
            self._launch.queue_soon()
        return admitted

    @handles(PatchSession, when=ACTIVE | {"queued"})
    async def patch_under_way(self, message: PatchSession) -> Session | Deferred[Session]:
        """Stop the session; where it is to begin, it has."""
        if message.stop is not None:
            return await self._ending.stop(message.stop, message.condition)
        await self._state.check(message.condition)
        return self.session

    @handles(PatchSession, when=ENDED)
    async def patch_ended(self, message: PatchSession) -> Session:
        """Stop what is left; nothing else leads out of the end, as the refusal says."""
        if message.stop is not None:
            return await self._stop_again(message.condition)
        await self._state.check(message.condition)
        check(self.session, message.changes.status)
        return self.session

    @handles(LabelSession)
    async def label(self, message: LabelSession) -> Session:
        """Name the session, archive it or bring it back."""
        return await self._state.write(
            only_if(
                message.condition,
                lambda tx: ledger.label_session(tx, self._id, message.label),
            )
        )

    @handles(ChangeGoal, when=ACTIVE, otherwise=_has_no_goal)
    async def change_goal(self, message: ChangeGoal) -> Deferred[Session]:
        """Record the request; answer when Codex has it."""
        await self._pursuit.request(message.changes, message.changes.requested_by)
        return self.ctx.answer_later(self._pursuit.perform, message.changes)

    @handles(ClearGoal, when=ACTIVE, otherwise=_has_no_goal)
    async def clear_goal(self, message: ClearGoal) -> Deferred[Session]:
        """Record the request; answer when Codex has it."""
        await self._pursuit.request(None, message.requested_by)
        return self.ctx.answer_later(self._pursuit.perform, None)

    # ── what other actors tell ───────────────────────────────────────────────────────────────

    @handles(GrantSlot, when={"queued", "waiting_limit"})
    async def granted(self, _message: GrantSlot) -> None:
        """Check policy once more, and begin."""
        try:
            await self._launch.begin()
        except LimitSkipped as skipped:
            await self._ending.end("stopped", reason=str(skipped), outcome="skipped")
        except CapIsReached as reached:
            await self._ending.end("failed", reason=str(reached), outcome="skipped")
        except Refusal as refused:
            await self._ending.end("failed", reason=str(refused))

    @handles(ChooseHost, when={"queued"})
    async def choose_host(self, _message: ChooseHost) -> None:
        """Work on another host, if one can be chosen; the runner is that host's then."""
        was = self.session.host
        placed = await self._launch.choose_host()
        if placed.host != was:
            self._make_parts(placed)
            self._launch.queue_soon()

    @handles(LimitOver, when={"waiting_limit"})
    async def limit_over(self, _message: LimitOver) -> None:
        """Ask for a slot, if the row says that the wait is over."""
        await self._state.refresh()
        if self._state.phase == "queued":
            self._launch.queue_soon()

    @handles(WorkplaceReady, when={"starting"})
    async def workplace_ready(self, message: WorkplaceReady) -> None:
        """Launch the runner in the folder."""
        if not await self._launch.settle_in(message.prepared, message.configuration):
            return
        script = message.prepared.script
        if self.session.stop_requested is not None and self._runner.cancel_start():
            await self._ending.end("stopped", reason=None)
        elif script is not None and RUNNERS[self.session.runner].is_real:
            self._launch.set_up_soon(script)
        else:
            self._drive_on()

    @handles(SetUpTold, when={"starting"})
    async def set_up_told(self, message: SetUpTold) -> None:
        """Keep what the set-up script says, as of a command of the turn."""
        await self._transcript.observe(message.fact)

    @handles(SetUpEnded, when={"starting"})
    async def set_up_ended(self, message: SetUpEnded) -> None:
        """Begin the turn in the worktree that is ready, or fail; wait where the host is away."""
        if message.reason is not None:
            await self.launch_failed(LaunchFailed(reason=message.reason))
        else:
            await self._launch.keep_set_up()
            self._drive_on()

    @handles(ApprovalSettled)
    async def settled(self, message: ApprovalSettled) -> None:
        """Answer what Codex asked; let a blocked run go on, or end. The row is read for it."""
        await self._state.refresh()
        is_about_run = message.approval.kind in {"run", "trust", "setup"}
        match self._state.phase:
            case "ended" if is_about_run:
                self.ctx.stop()
            case "queued" if is_about_run:
                self._launch.queue_soon()
            case phase if phase in ACTIVE and not is_about_run:
                self._questions.answer_soon(message.approval)

    @handles(ConnectionLost, when={"starting"})
    def connection_lost_early(self, _message: ConnectionLost) -> None:
        """Begin the turn on the next connection: the launch sees to that."""
        self._driver.look_again()
        self._interruption.hear_of_loss()

    @handles(ConnectionLost, when=IN_TURN)
    async def connection_lost(self, message: ConnectionLost) -> None:
        """Give up the turn with its app-server, unless that outlives connections."""
        if message.ends_turns or not self._runner.survives_restart:
            await self.handle_now(TurnLost(reason=message.reason))
        else:
            self._interruption.hear_of_loss()

    @handles(ConnectionBack, when=ACTIVE)
    def connection_back(self, _message: ConnectionBack) -> None:
        """Join the thread again and catch up."""
        self._driver.go_on()

    @handles(NewsDropped, when=ACTIVE)
    def news_dropped(self, _message: NewsDropped) -> None:
        """Read again what counts: some of what Codex told was dropped."""
        self._driver.go_on()

    @handles(SubAgentWorks)
    def sub_agent_works(self, _message: SubAgentWorks) -> None:
        """Take it for a sign of life that a sub-agent works."""
        self._watch.heard()

    # ── what Codex tells and asks ────────────────────────────────────────────────────────────

    @handles(ThreadNews, when={"starting"})
    def told_early(self, message: ThreadNews) -> None:
        """Hold it until it is known which turn is the session's."""
        self._driver.hold(message)

    @handles(ThreadNews, when=IN_TURN)
    async def told(self, message: ThreadNews) -> None:
        """Have each fact handled that it tells of the session."""
        await self._hearing.hear(message)

    @handles(Question, when={"starting"})
    def asked_early(self, message: Question) -> None:
        """Hold it until it is known which turn is the session's."""
        self._driver.hold(message)

    @handles(Question, when=IN_TURN)
    async def asked(self, message: Question) -> None:
        """Make an approval of it, or answer it by one that was settled before."""
        await self._transcript.hooks.drop(message.item_id)
        await self._questions.ask(message)

    @handles(QuestionClosed, when={"starting"})
    def question_closed_early(self, message: QuestionClosed) -> None:
        """Hold the question no longer."""
        self._driver.drop_question(message.request_id)

    @handles(QuestionClosed, when=IN_TURN)
    async def question_closed(self, message: QuestionClosed) -> None:
        """Close the question: Codex has its answer, from here or from another client of it."""
        await self._questions.close(message.request_id)

    @handles(QuestionRefused)
    async def question_refused(self, message: QuestionRefused) -> None:
        """Tell of a request that nobody here understands."""
        await self._state.tell(RequestRefused(method=message.method))

    # ── what the runner reports ──────────────────────────────────────────────────────────────

    @handles(ModelTold)
    async def model_told(self, message: ModelTold) -> None:
        """Take it for the session's model, where none was asked for."""
        if self.session.model is None:
            await self._state.change(lambda tx: sessions.update(tx, self._id, model=message.model))

    @handles(ThreadOpened, when={"starting"})
    async def thread_opened(self, message: ThreadOpened) -> None:
        """Commit the thread, and only then start the turn in it."""
        await self._launch.keep_thread(message)
        if self.session.stop_requested is None:
            self._driver.go_on()
        else:
            await self._ending.end("stopped", reason=None)

    @handles(JoiningThread)
    def joining(self, _message: JoiningThread) -> None:
        """Expect to be asked again what Codex still waits for; what it told before is read."""
        self._questions.join()
        self._driver.has_recovered = True

    @handles(NothingAsked, when=ACTIVE)
    async def nothing_asked(self, _message: NothingAsked) -> None:
        """Close all questions: Codex, as it was joined again, waited for nobody."""
        await self._questions.close_all()

    @handles(AnswerDelivered)
    async def delivered(self, message: AnswerDelivered) -> None:
        """Let Codex go on; it was not silent, but waited."""
        self._watch.heard()
        await self._questions.keep_delivery(message.approval_id)

    @handles(LaunchDelayed, when={"starting"})
    async def launch_delayed(self, message: LaunchDelayed) -> None:
        """Keep what it waits for, and show it to whoever watches now."""
        reason = message.reason
        await self._state.change(lambda tx: sessions.update(tx, self._id, wait_reason=reason))
        self._transcript.show(StartDelayed(reason=reason))

    @handles(LaunchFailed, when={"starting"})
    async def launch_failed(self, message: LaunchFailed) -> None:
        """Fail, or stop if that was requested; wait where the host is away. No turn has begun.

        A launch that is tried again, since there was a connection meanwhile, is waited for: what
        waits in the queue may be another host's by then, and must begin nothing.
        """
        if self._driver.is_under_way:
            self._driver.tell_once_driven(message)
        elif not await self._launch.wait_for_host():
            await self._ending.end("failed", reason=message.reason)

    @handles(TurnOpened, when={"starting"})
    async def turn_opened(self, message: TurnOpened) -> None:
        """Run, hear what was held, and interrupt the turn where a stop came before it."""
        await self._launch.keep_turn(message.turn_id)
        self.ctx.start_task(self._watch.run)
        for held in self._driver.take_held():
            if self._driver.is_of_turn(held, message.turn_id):
                await self.handle_now(held)
        self._driver.dispel()
        if self.session.stop_requested is not None and self._state.is_active:
            self._interruption.begin_anew()

    @handles(TurnOpened, when=IN_TURN)
    async def turn_followed(self, message: TurnOpened) -> None:
        """Go on with another turn, for the session's goal or at a word of a sub-agent."""
        await self._turn_ends.follow(message)

    @handles(TurnEnded, when=ACTIVE)
    async def turn_ended(self, message: TurnEnded) -> None:
        """End as the turn did, unless another follows or sub-agents still work."""
        await self._turn_ends.end(message)

    @handles(TurnLost, when=ACTIVE)
    async def lost(self, message: TurnLost) -> None:
        """End as interrupted, and say by what: the turn is gone."""
        await self._turn_ends.lose(message.reason, leaves_turn=message.leaves_turn)

    # ── what the turn says and does ──────────────────────────────────────────────────────────

    @handles(Observation, when=ACTIVE)
    async def observed(self, message: Observation) -> None:
        """Keep it, and show it to whoever watches now."""
        await self._transcript.observe(message)

    @handles(UsageChanged, when=ACTIVE)
    async def usage_changed(self, message: UsageChanged) -> None:
        """Keep it, and end a turn that has used too much."""
        await self._transcript.observe(message)
        await self._limits.check_budget()

    @handles(ItemSeen, when=ACTIVE)
    async def item_seen(self, message: ItemSeen) -> None:
        """Keep the item; it also shows that the turn has begun."""
        await self.handle_now(TurnOpened(turn_id=message.turn_id))
        await self._transcript.observe(message)
        await self._agents.hear(message.body, self.session.codex_thread_id or "")
        await self._questions.ask_meanwhile(message)

    @handles(ItemSeen, when=ENDED)
    async def item_seen_late(self, message: ItemSeen) -> None:
        """Keep how a command ended that outlived its turn."""
        if message.completed and message.type == "commandExecution":
            await self._transcript.observe(message)

    @handles(SaveDrafts, when=ACTIVE)
    async def save_drafts(self, _message: SaveDrafts) -> None:
        """Keep what was said so far, once a second while something is said."""
        await self._transcript.keep_drafts()

    @handles(AgentSeen, when=ACTIVE)
    async def agent_seen(self, message: AgentSeen) -> None:
        """Keep what Codex says of a sub-agent when it is asked."""
        await self._agents.learn(message)
        await self._limits.check_agents()

    @handles(AgentItemSeen, when=ACTIVE)
    async def agent_item_seen(self, message: AgentItemSeen) -> None:
        """Keep an item of a sub-agent that was missed."""
        agent = self._agents.of(message.thread_id)
        if agent is not None:
            await self._transcript.observe(message.item, agent)
            await self._agents.hear(message.item.body, message.thread_id)

    @handles(AgentItemSeen, when=ENDED)
    async def agent_item_seen_late(self, message: AgentItemSeen) -> None:
        """Keep how a command of a sub-agent ended that outlived its turn."""
        agent, item = self._agents.of(message.thread_id), message.item
        if agent is not None and item.completed and item.type == "commandExecution":
            await self._transcript.observe(item, agent)

    @handles(AgentsListed, when=ACTIVE)
    async def agents_listed(self, message: AgentsListed) -> None:
        """Take those for ended that Codex has no more; perhaps the session ends with them."""
        await self._agents.reconcile(message)
        if self._agents.last_end is not None:
            await self.handle_now(self._agents.last_end)

    @handles(GoalTold, when=ACTIVE)
    async def goal_told(self, message: GoalTold) -> None:
        """Keep it. Between two turns, end where Codex begins no other."""
        await self._turn_ends.hear_goal(message)

    @handles(SettingsTold, when=ACTIVE)
    async def settings_told(self, message: SettingsTold) -> None:
        """End where Codex is to begin turns that could do more than the session may."""
        await self._turn_ends.hear_settings(message)

    @handles(ThreadIdle, when=IN_TURN)
    def thread_idle(self, _message: ThreadIdle) -> None:
        """Look in a while whether the end of the turn was heard."""
        self.ctx.send_after(DOUBT_SECONDS, TurnDoubted(self.session.codex_turn_id))

    @handles(TurnDoubted, when=IN_TURN)
    def turn_doubted(self, message: TurnDoubted) -> None:
        """Find out how the turn stands, unless its end is known, or another has begun."""
        if message.turn_id == self.session.codex_turn_id and not self._turn_ends.is_known:
            self._driver.go_on()

    @handles(TurnLoosened, when=ACTIVE)
    async def loosened(self, message: TurnLoosened) -> None:
        """End: the turn could do more than the session may."""
        await self._ending.give_up("policy", message.reason)

    # ── what time tells ──────────────────────────────────────────────────────────────────────

    @handles(NoFurtherTurn, when=ACTIVE)
    async def no_further_turn(self, message: NoFurtherTurn) -> None:
        """End: Codex does not go on, though it has a goal."""
        await self._turn_ends.wait_no_longer(message)

    @handles(TurnSilent, when=ACTIVE)
    async def silent(self, message: TurnSilent) -> None:
        """Ask Codex, and give up what stays silent."""
        await self._limits.judge_silence(message)

    @handles(StopDeadline, when=LIVE)
    async def stop_overdue(self, _message: StopDeadline) -> None:
        """End: the turn did not heed the interruption, or nothing reaches its host."""
        await self._turn_ends.lose(OVERDUE, leaves_turn=True)
