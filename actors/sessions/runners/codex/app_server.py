"""The runner for a Codex app-server: one session is one turn of one Codex thread.

What Codex says of the thread reaches the session's actor in its own order, and `turn_events` reads
it there.
Source: the app-server protocol as the binary prints it (`codex app-server generate-json-schema`).

**No prompt is sent twice.** The thread's id is committed before `turn/start` is sent, and the
prompt carries an id of ours (`clientUserMessageId`). After a crash in between, the thread's own
turns tell whether the prompt arrived: it is sent only if none of them has that id.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import structlog
import trio

from command_center.actors.codex import requests
from command_center.actors.codex.approvals import (
    FILE_CHANGE,
    Decision,
    answer_to,
    describe_request,
    unawaited_question,
)
from command_center.actors.codex.confinement import Confinement
from command_center.actors.codex.errors import CodexError, RequestGone
from command_center.actors.codex.messages import (
    AnswerRequest,
    BridgeMessage,
    Call,
)
from command_center.actors.codex.ports import Codex
from command_center.actors.contracts.bridges import ExplainAbsence
from command_center.actors.contracts.sessions import GoalChanges
from command_center.actors.contracts.turns import (
    AgentSeen,
    AnswerDelivered,
    Fact,
    ItemSeen,
    LaunchDelayed,
    LaunchFailed,
    NothingAsked,
    Question,
    ThreadNews,
    ThreadOpened,
    TurnEnded,
    TurnLost,
    TurnOpened,
)
from command_center.actors.contracts.worktrees import SetUpScript
from command_center.actors.rules.choices import choices_of
from command_center.actors.rules.errors import Conflict, TooBusy, Unconfirmed
from command_center.actors.rules.questions import ApprovalRequest, UnawaitedQuestion
from command_center.actors.sessions.prompts import Assignment, Attaching
from command_center.actors.sessions.runner import FAILURES, SessionRef
from command_center.actors.sessions.runners.codex.agent_threads import agents_in
from command_center.actors.sessions.runners.codex.errors import (
    NOTHING_KEPT,
    SLOW,
    UNCERTAIN,
    may_pass,
)
from command_center.actors.sessions.runners.codex.left_commands import LeftCommands
from command_center.actors.sessions.runners.codex.session_thread import (
    SessionThread,
    waits,
)
from command_center.actors.sessions.runners.codex.set_up import run_set_up
from command_center.actors.sessions.runners.codex.thread_goal import pause_goal
from command_center.actors.sessions.runners.codex.turn_events import facts_of, turn_named
from command_center.actors.sessions.runners.codex.turns import (
    LOOK_SECONDS,
    SETTLE_SECONDS,
    count_queued,
    end_commands,
    end_what_is_left,
    find_turn,
    interrupt_active,
    interrupt_when_listed,
    is_active,
    is_inside,
    message_id,
    pause_goals,
    queue_reason,
    settled_turns,
)
from command_center.runtime import ActorRef, Refusal
from command_center.store import Approval, Session

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

LAUNCH_SECONDS = 60.0
"""Seconds that a launch waits for a connection to Codex, as long as nothing was sent."""

DELAY_SECONDS = 3.0
"""Seconds after which a launch says what it waits for, and between two looks at that."""

GIVEN_UP = f"The session fails if Codex does not answer within {LAUNCH_SECONDS:.0f} seconds."
"""The end of what a launch waits for while there is no connection to Codex."""

NOT_BEGUN = "Codex has not begun yet. It may be starting the MCP servers of its configuration."
"""The reason why a launch waits while there is a connection."""

PAUSE_SECONDS = 0.5
"""Seconds to wait before Codex is asked again."""

LATE_SECONDS = 30.0
"""Seconds that Codex may take to say which turn a prompt began, once nobody wants it any more."""

CLEAN_SECONDS = 5.0
"""Seconds that Codex may take to end the commands and sub-agents that a turn left."""


class AppServerRunner:
    """Carries a session out as a turn of a Codex thread, over the bridge."""

    name = "app-server"
    begins_once = True

    def __init__(
        self,
        ref: SessionRef,
        bridge: ActorRef[BridgeMessage],
        codex: Codex,
        assign: Callable[[Session], Awaitable[Assignment]],
        confine: Callable[[Session], Awaitable[Confinement]],
        *,
        attach: Attaching,
        survives_restart: bool,
    ) -> None:
        """Work for the session's actor `ref` over `bridge`.

        Args:
            ref: the session's actor.
            bridge: the connection to Codex.
            codex: the Codex that it leads to.
            assign: what Codex is to be told, found out just before it is.
            confine: what Codex is let do, found out in the same way.
            attach: puts what is said to a turn together with what goes with it.
            survives_restart: whether the app-server lives on when this process ends.
        """
        self._ref = ref
        self._bridge = bridge
        self._codex = codex
        self._assign = assign
        self._confine = confine
        self._attach = attach
        self.survives_restart = survives_restart
        self._thread = SessionThread(ref, bridge, confine)
        self._left = LeftCommands(self._thread.ask, self._thread.reports, survives_restart)
        self._opened_here: str | None = None
        """The thread that was opened and is to be prompted, once it is committed."""
        self._prompted = False
        """True once the prompt may have reached Codex."""
        self._starting = False
        """True while the prompt was sent from here, and its answer is still to come."""
        self._is_cancelled = False
        """True once no prompt is to be sent any more."""
        self._turn_id: str | None = None
        """The turn that Codex answered to have begun."""

    async def set_up(self, session: Session, script: SetUpScript, *, seconds: float) -> str | None:
        """Run a script in Codex's sandbox, outside of any turn."""
        confinement = await self._confine(session)
        return await run_set_up(self._codex, confinement, script, self._ref, seconds=seconds)

    async def launch(self, session: Session) -> None:
        """Open the thread and report it; once it is committed, start the turn in it.

        What Codex may have done is never done again by guess: where an answer is missing, the
        thread itself is asked once there is a connection again.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tell_of_delay)
            await self._launch_until_known(session)
            nursery.cancel_scope.cancel()

    async def _launch_until_known(self, session: Session) -> None:
        began = trio.current_time()
        while True:
            try:
                await self._launch(session)
            except (*UNCERTAIN, Refusal) as error:
                waited = trio.current_time() - began
                is_late = not self._prompted and waited > LAUNCH_SECONDS
                if is_late or not may_pass(error):
                    await self._ref.tell(LaunchFailed(reason=str(error)))
                    return
                await trio.sleep(PAUSE_SECONDS)
            else:
                return

    async def _tell_of_delay(self) -> None:
        """Say what the launch waits for, and again where that is another thing; cancelled."""
        told: str | None = None
        while True:
            await trio.sleep(DELAY_SECONDS)
            with contextlib.suppress(*FAILURES):
                absence = await self._bridge.ask(ExplainAbsence(), timeout=DELAY_SECONDS)
                reason = NOT_BEGUN if absence is None else f"{absence} {GIVEN_UP}"
                if reason != told:
                    await self._ref.tell(LaunchDelayed(reason=reason))
                    told = reason

    async def _launch(self, session: Session) -> None:
        thread_id = session.codex_thread_id
        if self._turn_id is not None:
            await self._ref.tell(TurnOpened(turn_id=self._turn_id))
        elif self._opened_here not in {None, thread_id}:
            return  # it was reported; the launch goes on once it is committed
        elif thread_id is None:
            await self._open_thread(session)
        elif thread_id == self._opened_here:
            self._opened_here = None
            await self._thread.attach(thread_id)
            await self._start_turn(session, thread_id)
        else:
            await self._join_and_start(session, thread_id)

    def assume_prompt_sent(self) -> None:
        """Look into the thread for a while before the prompt is sent."""
        self._prompted = True

    def cancel_start(self) -> bool:
        """Send no prompt any more; return whether none can have reached Codex."""
        self._is_cancelled = True
        return not self._prompted

    async def recover(self, session: Session) -> None:
        """Join the thread again, report the items that were missed, and how the turn stands."""
        thread_id, turn_id = session.codex_thread_id, session.codex_turn_id
        if turn_id is None or thread_id is None:
            await self.launch(session)
            return
        while True:
            try:
                await self._recover(session, thread_id, turn_id)
            except SLOW:
                await trio.sleep(PAUSE_SECONDS)
            except UNCERTAIN as error:
                if not self.survives_restart:
                    await self._ref.tell(TurnLost(reason=str(error)))
                    return
                await trio.sleep(PAUSE_SECONDS)
            except Refusal as error:
                await self._ref.tell(TurnLost(reason=str(error), leaves_turn=True))
                return
            else:
                return

    async def _recover(self, session: Session, thread_id: str, turn_id: str) -> None:
        thread = await self._thread.join(session, thread_id)
        turns = await settled_turns(self._thread.ask, session, thread_id)
        if not turns:
            await self._ref.tell(TurnLost(reason="Codex does not know the turn any more."))
            return
        newest = turns[-1] if session.goal is not None else turns[0]
        for turn in turns[: turns.index(newest)]:
            await self._thread.reports.turn(turn_id, turn)
            turn_id = str(turns[turns.index(turn) + 1]["id"])
            await self._ref.tell(TurnOpened(turn_id=turn_id))
        await self._thread.reports.items(turn_id, newest)
        if newest is not turns[-1] and is_inside(newest, turns[1]):
            newest = turns[1]
            await self._thread.reports.items(turn_id, newest)
        agents = await self._thread.join_agents(session, thread_id)
        # Of a turn that was lost, nobody has answered what it asked.
        is_lost = newest.get("status") == "interrupted"
        if not is_lost and not any(waits(one) for one in (thread, *agents)):
            await self._ref.tell(NothingAsked())
        await self._thread.reports.end(turn_id, newest)
        await self._thread.goal.give(session, thread_id)

    async def interrupt(self, session: Session) -> None:
        """Send `turn/interrupt`; `turn/completed` with status `interrupted` follows.

        Where the connection is lost just then it is sent on the next one, if that comes in time.
        """
        thread_id, turn_id = session.codex_thread_id, session.codex_turn_id
        if thread_id is None or turn_id is None:
            return
        while True:
            try:
                await self._interrupt(session, thread_id, turn_id)
            except (*UNCERTAIN, CodexError) as error:
                if not may_pass(error):
                    raise
                log.info("session.interrupt.again", session=session.id, reason=str(error))
                await trio.sleep(PAUSE_SECONDS)
            else:
                return

    async def _interrupt(self, session: Session, thread_id: str, turn_id: str) -> None:
        """Interrupt the turn; of a review, the one inside of it, which begins a moment later.

        While a goal is active, an interrupted turn is followed by none, but the next one would be.
        """
        if session.goal is not None:
            await pause_goal(self._thread.ask, thread_id)
            if await interrupt_active(self._thread.ask, thread_id) is None:
                reason = "It was interrupted between two turns."
                await self._ref.tell(TurnEnded(outcome="interrupted", reason=reason))
        elif session.type == "review_task":
            await interrupt_when_listed(self._thread.ask, session, thread_id)
        else:
            await self._thread.ask(requests.turn_interrupt(thread_id, turn_id))

    async def abandon(self, session: Session) -> None:
        """Stop listening to the thread; the bridge ends an app-server that answers nothing."""
        if session.codex_thread_id is not None:
            await self._thread.ask(requests.thread_unsubscribe(session.codex_thread_id))

    def check_steerable(self, session: Session) -> None:
        """Refuse, unless a turn has begun that is no review."""
        if session.codex_turn_id is None:
            raise Conflict(
                f"Session {session.id} is {session.status} and has no active turn to steer.",
                currentStatus=session.status,
                runner=self.name,
            )
        if session.origin == "compact":
            raise Conflict(
                f"Session {session.id} makes its thread's history shorter, and Codex takes nothing "
                "into that; queue a follow-up.",
                runner=self.name,
            )
        if session.type == "review_task":
            raise Conflict(
                f"Session {session.id} is a review, and Codex takes nothing into a review that "
                "runs; queue a follow-up, or stop it and run it with other instructions.",
                taskType=session.type,
                runner=self.name,
            )

    async def steer(
        self,
        session: Session,
        message: str,
        message_id: str,
        attachments: Sequence[Mapping[str, Any]] = (),
    ) -> str:
        """Send `turn/steer`, which Codex takes only into the turn that it expects."""
        self.check_steerable(session)
        assert session.codex_thread_id is not None  # noqa: S101 - a turn has a thread
        assert session.codex_turn_id is not None  # noqa: S101 - checked
        said = self._attach(session, message, attachments)
        try:
            answer = await self._thread.ask(
                requests.turn_steer(
                    session.codex_thread_id,
                    session.codex_turn_id,
                    said.prompt,
                    images=said.images,
                    client_message_id=message_id,
                )
            )
        except CodexError as error:
            raise Conflict(f"Codex refused to be steered: {error}") from error
        except UNCERTAIN as error:
            raise Unconfirmed(
                f"{error} When the turn has ended, you are told if Codex got this."
            ) from error
        return str(answer["turnId"])

    def facts_of(self, news: ThreadNews, session: Session, turn_id: str | None) -> Iterable[Fact]:
        """Read a notification of Codex, and what goes on at which nobody here is asked."""
        for fact in facts_of(news, session, turn_id):
            yield from self._thread.weigh(fact)

    def agents_in(self, item: Mapping[str, Any], by: str) -> Iterable[AgentSeen]:
        """Read an item of Codex."""
        return agents_in(item, by)

    def changed_item(self, question: Question) -> str | None:
        """Return the item that a question about changed files names."""
        method, _ = _asked(question)
        return question.item_id if method == FILE_CHANGE else None

    def describe(self, question: Question, changes: Sequence[Mapping[str, Any]]) -> ApprovalRequest:
        """Make a request of Codex readable."""
        return describe_request(*_asked(question), changes)

    def asked_meanwhile(self, item: ItemSeen, session: Session) -> UnawaitedQuestion | None:
        """Read the questions of a message of Codex's."""
        thread_id = session.codex_thread_id or ""
        return unawaited_question(item.body, thread_id, item.turn_id) if item.completed else None

    async def answer(self, question: Question, approval: Approval) -> None:
        """Send the decision in the shape that Codex's request wants."""
        decision = Decision(
            approved=approval.status == "approved",
            for_session=approval.scope == "session",
            answers=approval.answers or {},
        )
        try:
            await self._bridge.ask(
                AnswerRequest(question.request_id, answer_to(*_asked(question), decision))
            )
        except RequestGone as gone:
            log.info("approval.late", approval=approval.id, reason=str(gone))
            return
        await self._ref.tell(AnswerDelivered(approval_id=approval.id))

    def exceeds(self, settings: Mapping[str, Any]) -> str | None:
        """Compare them with what the thread was opened or joined for."""
        return self._thread.exceeds(settings)

    async def follow_commands(self, session: Session, left: Mapping[str, set[str]]) -> None:
        """Report how each of the commands ends; return when none is left."""
        await self._left.follow(session, left)

    async def end_commands(self, session: Session, threads: Iterable[str]) -> None:
        """End what Codex knows of, and what it has lost."""
        for thread_id in {session.codex_thread_id, *threads} - {None}:
            try:
                await end_commands(self._thread.ask, self._codex, session, str(thread_id))
            except CodexError as error:  # Codex may not have loaded it any more
                log.info("session.commands.unknown", thread=thread_id, reason=str(error))

    async def close(self, session: Session) -> None:
        """Leave the thread; of a turn that did not complete, end what it left.

        A prompt that may have reached Codex, and of whose turn the session never knew, has begun a
        turn that nobody would see or stop: it is looked for, and interrupted.
        """
        self._is_cancelled = True
        thread_id = session.codex_thread_id
        if thread_id is None:
            return
        if session.goal is not None:
            with trio.move_on_after(CLEAN_SECONDS):
                try:
                    await pause_goals(self._thread.ask, thread_id)
                except FAILURES as error:
                    log.warning("session.goal.goes_on", session=session.id, reason=str(error))
        began = session.codex_turn_id is not None or self._prompted
        if session.codex_turn_id is None and self._prompted:
            with trio.move_on_after(LATE_SECONDS if self._starting else SETTLE_SECONDS):
                await self._interrupt_late(session, thread_id)
        if began and session.status != "completed":
            with trio.move_on_after(CLEAN_SECONDS):
                try:
                    await end_what_is_left(self._thread.ask, self._codex, session, thread_id)
                except FAILURES as error:
                    log.debug("session.clean.failed", session=session.id, reason=str(error))
        await self._thread.leave(thread_id)

    async def _interrupt_late(self, session: Session, thread_id: str) -> None:
        while True:
            try:
                await interrupt_when_listed(self._thread.ask, session, thread_id)
            except FAILURES as error:
                log.warning("session.late_turn.unknown", session=session.id, reason=str(error))
                await trio.sleep(LOOK_SECONDS)
            else:
                return

    def reference(self, thread_id: str | None, turn_id: str | None) -> str:
        """Return `app-server:<threadId>:<turnId>`; the turn is missing until it has begun."""
        return ":".join(["app-server", *(part for part in (thread_id, turn_id) if part)])

    async def _open_thread(self, session: Session) -> None:
        self._opened_here = await self._thread.open(session)
        self._prompted = False
        await self._ref.tell(ThreadOpened(thread_id=self._opened_here))

    async def _join_and_start(self, session: Session, thread_id: str) -> None:
        """Find the turn that was begun before, or else begin it in a thread that is idle."""
        queued = await count_queued(self._thread.ask, thread_id)
        if queued and not self._prompted:
            raise Conflict(queue_reason(thread_id, queued), threadId=thread_id)
        try:
            thread = await self._thread.join(session, thread_id)
        except CodexError as error:
            if NOTHING_KEPT.search(error.reason) is None:
                raise
            await self._open_thread(session)
            return
        turn = await find_turn(self._thread.ask, session, thread_id)
        patience = trio.current_time() + SETTLE_SECONDS
        while turn is None and (self._prompted or is_active(thread)):
            # Perhaps ours, whose prompt is not listed yet; or else another's, or none.
            if trio.current_time() > patience:
                if is_active(thread):
                    raise Conflict(f"Another turn runs in thread {thread_id}.", threadId=thread_id)
                break
            await trio.sleep(LOOK_SECONDS)
            thread = (await self._thread.ask(requests.thread_read(thread_id)))["thread"]
            turn = await find_turn(self._thread.ask, session, thread_id)
        if turn is None:
            await self._thread.load_anew(session, thread_id)
            await self._start_turn(session, thread_id)
            return
        turn_id = turn_named(turn, is_review=session.type == "review_task")
        await self._ref.tell(TurnOpened(turn_id=turn_id))
        await self._thread.goal.give(session, thread_id)
        await self._thread.reports.turn(turn_id, turn)

    async def _start_turn(self, session: Session, thread_id: str) -> None:
        confinement = await self._thread.confine_turn(session)
        start = await self._start_of(session, thread_id, confinement)
        if self._is_cancelled:
            await self._ref.tell(LaunchFailed(reason="It was stopped before it was prompted."))
            return
        self._prompted = self._starting = True
        try:
            answer = await self._thread.ask(start)
        except (CodexError, TooBusy):
            self._prompted = False
            raise
        finally:
            self._starting = False
        self._turn_id = str((answer.get("turn") or await self._begun(session, thread_id))["id"])
        await self._ref.tell(TurnOpened(turn_id=self._turn_id))
        await self._thread.goal.give(session, thread_id)

    async def change_goal(self, session: Session, changes: GoalChanges | None) -> None:
        """Send `thread/goal/set`, or `thread/goal/clear`."""
        await self._thread.goal.change(session, changes)

    async def _begun(self, session: Session, thread_id: str) -> dict[str, Any]:
        """Return the turn that was begun and that Codex did not name, once it is listed.

        Raises:
            Conflict: none is listed in time.
        """
        patience = trio.current_time() + LATE_SECONDS
        while trio.current_time() < patience:
            turn = await find_turn(self._thread.ask, session, thread_id)
            if turn is not None:
                return turn
            await trio.sleep(LOOK_SECONDS)
        raise Conflict(f"Codex began no turn in thread {thread_id}.", threadId=thread_id)

    async def _start_of(self, session: Session, thread_id: str, confinement: Confinement) -> Call:
        """Return the request that begins the session's turn."""
        if session.origin == "compact":
            return requests.compact_start(thread_id)
        if session.type == "review_task":
            of = session.review
            return requests.review_start(thread_id, instructions=session.prompt, of=of)
        return await self._turn_of(session, thread_id, confinement)

    async def _turn_of(self, session: Session, thread_id: str, confinement: Confinement) -> Call:
        """Return the request that prompts Codex with what is found out just before."""
        assignment = await self._assign(session)
        return requests.turn_start(
            thread_id,
            assignment.prompt,
            confinement,
            images=assignment.images,
            client_message_id=message_id(session),
            choices=requests.model_choices(choices_of(session), thread_model=self._thread.model),
            output_schema=assignment.output_schema,
        )


def _asked(question: Question) -> tuple[str, Mapping[str, Any]]:
    """Return the method and the parameters of Codex's request."""
    return question.asked["method"], question.asked["params"]
