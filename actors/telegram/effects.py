"""The effects of an update, and the means to carry them out.

Whatever can be done within the store is done by an act's `unit`, in the very transaction that
marks the update as done: exactly once, its replies included. What needs another actor is `slow`:
it runs beside the chat's other updates, may be repeated after a crash unless it says `once`, and
ends in an act of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import tzinfo
from typing import Any, TypeVar

import attrs

from command_center.actors.contracts.addresses import TASKS, TasksMessage
from command_center.actors.contracts.sessions import SessionCommitted
from command_center.actors.contracts.tasks import CreateTask
from command_center.actors.core.storage import Storage
from command_center.actors.ledger.placing import RunPlaces
from command_center.actors.ledger.successors import say_next
from command_center.actors.ledger.tasks import create_task, run_task
from command_center.actors.ledger.uploads import attached
from command_center.actors.rules.policy import RunInput
from command_center.actors.sessions.directory import Sessions
from command_center.actors.telegram.markup import Text, bold, lines, shorten, text
from command_center.actors.telegram.outgoing import Outgoing
from command_center.runtime import ActorNotFound, ActorRef, Address, Asked, MailboxFull
from command_center.store import Session, Transaction, repositories, stored_hosts, tasks
from command_center.store.records import Runner

M = TypeVar("M")
R = TypeVar("R")

TITLE = 80
"""Characters of the title that a prompt gives its task."""

TOAST = 190
"""Characters of what is shown to who pressed a button; the Bot API takes 200."""

ASK_SECONDS = 90.0
"""Seconds that another actor may take to answer; stopping a session takes the longest."""


@attrs.frozen(kw_only=True)
class Visit:
    """One act of a person: who, what and where. `who` is recorded with every act."""

    update_id: int
    chat_id: int
    user_id: int
    message_id: int | None = None
    said: str = ""
    reply_to: int | None = None
    again: bool = False
    attachments: tuple[int, ...] = ()
    """The uploads of what was sent with the words, and before them."""

    @property
    def who(self) -> str:
        """Return the name under which the user acts."""
        return f"telegram:{self.user_id}"

    def reply(self, said: Text | str, **more: Any) -> Outgoing:
        """Return an answer in the chat; in a group it points to what it answers."""
        in_group = self.chat_id < 0
        return Outgoing(text=text(said), reply_to=self.message_id if in_group else None, **more)


Unit = Callable[[Transaction], Sequence[Outgoing]]


@attrs.frozen(kw_only=True)
class Act:
    """Something to be done for an update.

    Attributes:
        unit: done in the transaction that marks the update as done; gives the replies.
        after: done when that is committed.
        slow: done instead of a unit, without holding up the chat.
        once: whether `slow` may not be repeated where it is not known to have had its effect.
        toast: what is shown to who pressed a button.
    """

    unit: Unit | None = None
    after: Callable[[], Awaitable[None]] | None = None
    slow: Callable[[], Awaitable[Act]] | None = None
    once: bool = False
    toast: str | None = None


def say(*replies: Outgoing, toast: str | None = None) -> Act:
    """Only answer."""
    return Act(unit=lambda _tx: replies, toast=toast)


NOTHING = Act()
"""There is nothing to be done."""


@attrs.frozen(kw_only=True)
class Desk:
    """The things that acts work with.

    Attributes:
        find: gives the actor at a path.
        places: the hosts among which one is chosen for a run.
        runner: what new sessions run on.
        approval_seconds: how long a person has to decide what policy asks.
    """

    storage: Storage
    find: Callable[[str], ActorRef[Any] | None]
    allowed: frozenset[int]
    places: RunPlaces
    runner: Runner
    approval_seconds: float
    zone: tzinfo | None

    async def ask(self, address: Address[M], message: Asked[M, R]) -> R:
        """Ask another actor.

        Raises:
            ActorNotFound: it is not there.
            Exception: as `ActorRef.ask`.
        """
        ref: ActorRef[M] | None = self.find(address)
        if ref is None:
            raise ActorNotFound(address)
        return await ref.ask(message, timeout=ASK_SECONDS)

    @property
    def sessions(self) -> Sessions:
        """Return all sessions, to ask them and to stop them, whether they have an actor or not."""
        return Sessions(self.find, self.storage, self.approval_seconds)

    async def start(self, session_id: int) -> None:
        """See that a session which was committed here has its actor."""
        ref: ActorRef[TasksMessage] | None = self.find(TASKS)
        if ref is not None:
            # One that is not started now is found when `/tasks` starts.
            with contextlib.suppress(MailboxFull):
                ref.try_tell(SessionCommitted(session_id))

    # ── what starts sessions ─────────────────────────────────────────────────────────────────

    def run(
        self, visit: Visit, repository_id: int, prompt: str, *, on_any_host: bool = False
    ) -> Act:
        """Make a task of a prompt and run it with the repository's own permissions.

        It works on the host of the repository, or on the least busy one that has it.
        """
        started: list[int] = []

        def unit(tx: Transaction) -> Sequence[Outgoing]:
            task = create_task(
                tx,
                CreateTask(
                    repository_id=repository_id,
                    title=title_of(prompt),
                    prompt=prompt,
                    requested_by=visit.who,
                    placement="any" if on_any_host else None,
                ),
            )
            outcome = run_task(
                tx,
                task.id,
                RunInput(requested_by=visit.who),
                places=self.places,
                runner=self.runner,
                approval_seconds=self.approval_seconds,
                attachments=visit.attachments,
            )
            started.append(outcome.session.id)
            return [begun(tx, visit, outcome.session)]

        return Act(unit=unit, after=lambda: self.start(started[0]))

    def follow_up(self, visit: Visit, session_id: int, message: str) -> Act:
        """Go on in a session's thread: at once where it has ended, else when its turn has."""
        started: list[int] = []

        def unit(tx: Transaction) -> Sequence[Outgoing]:
            followup, session = say_next(
                tx,
                session_id,
                message=message,
                actor=visit.who,
                approval_seconds=self.approval_seconds,
                attachments=attached(tx, visit.attachments),
            )
            if followup is not None:
                said = f"⏳ I will say it when session {session.id} has ended its turn."
                return [visit.reply(said, session_id=session.id)]
            started.append(session.id)
            return [begun(tx, visit, session)]

        async def after() -> None:
            for started_id in started:
                await self.start(started_id)

        return Act(unit=unit, after=after)


def begun(tx: Transaction, visit: Visit, session: Session) -> Outgoing:
    """Return the answer to a run that was asked for."""
    task = tasks.get(tx.db, session.task_id)
    repository = repositories.get(tx.db, session.repository_id)
    if session.status == "blocked":
        said = f"✋ Session {session.id} needs an approval first."
    else:
        host = f" on {session.host}" if stored_hosts.count(tx.db, {}) else ""
        said = f"⏳ Session {session.id} is queued in {repository.name}{host}."
    return visit.reply(lines(text(bold(shorten(task.title, TITLE))), said), session_id=session.id)


def title_of(prompt: str) -> str:
    """Return a task's title, from its prompt's first line."""
    first = next((line.strip() for line in prompt.splitlines() if line.strip()), "")
    return shorten(first, TITLE)
