"""The questions of Codex in a session: each becomes an approval, and its answer goes back.

The approval is the store's, and outlives connections and lives of the actor; the question, to
which Codex wants the answer, belongs to the connection of now. Codex asks again what is open when
its thread is joined, and the approval of before is found again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import structlog
import trio

from command_center.actors.contracts.turns import AnswerDelivered, ItemSeen, Question
from command_center.actors.core.clock import later
from command_center.actors.ledger import approvals as settlement
from command_center.actors.ledger import async_questions
from command_center.actors.ledger import sessions as ledger
from command_center.actors.rules.questions import is_async
from command_center.actors.rules.standing_rules import with_offer
from command_center.actors.sessions.agents import Agents, name_of
from command_center.actors.sessions.command_risks import with_risks
from command_center.actors.sessions.permission_hints import with_limits
from command_center.actors.sessions.runner import FAILURES, Runner
from command_center.actors.sessions.services import SessionServices
from command_center.actors.sessions.state import SessionState
from command_center.runtime import Context
from command_center.store import Approval, Session, Transaction
from command_center.store.records import Risk

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@attrs.frozen
class Questions:
    """The questions of one session that Codex waits for."""

    _ctx: Context
    _state: SessionState
    _runner: Runner
    _services: SessionServices
    _agents: Agents
    _open: dict[str, Question] = attrs.field(factory=dict, init=False)
    _asked_since: set[str] = attrs.field(factory=set, init=False)
    """The requests that came since the thread was about to be joined."""

    async def ask(self, request: Question) -> None:
        """Have a person asked, or answer with what was decided of it before."""
        self._open[request.request_id] = request
        self._asked_since.add(request.request_id)
        risks: tuple[Risk, ...] | None = None
        if self._runner.changed_item(request) is None:
            # to read a command takes a moment, for which neither the store nor anybody else waits
            described = self._runner.describe(request, ())
            risks = (await trio.to_thread.run_sync(with_risks, described)).risks
        self._state.session, approval = await self._state.keep(
            lambda tx: self._request_approval(tx, request, risks)
        )
        if approval.status != "pending":
            self.answer_soon(approval)

    def _request_approval(
        self, tx: Transaction, request: Question, risks: tuple[Risk, ...] | None
    ) -> tuple[Session, Approval]:
        session = self._state.session
        changes: Sequence[Mapping[str, Any]] = ()
        item_id = self._runner.changed_item(request)
        if item_id is not None:
            told = ledger.item_body(tx.db, session.id, item_id)
            changes = (told or {}).get("changes", ())
        described = self._runner.describe(request, changes)
        found = with_risks(described).risks if risks is None else risks
        described = attrs.evolve(described, risks=found)
        if request.thread_id != session.codex_thread_id:
            agent = self._agents.of(request.thread_id)
            told_of = {} if agent is None else {"agentId": agent.id, "agent": name_of(agent)}
            details = {**described.details, "subAgent": True, **told_of}
            described = attrs.evolve(described, details=details)
        return settlement.request_approval(
            tx,
            session.id,
            with_offer(session, with_limits(session, described)),
            request_id=request.request_id,
            request=request.asked,
            expires_at=later(tx.now, self._services.approval_seconds),
        )

    async def wait_for_person(self) -> bool:
        """Return whether something is open that nobody has decided yet."""
        return await self._state.keep(lambda tx: settlement.waits_for_person(tx, self._state.id))

    async def ask_meanwhile(self, item: ItemSeen) -> None:
        """Have a person asked what a message asks that does not wait for the answer."""
        question = self._runner.asked_meanwhile(item, self._state.session)
        if question is not None:
            seconds = self._services.approval_seconds
            await self._state.keep(
                lambda tx: async_questions.ask(
                    tx, self._state.id, question, approval_seconds=seconds
                )
            )

    def answer_soon(self, approval: Approval) -> None:
        """Answer Codex, if it has asked this incarnation; else it will ask again."""
        if is_async(approval.kind, approval.details):
            if approval.status == "approved" and approval.delivered_at is None:
                self._ctx.start_task(self._say, approval)
            return
        request = self._open.get(approval.codex_request_id or "")
        if request is not None and approval.delivered_at is None:
            self._ctx.start_task(self._answer, request, approval)

    async def _answer(self, request: Question, approval: Approval) -> None:
        try:
            await self._runner.answer(request, approval)
        except FAILURES as error:
            log.warning("approval.undelivered", approval=approval.id, reason=str(error))

    async def _say(self, approval: Approval) -> None:
        """Say it to the turn; what that does not hear is said once it has ended."""
        session = self._state.session
        try:
            self._runner.check_steerable(session)
            if await self._state.keep(lambda tx: async_questions.begin_to_say(tx, approval.id)):
                words = async_questions.words_of(approval)
                await self._runner.steer(session, words, async_questions.message_id(approval))
                await self._ctx.ref.tell(AnswerDelivered(approval_id=approval.id))
        except FAILURES as error:
            log.info("approval.said_later", approval=approval.id, reason=str(error))

    async def keep_delivery(self, approval_id: int) -> None:
        """Record that Codex has the answer, and goes on."""
        session = await self._state.keep(lambda tx: settlement.record_delivery(tx, approval_id))
        if session is not None:
            self._state.session = session

    async def close(self, request_id: str) -> None:
        """Close a question that has its answer, from here or from another client of Codex."""
        await self._state.change(
            lambda tx: settlement.close_request(tx, self._state.id, request_id)
        )

    def join(self) -> None:
        """Expect to be asked again all that Codex still waits for, as the thread is joined."""
        self._asked_since.clear()

    async def close_all(self) -> None:
        """Close what was pending when the thread was joined: Codex waited for nobody then.

        What it asked since then it does wait for.
        """
        spared = frozenset(self._asked_since)
        await self._state.change(
            lambda tx: settlement.close_requests(tx, self._state.id, spared=spared)
        )
