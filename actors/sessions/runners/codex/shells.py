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
import math
import secrets
from collections.abc import Mapping
from typing import Any, Final

import attrs
import msgspec
import structlog
import trio

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
    EndShell,
    LeaveShell,
    OpenShell,
    Outlet,
    ResizeShell,
    ShellEnded,
    ShellNews,
    ShellSize,
    WriteShell,
)
from command_center.actors.contracts.worktrees import Bounds, FindBounds
from command_center.actors.core.events import Fanout
from command_center.actors.core.storage import Storage
from command_center.actors.devices.roster import Roster
from command_center.actors.ledger.sessions import tell
from command_center.actors.rules.errors import Conflict, NotFound, TooBusy, Unavailable
from command_center.actors.sessions.runners.codex.threads import ask_codex
from command_center.actors.sessions.runners.codex.watcher import BridgeWatcher
from command_center.runtime import ActorNotFound, ActorRef, Deferred, Refusal, handles
from command_center.store import (
    EventData,
    EventFilter,
    Repository,
    Session,
    event_type,
    repositories,
    sessions,
)

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

OUTPUT: Final = "command/exec/outputDelta"

MOST_SHELLS: Final = 8
"""Terminals of a host that may be open at once."""

MOST_KEPT: Final = 256 * 1024
"""Bytes that are kept of what a shell wrote last, in memory alone."""

LINGER_SECONDS: Final = 600.0
"""Seconds that a shell goes on while nobody looks."""

END_SECONDS: Final = 5.0
"""Seconds that Codex may take to end a shell."""

BOUNDS_SECONDS: Final = 60.0

BEGIN_SECONDS: Final = 20.0
"""Seconds that a shell may take to show its prompt."""

LOST: Final = b"\r\n[some of the output is lost]\r\n"

BOUNDS: Final = frozenset({"allowTerminal", "allowWrite", "allowNetwork", "allowCommit"})
"""The settings of a repository whose change ends its terminals."""

CHANGES: Final = EventFilter(
    types=tuple(
        event_type(kind) for kind in (RepositoryUpdated, RepositoryForgotten, WorktreeRemoved)
    )
)
"""The events that may end a terminal."""


