"""The driver of a turn: it is begun or found again, never twice at a time.

While it is not known which turn is the session's, what Codex says of the thread is held. While a
turn is found again, its end waits until all that was missed has been told.
"""

from __future__ import annotations

import attrs
import trio

from command_center.actors.contracts.turns import LaunchFailed, Question, ThreadNews, TurnEnded
from command_center.actors.sessions.runner import Runner
from command_center.actors.sessions.state import SessionState
from command_center.runtime import Context

EARLY = 2000
"""Messages of Codex that are kept before it is known which turn is the session's."""


@attrs.define
class TurnDriver:
    """The runner's work on one session, as far as it must come one after the other."""

    _ctx: Context
    _state: SessionState
    _runner: Runner
    _driving: bool = attrs.field(default=False, init=False)
    _again: bool = attrs.field(default=False, init=False)
    _driven: trio.Event = attrs.field(factory=trio.Event, init=False)
    _is_doubtful: bool = attrs.field(default=False, init=False)
    _early: list[ThreadNews | Question] = attrs.field(factory=list, init=False)
    has_recovered: bool = attrs.field(default=False, init=False)
    """True once the turn was looked for, so that what is told of it may come out of order.

    A launch looks for it, too, where it joins a thread that is there already.
    """
    ended_meanwhile: TurnEnded | None = attrs.field(default=None, init=False)
    """The end of the turn that Codex told while it was found again."""

    def go_on(self) -> None:
        """Have the runner begin the turn, or find it again; once more where it is at it."""
        self._again = True
        if not self._driving:
            self._driving = True
            self._driven = trio.Event()
            self._ctx.start_task(self._drive)

    @property
    def is_under_way(self) -> bool:
        """Return whether the runner is at it, and tells in order what was missed."""
        return self._driving

    async def _drive(self) -> None:
        while self._again and self._state.is_active:
            self._again = False
            session = self._state.session
            if session.status == "starting":
                await self._runner.launch(session)
            else:
                self.has_recovered = True
                await self._runner.recover(session)
        self._driving = False
        self._driven.set()

    def look_again(self) -> None:
        """Look, once the turn has begun, whether it still goes on."""
        self._is_doubtful = True

    def dispel(self) -> None:
        """Look whether the turn still goes on, if there is reason to doubt it: it has begun."""
        if self._is_doubtful:
            self._is_doubtful = False
            self.go_on()

    def end_after_recovery(self, ended: TurnEnded) -> None:
        """Have a turn that ended while it was found again end behind all that it said before."""
        self.ended_meanwhile = ended
        self.tell_once_driven(ended)

    def tell_once_driven(self, message: TurnEnded | LaunchFailed) -> None:
        """Have the session told once more, when the runner is at nothing any more."""
        self._ctx.start_task(self._tell_once_driven, message)

    async def _tell_once_driven(self, message: TurnEnded | LaunchFailed) -> None:
        await self._driven.wait()
        await self._ctx.ref.tell(message)

    def hold(self, message: ThreadNews | Question) -> None:
        """Keep what Codex says of the thread until it is known which turn is the session's.

        Of too much, the oldest notification goes, and the thread is read again for it; never a
        question.
        """
        self._early.append(message)
        if len(self._early) > EARLY:
            told = (n for n, held in enumerate(self._early) if isinstance(held, ThreadNews))
            oldest = next(told, None)
            if oldest is not None:
                del self._early[oldest]
                self._is_doubtful = True

    def drop_question(self, request_id: str) -> None:
        """Hold a question no longer that has its answer already."""
        self._early = [
            held
            for held in self._early
            if isinstance(held, ThreadNews) or held.request_id != request_id
        ]

    def is_of_turn(self, held: ThreadNews | Question, turn_id: str) -> bool:
        """Return whether it is to be heard now: a question only of the turn, or of its threads."""
        within = held.thread_id != self._state.session.codex_thread_id
        return not isinstance(held, Question) or within or held.turn_id in {None, turn_id}

    def take_held(self) -> list[ThreadNews | Question]:
        """Take what was held, in the order in which it came."""
        held, self._early = self._early, []
        return held
