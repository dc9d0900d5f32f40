"""The runner for a Codex app-server: one session is one turn of one Codex thread.

What Codex says of the thread reaches the session's actor in its own order, and `turn_events` reads
it there. `turn_start` begins the turn.
Source: the app-server protocol as the binary prints it (`codex app-server generate-json-schema`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
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
from command_center.actors.codex.messages import AnswerRequest, BridgeMessage
from command_center.actors.codex.ports import Codex
from command_center.actors.contracts.sessions import GoalChanges
from command_center.actors.contracts.turns import (
    AgentSeen,
    AnswerDelivered,
    Fact,
    ItemSeen,
    NothingAsked,
    Question,
    ThreadNews,
    TurnEnded,
    TurnLost,
    TurnOpened,
)
from command_center.actors.contracts.worktrees import SetUpScript
from command_center.actors.rules.errors import Conflict, Unconfirmed
from command_center.actors.rules.questions import ApprovalRequest, UnawaitedQuestion
from command_center.actors.sessions.prompts import Assignment, Attaching
from command_center.actors.sessions.runner import FAILURES, SessionRef
from command_center.actors.sessions.runners.codex.agent_threads import agents_in
from command_center.actors.sessions.runners.codex.errors import SLOW, UNCERTAIN, may_pass
from command_center.actors.sessions.runners.codex.left_commands import LeftCommands
from command_center.actors.sessions.runners.codex.session_thread import SessionThread, waits
from command_center.actors.sessions.runners.codex.set_up import run_set_up
from command_center.actors.sessions.runners.codex.thread_goal import pause_goal
from command_center.actors.sessions.runners.codex.turn_events import facts_of
from command_center.actors.sessions.runners.codex.turn_start import PAUSE_SECONDS, TurnStart
from command_center.actors.sessions.runners.codex.turns import (
    end_commands,
    end_what_is_left,
    interrupt_active,
    interrupt_when_listed,
    is_inside,
    pause_goals,
    settled_turns,
)
from command_center.runtime import ActorRef, Refusal
from command_center.store import Approval, Session

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

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
        self._confine = confine
        self._attach = attach
        self.survives_restart = survives_restart
        self._thread = SessionThread(ref, bridge, confine)
        self._start = TurnStart(ref, bridge, self._thread, assign)
        self._left = LeftCommands(self._thread.ask, self._thread.reports, survives_restart)

    async def set_up(self, session: Session, script: SetUpScript, *, seconds: float) -> str | None:
        """Run a script in Codex's sandbox, outside of any turn."""
        confinement = await self._confine(session)
        return await run_set_up(self._codex, confinement, script, self._ref, seconds=seconds)

    async def look_ahead(self, session: Session) -> None:
        """Read what Codex's user has set, and the thread's queue."""
        await self._start.look_ahead(session)

    async def launch(self, session: Session) -> None:
        """Open the thread and report it; once it is committed, start the turn in it."""
        await self._start.launch(session)

    def assume_prompt_sent(self) -> None:
        """Look into the thread for a while before the prompt is sent."""
        self._start.assume_prompt_sent()

    def cancel_start(self) -> bool:
        """Send no prompt any more; return whether none can have reached Codex."""
        return self._start.cancel_start()

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
        confinement = await self._thread.bound(session)
        thread = await self._thread.join(session, thread_id, confinement)
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
        if session.goal is not None:
            await self._report_later_turns(session, thread_id, turn_id, newest)
        await self._thread.goal.give(session, thread_id)

    async def _report_later_turns(
        self, session: Session, thread_id: str, turn_id: str, newest: Mapping[str, Any]
    ) -> None:
        """Report the turns that Codex has begun for the goal since the thread was read.

        What it told of them was not heard before the end of the turn before them was reported.
        """
        while newest.get("status") not in {"inProgress", "interrupted"}:
            known = msgspec.structs.replace(session, codex_turn_id=turn_id)
            later = (await settled_turns(self._thread.ask, known, thread_id))[1:]
            if not later:
                return
            for turn in later:
                turn_id = str(turn["id"])
                await self._ref.tell(TurnOpened(turn_id=turn_id))
                await self._thread.reports.turn(turn_id, turn)
            newest = later[-1]

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
        """Leave the thread; of a turn that did not complete, end what it left."""
        self._start.cancel_start()
        thread_id = session.codex_thread_id
        if thread_id is None:
            return
        if session.goal is not None:
            with trio.move_on_after(CLEAN_SECONDS):
                try:
                    await pause_goals(self._thread.ask, thread_id)
                except FAILURES as error:
                    log.warning("session.goal.goes_on", session=session.id, reason=str(error))
        has_begun = await self._start.call_off(session, thread_id)
        if has_begun and session.status != "completed":
            with trio.move_on_after(CLEAN_SECONDS):
                try:
                    await end_what_is_left(self._thread.ask, self._codex, session, thread_id)
                except FAILURES as error:
                    log.debug("session.clean.failed", session=session.id, reason=str(error))
        await self._thread.leave(thread_id, is_idle=session.status == "completed")

    def reference(self, thread_id: str | None, turn_id: str | None) -> str:
        """Return `app-server:<threadId>:<turnId>`; the turn is missing until it has begun."""
        return ":".join(["app-server", *(part for part in (thread_id, turn_id) if part)])

    async def change_goal(self, session: Session, changes: GoalChanges | None) -> None:
        """Send `thread/goal/set`, or `thread/goal/clear`."""
        await self._thread.goal.change(session, changes)


def _asked(question: Question) -> tuple[str, Mapping[str, Any]]:
    """Return the method and the parameters of Codex's request."""
    return question.asked["method"], question.asked["params"]
