"""An agent's own threads: what is asked of them before there is a session, and done with them."""

from __future__ import annotations

from typing import Any, Final, Protocol, TypeAlias

import attrs
import msgspec

from command_center.actors.contracts.fields import Title
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.lengths import Name
from command_center.runtime import Address, Request
from command_center.store.records import LOCAL


@attrs.frozen
class IdleThread:
    """A thread in which a turn may be started.

    Attributes:
        cwd: the folder that it works in, if the agent says it.
        title: the words by which a person knows it; empty if it has none.
    """

    cwd: str | None
    title: str


class AgentThreads(Protocol):
    """The threads of an agent, of those that were begun elsewhere, too."""

    async def check_version(self, host: str) -> None:
        """Refuse where the agent of a host could not carry out a run; one that is away may come.

        Raises:
            Conflict: it says which version to install.
        """

    async def list_models(self, host: str) -> list[dict[str, Any]]:
        """List the models of a host's agent, in its own words; none where it cannot be asked."""

    async def read_idle(self, host: str, thread_id: str) -> IdleThread:
        """Read a thread in which a turn may be started.

        Raises:
            ThreadBusy: a turn runs in it already; starting one would only steer that.
            Conflict: another turn would begin instead, or another process writes the thread.
            NotFound: the agent knows no such thread.
            Unavailable: there is no connection, or no answer in time.
        """


class ThreadBusy(Conflict):
    """A turn runs in the thread that is no session's."""

    def __init__(self, thread_id: str) -> None:
        """Say what to do."""
        super().__init__(
            f"Thread {thread_id} has a turn that another client of Codex began; "
            "wait for its end, or stop it there.",
            threadId=thread_id,
        )


class ShownThread(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A thread, as the agent of a host shows it."""

    host: str
    thread: dict[str, Any]


class ThreadDeleted(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The thread that is no more."""

    host: str
    thread_id: str


class Terminal(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A command that a thread's turns have left running.

    Attributes:
        process_id: the agent's name for it, by which it is ended.
        item_id: the item of the transcript that has its output.
        cpu_percent: of one core that it uses; null where the agent does not say.
        memory_bytes: what it has in memory; the same.
    """

    process_id: str
    item_id: str
    command: str
    cwd: str
    cpu_percent: float | None = None
    memory_bytes: int | None = None


class Terminals(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The commands that a thread's turns have left running."""

    host: str
    items: list[Terminal]


class ThreadOrder(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """An order about a thread of a host's agent.

    Attributes:
        requested_by: who wants it, in the caller's own words.
    """

    host: Name = LOCAL
    requested_by: Name = "api"


class ThreadChanges(ThreadOrder, frozen=True, kw_only=True, omit_defaults=True):
    """Changes to a thread; what is left out stays.

    Attributes:
        archived: an archived thread is listed apart, and takes no turn until it is brought back.
    """

    name: Title | msgspec.UnsetType = msgspec.UNSET
    archived: bool | msgspec.UnsetType = msgspec.UNSET


class NewFork(ThreadOrder, frozen=True, kw_only=True):
    """The place at which a thread is forked.

    Attributes:
        last_turn_id: the last turn that the fork has in common with the thread; the newest that
            has ended, if left out.
    """

    last_turn_id: Name | None = None


class Reversion(ThreadOrder, frozen=True, kw_only=True):
    """The place to which a thread is taken back.

    Attributes:
        before_turn_id: the first turn that the thread is to forget.
    """

    before_turn_id: Name


@attrs.frozen
class ReadThread(Request[ShownThread]):
    """Show a thread."""

    thread_id: str


@attrs.frozen
class PatchThread(Request[ShownThread]):
    """Name a thread, archive it, or bring it back."""

    thread_id: str
    changes: ThreadChanges


@attrs.frozen
class ForkThread(Request[ShownThread]):
    """Make another thread of its past."""

    thread_id: str
    wanted: NewFork


@attrs.frozen
class RevertThread(Request[ShownThread]):
    """Have the thread forget its last turns. Files stay as they are."""

    thread_id: str
    wanted: Reversion


@attrs.frozen
class DeleteThread(Request[ThreadDeleted]):
    """Delete a thread for good."""

    thread_id: str
    requested_by: str = "api"


@attrs.frozen
class ListTerminals(Request[Terminals]):
    """List the commands that a thread's turns have left running."""

    thread_id: str


@attrs.frozen
class EndTerminal(Request[Terminals]):
    """End a command that a thread's turns have left running; the answer has the others."""

    thread_id: str
    process_id: str
    requested_by: str = "api"


class ThreadsImported(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The outcome of a look at the stored threads.

    Attributes:
        threads: those that were copied, as they are new or have changed.
        texts: the texts in them.
        removed: threads that were forgotten, as Codex has them no more.
        is_whole: whether all are copied; else there are too many, and the newest are.
    """

    host: str
    threads: int
    texts: int
    removed: int
    is_whole: bool


@attrs.frozen
class ImportThreads(Request[ThreadsImported]):
    """Copy now what was said in the stored threads, so that it can be searched."""


ThreadAct: TypeAlias = (
    ReadThread
    | PatchThread
    | ForkThread
    | RevertThread
    | DeleteThread
    | ListTerminals
    | EndTerminal
    | ImportThreads
)

THREADS: Final = "/threads"
"""The path of the supervisor of the hosts' threads."""


def threads_on(host: str) -> Address[ThreadAct]:
    """Return the address of the actor that is asked about a host's threads."""
    return Address(f"{THREADS}/{host}")
