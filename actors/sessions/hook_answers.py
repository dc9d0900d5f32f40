"""The answers of hooks of the agent's user, which runs them before it asks a person.

An answer that is no denial is an approval if its item goes on, and none if somebody else is asked
about it. It is kept when it is heard, so that a later life of the actor can still tell of it.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from command_center.actors.contracts.turns import HookAnswered
from command_center.actors.ledger.hook_answers import settle, tell_decision
from command_center.actors.sessions.state import SessionState
from command_center.store import Agent, Transaction, hook_answers
from command_center.store.hook_answers import HookAnswer


@attrs.define
class HookAnswers:
    """The answers of one session's hooks of which it is not seen yet what came of them."""

    _state: SessionState
    _open: set[str] = attrs.field(factory=set, init=False)
    """The items that they are about."""

    def recall(self, kept: Iterable[HookAnswer]) -> None:
        """Go on with those that a former life of the actor had heard."""
        self._open |= {answer.item_id for answer in kept}

    async def hear(self, fact: HookAnswered, agent: Agent | None) -> None:
        """Keep the answer; tell of a denial at once."""
        answer = HookAnswer(
            fact.item_id, None if agent is None else agent.id, fact.hook, fact.rationale
        )

        def deny(tx: Transaction) -> None:
            hook_answers.forget(tx, self._state.id, fact.item_id)
            tell_decision(tx, self._state.id, answer, "denied")

        if fact.denied:
            self._open.discard(fact.item_id)
            await self._state.keep(deny)
        else:
            self._open.add(fact.item_id)
            await self._state.keep(lambda tx: hook_answers.note(tx, self._state.id, answer))

    async def approve(self, item_id: str) -> None:
        """Tell of what goes on, or has been done, by the leave of a hook."""
        if item_id in self._open:
            self._open.discard(item_id)
            await self._state.keep(lambda tx: settle(tx, self._state.id, item_id))

    async def drop(self, item_id: str | None) -> None:
        """Take note that no hook has decided about the item; without an id, about any."""
        dropped = set(self._open) if item_id is None else self._open & {item_id}

        def forget(tx: Transaction) -> None:
            for one in dropped:
                hook_answers.forget(tx, self._state.id, one)

        if dropped:
            self._open -= dropped
            await self._state.keep(forget)
