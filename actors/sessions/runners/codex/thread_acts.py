"""`/threads/…`: has a host's Codex rename, archive, fork, revert and delete its threads.

A thread in which a session works, or a turn runs, is changed in nothing but its name. That is seen
before each act, and once more directly before it; a session that begins in the moment between that
look and Codex's answer may still find its thread changed or gone. What loads a thread to act on it
loads it as tight as can be, as far as that is: none of its project's files are obeyed, no MCP
server that the configuration names is started, and no turn begins.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from command_center.actors.codex import requests
from command_center.actors.codex.accounts import typed
from command_center.actors.codex.confinement import AskFor, Confinement, Sandbox
from command_center.actors.codex.mcp_servers import servers_in
from command_center.actors.codex.messages import BridgeMessage, Call, codex_on
from command_center.actors.codex.pages import Pages
from command_center.actors.codex.ports import CodexHost
from command_center.actors.contracts.bridges import BridgeConnected, BridgeLost
from command_center.actors.contracts.events.threads import (
    TerminalEnded,
    ThreadArchived,
    ThreadForked,
    ThreadRenamed,
    ThreadReverted,
    ThreadUnarchived,
    ThreadWasDeleted,
)
from command_center.actors.contracts.tasks import check_texts
from command_center.actors.contracts.threads import (
    DeleteThread,
    EndTerminal,
    ForkThread,
    ImportThreads,
    ListTerminals,
    PatchThread,
    ReadThread,
    RevertThread,
    ShownThread,
    Terminal,
    Terminals,
    ThreadDeleted,
    ThreadsImported,
)
from command_center.actors.core.locks import KeyedLocks
from command_center.actors.core.storage import OutsideAct, Storage
from command_center.actors.ledger.adoption import Thread
from command_center.actors.ledger.threads import check_free, tell_of_thread
from command_center.actors.rules.errors import Conflict, NotFound, Unavailable
from command_center.actors.sessions.runners.codex.thread_import import ThreadImport
from command_center.actors.sessions.runners.codex.threads import (
    ask_codex,
    check_not_archived,
    check_queue_empty,
    is_archived,
    reach_idle,
)
from command_center.actors.sessions.runners.codex.user_rules import read_layers
from command_center.actors.sessions.runners.codex.watcher import BridgeWatcher
from command_center.runtime import ActorNotFound, ActorRef, Deferred, handles
from command_center.store import EventData, Transaction, redact
from command_center.store.queries import stored_threads

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

MOST_LOADED: Final = 100
"""Threads among which a fork is looked for that a former life may have made."""

MOST_PAGES: Final = 20
"""Pages of a list of Codex's that are read."""

FIRST_SECONDS: Final = 20.0
"""Seconds from a connection to the first look at the stored threads."""

AGAIN_SECONDS: Final = 600.0
"""Seconds between two looks at them."""

IMPORT: Final = "import"
"""The name under which one look at a time is done; no thread has it."""

FORKED: Final = "forked history"
"""The words of Codex for a thread that cannot be deleted, since another one has its history."""


class Forking(OutsideAct, frozen=True, kw_only=True):
    """A thread is about to be forked, at that second of Codex's clock."""

    thread_id: str
    at: int


class Reverting(OutsideAct, frozen=True, kw_only=True):
    """A thread is about to forget a turn."""

    before_turn_id: str


class ImportDue(msgspec.Struct, frozen=True):
    """Look whether stored threads have changed, while there is still that connection."""

    connection: int


