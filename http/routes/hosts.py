"""/api/hosts: the machines that repositories lie on, and how the agent of each is reached."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Sequence
from typing import Literal, NamedTuple, TypeVar, cast

import attrs
import msgspec
import trio
from quart import request
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.contracts.accounts import AgentAccount, ReadAccount, account_on
from command_center.actors.contracts.bridges import (
    AppServer,
    BridgeHealth,
    BridgeStatus,
    ProbeHealth,
    bridge_of,
)
from command_center.actors.contracts.fleet import (
    FLEET,
    AddHost,
    DrainHost,
    HostChanges,
    HostKind,
    NewHost,
    PatchHost,
    RemoveHost,
    RetryHost,
)
from command_center.actors.contracts.host_links import Enrolment, OfferEnrolment
from command_center.actors.contracts.hosts import Host
from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.ledger.hosts import states_of
from command_center.actors.rules.errors import NotFound
from command_center.actors.rules.lengths import Name
from command_center.http.routes.repos import RequesterQuery
from command_center.http.wire.codec import PageQuery, cut_page
from command_center.http.wire.operation import Api
from command_center.store import (
    HostState,
    Page,
    StoredHost,
    Timestamp,
    now_timestamp,
    orphaned_turns,
    repositories,
    sessions,
    stored_hosts,
)
from command_center.store.statuses import ACTIVE

T = TypeVar("T")

PROBE_SECONDS = 2.0
"""Seconds that a machine and its agent may take to show how they are."""

ADD_SECONDS = 150.0
"""Seconds that a first visit to a machine may take, which brings it a program of a megabyte."""

api = Api[Center]("Hosts")


class ShownLoad(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The load of a machine, and the room on its disk.

    Attributes:
        load: processes that want a processor, on the average of the last minute.
        processors: how many it has.
        disk_free: bytes that may still be written where the data of Command Center lie there.
        disk_size: bytes of that disk.
    """

    load: float
    processors: int
    disk_free: int
    disk_size: int


