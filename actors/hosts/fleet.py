"""`/fleet`: has the hosts that were added, with all that works on them; adds and removes some.

What works on a host is the same for each, and stands in the tree's own list. That of this machine
is in the tree; that of the others is started here, under the same supervisors, before any session
is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from command_center.actors.codex.ports import CodexHost
from command_center.actors.contracts.addresses import ORPHANED_TURNS
from command_center.actors.contracts.fleet import AddHost, NewHost, RemoveHost
from command_center.actors.contracts.hosts import Hosts
from command_center.actors.contracts.sessions import HostJoined
from command_center.actors.core.storage import Storage
from command_center.actors.hosts.registry import HostSettings, make_added
from command_center.actors.ledger import hosts as ledger
from command_center.actors.rules.errors import Conflict
from command_center.runtime import (
    Actor,
    Address,
    ChildExists,
    ChildSpec,
    Deferred,
    SupervisorSpec,
    handles,
)
from command_center.store import StoredHost, stored_hosts
from command_center.store.records import LOCAL

Children: TypeAlias = Callable[[CodexHost], Sequence[tuple[str, ChildSpec | SupervisorSpec]]]
"""Returns the path of each supervisor with its child for a host, in the order of starting."""


class Fleet(Actor):
    """Keeps the hosts that were added."""

    def __init__(
        self,
        storage: Storage,
        hosts: Hosts[CodexHost],
        settings: HostSettings,
        children: Children,
    ) -> None:
        """Have in `hosts` what `storage` tells of, and start the `children` of each."""
        self._storage = storage
        self._hosts = hosts
        self._settings = settings
        self._children = children

    async def on_start(self) -> None:
        """Start what works on each host that was added; none of it waits for the host."""
        for record in await self._storage.read(lambda db: stored_hosts.every(db, {})):
            await self._start(record)

    def describe(self) -> Mapping[str, object]:
        """Show the hosts."""
        return {"hosts": sorted(host.name for host in self._hosts)}

    @handles(AddHost)
    def add(self, message: AddHost) -> Deferred[StoredHost]:
        """Reach it first, and then have it."""
        return self.ctx.answer_later(self._add, message.wanted)

    @handles(RemoveHost)
    def remove(self, message: RemoveHost) -> Deferred[StoredHost]:
        """Forget it, and end what works on it."""
        return self.ctx.answer_later(self._remove, message)

    async def _add(self, wanted: NewHost) -> StoredHost:
        if wanted.name in self._hosts:
            raise Conflict(f"There is a host {wanted.name} already. Give another name.")
        from command_center.actors.hosts.ssh.trial import try_out  # noqa: PLC0415 - a server without other hosts starts as before

        accepted = await try_out(wanted, self._settings.ssh_folder)
        record = await self._storage.write(
            partial(
                ledger.add_host,
                wanted=wanted,
                host_key=accepted.line,
                data_dir=accepted.data_dir,
            )
        )
        await self._start(record)
        return record

    async def _start(self, record: StoredHost) -> None:
        if record.name not in self._hosts:
            self._hosts.add(make_added(record, self._storage, self._settings))
        named = next(host for host in self._hosts if host.name == record.name)
        for supervisor, spec in self._children(named):
            with contextlib.suppress(ChildExists):  # a former life of this actor has started it
                await self.ctx.start_child(supervisor, spec)
        await self.ctx.lookup(ORPHANED_TURNS).tell(HostJoined(record.name))

    async def _remove(self, message: RemoveHost) -> StoredHost:
        if message.name == LOCAL:
            raise Conflict("Host local is this machine, and stays.")
        record = await self._storage.write(
            partial(ledger.remove_host, name=message.name, actor=message.requested_by)
        )
        named = next(host for host in self._hosts if host.name == record.name)
        for supervisor, spec in reversed(self._children(named)):
            path: Address[object] = Address(f"{supervisor}/{spec.id}")
            ref = self.ctx.find(path)
            if ref is not None:
                await self.ctx.stop_child(ref)
        self._hosts.remove(record.name)
        return record
