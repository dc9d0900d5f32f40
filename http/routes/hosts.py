"""/api/hosts: the machines that repositories lie on, and how the agent of each is reached."""

from __future__ import annotations

import contextlib
from typing import Literal, cast

import msgspec
import trio
from quart import request
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.contracts.bridges import AppServer, BridgeHealth, ProbeHealth, bridge_of
from command_center.actors.contracts.fleet import FLEET, AddHost, HostKind, NewHost, RemoveHost
from command_center.actors.contracts.host_links import Enrolment, OfferEnrolment
from command_center.actors.contracts.hosts import Host
from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.rules.errors import NotFound
from command_center.actors.rules.lengths import Name
from command_center.http.routes.repos import RequesterQuery
from command_center.http.wire.codec import PageQuery, cut_page
from command_center.http.wire.operation import Api
from command_center.store import Page, StoredHost, repositories, sessions, stored_hosts
from command_center.store.statuses import ACTIVE

PROBE_SECONDS = 2.0
"""Seconds that the bridge to an agent may take to show that it is well."""

ADD_SECONDS = 150.0
"""Seconds that a first visit to a machine may take, which brings it a program of a megabyte."""

api = Api[Center]("Hosts")


class ShownHost(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A machine that repositories lie on.

    Attributes:
        kind: how it is reached: `local` is the server's own machine.
        address: where it is; null for the server's own, and for one that dials out.
        link: whether it is reached itself; null for the server's own.
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
    kind: Literal["local", "dial", "ssh"]
    address: str | None
    link: Literal["connected", "away"] | None
    status: Literal["connected", "disabled", "unavailable"]
    message: str
    agent_version: str | None
    warning: str | None
    app_server: AppServer | None
    repositories: int
    active: int
    queued: int
    slots: int


class HostEnrolment(Enrolment, frozen=True, kw_only=True, rename="camel"):
    """A code by which a machine becomes a host, once, and the command to run on it.

    Attributes:
        command: it names the address by which this was asked; the machine may need another one.
    """

    command: str


class AddedHost(ShownHost, frozen=True, kw_only=True, rename="camel"):
    """A machine that was added.

    Attributes:
        enrolment: of one that dials out; shown this once.
    """

    enrolment: HostEnrolment | None


class NewEnrolment(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A code that is to be made for a host."""

    requested_by: Name = "api"


@api.operation("GET", "/api/hosts")
async def list_hosts(center: Center, query: PageQuery) -> Page[ShownHost]:
    """List the machines that repositories lie on, by name."""
    bridges = await bridges_of(center)
    names = sorted(host.name for host in center.hosts)
    return cut_page(
        [await _shown(center, name, bridges.get(name)) for name in names], query, "hosts"
    )


@api.operation(
    "POST",
    "/api/hosts",
    answers=201,
    refuses=(409, 503),
    scope="admin",
    is_done_once=False,
)
async def add_host(center: Center, body: NewHost) -> AddedHost:
    """Have a machine as a host from now on.

    One that dials out gets a code as `enrolment`, with the command to run there. One over ssh is
    reached first, and nothing is installed there. Where nobody has accepted its key yet, the
    refusal has the fingerprint as `facts.hostKey`: compare it, and send the same with it as
    `hostKey`.
    """
    added = await center.ask(FLEET, AddHost(body), timeout=ADD_SECONDS)
    shown = await _shown(center, added.name, None)
    enrolment = None
    if added.kind == "dial":
        enrolment = await _enrolment(center, added.name, body.requested_by)
    return AddedHost(**msgspec.structs.asdict(shown), enrolment=enrolment)


@api.operation(
    "POST",
    "/api/hosts/<host_name>/enrolment",
    answers=201,
    refuses=(409,),
    scope="admin",
    is_done_once=False,
)
async def offer_enrolment(center: Center, host_name: str, body: NewEnrolment) -> HostEnrolment:
    """Make a new code for a machine that dials out, good once and for an hour.

    The machine that uses it gets a new key; from then on the earlier key is worthless.
    """
    return await _enrolment(center, host_name, body.requested_by)


async def _enrolment(center: Center, name: str, requested_by: str) -> HostEnrolment:
    made: Enrolment = await center.ask(FLEET, OfferEnrolment(name, requested_by))
    command = f"command-center host --centre {request.url_root} --enrol {made.code}"
    return HostEnrolment(code=made.code, expires_at=made.expires_at, command=command)


@api.operation("DELETE", "/api/hosts/<host_name>", refuses=(409,), scope="admin")
async def remove_host(center: Center, host_name: str, query: RequesterQuery) -> ShownHost:
    """Have a machine as a host no longer; what lies on it stays there."""
    if host_name not in center.hosts:
        raise NotFound("Host", host_name)
    shown = await _shown(center, host_name, None)
    await center.ask(FLEET, RemoveHost(host_name, query.requested_by), timeout=ADD_SECONDS)
    return shown


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
    def read(db: Database) -> tuple[StoredHost | None, int, int, int]:
        return (
            stored_hosts.find(db, {"name": name}),
            repositories.count(db, {"host": name}),
            sessions.count(db, {"host": name, "status": tuple(ACTIVE)}),
            sessions.count(db, {"host": name, "status": "queued"}),
        )

    added, lying, active, queued = await center.storage.read(read)
    away = None if added is None else center.hosts.named(name).absence
    is_needed = RUNNERS[center.settings.runner].has_threads
    status: Literal["disabled", "unavailable"] = "unavailable" if is_needed else "disabled"
    told = "The bridge does not answer." if is_needed else "The runner needs no app-server."
    if away is not None:
        told = f"The host is away: {away}"
    return ShownHost(
        name=name,
        kind="local" if added is None else cast("HostKind", added.kind),
        address=None if added is None else added.address or None,
        link=None if added is None else ("connected" if away is None else "away"),
        status=status if bridge is None else bridge.status.value,
        message=told if bridge is None or away is not None else bridge.message,
        agent_version=None if bridge is None else bridge.version,
        warning=None if bridge is None else bridge.warning,
        app_server=None if bridge is None else bridge.app_server,
        repositories=lying,
        active=active,
        queued=queued,
        slots=center.settings.max_sessions,
    )
