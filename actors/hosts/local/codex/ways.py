"""The way to an app-server, and why: one that runs already, one of our own, or a child.

For each connection, the transport `auto` takes the first of these that it can reach:

1. our own detached app-server, if a turn runs in it: nothing else can go on with that turn;
2. the app-server that listens on Codex's control socket, a terminal's or the Codex app's: so they
   and Command Center have the same threads and the same questions;
3. our own detached app-server, which is started if it does not run yet;
4. a child of this process, if the others cannot be reached (Windows has no detached one).

While it is connected to our own, it looks for a better one, and changes over when no turn runs: to
the control socket once something listens there, and to a new one of our own if the old one is of
another version of Codex, or was started with another environment.
"""

from __future__ import annotations

import sys
from pathlib import Path

import attrs
import structlog
import trio

from command_center.actors.codex.errors import WireClosed
from command_center.actors.codex.ports import Way
from command_center.actors.codex.settings import BridgeSettings, Transport
from command_center.actors.contracts.bridges import (
    AppServer,
)
from command_center.actors.hosts.local.codex import detached
from command_center.actors.hosts.local.codex.places import control_socket
from command_center.actors.hosts.local.codex.transports import open_socket, open_unix, open_wire

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


async def open_way(settings: BridgeSettings, nursery: trio.Nursery) -> Way:
    """Reach an app-server as the settings' transport wants; raises `WireClosed`."""
    match settings.transport:
        case Transport.AUTO:
            if sys.platform == "win32":
                return await _open_without_sockets(settings, nursery)
            else:  # noqa: RET505 - mypy knows the platform only so
                return await _open_automatic(settings, nursery)
        case Transport.SPAWN:
            wire = await open_wire(settings, nursery)
            return Way(wire, AppServer.SPAWNED, "CC_CODEX_TRANSPORT is spawn.")
        case other:
            wire = await open_wire(settings, nursery)
            return Way(wire, AppServer.JOINED, f"CC_CODEX_TRANSPORT is {other.value}.")


async def listens_for_terminals(settings: BridgeSettings) -> bool:
    """Return True if an app-server can be reached at Codex's control socket."""
    try:
        stream = await open_socket(control_socket(settings))
    except WireClosed:
        return False
    await stream.aclose()
    return True


async def _open_automatic(settings: BridgeSettings, nursery: trio.Nursery) -> Way:
    folder = None if settings.state_folder is None else detached.folder_of(settings.state_folder)
    record = None if folder is None else detached.read(folder)
    if record is not None and await _has_turns(record):
        return await _join_own(settings, record, nursery)
    joined = await _join_control_socket(settings, nursery)
    if isinstance(joined, Way):
        if folder is not None and record is not None:
            await trio.to_thread.run_sync(detached.end, folder)
        return joined
    try:
        return await _open_own(settings, folder, record, nursery, why=joined)
    except WireClosed as error:
        spawn = attrs.evolve(settings, transport=Transport.SPAWN)
        reason = f"{joined} One that outlives Command Center cannot be had: {error.reason}"
        return Way(await open_wire(spawn, nursery), AppServer.SPAWNED, reason)


async def _open_own(
    settings: BridgeSettings,
    folder: Path | None,
    record: detached.ServerRecord | None,
    nursery: trio.Nursery,
    *,
    why: str,
) -> Way:
    """Join the one that is there, or else start it."""
    if folder is None or settings.state_folder is None:
        raise WireClosed("There is no folder to record it in.")
    if record is not None:
        try:
            return await _join_own(settings, record, nursery)
        except WireClosed as error:
            log.warning("codex.own_unusable", reason=error.reason)
            await trio.to_thread.run_sync(detached.end, folder)
    record = await detached.start(settings, settings.state_folder)
    wire = await open_unix(Path(record.socket), nursery, settings.deadlines.close)
    return Way(wire, AppServer.DETACHED, why)


async def _join_control_socket(settings: BridgeSettings, nursery: trio.Nursery) -> Way | str:
    """Connect to the control socket; return the way there, or a sentence on why there is none."""
    socket = control_socket(settings)
    try:
        wire = await open_unix(socket, nursery, settings.deadlines.close)
    except WireClosed as error:
        return error.reason
    return Way(wire, AppServer.JOINED, f"It listens on Codex's control socket, {socket}.")


async def _join_own(
    settings: BridgeSettings, record: detached.ServerRecord, nursery: trio.Nursery
) -> Way:
    wire = await open_unix(Path(record.socket), nursery, settings.deadlines.close)
    outdated = await detached.differences(record, settings)
    if outdated is not None:
        log.warning("codex.own_outdated", reason=outdated)
    return Way(wire, AppServer.DETACHED, "It was started before, and still runs.", outdated)


async def _has_turns(record: detached.ServerRecord) -> bool:
    try:
        return await detached.works(Path(record.socket))
    except WireClosed:
        return False


async def _open_without_sockets(settings: BridgeSettings, nursery: trio.Nursery) -> Way:
    try:
        proxy = attrs.evolve(settings, transport=Transport.PROXY)
        wire = await open_wire(proxy, nursery)
    except WireClosed as error:
        spawn = attrs.evolve(settings, transport=Transport.SPAWN)
        return Way(await open_wire(spawn, nursery), AppServer.SPAWNED, error.reason)
    return Way(wire, AppServer.JOINED, "It listens on Codex's control socket.")
