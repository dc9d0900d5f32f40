"""/api/sessions/…/terminal: a terminal of a person's own where a session works."""

from __future__ import annotations

from contextlib import suppress
from typing import Final, TypeAlias

import msgspec
import trio
from quart import websocket

from command_center.actors.center import Center
from command_center.actors.contracts.runners import RUNNERS, needs_threads
from command_center.actors.contracts.shells import (
    Cells,
    CloseShell,
    EndShell,
    LeaveShell,
    ListShells,
    OpenShell,
    OpenTerminals,
    Outlet,
    ResizeShell,
    ShellEnded,
    ShellMessage,
    ShellNews,
    ShellSize,
    WriteShell,
    shells_on,
)
from command_center.actors.rules.errors import NotFound
from command_center.actors.rules.lengths import Name
from command_center.http.wire.caller import caller_of
from command_center.http.wire.codec import encode
from command_center.http.wire.operation import Api
from command_center.runtime import ActorNotFound, Address, MailboxFull, Refusal
from command_center.store import sessions
from command_center.store.records import LOCAL

api = Api[Center]("Terminals")

QUEUED: Final = 512
"""Pieces of output that may wait for a client that reads slowly; more is left out."""

OPEN_SECONDS: Final = 90.0
"""Seconds that it may take to start a shell, for which git is asked."""

NORMAL_CLOSURE: Final = 1000
UNSUPPORTED_DATA: Final = 1003


class TerminalQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The size of the terminal, in characters, until it is told another one."""

    columns: Cells = 80
    rows: Cells = 24
    requested_by: Name = "api"


class TerminalsQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The host whose terminals are meant."""

    host: Name = LOCAL


class TerminalEndQuery(TerminalsQuery, frozen=True, kw_only=True, rename="camel"):
    """The host of a terminal, and who ends it."""

    requested_by: Name = "api"


class Resize(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="resize"):
    """The terminal has another size, which a client sends in a text frame."""

    columns: Cells
    rows: Cells


class End(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="end"):
    """The terminal is to end with all that runs in it, which a client sends in a text frame."""


Control: TypeAlias = Resize | End


class ShellExit(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The end of a terminal, in a text frame; `exitCode` is null where it was cut off."""

    exit_code: int | None
    reason: str


@api.websocket("/api/sessions/<id:session_id>/terminal", scopes=("read", "work", "operate"))
async def open_terminal(center: Center, session_id: int, query: TerminalQuery) -> None:
    """Have a shell where a session works: binary frames are what is typed, and what it writes."""
    if not RUNNERS[center.settings.runner].has_threads:
        raise needs_threads(center.settings.runner)
    session = await center.storage.read(lambda db: sessions.get(db, session_id))
    address = shells_on(session.host)
    outlet, news = trio.open_memory_channel[ShellNews](QUEUED)
    size = ShellSize(columns=query.columns, rows=query.rows)
    device_id = caller_of(websocket.scope).device_id
    wanted = OpenShell(session_id, device_id, size, outlet, query.requested_by)
    ended = ShellEnded(None, "A text frame holds something else than a control of the terminal.")
    code = UNSUPPORTED_DATA
    try:
        shell_id = await center.ask(address, wanted, timeout=OPEN_SECONDS)
        await websocket.accept()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_listen, center, address, shell_id, nursery.cancel_scope)
            async for piece in news:
                if isinstance(piece, ShellEnded):
                    ended, code = piece, NORMAL_CLOSURE
                    break
                await websocket.send(piece)
            nursery.cancel_scope.cancel()
    finally:
        news.close()  # also for a shell that is shown only now
        _leave(center, address, outlet)
    told = ShellExit(exit_code=ended.exit_code, reason=ended.reason)
    await websocket.send(encode(told).decode())
    await websocket.close(code, "the terminal is shown no more")


@api.operation("GET", "/api/terminals", refuses=(404, 409), scope="operate")
async def list_open_terminals(center: Center, query: TerminalsQuery) -> OpenTerminals:
    """List the terminals that people have where sessions work."""
    return await center.ask(_shells_on(center, query.host), ListShells())


@api.operation("DELETE", "/api/terminals/<shell_id>", refuses=(404, 409), scope="operate")
async def close_terminal(center: Center, shell_id: str, query: TerminalEndQuery) -> OpenTerminals:
    """End a terminal, whoever has it; the others are answered."""
    closing = CloseShell(shell_id, query.requested_by)
    return await center.ask(_shells_on(center, query.host), closing)


def _shells_on(center: Center, host: str) -> Address[ShellMessage]:
    if host not in center.hosts:
        raise NotFound("Host", host)
    if not RUNNERS[center.settings.runner].has_threads:
        raise needs_threads(center.settings.runner)
    return shells_on(host)


async def _listen(
    center: Center, address: Address[ShellMessage], shell_id: str, serving: trio.CancelScope
) -> None:
    """Hand on what the client types and asks for, in order; stop at what means nothing."""
    while True:
        frame = await websocket.receive()
        try:
            wanted = _meant(shell_id, frame)
        except msgspec.DecodeError:
            serving.cancel()
            return
        with suppress(Refusal, ActorNotFound, MailboxFull):  # it has ended, and says so
            match wanted:
                case EndShell():
                    center.system.lookup(address).try_tell(wanted)
                case ResizeShell():
                    await center.ask(address, wanted)
                case WriteShell():
                    await center.ask(address, wanted)


def _meant(shell_id: str, frame: bytes | str) -> WriteShell | ResizeShell | EndShell:
    if isinstance(frame, bytes):
        return WriteShell(shell_id, frame)
    control: Control = msgspec.json.decode(frame, type=Control)
    if isinstance(control, End):
        return EndShell(shell_id)
    return ResizeShell(shell_id, ShellSize(columns=control.columns, rows=control.rows))


def _leave(center: Center, address: Address[ShellMessage], outlet: Outlet) -> None:
    with suppress(ActorNotFound, MailboxFull):
        center.system.lookup(address).try_tell(LeaveShell(outlet))