@attrs.define(eq=False)
class _Shell:
    """A shell that runs, or is about to."""

    device_id: int | None
    actor: str
    size: ShellSize
    id: str = attrs.field(factory=lambda: secrets.token_hex(8))
    session: Session | None = None
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    """Ends it."""
    reason: str = "It was closed."
    begun: trio.Event = attrs.field(factory=trio.Event)
    """Set once it has shown something, as its prompt: Codex takes nothing for it before."""
    has_ended: bool = False
    outlet: Outlet | None = None
    _kept: bytearray = attrs.field(factory=bytearray, repr=False)
    _is_cut: bool = False

    def show(self, outlet: Outlet) -> None:
        """Tell another one from now on, beginning with what was written of late."""
        self._leave(ShellEnded(None, "The terminal is shown elsewhere now."))
        self.outlet, self._is_cut = outlet, False
        self.scope.deadline = math.inf
        if self._kept:
            self._tell(bytes(self._kept))

    def hide(self) -> None:
        """Tell nobody from now on, and wait for who comes back."""
        self.outlet = None
        self.reason = f"Nobody has looked for {LINGER_SECONDS / 60:.0f} minutes."
        self.scope.deadline = trio.current_time() + LINGER_SECONDS

    def end(self, reason: str) -> None:
        """End it."""
        self.reason = reason
        self.scope.cancel()

    def wrote(self, output: bytes) -> None:
        """Keep it, and tell whoever looks; where they are too slow, some of it is left out."""
        self._kept += output
        if len(self._kept) > MOST_KEPT:
            line = self._kept.find(b"\n", -MOST_KEPT // 2) + 1
            del self._kept[: line or -MOST_KEPT // 2]
        self._tell(output)

    def lose(self) -> None:
        """Take note that some of its output was not told here."""
        self._is_cut = True

    def is_over(self, ended: ShellEnded) -> None:
        """Tell whoever looks that nothing more comes."""
        self.has_ended = True
        self.begun.set()
        self._leave(ended)

    def _leave(self, ended: ShellEnded) -> None:
        if self.outlet is not None:
            self._tell(ended)
            self.outlet.close()
            self.outlet = None

    def _tell(self, news: ShellNews) -> None:
        if self.outlet is None:
            return
        try:
            if self._is_cut:
                self.outlet.send_nowait(LOST)
                self._is_cut = False
            self.outlet.send_nowait(news)
        except trio.WouldBlock:
            self._is_cut = True
        except trio.BrokenResourceError:
            pass  # they have gone, and say so


class Shells(BridgeWatcher):
    """Keeps the terminals of one host: one for each session and device, and one for no device."""

    def __init__(self, storage: Storage, fanout: Fanout, roster: Roster, host: CodexHost) -> None:
        """Write to `storage`; the shells are run by the Codex of `host`."""
        self._storage = storage
        self._fanout = fanout
        self._roster = roster
        self._host = host
        self._open: dict[tuple[int, int | None], _Shell] = {}

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
        return self.ctx.answer_later(self._ask, requests.shell_write(shell.id, message.data))

    @handles(ResizeShell)
    def resize(self, message: ResizeShell) -> Deferred[None]:
        """Answer once Codex has taken it."""
        return self.ctx.answer_later(self._resize, self._known(message.shell_id), message.size)

    @handles(LeaveShell)
    def leave(self, message: LeaveShell) -> None:
        """Have it go on for a while, unless somebody else looks by now."""
        for shell in self._open.values():
            if shell.id == message.shell_id and shell.outlet is message.outlet:
                shell.hide()

    @handles(EndShell)
    def end(self, message: EndShell) -> None:
        """End it, if it has not ended."""
        for shell in self._open.values():
            if shell.id == message.shell_id:
                shell.end("It was closed.")

    @handles(CodexNotification)
    def told(self, message: CodexNotification) -> None:
        """Hand on what a shell writes."""
        try:
            shell = self._known(str(message.params.get("processId")))
        except NotFound:
            return  # it was closed meanwhile
        try:
            shell.wrote(base64.b64decode(message.params.get("deltaBase64") or "", validate=True))
        except binascii.Error:
            shell.lose()
        shell.begun.set()

    def lagged(self, _message: CodexLagged) -> None:
        """Say of all terminals that some of their output may be lost."""
        for shell in self._open.values():
            shell.lose()

    def _known(self, shell_id: str) -> _Shell:
        for shell in self._open.values():
            if shell.id == shell_id:
                return shell
        raise NotFound("Terminal", shell_id)

    async def _show(self, message: OpenShell) -> str:
        """Show a shell to somebody; start it unless they have one there.

        Raises:
            NotFound: there is no such session.
            Conflict: its repository allows no terminal, or its folder is not there.
            TooBusy: there are too many.
            Unavailable: it shows no prompt.
        """
        key = (message.session_id, message.device_id)
        shell = self._open.get(key)
        if shell is None:
            if len(self._open) >= MOST_SHELLS:
                raise TooBusy(f"{MOST_SHELLS} terminals are open. Close one first.")
            shell = _Shell(message.device_id, message.requested_by, message.size)
            self._open[key] = shell
            try:
                call = await self._prepare(shell, message)
            except BaseException:
                del self._open[key]
                shell.is_over(ShellEnded(None, shell.reason))
                raise
            self.ctx.start_task(self._keep, key, shell, call)
        with trio.move_on_after(BEGIN_SECONDS) as waiting:
            await shell.begun.wait()
        if waiting.cancelled_caught:
            shell.end(f"The shell has shown no prompt in {BEGIN_SECONDS:g} s.")
        if waiting.cancelled_caught or shell.has_ended:
            raise Unavailable(shell.reason)
        shell.show(message.outlet)
        if shell.size != message.size:
            await self._resize(shell, message.size)
        return shell.id

    async def _prepare(self, shell: _Shell, message: OpenShell) -> Call:
        """Say what is to be run, and that somebody has it run.

        The shell is known already: what is allowed is read after that, and a change is heard.
        """
        session = await self._storage.read(lambda db: sessions.get(db, message.session_id))
        shell.session = session
        repository = await self._storage.read(
            lambda db: repositories.get(db, session.repository_id)
        )
        if not repository.allow_terminal:
            raise Conflict(
                f"Repository {repository.id} allows no terminal. Allow it: "
                f'PATCH /api/repos/{repository.id} {{"allowTerminal": true}}.'
            )
        if session.permission_profile is not None:
            raise Conflict(
                f"Session {session.id} runs in the permission profile "
                f"{session.permission_profile}, in which no terminal is opened."
            )
        if session.worktree_reserved:
            raise Conflict(f"The worktree of session {session.id} is made when it starts.")
        bounds = await self.ctx.lookup(REPOSITORIES).ask(
            FindBounds(session.id), timeout=BOUNDS_SECONDS
        )
        confinement = confine_shell(session, repository, bounds)
        await self._tell(shell, ShellOpened(shell_id=shell.id, sandbox=confinement.sandbox.value))
        program = self._host.codex.settings.program
        columns, rows = message.size.columns, message.size.rows
        return requests.shell_start(shell.id, program, confinement, columns=columns, rows=rows)

    async def _keep(self, key: tuple[int, int | None], shell: _Shell, call: Call) -> None:
        """Have the shell run, and end it where this is cancelled, or its owner's access ends."""
        ended = None
        try:
            with shell.scope, self._roster.access_of(shell.device_id) as access:
                answer = await ask_codex(self._bridge(), call)
                code = answer.get("exitCode")
                ended = ShellEnded(code, f"The shell has ended with exit code {code}.")
            if access.cancelled_caught:
                shell.reason = "The access of its device has changed, or it signed out."
        except Refusal as error:
            shell.reason = str(error)
        finally:
            del self._open[key]
            has_ended = ended is not None
            ended = ended or ShellEnded(None, shell.reason)
            with trio.CancelScope(shield=True, deadline=trio.current_time() + END_SECONDS):
                if not has_ended:
                    await self._end(shell)
                await self._tell_end(shell, ended)
            shell.is_over(ended)

    async def _end(self, shell: _Shell) -> None:
        try:
            await self._ask(attrs.evolve(requests.shell_end(shell.id), timeout=END_SECONDS))
        except Refusal as error:
            log.info("shell.unended", shell=shell.id, reason=str(error))

    async def _resize(self, shell: _Shell, size: ShellSize) -> None:
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
                    case "repo.updated" if BOUNDS.isdisjoint(event["data"]["changes"]):
                        pass
                    case "worktree.removed" if event["data"]["path"] != session.cwd:
                        pass
                    case _:
                        shell.end("It was closed: what its repository allows has changed.")

    async def _tell_end(self, shell: _Shell, ended: ShellEnded) -> None:
        told = ShellClosed(shell_id=shell.id, exit_code=ended.exit_code, reason=ended.reason)
        try:
            await self._tell(shell, told)
        except Refusal as error:
            log.warning("shell.untold", shell=shell.id, reason=str(error))

    async def _tell(self, shell: _Shell, event: EventData) -> None:
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


def confine_shell(session: Session, repository: Repository, bounds: Bounds) -> Confinement:
    """Say what a shell may do: what the session may, and no more than its repository allows now.

    Nobody is in no sandbox: where a session is, its terminal may write in its folder.
    """
    writes = session.sandbox != "read-only" and repository.allow_write
    commits = session.allow_commit and repository.allow_commit
    return Confinement(
        cwd=session.cwd,
        sandbox=Sandbox.WORKSPACE_WRITE if writes else Sandbox.READ_ONLY,
        allow_network=session.allow_network and repository.allow_network,
        writable=bounds.writable if writes and commits else (),
        projects=bounds.projects,
        obeyed=bounds.obeyed,
    )
