"""/api/hosts: the machines that repositories lie on, and how the agent of each is reached."""

from __future__ import annotations

import contextlib
from typing import Literal

import msgspec
import trio
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.contracts.bridges import AppServer, BridgeHealth, ProbeHealth, bridge_of
from command_center.actors.contracts.hosts import Host
from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.rules.errors import NotFound
from command_center.http.wire.codec import PageQuery, cut_page
from command_center.http.wire.operation import Api
from command_center.store import Page, repositories, sessions
from command_center.store.statuses import ACTIVE

PROBE_SECONDS = 2.0
"""Seconds that the bridge to an agent may take to show that it is well."""

api = Api[Center]("Hosts")


class ShownHost(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A machine that repositories lie on.

    Attributes:
        status: whether its agent is reached; `disabled` where the runner needs none to be there.
        message: what to do where something is to be done.
        agent_version: of the agent that is connected, if it says one.
        warning: what to know of that version.
        app_server: whose app-server it is; null while none is reached.
        repositories: how many lie there.
        active: how many sessions work there now.
        queued: how many wait there.
        slots: how many sessions may work at once, on all hosts together.
    """

    name: str
    status: Literal["connected", "disabled", "unavailable"]
    message: str
    agent_version: str | None
    warning: str | None
    app_server: AppServer | None
    repositories: int
    active: int
    queued: int
    slots: int


@api.operation("GET", "/api/hosts")
async def list_hosts(center: Center, query: PageQuery) -> Page[ShownHost]:
    """List the machines that repositories lie on, by name."""
    bridges = await bridges_of(center)
    names = sorted(host.name for host in center.hosts)
    return cut_page(
        [await _shown(center, name, bridges.get(name)) for name in names], query, "hosts"
    )


@api.operation("GET", "/api/hosts/<host_name>")
async def get_host(center: Center, host_name: str) -> ShownHost:
    """Show a machine that repositories lie on."""
    if host_name not in center.hosts:
        raise NotFound("Host", host_name)
    return await _shown(center, host_name, (await bridges_of(center)).get(host_name))


async def bridges_of(center: Center) -> dict[str, BridgeHealth | None]:
    """Ask how the bridge of each host is; empty if the runner needs none, None for no answer."""
    found: dict[str, BridgeHealth | None] = {}
    if not RUNNERS[center.settings.runner].has_threads:
        return found

    async def probe(host: Host) -> None:
        found[host.name] = None
        # Whatever goes wrong, the answer is that the bridge is not well.
        with contextlib.suppress(Exception), trio.fail_after(PROBE_SECONDS):
            found[host.name] = await center.ask(bridge_of(host.name), ProbeHealth())

    async with trio.open_nursery() as nursery:
        for host in center.hosts:
            nursery.start_soon(probe, host)
    return found


async def _shown(center: Center, name: str, bridge: BridgeHealth | None) -> ShownHost:
    def count(db: Database) -> tuple[int, int, int]:
        return (
            repositories.count(db, {"host": name}),
            sessions.count(db, {"host": name, "status": tuple(ACTIVE)}),
            sessions.count(db, {"host": name, "status": "queued"}),
        )

    lying, active, queued = await center.storage.read(count)
    is_needed = RUNNERS[center.settings.runner].has_threads
    status: Literal["disabled", "unavailable"] = "unavailable" if is_needed else "disabled"
    told = "The bridge does not answer." if is_needed else "The runner needs no app-server."
    return ShownHost(
        name=name,
        status=status if bridge is None else bridge.status.value,
        message=told if bridge is None else bridge.message,
        agent_version=None if bridge is None else bridge.version,
        warning=None if bridge is None else bridge.warning,
        app_server=None if bridge is None else bridge.app_server,
        repositories=lying,
        active=active,
        queued=queued,
        slots=center.settings.max_sessions,
    )