class ThreadActs(BridgeWatcher):
    """Does with the threads of one host's Codex what people want, and tells who wanted it."""

    def __init__(
        self,
        storage: Storage,
        host: CodexHost,
        *,
        imports: bool = True,
        hosts: Collection[str] = (),
    ) -> None:
        """Write to `storage`; the threads are those of the Codex of `host`.

        Without `imports` nothing of the threads is copied, and what was copied is forgotten. With
        `hosts`, all that there are, so is what was copied of any other.
        """
        self._storage = storage
        self._host = host
        self._locks = KeyedLocks()
        self._imports = imports
        self._hosts = hosts
        self._import = ThreadImport(storage, self._ask, host.name, self._locks)
        self._connection = 0
        """Numbers the connections, and the times between them."""

    async def on_start(self) -> None:
        """Hear of connections, each of which has stored threads looked at in a while."""
        self.ctx.start_task(self.watch if self._imports else self._forget_imported, self._host.name)
        if self._hosts:
            self.ctx.start_task(self._forget_hosts)

    async def _forget_imported(self, host: str) -> None:
        with suppress(Unavailable):  # it is tried again with the next start
            await ThreadImport(self._storage, self._ask, host, self._locks).forget()

    async def _forget_hosts(self) -> None:
        for host in await self._storage.read(stored_threads.hosts_of_threads) - {*self._hosts}:
            await self._forget_imported(host)

    @handles(BridgeConnected)
    def connected(self, _message: BridgeConnected) -> None:
        """Look at the stored threads once what is urgent is done."""
        self._connection += 1
        self.ctx.send_after(FIRST_SECONDS, ImportDue(self._connection))

    @handles(BridgeLost)
    def lost(self, _message: BridgeLost) -> None:
        """Look no more until there is a connection."""
        self._connection += 1

    @handles(ImportDue)
    def import_due(self, message: ImportDue) -> None:
        """Look at the stored threads, and again in a while."""
        if message.connection == self._connection:
            self.ctx.start_task(self._import_again, message)

    async def _import_again(self, due: ImportDue) -> None:
        try:
            await self._alone(IMPORT, self._import.look)
        except (Conflict, Unavailable) as error:
            log.info("threads.not_imported", host=self._host.name, reason=str(error))
        self.ctx.send_after(AGAIN_SECONDS, due)

    @handles(ImportThreads)
    def import_now(self, _message: ImportThreads) -> Deferred[ThreadsImported]:
        """Answer once all that has changed is copied."""
        if not self._imports:
            raise Conflict("CC_IMPORT_THREADS is off. Set it to on, and start the server again.")
        return self.ctx.answer_later(self._alone, IMPORT, self._import.look)

    def describe(self) -> Mapping[str, object]:
        """Show which threads something is done with."""
        return {"acting": sorted(map(str, self._locks.held()))}

    @handles(ReadThread)
    def read(self, message: ReadThread) -> Deferred[ShownThread]:
        """Answer as Codex does; nothing is loaded."""
        return self.ctx.answer_later(self._shown, message.thread_id)

    @handles(PatchThread)
    def patch(self, message: PatchThread) -> Deferred[ShownThread]:
        """Answer with the thread as it is then."""
        if isinstance(message.changes.name, str):
            check_texts(title=message.changes.name)
        return self.ctx.answer_later(self._alone, message.thread_id, partial(self._patch, message))

    @handles(ForkThread)
    def fork(self, message: ForkThread) -> Deferred[ShownThread]:
        """Answer with the fork."""
        return self.ctx.answer_later(self._alone, message.thread_id, partial(self._fork, message))

    @handles(RevertThread)
    def revert(self, message: RevertThread) -> Deferred[ShownThread]:
        """Answer once the turns are forgotten."""
        return self.ctx.answer_later(self._alone, message.thread_id, partial(self._revert, message))

    @handles(DeleteThread)
    def delete(self, message: DeleteThread) -> Deferred[ThreadDeleted]:
        """Answer once it is no more."""
        return self.ctx.answer_later(self._alone, message.thread_id, partial(self._delete, message))

    @handles(ListTerminals)
    def list_terminals(self, message: ListTerminals) -> Deferred[Terminals]:
        """Answer with what Codex lists."""
        return self.ctx.answer_later(self._terminals, message.thread_id)

    @handles(EndTerminal)
    def end_terminal(self, message: EndTerminal) -> Deferred[Terminals]:
        """Answer once it is ended."""
        return self.ctx.answer_later(
            self._alone, message.thread_id, partial(self._end_terminal, message)
        )

    async def _alone(self, thread_id: str, act: Callable[[], Awaitable[Any]]) -> Any:
        """Do one thing with a thread at a time."""
        async with self._locks.of(thread_id):
            return await act()

    async def _shown(self, thread_id: str) -> ShownThread:
        answer = await self._ask(requests.thread_read(thread_id))
        return self._of(answer["thread"])

    async def _patch(self, message: PatchThread) -> ShownThread:
        thread_id, changes = message.thread_id, message.changes
        if changes.archived is True:
            await self._free(thread_id)
        if isinstance(changes.name, str):
            await self._ask(requests.thread_name(thread_id, changes.name))
            told: EventData = ThreadRenamed(
                host=self._host.name, thread_id=thread_id, name=changes.name
            )
            await self._tell(thread_id, told, changes.requested_by)
        if isinstance(changes.archived, bool):
            await self._archive(thread_id, changes.requested_by, archived=changes.archived)
        return await self._shown(thread_id)

    async def _archive(self, thread_id: str, actor: str, *, archived: bool) -> None:
        if is_archived((await self._ask(requests.thread_read(thread_id)))["thread"]) is archived:
            return
        call = requests.thread_archive if archived else requests.thread_unarchive
        event = ThreadArchived if archived else ThreadUnarchived
        if archived:
            await self._unused(thread_id)
        await self._ask(call(thread_id))
        await self._tell(thread_id, event(host=self._host.name, thread_id=thread_id), actor)

    async def _fork(self, message: ForkThread) -> ShownThread:
        thread_id, wanted = message.thread_id, message.wanted
        begun = self._storage.intended(Forking)
        made = None if begun is None else await self._fork_since(begun)
        if made is None:
            await self._storage.intend(Forking(thread_id=thread_id, at=int(time.time())))
            made = await self._forked(thread_id, wanted.last_turn_id)
        fork = made
        told = ThreadForked(
            host=self._host.name,
            thread_id=thread_id,
            fork_id=str(fork["id"]),
            last_turn_id=wanted.last_turn_id,
        )

        def record(tx: Transaction) -> ShownThread:
            tell_of_thread(tx, self._thread(thread_id), told, actor=wanted.requested_by)
            return self._of(fork)

        return await self._storage.write(record)

    async def _forked(self, thread_id: str, last_turn_id: str | None) -> dict[str, Any]:
        confinement = await self._tight(thread_id)
        call = requests.thread_fork(thread_id, confinement, last_turn_id=last_turn_id)
        fork: dict[str, Any] = (await self._ask(call))["thread"]
        await self._leave(str(fork["id"]))
        return fork

    async def _fork_since(self, begun: Forking) -> dict[str, Any] | None:
        """Return the fork that a former life made for the same request, if it did.

        Codex lists none before its first turn, but has it in memory.
        """
        for thread_id in (await self._ask(requests.threads_loaded(limit=MOST_LOADED)))["data"]:
            thread = (await self._ask(requests.thread_read(str(thread_id))))["thread"]
            is_its = thread.get("forkedFromId") == begun.thread_id
            if is_its and int(thread.get("createdAt") or 0) >= begun.at:
                return dict(thread)
        return None

    async def _revert(self, message: RevertThread) -> ShownThread:
        thread_id, wanted = message.thread_id, message.wanted
        await self._free(thread_id)
        begun = self._storage.intended(Reverting)
        is_known = await self._knows(thread_id, wanted.before_turn_id)
        if not is_known and begun is None:
            raise NotFound("Turn", wanted.before_turn_id)
        if is_known:
            await self._storage.intend(Reverting(before_turn_id=wanted.before_turn_id))
            confinement = await self._tight(thread_id)
            await self._unused(thread_id)
            await self._ask(requests.thread_resume(thread_id, confinement))
            try:
                await self._unused(thread_id)
                await self._ask(requests.thread_revert(thread_id, wanted.before_turn_id))
            finally:
                await self._leave(thread_id)
        shown = await self._shown(thread_id)
        told = ThreadReverted(
            host=self._host.name, thread_id=thread_id, before_turn_id=wanted.before_turn_id
        )

        def record(tx: Transaction) -> ShownThread:
            tell_of_thread(tx, self._thread(thread_id), told, actor=wanted.requested_by)
            return shown

        return await self._storage.write(record)

    async def _knows(self, thread_id: str, turn_id: str) -> bool:
        async for page in Pages(self._ask, requests.turns_list(thread_id, items=False)):
            if any(turn["id"] == turn_id for turn in page):
                return True
        return False

    async def _delete(self, message: DeleteThread) -> ThreadDeleted:
        thread_id, name = message.thread_id, self._host.name
        await self._free(thread_id)
        await self._unused(thread_id)
        try:
            await self._ask(requests.thread_delete(thread_id))
        except Conflict as error:
            if FORKED not in str(error):
                raise
            raise Conflict(
                f"Thread {thread_id} has forks, which share its history. Delete those first, or "
                "archive it.",
                threadId=thread_id,
            ) from error
        told = ThreadWasDeleted(host=name, thread_id=thread_id)
        await self._import.forget_threads([thread_id])
        await self._tell(thread_id, told, message.requested_by)
        return ThreadDeleted(host=name, thread_id=thread_id)

    async def _terminals(self, thread_id: str) -> Terminals:
        """List what Codex does, as far as it can be read; a list that does not end is cut."""
        found: list[Terminal] = []
        listing = requests.terminals_list(thread_id)
        async for page in Pages(self._ask, listing, most=MOST_PAGES):
            found += filter(None, map(_terminal, page))
        return Terminals(host=self._host.name, items=found)

    async def _end_terminal(self, message: EndTerminal) -> Terminals:
        """End a command.

        Raises:
            NotFound: Codex lists none of that name.
        """
        thread_id, process_id = message.thread_id, message.process_id
        for one in (await self._terminals(thread_id)).items:
            if one.process_id == process_id:
                break
        else:
            raise NotFound("Terminal", process_id)
        await self._ask(requests.terminal_end(thread_id, process_id))
        told = TerminalEnded(
            host=self._host.name,
            thread_id=thread_id,
            process_id=process_id,
            command=one.command,
        )
        await self._tell(thread_id, told, message.requested_by)
        return await self._terminals(thread_id)

    async def _free(self, thread_id: str) -> None:
        """See that nobody works in the thread.

        Raises:
            Conflict: a session does, or has left commands there; a turn runs, or waits in Codex's
                own queue; or another process writes it.
        """
        await self._unused(thread_id)
        await reach_idle(self._bridge(), thread_id)
        await check_queue_empty(self._bridge(), thread_id)

    async def _unused(self, thread_id: str) -> None:
        """See that no session has begun in the thread meanwhile; directly before something is done.

        Raises:
            Conflict: one has, or has left commands there.
        """
        await self._storage.read(partial(check_free, thread=self._thread(thread_id)))

    async def _tight(self, thread_id: str) -> Confinement:
        """Return what a thread may do that is loaded and has no turn: no MCP server is started.

        Raises:
            Conflict: it is archived.
            NotConfined: the machine's managed configuration has it obey files that nobody trusts.
        """
        answer = await self._ask(requests.thread_read(thread_id))
        check_not_archived(answer["thread"])
        cwd = str(answer["thread"]["cwd"])
        files = await self._host.codex.project_files(Path(cwd), Path(cwd))
        layers = await read_layers(self._ask)
        confinement = Confinement(
            cwd=cwd,
            sandbox=Sandbox.READ_ONLY,
            ask_for=AskFor.UNTRUSTED,
            projects=files.paths,
            obeyed=files.obeyed,
            servers_off=tuple(server.name for server in servers_in(layers)),
        )
        confinement.check_managed(layers)
        return confinement

    async def _leave(self, thread_id: str) -> None:
        with suppress(Conflict, NotFound, Unavailable):  # Codex leaves it by itself in a while
            await self._ask(requests.thread_unsubscribe(thread_id))

    async def _tell(self, thread_id: str, event: EventData, actor: str) -> None:
        thread = self._thread(thread_id)
        await self._storage.write(lambda tx: tell_of_thread(tx, thread, event, actor=actor))

    async def _ask(self, call: Call) -> dict[str, Any]:
        return await ask_codex(self._bridge(), call)

    def _bridge(self) -> ActorRef[BridgeMessage]:
        try:
            return self.ctx.lookup(codex_on(self._host.name))
        except ActorNotFound as error:
            raise Unavailable(str(error)) from error

    def _thread(self, thread_id: str) -> Thread:
        return Thread(self._host.name, thread_id)

    def _of(self, thread: Mapping[str, Any]) -> ShownThread:
        shown = {name: value for name, value in thread.items() if name != "turns"}
        return ShownThread(host=self._host.name, thread=shown)


def _terminal(told: object) -> Terminal | None:
    """Read a command that runs, without its secrets; None if it has no name to end it by."""
    if not isinstance(told, dict) or not {"processId", "itemId", "command", "cwd"} <= told.keys():
        return None
    kibibytes, percent = typed(told.get("rssKb"), int), told.get("cpuPercent")
    return Terminal(
        process_id=str(told["processId"]),
        item_id=str(told["itemId"]),
        command=str(redact(str(told["command"]))),
        cwd=str(told["cwd"]),
        cpu_percent=percent if isinstance(percent, int | float) else None,
        memory_bytes=None if kibibytes is None else kibibytes * 1024,
    )
