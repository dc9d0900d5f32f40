"""`/shells/…`: terminals of people in the folders of sessions, each a shell that Codex runs.

A shell is held by Codex's sandbox, as the commands of the session's turns are, and may do no more
than its repository allows now. It goes on for a while when nobody looks, and keeps the last of what
it wrote, for a phone that comes back. It ends with the access of the device whose it is, with a
change of what its repository allows, with its folder, with the connection to Codex and with this
actor's life: each is a task of its own, whose end ends the shell.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import attrs
import msgspec
import structlog
import trio
from sqlite_utils import Database

from command_center.actors.codex import requests
from command_center.actors.codex.confinement import Confinement, Sandbox
from command_center.actors.codex.messages import (
    BridgeMessage,
    Call,
    CodexLagged,
    CodexNotification,
    codex_on,
)
from command_center.actors.codex.ports import CodexHost
from command_center.actors.contracts.addresses import REPOSITORIES
from command_center.actors.contracts.events.repositories import (
    RepositoryForgotten,
    RepositoryUpdated,
    WorktreeRemoved,
)
from command_center.actors.contracts.events.shells import ShellClosed, ShellOpened
from command_center.actors.contracts.shells import (
    CloseShell,
    EndShell,
    LeaveShell,
    ListShells,
    OpenShell,
    OpenTerminal,
    OpenTerminals,
    ResizeShell,
    ShellEnded,
    ShellSize,
    WriteShell,
)
from command_center.actors.contracts.worktrees import (
    Bounds,
    FindBounds,
    FindCheckout,
    SessionCheckout,
)
from command_center.actors.core.events import Fanout
from command_center.actors.core.storage import Storage
from command_center.actors.devices.roster import Roster
from command_center.actors.ledger.sessions import tell
from command_center.actors.rules.errors import Conflict, NotFound, TooBusy, Unavailable
from command_center.actors.rules.paths import lies_in
from command_center.actors.rules.policy import RunInput, evaluate
from command_center.actors.sessions.runners.codex.shell import CLOSED, Shell
from command_center.actors.sessions.runners.codex.threads import ask_codex
from command_center.actors.sessions.runners.codex.watcher import BridgeWatcher
from command_center.runtime import ActorNotFound, ActorRef, Deferred, Refusal, handles
from command_center.store import (
    EventData,
    EventFilter,
    Repository,
    Session,
    Task,
    event_type,
    repositories,
    sessions,
    tasks,
)

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

OUTPUT: Final = "command/exec/outputDelta"

MOST_SHELLS: Final = 8
"""Terminals of a host that may be open at once."""

END_SECONDS: Final = 5.0
"""Seconds that it may take to end a shell."""

SETTLE_SECONDS: Final = 3.0
"""Seconds of these in which a shell may still get into its sandbox while all is ended."""

BOUNDS_SECONDS: Final = 60.0

BEGIN_SECONDS: Final = 20.0
"""Seconds that a shell may take until the sandbox holds it."""

NO_BOUNDS: Final = frozenset({"name"})
"""The settings of a repository whose change leaves its terminals alone."""

WAITING: Final = frozenset({"created", "blocked", "queued", "waiting_limit", "starting"})
"""The statuses of a session before its turn."""

CHANGES: Final = EventFilter(
    types=tuple(
        event_type(kind) for kind in (RepositoryUpdated, RepositoryForgotten, WorktreeRemoved)
    )
)
"""The events that may end a terminal."""


class Shells(BridgeWatcher):
    """Keeps the terminals of one host: one for each session and device, and one for no device."""

    def __init__(self, storage: Storage, fanout: Fanout, roster: Roster, host: CodexHost) -> None:
        """Write to `storage`; the shells are run by the Codex of `host`."""
        self._storage = storage
        self._fanout = fanout
        self._roster = roster
        self._host = host
        self._open: dict[tuple[int, int | None], Shell] = {}
        self._running: dict[str, Shell] = {}

    async def on_start(self) -> None:
        """Ask to be told of output, and of what ends a terminal."""
        self.ctx.start_task(self.watch, self._host.name, OUTPUT)
        self.ctx.start_task(self._watch_bounds)

    def describe(self) -> Mapping[str, object]:
        """Show of which sessions terminals are open."""
        return {"sessions": sorted(session_id for session_id, _ in self._open)}

    @handles(OpenShell)
    def open(self, message: OpenShell) -> Deferred[str]:
        """Answer once it is there."""
        return self.ctx.answer_later(self._show, message)

    @handles(WriteShell)
    def write(self, message: WriteShell) -> Deferred[None]:
        """Answer once Codex has taken it."""
        shell = self._known(message.shell_id)
        shell.is_used = True
        return self.ctx.answer_later(self._ask, requests.shell_write(shell.id, message.data))

    @handles(ResizeShell)
    def resize(self, message: ResizeShell) -> Deferred[None]:
        """Answer once Codex has taken it."""
        return self.ctx.answer_later(self._resize, self._known(message.shell_id), message.size)

    @handles(LeaveShell)
    def leave(self, message: LeaveShell) -> None:
        """Have it go on for a while, unless somebody else looks by now."""
        for shell in self._open.values():
            if shell.outlet is message.outlet:
                shell.hide()

    @handles(EndShell)
    def end(self, message: EndShell) -> None:
        """End it, if it has not ended."""
        for shell in self._open.values():
            if shell.id == message.shell_id:
                shell.end(CLOSED)

    @handles(ListShells)
    def list_open(self, _message: ListShells) -> OpenTerminals:
        """List those that are open, the oldest first."""
        return self._listed(self._open)

    @handles(CloseShell)
    def close(self, message: CloseShell) -> OpenTerminals:
        """End somebody's."""
        shell = self._known(message.shell_id)
        shell.end(f"{message.requested_by} ended it.")
        return self._listed(key for key, one in self._open.items() if one is not shell)

    @handles(CodexNotification)
    def told(self, message: CodexNotification) -> None:
        """Hand on what a shell writes."""
        shell = self._running.get(str(message.params.get("processId")))
        if shell is None:
            return  # it was closed meanwhile
        try:
            shell.wrote(base64.b64decode(message.params.get("deltaBase64") or "", validate=True))
        except binascii.Error:
            shell.lose()

    def lagged(self, _message: CodexLagged) -> None:
        """Say of all terminals that some of their output may be lost."""
        for shell in self._open.values():
            shell.lose()

    def _listed(self, keys: Iterable[tuple[int, int | None]]) -> OpenTerminals:
        return OpenTerminals(
            host=self._host.name,
            items=[
                OpenTerminal(
                    id=shell.id,
                    session_id=key[0],
                    device_id=shell.device_id,
                    requested_by=shell.actor,
                    opened_at=shell.opened_at,
                    is_seen=shell.outlet is not None,
                )
                for key, shell in ((key, self._open[key]) for key in keys)
            ],
        )

    def _known(self, shell_id: str) -> Shell:
        for shell in self._open.values():
            if shell.id == shell_id:
                return shell
        raise NotFound("Terminal", shell_id)

    async def _show(self, message: OpenShell) -> str:
        """Show a shell to somebody; start it unless they have one there.

        Raises:
            NotFound: there is no such session.
            Conflict: its repository or the session allows no terminal, or its folder is not there.
            TooBusy: there are too many.
            Unavailable: its sandbox does not come about.
        """
        key = (message.session_id, message.device_id)
        shell = self._open.get(key)
        if shell is None:
            if len(self._running) >= MOST_SHELLS:
                raise TooBusy(f"{MOST_SHELLS} terminals are open. Close one first.")
            shell = Shell(message.device_id, message.requested_by, message.size)
            await self._start(key, shell, message)
        is_late = not await self._has_begun(shell)
        if is_late:
            shell.end(f"The sandbox of the shell was not there in {BEGIN_SECONDS:g} s.")
        if is_late or shell.has_ended:
            raise (Conflict if shell.is_misplaced else Unavailable)(shell.reason)
        if shell.scope.cancel_called or self._open.get(key) is not shell:
            shell.show_end(message.outlet)
            return shell.id
        shell.show(message.outlet)
        if shell.size != message.size:
            await self._resize(shell, message.size)
        return shell.id

    async def _has_begun(self, shell: Shell) -> bool:
        """Wait until the sandbox holds it, for as long as it may take; return False if it is late.

        Where what says so may be lost, nothing but the time tells: by then it counts as held.
        """
        with trio.CancelScope(deadline=shell.started + BEGIN_SECONDS):
            await shell.begun.wait()
        return shell.begun.is_set() or shell.has_begun_unheard()

    async def _start(self, key: tuple[int, int | None], shell: Shell, message: OpenShell) -> None:
        """Have a shell run from now on, or raise what `_prepare` does, as if it had never been."""
        self._open[key] = self._running[shell.id] = shell
        with ExitStack() as undo:
            undo.callback(self._is_over, shell)
            undo.callback(self._open.pop, key)
            call = await self._prepare(shell, message)
            undo.pop_all()
        shell.begin()
        self.ctx.start_task(self._keep, key, shell, call)

    def _is_over(self, shell: Shell, ended: ShellEnded | None = None) -> None:
        del self._running[shell.id]
        shell.is_over(ended or ShellEnded(None, shell.reason))

    async def _prepare(self, shell: Shell, message: OpenShell) -> Call:
        """Say what is to be run, and that somebody has it run.

        The shell is known already: what is allowed is read after that, and a change is heard.
        """

        def load(db: Database) -> tuple[Session, Task, Repository]:
            session = sessions.get(db, message.session_id)
            task = tasks.get(db, session.task_id)
            return session, task, repositories.get(db, session.repository_id)

        session, task, repository = await self._storage.read(load)
        shell.session = session
        if not repository.allow_terminal:
            raise Conflict(
                f"Repository {repository.id} allows no terminal. Allow it: "
                f'PATCH /api/repos/{repository.id} {{"allowTerminal": true}}.'
            )
        check_session(session)
        repositories_actor = self.ctx.lookup(REPOSITORIES)
        place = await repositories_actor.ask(FindCheckout(session.id), timeout=BOUNDS_SECONDS)
        bounds = await repositories_actor.ask(FindBounds(session.id), timeout=BOUNDS_SECONDS)
        shell.folder = place.folder
        confinement = confine_shell(session, repository, bounds, folder=place.folder)
        check_shell(repository, task, confinement, place)
        hidden = await self._host.folders.hidden_from(
            Path(place.folder), writes=confinement.sandbox is Sandbox.WORKSPACE_WRITE
        )
        await self._tell(shell, ShellOpened(shell_id=shell.id, sandbox=confinement.sandbox.value))
        program = self._host.codex.settings.program
        columns, rows = message.size.columns, message.size.rows
        return requests.shell_start(
            shell.id,
            program,
            attrs.evolve(confinement, hidden=tuple(map(str, hidden))),
            columns=columns,
            rows=rows,
        )

    async def _keep(self, key: tuple[int, int | None], shell: Shell, call: Call) -> None:
        """Have the shell run, and end it where this is cancelled, or its owner's access ends."""
        ended, is_reached = None, True
        try:
            with shell.scope, self._roster.access_of(shell.device_id) as access:
                answer = await ask_codex(self._bridge(), call)
                code = answer.get("exitCode")
                ended = ShellEnded(code, f"The shell has ended with exit code {code}.")
                if not shell.begun.is_set():
                    shell.is_misplaced = code == requests.NO_FOLDER
                    ended = ShellEnded(code, _unbegun(shell, code))
            if access.cancelled_caught:
                shell.reason = "The access of its device has changed, or it signed out."
        except Refusal as error:
            shell.reason, is_reached = str(error), False
        finally:
            del self._open[key]
            await self._finish(shell, ended, is_reached=is_reached)

    async def _finish(self, shell: Shell, ended: ShellEnded | None, *, is_reached: bool) -> None:
        """End what has not ended, once the sandbox holds it: until then a process may be left."""
        told = ended or ShellEnded(None, shell.reason)
        try:
            if ended is None and is_reached:
                await self._has_begun(shell)
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + END_SECONDS):
                if ended is None:
                    with trio.move_on_after(SETTLE_SECONDS if is_reached else 0):
                        await shell.begun.wait()
                    await self._end(shell)
                await self._tell_end(shell, told)
            self._is_over(shell, told)

    async def _end(self, shell: Shell) -> None:
        try:
            await self._ask(attrs.evolve(requests.shell_end(shell.id), timeout=END_SECONDS))
        except Refusal as error:
            log.info("shell.unended", shell=shell.id, reason=str(error))

    async def _resize(self, shell: Shell, size: ShellSize) -> None:
        shell.size = size
        await self._ask(requests.shell_resize(shell.id, columns=size.columns, rows=size.rows))

    async def _watch_bounds(self) -> None:
        """End the terminals whose repository allows something else, or whose folder is gone."""
        while True:
            with self._fanout.subscribe(CHANGES) as news:
                while batch := await news.take():
                    for each in batch:
                        self._heard(msgspec.json.decode(each.event.body))
            if news.closed == "shutdown":
                return
            for shell in self._open.values():  # a change may have been missed
                shell.end("What its repository allows may have changed.")

    def _heard(self, event: dict[str, Any]) -> None:
        for shell in self._open.values():
            session = shell.session
            if session is not None and event["repositoryId"] == session.repository_id:
                match event["type"]:
                    case "repo.updated" if event["data"]["changes"].keys() <= NO_BOUNDS:
                        pass
                    case "worktree.removed" if not lies_in(
                        shell.folder or session.cwd, event["data"]["path"]
                    ):
                        pass
                    case _:
                        shell.end("It was closed: what its repository allows has changed.")

    async def _tell_end(self, shell: Shell, ended: ShellEnded) -> None:
        told = ShellClosed(shell_id=shell.id, exit_code=ended.exit_code, reason=ended.reason)
        try:
            await self._tell(shell, told)
        except Refusal as error:
            log.warning("shell.untold", shell=shell.id, reason=str(error))

    async def _tell(self, shell: Shell, event: EventData) -> None:
        session = shell.session
        if session is not None:
            await self._storage.write(lambda tx: tell(tx, session, event, actor=shell.actor))

    async def _ask(self, call: Call) -> None:
        await ask_codex(self._bridge(), call)

    def _bridge(self) -> ActorRef[BridgeMessage]:
        try:
            return self.ctx.lookup(codex_on(self._host.name))
        except ActorNotFound as error:
            raise Unavailable(str(error)) from error


