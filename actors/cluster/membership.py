"""A server's way into its cluster: the connection, and `/cluster` in a tree of its own.

`/cluster` has a tree of its own since it lives on while everything else is started on the database,
which may take longer than other centres wait for a sign.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import attrs
import structlog
import trio

from command_center.actors.cluster.actor import MEMBER, AwaitLeadership, Cluster
from command_center.actors.cluster.beginning import prepare
from command_center.actors.cluster.errors import UnreadableSign
from command_center.actors.cluster.file_store import FileStore
from command_center.actors.cluster.leadership import Leadership
from command_center.actors.cluster.settings import ClusterSettings
from command_center.actors.cluster.stream_log import UNKNOWN
from command_center.actors.cluster.view import ClusterView
from command_center.actors.core.leadership import StepDown
from command_center.actors.nats.client import NatsClient
from command_center.actors.nats.errors import (
    JetStreamRefused,
    NatsClosed,
    NatsRefused,
    NatsUnavailable,
)
from command_center.actors.nats.jetstream import JetStream, is_unavailable
from command_center.actors.rules.cluster import ClusterRefused
from command_center.runtime import (
    ActorCrashed,
    ActorNotFound,
    ActorStopped,
    ChildSpec,
    Crashed,
    Intensity,
    SupervisorSpec,
    System,
    open_system,
)
from command_center.runtime.signals import Signal
from command_center.store.replication.centre_folder import CentreFolder
from command_center.store.replication.errors import DamagedMembership, ReplacedDatabase

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_AGAIN = 0.5
_ASK = 5.0
_STARTING = 30.0
_TOO_FEW = (
    "Most of the NATS servers must run and reach each other: see `nats server report jetstream`."
)
_NOT_ENABLED = (10039, 10076)
_REFUSED = (*UNKNOWN, NatsUnavailable, NatsRefused, NatsClosed, JetStreamRefused)


@attrs.frozen
class Membership:
    """A centre that is one of its cluster: ask its `/cluster`, see what it knows."""

    settings: ClusterSettings
    view: ClusterView
    files: FileStore
    system: System

    async def leadership(self) -> Leadership:
        """Wait until this centre leads, and return what it leads with."""
        while True:
            try:
                cluster = self.system.lookup(MEMBER)
                return await cluster.ask(AwaitLeadership(), timeout=math.inf)
            except (ActorCrashed, ActorStopped, ActorNotFound):
                await trio.sleep(_AGAIN)  # it is started again

    async def step_down(self) -> bool:
        """Lead no more, so that another centre claims; return False if this one does not lead."""
        return await self.system.lookup(MEMBER).ask(StepDown(), timeout=_ASK)


@asynccontextmanager
async def open_membership(
    settings: ClusterSettings,
    view: ClusterView,
    *,
    on_deposed: Callable[[str], None],
    on_stuck: Callable[[Sequence[str]], None] | None = None,
) -> AsyncIterator[Membership]:
    """Join the cluster, lend the membership, and leave in order.

    `view` is kept up to what this centre knows, also while it waits for the NATS servers.
    `on_deposed` is told why this centre may lead no more, from whatever thread. It ends the
    process: nothing that is under way may be acknowledged.

    Raises:
        ClusterRefused: no server let us in, or the centre cannot be part of the cluster.
        Exception: what ``prepare`` raises for the disk.
    """
    async with trio.open_nursery() as nursery:
        try:
            client = await _prepared(settings, view, nursery)
        except (*_REFUSED, UnreadableSign, ReplacedDatabase, DamagedMembership) as error:
            raise ClusterRefused(str(error)) from error
        files = FileStore(JetStream(client), settings)
        tree = SupervisorSpec(
            id="",
            intensity=Intensity(restarts=10, period=60.0),
            children=(
                ChildSpec(
                    id="cluster",
                    start=partial(Cluster, settings, JetStream(client), view, files, on_deposed),
                    contract="A standby follows again from where it was; a leader is deposed.",
                ),
            ),
        )
        async with open_system(tree, on_signal=_log_crash, on_stuck=on_stuck) as system:
            yield Membership(settings, view, files, system)
        client.close()


async def _prepared(
    settings: ClusterSettings, view: ClusterView, nursery: trio.Nursery
) -> NatsClient:
    """Return a client that runs, once the centre is one of its cluster.

    A centre that was one before waits for servers that cannot be used: they come back, and nobody
    need start it again then. A new one gives those that do not answer some time: they may be
    starting, too. Each waits for servers that answer that they are too few for what they keep.
    """
    folder = CentreFolder(settings.data_dir, settings.database)
    until = trio.current_time() + _STARTING
    while True:
        client = NatsClient(settings.nats)
        try:
            await nursery.start(client.run)
            await prepare(settings, JetStream(client))
        except (*UNKNOWN, NatsUnavailable) as error:
            client.close()
            is_hopeless = isinstance(error, NatsUnavailable) or trio.current_time() >= until
            if folder.cluster() is None and is_hopeless:
                raise
            view.problem = str(error)
            log.warning("cluster.unreachable", reason=str(error))
        except JetStreamRefused as error:
            client.close()
            if not is_unavailable(error) or error.err_code in _NOT_ENABLED:
                raise
            view.problem = f"{error} {_TOO_FEW}"
            log.warning("cluster.too_few_servers", reason=str(error))
        else:
            view.problem = None
            return client
        await trio.sleep(_AGAIN)


def _log_crash(signal: Signal) -> None:
    if isinstance(signal, Crashed):
        log.error("cluster.crashed", path=signal.path, exc_info=signal.error)
