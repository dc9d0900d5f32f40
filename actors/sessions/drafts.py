"""The messages that a turn has begun: kept once a second, before a crash can take them."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from command_center.actors.ledger import drafts
from command_center.store import Agent, Transaction


@attrs.define
class _Draft:
    agent_id: int | None
    pieces: list[str] = attrs.field(factory=list)


@attrs.define
class Drafts:
    """The messages of one session that are not complete, as far as they were shown."""

    _when_due: Callable[[], object]
    """Called once, until it is `kept`, when there is something to keep."""
    _pieces: dict[str, _Draft] = attrs.field(factory=dict, init=False)
    _heard_whole: set[str] = attrs.field(factory=set, init=False)
    """The messages of which this life of the actor has heard everything so far."""
    _is_due: bool = attrs.field(default=False, init=False)

    @property
    def unkept(self) -> bool:
        """Return whether something is to be kept."""
        return bool(self._pieces)

    def begin(self, item_id: str) -> None:
        """Begin a message."""
        self._heard_whole.add(item_id)

    def add(self, item_id: str, text: str, agent: Agent | None) -> None:
        """Add what more was said of it; it is kept soon."""
        agent_id = None if agent is None else agent.id
        self._pieces.setdefault(item_id, _Draft(agent_id)).pieces.append(text)
        if not self._is_due:
            self._is_due = True
            self._when_due()

    def complete(self, item_id: str) -> None:
        """Forget it: it is complete, and kept as a whole."""
        self._pieces.pop(item_id, None)
        self._heard_whole.discard(item_id)

    def keep(self, tx: Transaction, session_id: int) -> None:
        """Write what was said; once that is committed, call `kept`."""
        for item_id, draft in self._pieces.items():
            drafts.add(
                tx,
                session_id,
                item_id,
                "".join(draft.pieces),
                agent_id=draft.agent_id,
                after_gap=item_id not in self._heard_whole,
            )

    def kept(self) -> None:
        """Take note that what was said so far is written."""
        self._heard_whole |= self._pieces.keys()
        self._pieces.clear()
        self._is_due = False
