"""The port of a session's actor to a runner: the part that knows how the work is really done.

A runner never writes state. It works in tasks of the session actor's nursery and reports back by
telling the actor each `RunnerReport`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn, Protocol, TypeAlias

from command_center.actors.contracts.runners import lacks_capability
from command_center.actors.contracts.sessions import GoalChanges
from command_center.actors.contracts.turns import (
    AgentSeen,
    Fact,
    ItemSeen,
    Question,
    RunnerReport,
    ThreadNews,
)
from command_center.actors.contracts.worktrees import SetUpScript
from command_center.actors.rules.questions import ApprovalRequest, UnawaitedQuestion
from command_center.runtime import ActorCrashed, ActorRef, ActorStopped, AskTimeout, Refusal
from command_center.store import Approval, Session

FAILURES = (Refusal, ActorStopped, ActorCrashed, AskTimeout)
"""The errors of a question to another actor."""


SessionRef: TypeAlias = ActorRef[RunnerReport]
"""The actor of a session, as its runner sees it."""


class Runner(Protocol):
    """One way to carry out a session. A fresh one is made with each incarnation of the actor."""

    name: str
    """The name, as the session's `runner` shows it: `app-server`, `cli` or `stub`."""

    begins_once: bool
    """True if launching again, also from another process, sends no prompt twice."""

    survives_restart: bool
    """True if a turn may still be alive after this process was replaced by another."""

    async def set_up(self, session: Session, script: SetUpScript, *, seconds: float) -> str | None:
        """Run a script in the session's folder, held as its commands are.

        Report with `SetUpTold` what it says. Return why it failed, None if it did not. Cancelling
        this ends it.
        """

    async def look_ahead(self, session: Session) -> None:
        """Find out what a launch will need to know. Nothing is begun yet, and nothing fails."""

    async def launch(self, session: Session) -> None:
        """Begin the turn: report `ThreadOpened`, then `TurnOpened`, or else `LaunchFailed`.

        Called again once the thread is committed, it goes on from there; no prompt is sent twice.
        """

    def assume_prompt_sent(self) -> None:
        """Look whether the prompt was sent before it is: a former life of the actor may have."""

    def cancel_start(self) -> bool:
        """Begin no turn any more; return whether none can have begun, so there is none to end."""

    async def recover(self, session: Session) -> None:
        """Find the turn of an earlier incarnation again: report what was missed, or `TurnLost`."""

    async def interrupt(self, session: Session) -> None:
        """Ask the turn to end; its end is reported as any other. May fail: a deadline follows."""

    async def abandon(self, session: Session) -> None:
        """End the process that works on the turn, which did not end when interrupted."""

    def check_steerable(self, session: Session) -> None:
        """Raise `Conflict`, saying why, where the session has no turn that can be steered."""

    async def steer(
        self,
        session: Session,
        message: str,
        message_id: str,
        attachments: Sequence[Mapping[str, Any]] = (),
    ) -> str:
        """Say something to the running turn and return its id; a `Refusal` says why not.

        `Unconfirmed` says that nobody knows: the transcript will tell, which has it or not.
        `message_id` names it there.
        """

    async def change_goal(self, session: Session, changes: GoalChanges | None) -> None:
        """Change the goal of the session's thread, or take it away; a `Refusal` says why not.

        The goal as it is then is reported with `GoalTold`.
        """

    def exceeds(self, settings: Mapping[str, Any]) -> str | None:
        """Say which of its thread's settings let the next turns do more than the session may."""

    def facts_of(self, news: ThreadNews, session: Session, turn_id: str | None) -> Iterable[Fact]:
        """Read what is told of a turn; of another than `turn_id`, where that is known, nothing."""

    def agents_in(self, item: Mapping[str, Any], by: str) -> Iterable[AgentSeen]:
        """Read what an item of the thread `by` tells of the sub-agents that it started.

        One that `is_new` was started by it; another one may be known already.
        """

    def changed_item(self, question: Question) -> str | None:
        """Return the id of the item about whose changes of files is asked, if it is about any."""

    def describe(self, question: Question, changes: Sequence[Mapping[str, Any]]) -> ApprovalRequest:
        """Make a question readable to a person; `changes` are those of its `changed_item`."""

    def asked_meanwhile(self, item: ItemSeen, session: Session) -> UnawaitedQuestion | None:
        """Return what a finished item of the session's thread asks without waiting, if it does."""

    async def answer(self, question: Question, approval: Approval) -> None:
        """Answer the question with its settled approval, then report `AnswerDelivered`."""

    async def follow_commands(self, session: Session, left: Mapping[str, set[str]]) -> None:
        """Report the ends of commands that the turn left; return when none is left to hear of.

        `left` are the items by their threads: the session's own, and those of its sub-agents.
        """

    async def end_commands(self, session: Session, threads: Iterable[str]) -> None:
        """End the commands that the turn left, and its sub-agents in these threads."""

    async def close(self, session: Session) -> None:
        """Let go of what was held for the session, which has ended."""

    def reference(self, thread_id: str | None, turn_id: str | None) -> str:
        """Return the session's `codexRef`."""


