"""The transcript of a session's turn: what the runner tells of it is kept, and shown as it comes.

Output is shown live in the pieces that it comes in, except that the end of a piece waits where it
may be half a secret; what waited is shown before the item that the pieces make up is complete.
What was shown of a message is kept before it is complete, so that a crash that cuts it takes no
more than the last second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

from command_center.actors.contracts.events.sessions import (
    AutoReviewed,
    CommandBegunOutside,
    CommandUnasked,
    DeltaShown,
    DiffShown,
    ItemShown,
    LiveEventData,
    PlanShown,
    SessionWarning,
    ToolUnasked,
    usage_shown,
)
from command_center.actors.contracts.turns import (
    CommandLet,
    CommandOutside,
    DiffChanged,
    HookAnswered,
    ItemSeen,
    ModelDecided,
    Observation,
    OutputDelta,
    PlanChanged,
    ToolLet,
    UsageChanged,
    Warned,
)
from command_center.actors.core.events import PublishLive
from command_center.actors.core.storage import Storage
from command_center.actors.ledger import sessions as ledger
from command_center.actors.ledger.agents import record_diff, record_usage
from command_center.actors.ledger.budgets import AGENTS, tokens_before
from command_center.actors.sessions.drafts import Drafts
from command_center.actors.sessions.hook_answers import HookAnswers
from command_center.actors.sessions.state import SessionState
from command_center.store import (
    Agent,
    Session,
    StreamedText,
    Transaction,
    sessions,
)

OfAgent = TypeVar(
    "OfAgent",
    AutoReviewed,
    CommandUnasked,
    CommandBegunOutside,
    ToolUnasked,
    SessionWarning,
    DeltaShown,
    DiffShown,
    ItemShown,
)

MOST_STREAMS: Final = 100
"""Texts that may grow at the same time; what waits of the oldest is not shown if there are more."""


class Transcript:
    """The sayings and doings of one session's turn."""

    def __init__(
        self, state: SessionState, storage: Storage, when_unkept: Callable[[], object] = bool
    ) -> None:
        """Keep it beside the row; `when_unkept` is to call `keep_drafts` soon."""
        self._state = state
        self._storage = storage
        self._streams: dict[tuple[str, str], StreamedText] = {}
        self._drafts = Drafts(when_unkept)
        self.hooks = HookAnswers(state)

    async def observe(self, fact: Observation, agent: Agent | None = None) -> None:
        """Keep what is to be kept of a fact, and show it to whoever watches now.

        Of a sub-agent that are its items, what it says meanwhile, its diff, and what went wrong.
        """
        match fact:
            case ItemSeen():
                await self._keep_item(fact, agent)
            case OutputDelta():
                await self.hooks.approve(fact.item_id)
                self._show_output(fact, agent)
            case Warned():
                told = SessionWarning(
                    message=fact.message,
                    kind=fact.kind,
                    will_retry=fact.will_retry,
                    info=fact.info,
                    details=fact.details,
                )
                await self._state.tell(_of(told, agent))
            case CommandLet() | ToolLet() | CommandOutside():
                await self._state.tell(_unasked(fact, agent))
            case ModelDecided():
                await self.hooks.drop(fact.item_id)
                decided = AutoReviewed(
                    item_id=fact.item_id,
                    decision=fact.decision,
                    rationale=fact.rationale,
                    risk=fact.risk,
                    authorization=fact.authorization,
                    action=fact.action,
                )
                await self._state.tell(_of(decided, agent))
            case HookAnswered():
                await self.hooks.hear(fact, agent)
            case DiffChanged() if agent is not None:
                await self._keep_agent_diff(agent, fact.diff)
            case _ if agent is None:
                await self._observe_turn(fact)

    async def _observe_turn(self, fact: Observation) -> None:
        """Keep what is told of the session's own turn as a whole, of which the newest counts."""
        match fact:
            case PlanChanged():
                await self._keep_newest(PlanShown(**fact.plan), plan=fact.plan)
            case DiffChanged():
                if fact.diff != self._state.session.diff:
                    shown = DiffShown(bytes=len(fact.diff.encode()))
                    await self._keep_newest(shown, diff=fact.diff)
            case UsageChanged():
                await self._keep_usage(fact.usage)

    async def is_sleeping(self) -> bool:
        """Return whether the turn pauses by a tool of Codex, which may take hours."""
        return await self._state.keep(lambda tx: ledger.is_sleeping(tx, self._state.id))

    def show(self, event: LiveEventData) -> None:
        """Say something live."""
        session = self._state.session
        self._storage.live(
            PublishLive(
                told=event,
                repository_id=session.repository_id,
                task_id=session.task_id,
                session_id=session.id,
                correlation_id=session.correlation_id,
            )
        )

    def _show_output(self, fact: OutputDelta, agent: Agent | None) -> None:
        key = (fact.item_id, fact.stream)
        text = self._streams.get(key)
        if text is None:
            if len(self._streams) >= MOST_STREAMS:
                del self._streams[next(iter(self._streams))]
            text = self._streams[key] = StreamedText(self._storage.secrets)
        self._show_delta(key, text.add(fact.delta), agent)

    async def keep_drafts(self) -> None:
        """Keep what was said so far of messages that are not complete."""
        if self._drafts.unkept:
            await self._state.keep(lambda tx: self._drafts.keep(tx, self._state.id))
        self._drafts.kept()

    def _show_delta(self, key: tuple[str, str], delta: str, agent: Agent | None) -> None:
        if delta:
            item_id, stream = key
            if stream == "message":
                self._drafts.add(item_id, delta, agent)
            self.show(_of(DeltaShown(item_id=item_id, delta=delta, stream=stream), agent))

    async def _keep_item(self, fact: ItemSeen, agent: Agent | None) -> None:
        if fact.completed:
            if fact.body.get("status") == "declined":
                await self.hooks.drop(fact.item_id)
            await self.hooks.approve(fact.item_id)
            for stream in [stream for stream in self._streams if stream[0] == fact.item_id]:
                self._show_delta(stream, self._streams.pop(stream).end(), agent)
            self._drafts.complete(fact.item_id)
        else:
            self._drafts.begin(fact.item_id)
            self.show(_of(ItemShown(item=fact.body, turn_id=fact.turn_id), agent))
        await self._state.change(
            lambda tx: ledger.record_item(
                tx,
                self._state.id,
                turn_id=fact.turn_id,
                item_id=fact.item_id,
                kind=fact.type,
                completed=fact.completed,
                body=fact.body,
                agent_id=None if agent is None else agent.id,
            )
        )

    async def _keep_usage(self, usage: dict[str, Any]) -> None:
        """Totals are the thread's; the first of this session tell what was there before it."""
        session = self._state.session

        def unit(tx: Transaction) -> Session:
            now = sessions.get(tx.db, session.id)
            known = now.token_usage or {}
            kept = {**usage, AGENTS: known[AGENTS]} if AGENTS in known else usage
            baseline = now.token_baseline
            if "total" not in known:
                baseline += tokens_before(tx, now, usage)
            return sessions.update(tx, now.id, token_usage=kept, token_baseline=baseline)

        await self._state.change(unit)
        self._show_usage()

    async def keep_agent_usage(self, agent_id: str, usage: dict[str, Any]) -> None:
        """Count what a sub-agent has used since it was heard of in this session."""
        await self._state.change(lambda tx: record_usage(tx, self._state.id, agent_id, usage))
        self._show_usage()

    async def _keep_agent_diff(self, agent: Agent, diff: str) -> None:
        if await self._state.keep(lambda tx: record_diff(tx, agent.id, diff)):
            self.show(_of(DiffShown(bytes=len(diff.encode())), agent))

    def _show_usage(self) -> None:
        usage = self._state.session.token_usage or {}
        self.show(usage_shown(usage, self._state.session.token_baseline))

    async def _keep_newest(self, event: LiveEventData, **changes: Any) -> None:
        await self._state.change(lambda tx: sessions.update(tx, self._state.id, **changes))
        self.show(event)


def _unasked(
    fact: CommandLet | ToolLet | CommandOutside, agent: Agent | None
) -> CommandUnasked | ToolUnasked | CommandBegunOutside:
    """Tell of what may go on outside of the sandbox without anybody having been asked here."""
    match fact:
        case CommandLet(item_id, command, rules):
            let = CommandUnasked(item_id=item_id, command=command, rules=list(rules))
            return _of(let, agent)
        case ToolLet(item_id, server, tool, setting):
            called = ToolUnasked(item_id=item_id, server=server, tool=tool, setting=setting)
            return _of(called, agent)
        case CommandOutside(item_id, command, cwd):
            return _of(CommandBegunOutside(item_id=item_id, command=command, cwd=cwd), agent)


def _of(event: OfAgent, agent: Agent | None) -> OfAgent:
    """Say whose it is, where it is a sub-agent's."""
    return event if agent is None else msgspec.structs.replace(event, agent_id=agent.id)
