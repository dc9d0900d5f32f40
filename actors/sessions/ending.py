"""The end of a session: committed with what follows it, told to who waits, and cleaned up after."""

from __future__ import annotations

import contextlib
from typing import TypeVar

import attrs
import structlog
import trio

from command_center.actors.contracts.addresses import (
    REPOSITORIES,
    SLOTS,
    TASKS,
    orphaned_turns_on,
)
from command_center.actors.contracts.reviews import QuoteFindings
from command_center.actors.contracts.sessions import (
    SessionCommitted,
    SlotsChanged,
    StopSession,
    TurnLeft,
)
from command_center.actors.contracts.snapshots import KeepSnapshot
from command_center.actors.contracts.usage_limits import LimitMet, limits_on
from command_center.actors.contracts.worktrees import TidyWorktrees
from command_center.actors.ledger import sessions as ledger
from command_center.actors.ledger import successors as sequels
from command_center.actors.ledger.hook_answers import settle_unseen
from command_center.actors.ledger.left_commands import left_by_thread, tell_left_commands
from command_center.actors.ledger.reviews import comment_findings
from command_center.actors.rules.preconditions import Condition
from command_center.actors.sessions.agents import Agents
from command_center.actors.sessions.interruption import Interruption, ended_by_request
from command_center.actors.sessions.runner import FAILURES, Runner
from command_center.actors.sessions.services import SessionServices
from command_center.actors.sessions.state import SessionState
from command_center.actors.sessions.steering import Steering, settle_cut_off
from command_center.actors.sessions.transcript import Transcript
from command_center.runtime import ActorNotFound, Address, Context, Deferred, MailboxFull
from command_center.store import AutomationOutcome, Session, Transaction, sessions
from command_center.store.records import SessionStatus

M = TypeVar("M")

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

CLOSE_SECONDS = 45.0
"""Seconds that the actor of a session that has ended may take to leave Codex, at the most.

Commands that go on are followed for as long as they do before it leaves.
"""


@attrs.frozen
class Ending:
    """The end of one session."""

    _ctx: Context
    _state: SessionState
    _transcript: Transcript
    _runner: Runner
    _services: SessionServices
    _agents: Agents
    _interruption: Interruption
    _steering: Steering

    async def stop(self, request: StopSession, condition: Condition) -> Session | Deferred[Session]:
        """Interrupt the turn and answer when it has ended; where there is none, end at once.

        Raises:
            Unavailable: nothing can be written now.
            PreconditionFailed: the condition does not hold.
        """
        wanted = await self._interruption.want(request, condition)
        if wanted.finished_at is not None:
            return wanted
        began = wanted.status != "starting" or not self._runner.cancel_start()
        if self._state.is_active and began and self._agents.ended_before_them is None:
            return self._interruption.wait()
        await self.end("stopped", reason=None)
        return self._state.session

    async def give_up(self, actor: str, reason: str) -> None:
        """End the turn, or the sub-agents that it left, because a limit is reached."""
        await self._interruption.limit(actor, reason)
        if self._agents.ended_before_them is None:
            self._interruption.begin()
        else:
            await self.end("interrupted", reason=reason)

    async def end_pursuit(self, reason: str | None) -> None:
        """End a session between two turns for its goal."""
        wanted = self._state.session.stop_requested is None
        await self.end("completed" if wanted else "interrupted", reason=reason)

    async def end(
        self,
        status: SessionStatus,
        *,
        reason: str | None,
        leaves_turn: bool = False,
        is_limited: bool = False,
        outcome: AutomationOutcome | None = None,
    ) -> None:
        """Take the session to its end and tell who waits for that.

        Its actor then leaves Codex, in its own time, and stops. A turn that may run on is left to
        `/orphaned-turns`. One that met a limit of the agent's account goes on when that resets.
        `outcome` is that of its automation's run, where `status` does not say it.
        """
        session = self._state.session
        absence = self._services.absence(session) if leaves_turn else None
        status, reason = ended_by_request(session, status, reason, absence=absence)
        under_way = self._steering.under_way

        def end(tx: Transaction) -> tuple[Session, Session | None]:
            ended, sequel = sequels.end(
                tx,
                session.id,
                status,
                reason=reason,
                approval_seconds=self._services.approval_seconds,
                leaves_turn=leaves_turn,
                is_limited=is_limited,
                outcome=outcome,
            )
            settle_cut_off(tx, session.id, spared=under_way)
            if ended.status == "completed" and ended.result is not None:
                comment_findings(tx, ended, sessions.whole(tx.db, ended, "result"))
            return ended, sequel

        await self._transcript.keep_drafts()
        ended, sequel = await self._state.keep(end)
        self._state.session = ended
        self._interruption.settle(ended)
        self._tell(SLOTS, SlotsChanged())
        if leaves_turn:
            self._tell(orphaned_turns_on(ended.host), TurnLeft())
        if is_limited or ended.past_limit:
            self._tell(limits_on(ended.host), LimitMet())
        if ended.worktree_path is not None and not ended.worktree_reserved:
            turn = KeepSnapshot(ended.repository_id, ended.id, ended.codex_turn_id)
            self._tell(REPOSITORIES, turn)  # before the next turn is told to begin
        if sequel is not None:
            self._tell(TASKS, SessionCommitted(sequel.id))
        if ended.review is not None:
            self._tell(REPOSITORIES, QuoteFindings(ended.id))
        self.leave_soon()

    def leave_soon(self) -> None:
        """Leave Codex, and stop; also where a former life of the actor was cut off at it."""
        self._ctx.start_task(self._leave, self._state.session)

    async def _leave(self, ended: Session) -> None:
        """Clean up, while the actor still answers, and end it."""
        with trio.move_on_after(CLOSE_SECONDS):
            await self._steering.settle()
        if ended.status == "completed":
            await self._outlast(ended)
        with trio.move_on_after(CLOSE_SECONDS):
            await self._runner.close(ended)

        def settle(tx: Transaction) -> None:
            ledger.cut_off_items(tx, ended.id)
            settle_unseen(tx, ended.id)

        await self._state.keep(settle)
        if ended.worktree_path is not None:
            self._tell(REPOSITORIES, TidyWorktrees(ended.repository_id))
        self._ctx.stop()

    async def _outlast(self, ended: Session) -> None:
        """Follow the commands that the turn left, until none of them runs any more."""
        left = await self._state.keep(lambda tx: tell_left_commands(tx, ended.id))
        if left:
            await self._runner.follow_commands(ended, left)

    def end_commands_soon(self) -> None:
        """End the commands that the turn left, though the session has ended."""
        self._ctx.start_task(self._end_commands, self._state.session)

    async def _end_commands(self, ended: Session) -> None:
        try:
            left = await self._services.storage.read(lambda db: left_by_thread(db, ended.id))
            await self._runner.end_commands(ended, left)
        except FAILURES as error:
            log.warning("session.commands.not_ended", session=ended.id, reason=str(error))

    def _tell(self, address: Address[M], message: M) -> None:
        """Tell, if there is room; whoever was not told finds it in the rows by itself."""
        with contextlib.suppress(ActorNotFound, MailboxFull):
            self._ctx.lookup(address).try_tell(message)