class PlainRunner:
    """A runner without capabilities: it refuses what it lacks, and has nothing else to do.

    One that has no more capabilities than that inherits from it, and says how it begins and ends.
    """

    name: str

    async def set_up(self, session: Session, script: SetUpScript, *, seconds: float) -> str | None:
        """Do nothing: it has no sandbox."""

    async def look_ahead(self, session: Session) -> None:
        """Do nothing: it needs to know nothing."""

    def assume_prompt_sent(self) -> None:
        """Do nothing: it looks into no thread."""

    async def abandon(self, session: Session) -> None:
        """Do nothing: an interruption is enough."""

    def check_steerable(self, session: Session) -> NoReturn:
        """Refuse.

        Raises:
            Conflict: always.
        """
        raise lacks_capability(session, self.name, "can_steer")

    async def steer(
        self,
        session: Session,
        message: str,  # noqa: ARG002 - always refused
        message_id: str,  # noqa: ARG002 - as above
        attachments: Sequence[Mapping[str, Any]] = (),  # noqa: ARG002 - as above
    ) -> str:
        """Refuse, as `check_steerable` does."""
        self.check_steerable(session)

    async def change_goal(self, session: Session, changes: GoalChanges | None) -> None:  # noqa: ARG002 - always refused
        """Refuse.

        Raises:
            Conflict: always.
        """
        raise lacks_capability(session, self.name, "pursues_goals")

    def exceeds(self, settings: Mapping[str, Any]) -> None:
        """Return None: it has no further turns."""

    def facts_of(self, news: ThreadNews, session: Session, turn_id: str | None) -> Iterable[Fact]:
        """Return nothing: it reports facts."""
        del news, session, turn_id
        return ()

    def agents_in(self, item: Mapping[str, Any], by: str) -> Iterable[AgentSeen]:
        """Return nothing: no sub-agents work for it."""
        del item, by
        return ()

    def changed_item(self, question: Question) -> str | None:
        """Return None: it asks nothing."""

    def describe(self, question: Question, changes: Sequence[Mapping[str, Any]]) -> ApprovalRequest:
        """Raise `NotImplementedError`: it asks nothing."""
        raise NotImplementedError

    def asked_meanwhile(self, item: ItemSeen, session: Session) -> None:
        """Return None: it asks nothing."""

    async def answer(self, question: Question, approval: Approval) -> None:
        """Do nothing: it asks nothing."""

    async def follow_commands(self, session: Session, left: Mapping[str, set[str]]) -> None:
        """Return at once: no command outlives its turn."""

    async def end_commands(self, session: Session, threads: Iterable[str]) -> None:
        """Do nothing: no command outlives its turn."""

    async def close(self, session: Session) -> None:
        """Do nothing: nothing is held."""