class ShownPool(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The pool of a machine that clones what runs need.

    Attributes:
        remotes: addresses that may be cloned there; `/*` at the end stands for all below.
        size: bytes that the clones take.
        limit: bytes that they may take.
    """

    remotes: tuple[str, ...]
    size: int
    limit: int


class ShownHost(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A machine that repositories lie on.

    Attributes:
        kind: how it is reached: `local` is the server's own machine.
        address: where it is; null for the server's own, and for one that dials out.
        link: whether it is reached itself; null for the server's own. Of one that is `refused`
            nothing changes until a person does something.
        next_try_at: when it is reached for again.
        last_seen_at: when it was there last; null if it never was.
        draining: no run begins there; those that work there go on.
        labels: words that say what it is good for.
        max_sessions: how many sessions may work there at once; null if only `slots` counts.
        load: how busy it is; null if it does not say.
        pool: what it clones; null if it is no pool, or does not say.
        account: who is signed in to its agent; null if that is not known.
        status: whether its agent is reached; `disabled` where the runner needs none to be there.
        message: what to do where something is to be done.
        agent_version: of the agent that is connected, if it says one.
        warning: what to know of that version.
        app_server: whose app-server it is; null while none is reached.
        repositories: how many lie there.
        active: how many sessions work there now.
        queued: how many wait there.
        slots: how many sessions may work at once, on all hosts together.
        orphaned_turns: ended sessions whose turns there are yet to be ended, and others wait for.
    """

    name: str
    kind: Literal["local", "dial", "ssh"]
    address: str | None
    link: Literal["connected", "away", "refused"] | None
    next_try_at: Timestamp | None
    last_seen_at: Timestamp | None
    draining: bool
    labels: list[str]
    max_sessions: int | None
    load: ShownLoad | None
    pool: ShownPool | None
    account: AgentAccount | None
    status: Literal["connected", "disabled", "unavailable"]
    message: str
    agent_version: str | None
    warning: str | None
    app_server: AppServer | None
    repositories: int
    active: int
    queued: int
    slots: int
    orphaned_turns: list[int]


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


class HostOrder(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """An order about a machine.

    Attributes:
        requested_by: who wants it, in the caller's own words.
    """

    requested_by: Name = "api"


@api.operation("GET", "/api/hosts")
async def list_hosts(center: Center, query: PageQuery) -> Page[ShownHost]:
    """List the machines that repositories lie on, by name."""
    return cut_page(await shown_hosts(center), query, "hosts")


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
    shown = await _one(center, added.name)
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


@api.operation("PATCH", "/api/hosts/<host_name>", scope="admin")
async def patch_host(center: Center, host_name: str, body: HostChanges) -> ShownHost:
    """Change the labels of a machine, or how many sessions may work there at once."""
    _require(center, host_name)
    await center.ask(FLEET, PatchHost(host_name, body))
    return await _one(center, host_name)


@api.operation("POST", "/api/hosts/<host_name>/drain", scope="operate", is_done_once=False)
async def drain_host(center: Center, host_name: str, body: HostOrder) -> ShownHost:
    """Begin no more runs on a machine; those that work there go on to their end.

    Runs that are asked for wait until it is resumed.
    """
    return await _drain(center, host_name, body, is_draining=True)


@api.operation("POST", "/api/hosts/<host_name>/resume", scope="operate", is_done_once=False)
async def resume_host(center: Center, host_name: str, body: HostOrder) -> ShownHost:
    """Begin runs again on a machine that was draining."""
    return await _drain(center, host_name, body, is_draining=False)


@api.operation(
    "POST", "/api/hosts/<host_name>/retry", refuses=(409,), scope="operate", is_done_once=False
)
async def retry_host(center: Center, host_name: str, body: HostOrder) -> ShownHost:
    """Reach for a machine at once that is away, or that refused."""
    del body
    _require(center, host_name)
    await center.ask(FLEET, RetryHost(host_name))
    return await _one(center, host_name)


@api.operation("DELETE", "/api/hosts/<host_name>", refuses=(409,), scope="admin")
async def remove_host(center: Center, host_name: str, query: RequesterQuery) -> ShownHost:
    """Have a machine as a host no longer; what lies on it stays there."""
    shown = await _one(center, host_name)
    await center.ask(FLEET, RemoveHost(host_name, query.requested_by), timeout=ADD_SECONDS)
    return shown


@api.operation("GET", "/api/hosts/<host_name>")
async def get_host(center: Center, host_name: str) -> ShownHost:
    """Show a machine that repositories lie on."""
    return await _one(center, host_name)


async def shown_hosts(center: Center) -> list[ShownHost]:
    """Return how each host is, by name; all of them are asked at once."""
    return await _shown(center, sorted(center.hosts, key=lambda host: host.name))


async def bridges_of(center: Center) -> dict[str, BridgeHealth | None]:
    """Ask how the bridge of each host is; empty if the runner needs none, None for no answer."""
    if not RUNNERS[center.settings.runner].has_threads:
        return {}
    found: dict[str, BridgeHealth | None] = {}

    async def probe(host: Host) -> None:
        found[host.name] = await _in_time(_bridge(center, host.name))

    async with trio.open_nursery() as nursery:
        for host in center.hosts:
            nursery.start_soon(probe, host)
    return found


async def _drain(center: Center, name: str, order: HostOrder, *, is_draining: bool) -> ShownHost:
    _require(center, name)
    await center.ask(FLEET, DrainHost(name, is_draining, order.requested_by))
    return await _one(center, name)


def _require(center: Center, name: str) -> None:
    if name not in center.hosts:
        raise NotFound("Host", name)


async def _one(center: Center, name: str) -> ShownHost:
    _require(center, name)
    shown = await _shown(center, [center.hosts.named(name)])
    if not shown:  # it was removed meanwhile
        raise NotFound("Host", name)
    return shown[0]


async def _in_time(answer: Awaitable[T]) -> T | None:
    """Wait for an answer, for a short while; None for whatever goes wrong: it is not well."""
    with contextlib.suppress(Exception), trio.fail_after(PROBE_SECONDS):
        return await answer
    return None


async def _bridge(center: Center, name: str) -> BridgeHealth:
    return await center.ask(bridge_of(name), ProbeHealth())


async def _account(center: Center, name: str) -> AgentAccount:
    return await center.ask(account_on(name), ReadAccount())


class _Look(NamedTuple):
    """The answers of a machine and of its agent."""

    bridge: BridgeHealth | None
    load: ShownLoad | None
    pool: ShownPool | None
    account: AgentAccount | None


async def _look(center: Center, host: Host, found: dict[str, _Look]) -> None:
    """Ask a machine and its agent, both at once."""
    bridge: BridgeHealth | None = None
    load: ShownLoad | None = None
    pool: ShownPool | None = None
    account: AgentAccount | None = None

    async def ask_agent() -> None:
        nonlocal bridge, account
        if RUNNERS[center.settings.runner].has_threads:
            bridge = await _in_time(_bridge(center, host.name))
            if bridge is not None and bridge.status is BridgeStatus.CONNECTED:
                account = await _in_time(_account(center, host.name))

    async def ask_machine() -> None:
        nonlocal load
        if host.absence is None:
            said = await _in_time(host.folders.machine_load())
            load = None if said is None else ShownLoad(**attrs.asdict(said))

    async def ask_pool() -> None:
        nonlocal pool
        if host.absence is None and host.pool is not None:
            said = await _in_time(host.pool.state())
            pool = ShownPool(**attrs.asdict(said)) if said is not None and said.remotes else None

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask_agent)
        nursery.start_soon(ask_machine)
        nursery.start_soon(ask_pool)
    found[host.name] = _Look(bridge, load, pool, account)


async def _shown(center: Center, hosts: Sequence[Host]) -> list[ShownHost]:
    """Show hosts; one that is being removed is left out."""
    looks: dict[str, _Look] = {}
    async with trio.open_nursery() as nursery:
        for host in hosts:
            nursery.start_soon(_look, center, host, looks)

    def read(db: Database) -> list[ShownHost]:
        states = states_of(db)
        added = {record.name: record for record in stored_hosts.every(db, {})}
        return [
            _told(
                center,
                db,
                host,
                looks[host.name],
                added=added.get(host.name),
                state=states.get(host.name),
            )
            for host in hosts
            if host.standing is None or host.name in added
        ]

    return await center.storage.read(read)


def _told(
    center: Center,
    db: Database,
    host: Host,
    look: _Look,
    *,
    added: StoredHost | None,
    state: HostState | None,
) -> ShownHost:
    name = host.name
    away, standing, bridge = host.absence, host.standing, look.bridge
    link: Literal["connected", "away", "refused"] | None = None
    if standing is not None:
        link = "connected" if away is None else "refused" if standing.is_refused else "away"
    seen = None if standing is None else standing.seen_at
    if seen is None and state is not None:
        seen = state.last_seen_at
    is_needed = RUNNERS[center.settings.runner].has_threads
    status: Literal["disabled", "unavailable"] = "unavailable" if is_needed else "disabled"
    told = "The bridge does not answer." if is_needed else "The runner needs no app-server."
    if away is not None:
        told = f"The host is away: {away}"
    return ShownHost(
        name=name,
        kind="local" if added is None else cast("HostKind", added.kind),
        address=None if added is None else added.address or None,
        link=link,
        next_try_at=None if standing is None else standing.next_try_at,
        last_seen_at=now_timestamp() if away is None else seen,
        draining=state is not None and state.is_draining,
        labels=[] if state is None else state.labels,
        max_sessions=None if state is None else state.max_sessions,
        load=look.load,
        pool=look.pool,
        account=look.account,
        status=status if bridge is None else bridge.status.value,
        message=told if bridge is None or away is not None else bridge.message,
        agent_version=None if bridge is None else bridge.version,
        warning=None if bridge is None else bridge.warning,
        app_server=None if bridge is None else bridge.app_server,
        repositories=repositories.count(db, {"host": name}),
        active=sessions.count(db, {"host": name, "status": tuple(ACTIVE)}),
        queued=sessions.count(db, {"host": name, "status": "queued"}),
        slots=center.settings.max_sessions,
        orphaned_turns=[one.id for one in orphaned_turns.waited_for(db) if one.host == name],
    )
