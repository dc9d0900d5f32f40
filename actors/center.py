"""The running product, as the one object through which it is used: open it, ask it, close it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

import attrs

from command_center.actors.automations.actor import AutomationServices
from command_center.actors.automations.clock import SystemClock, WallClock, machine_zone
from command_center.actors.codex.ports import CodexHost
from command_center.actors.contracts.hosts import Hosts
from command_center.actors.core.events import EVENTS, Fanout
from command_center.actors.core.storage import Storage
from command_center.actors.core.writer import STORE
from command_center.actors.devices.roster import Roster
from command_center.actors.hosts.registry import make_added, make_hosts
from command_center.actors.ledger.automations import Terms
from command_center.actors.ledger.placing import RunPlaces
from command_center.actors.operator.actions import JOURNAL, observer_for
from command_center.actors.rules.schedule import find_zone
from command_center.actors.sessions.directory import ASK_SECONDS, Sessions
from command_center.actors.sessions.runners.registry import make_runner, make_threads
from command_center.actors.sessions.runners.workshop import Workshop
from command_center.actors.sessions.services import SessionServices
from command_center.actors.tree import (
    CenterSettings,
    build_tree,
    host_settings,
    uploads_folder,
)
from command_center.runtime import (
    ActorRef,
    Address,
    Asked,
    System,
    open_system,
)
from command_center.store import Readers, log_identity, redact, stored_hosts

M = TypeVar("M")
R = TypeVar("R")

STALL_SECONDS = 10.0
"""The time for which an actor may keep all others waiting, before that is told."""


@attrs.frozen
class Center:
    """The running product: ask its actors, read its store, watch its events."""

    settings: CenterSettings
    hosts: Hosts[CodexHost]
    system: System
    storage: Storage
    fanout: Fanout
    roster: Roster
    automations: AutomationServices
    log_id: str
    """The log's identity; see `store.log_identity`."""

    async def ask(
        self,
        address: Address[M],
        message: Asked[M, R],
        *,
        timeout: float = ASK_SECONDS,  # noqa: ASYNC109 - it is one deadline over the way there and back
    ) -> R:
        """Ask the actor at `address`, and wait `timeout` seconds at most."""
        return await self.system.lookup(address).ask(message, timeout=timeout)

    @property
    def sessions(self) -> Sessions:
        """Return all sessions, to ask them and to stop them, whether they have an actor or not."""
        return Sessions(self.system.find, self.storage, self.settings.approval_seconds)


@asynccontextmanager
async def open_center(
    settings: CenterSettings,
    *,
    clock: WallClock | None = None,
    hosts: Hosts[CodexHost] | None = None,
    on_stuck: Callable[[Sequence[str]], None] | None = None,
) -> AsyncIterator[Center]:
    """Start the tree, lend it, and stop it in order, each part within its deadline.

    The database must have been opened, and so migrated, before. Automations follow `clock`, the
    machine's unless another is given, and work is done on `hosts`, those of the settings unless
    others are given. `on_stuck` is told the paths of actors that could not be ended, such as one
    that is stuck in a thread: a program ends itself then, for trio would wait.
    """
    found: list[System] = []
    fanout, roster = Fanout(), Roster()

    def lookup(path: Address[M]) -> ActorRef[M]:
        return found[0].lookup(path)

    def at(address: Address[M]) -> Callable[[], ActorRef[M]]:
        return partial(lookup, address)

    readers = Readers(settings.database, settle=settings.settle_reads)
    storage = Storage(readers, at(STORE), at(EVENTS), secrets=settings.secrets)
    hosts = hosts or make_hosts(host_settings(settings))
    workshop = Workshop(hosts=hosts, lookup=lookup, uploads=uploads_folder(settings))
    places = RunPlaces(hosts, settings.max_sessions)
    services = SessionServices(
        storage=storage,
        instance_id=uuid.uuid4().hex,
        approval_seconds=settings.approval_seconds,
        stall_seconds=settings.stall_seconds,
        setup_seconds=settings.setup_seconds,
        max_sessions=settings.max_sessions,
        places=places,
        make_runner=partial(make_runner, workshop, settings.runner),
        absence=hosts.absence_of,
    )
    schedules = AutomationServices(
        storage=storage,
        fanout=fanout,
        clock=clock or SystemClock(),
        terms=Terms(
            places=places,
            runner=settings.runner,
            approval_seconds=settings.approval_seconds,
            zone=machine_zone() if settings.timezone is None else find_zone(settings.timezone),
        ),
    )
    try:
        log_id = await storage.read(log_identity.log_id)
        fixed = [*hosts]
        for record in await storage.read(lambda db: stored_hosts.every(db, {})):
            hosts.add(make_added(record, storage, host_settings(settings)))
        tree = build_tree(
            settings,
            hosts,
            storage,
            services,
            schedules,
            fixed=fixed,
            threads=make_threads(workshop),
            fanout=fanout,
            roster=roster,
        )
        found.append(
            open_system(
                tree,
                on_signal=observer_for(at(JOURNAL), settings.secrets),
                on_stuck=on_stuck,
                redact=partial(redact, secrets=settings.secrets),
                stall_seconds=STALL_SECONDS,
            )
        )
        async with found[0] as system:
            try:
                yield Center(settings, hosts, system, storage, fanout, roster, schedules, log_id)
            finally:
                fanout.close()
    finally:
        storage.readers.close()
