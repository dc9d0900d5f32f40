"""The runner for a machine without Codex: deterministic, and says in every word that it is a stub.

It does nothing to the repository. It exists so that a newcomer, or a script under development, sees
the whole way from request to events before Codex is installed.
"""

from __future__ import annotations

import trio

from command_center.actors.contracts.turns import (
    ItemSeen,
    OutputDelta,
    RunnerReport,
    ThreadOpened,
    TurnEnded,
    TurnOpened,
)
from command_center.actors.sessions.runner import PlainRunner
from command_center.runtime import ActorRef
from command_center.store import Session

PAUSE = 0.05
"""Seconds between two reports, so that a person sees them come one by one."""


class StubRunner(PlainRunner):
    """Answers every prompt with the same few words."""

    name = "stub"
    begins_once = True
    survives_restart = False

    def __init__(self, ref: ActorRef[RunnerReport]) -> None:
        """Report to the session's actor `ref`."""
        self._ref = ref
        self._interrupted = trio.Event()
        self._begun = False

    async def launch(self, session: Session) -> None:
        """Begin, say a sentence word by word, and complete; or end early where interrupted."""
        if session.codex_thread_id is None:
            await self._ref.tell(ThreadOpened(thread_id=str(session.id)))
            return
        self._begun = True
        turn_id = f"stub-turn-{session.id}"
        await self._ref.tell(TurnOpened(turn_id=turn_id))
        text = f"[stub] No Codex was asked. The prompt had {len(session.prompt)} characters."
        if session.type != "prompt_task":
            text += f" With Codex a {session.type} would have a result."
        item = f"stub-item-{session.id}"
        for word in text.split(" "):
            with trio.move_on_after(PAUSE):
                await self._interrupted.wait()
                await self._ref.tell(TurnEnded(outcome="interrupted"))
                return
            await self._ref.tell(OutputDelta(item_id=item, delta=f"{word} "))
        await self._ref.tell(
            ItemSeen(
                turn_id=turn_id,
                item_id=item,
                type="agentMessage",
                completed=True,
                body={"type": "agentMessage", "id": item, "text": text},
            )
        )
        await self._ref.tell(TurnEnded(outcome="completed"))

    def cancel_start(self) -> bool:
        """Return whether it has not begun; what has is interrupted."""
        return not self._begun

    async def recover(self, session: Session) -> None:
        """Play the turn again: its items are known by their ids and are told of once."""
        await self.launch(session)

    async def interrupt(self, session: Session) -> None:  # noqa: ARG002 - there is one turn
        """End early."""
        self._interrupted.set()

    def reference(self, thread_id: str | None, turn_id: str | None) -> str:  # noqa: ARG002
        """Return `stub:<n>`, by the session's id."""
        return f"stub:{thread_id}"