def _unbegun(shell: Shell, code: object) -> str:
    if shell.is_misplaced:
        return f"{shell.folder} is not there any more."
    said = shell.said()
    return f"The shell could not begin (exit code {code}){': ' if said else '.'}{said}"


def check_session(session: Session) -> None:
    """Refuse a session that was not let in yet, or that was never.

    Raises:
        Conflict: it says why.
    """
    if session.permission_profile is not None:
        raise Conflict(
            f"Session {session.id} runs in the permission profile "
            f"{session.permission_profile}, in which no terminal is opened."
        )
    was_refused = session.status == "stopped" and session.codex_turn_id is None
    if session.worktree_reserved or session.status in WAITING or was_refused:
        raise Conflict(
            f"Session {session.id} has not begun: it is {session.status}. It has a terminal once "
            "its turn runs."
        )


def confine_shell(
    session: Session, repository: Repository, bounds: Bounds, *, folder: str
) -> Confinement:
    """Say what a shell may do: what the session may, and no more than its repository allows now.

    Nobody is in no sandbox: where a session is, its terminal may write in its folder.
    """
    writes = session.sandbox != "read-only" and repository.allow_write
    commits = session.allow_commit and repository.allow_commit
    return Confinement(
        cwd=folder,
        sandbox=Sandbox.WORKSPACE_WRITE if writes else Sandbox.READ_ONLY,
        allow_network=session.allow_network and repository.allow_network,
        writable=bounds.writable if writes and commits else (),
        projects=bounds.projects,
        obeyed=bounds.obeyed,
    )


def check_shell(
    repository: Repository, task: Task, confinement: Confinement, place: SessionCheckout
) -> None:
    """Refuse a shell that the policy would refuse as a run that may do the same at that place.

    Raises:
        Conflict: it gives the reasons.
    """
    wanted = RunInput(
        sandbox="read-only" if confinement.sandbox is Sandbox.READ_ONLY else "workspace-write",
        allow_network=confinement.allow_network,
        allow_commit=bool(confinement.writable),
        worktree_path=repository.local_path if place.is_main else place.checkout,
    )
    result = evaluate(repository, task, wanted)
    if result.run is None:
        raise Conflict(" ".join(reason.message for reason in result.reasons))
