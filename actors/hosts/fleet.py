"""`/fleet`: has the hosts that were added, with all that works on them; adds and removes some.

What works on a host is the same for each, and stands in the tree's own list. That of this machine
is in the tree; that of the others is started here, under the same supervisors, before any session
is.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, TypeAlias

import trio

from command_center.actors.codex.ports import CodexHost
from command_center.actors.contracts.addresses import SLOTS
from command_center.actors.contracts.fleet import (
    AddHost,
    DrainHost,
    NewHost,
    PatchHost,
    RemoveHost,
    RetryHost,
    RetryLink,
)
from command_center.actors.contracts.host_links import (
    EndLink,
    EnrolHost,
    EnrolledHost,
    Enrolment,
    OfferEnrolment,
    link_of,
)
from command_center.actors.contracts.hosts import Hosts, HostVitals
from command_center.actors.contracts.sessions import SlotsChanged
from command_center.actors.core.clock import later
from command_center.actors.core.storage import Storage
from command_center.actors.devices.pairing import meant, new_code
from command_center.actors.devices.roster import hash_of
from command_center.actors.hosts.registry import HostSettings, make_added
from command_center.actors.ledger import hosts as ledger
from command_center.actors.rules.errors import Conflict, Invalid
from command_center.runtime import (
    Actor,
    Address,
    ChildExists,
    ChildSpec,
    Deferred,
    Refusal,
    SupervisorSpec,
    handles,
)
from command_center.store import StoredHost, Transaction, now_timestamp, stored_hosts
from command_center.store.records import LOCAL

ENROLMENT_LETTERS: Final = 16
"""Letters of a code, each of 5 random bits: its hash is stored, and cannot be guessed backwards."""

ENROLMENT_SECONDS: Final = 3600.0
"""Seconds for which a code is good."""

HOST_KEY_PREFIX: Final = "cch_"
"""The beginning of a host's key, by which one is known in a log."""

LOOK_SECONDS: Final = 15.0
"""Seconds between two looks at each machine."""

ANSWER_SECONDS: Final = 5.0
"""Seconds that a machine may take to say how busy it is."""

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

        self._watches = False

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

    @handles(OfferEnrolment)
    def offer_enrolment(self, message: OfferEnrolment) -> Deferred[Enrolment]:
        """Make a code by which a machine becomes this host."""
        return self.ctx.answer_later(self._offer_enrolment, message)

    @handles(EnrolHost)
    def enrol(self, message: EnrolHost) -> Deferred[EnrolledHost]:
        """Give the machine that brings a code its key."""
        return self.ctx.answer_later(self._enrol, message)

    async def _offer_enrolment(self, message: OfferEnrolment) -> Enrolment:
        code = new_code(ENROLMENT_LETTERS)
        expires_at = later(now_timestamp(), ENROLMENT_SECONDS)
        await self._storage.write(
            partial(
                ledger.offer_enrolment,
                name=message.name,
                code_hash=hash_of(meant(code)),
                expires_at=expires_at,
            )
        )
        return Enrolment(code=code, expires_at=expires_at)

    async def _enrol(self, message: EnrolHost) -> EnrolledHost:
        key = HOST_KEY_PREFIX + secrets.token_urlsafe(32)
        record = await self._storage.write(
            partial(
                ledger.enrol_host, code_hash=hash_of(meant(message.code)), key_hash=hash_of(key)
            )
        )
        link = self.ctx.find(link_of(record.name))
        if link is not None:  # what signed in with the earlier key
            await link.tell(EndLink("The host was enrolled anew."))
        return EnrolledHost(name=record.name, key=key)

    @handles(RetryHost)
    async def retry(self, message: RetryHost) -> None:
        """Have its link tried now."""
        record = await self._storage.read(lambda db: stored_hosts.find(db, {"name": message.name}))
        link: Address[RetryLink] = Address(f"/hosts/{message.name}/link")
        ref = self.ctx.find(link)
        if record is None or record.kind == "dial" or ref is None:
            raise Conflict(f"Host {message.name} has no link that could be tried from here.")
        ref.try_tell(RetryLink())

    @handles(PatchHost)
    def change(self, message: PatchHost) -> Deferred[None]:
        """Keep it, and let sessions begin for which there is room now."""
        changes = message.changes
        return self.ctx.answer_later(
            self._keep,
            partial(
                ledger.change_host,
                name=message.name,
                changes=changes,
                actor=changes.requested_by,
            ),
        )

    @handles(DrainHost)
    def drain(self, message: DrainHost) -> Deferred[None]:
        """Keep it, and let sessions begin that waited for it."""
        return self.ctx.answer_later(
            self._keep,
            partial(
                ledger.set_draining,
                name=message.name,
                actor=message.requested_by,
                is_draining=message.is_draining,
            ),
        )

    async def _keep(self, change: Callable[[Transaction], None]) -> None:
        await self._storage.write(change)
        await self.ctx.lookup(SLOTS).tell(SlotsChanged())

    async def _add(self, wanted: NewHost) -> StoredHost:
        if wanted.name in self._hosts:
            raise Conflict(f"There is a host {wanted.name} already. Give another name.")
        if (wanted.address is None) != (wanted.kind == "dial"):
            told = "has no address here" if wanted.address else "needs the address"
            raise Invalid.field("address", f"A host of kind {wanted.kind} {told}.")
        host_key = data_dir = ""
        if wanted.kind == "ssh":
            from command_center.actors.hosts.ssh.trial import try_out  # noqa: PLC0415 - a server without other hosts starts as before

            accepted = await try_out(wanted, self._settings.ssh_folder)
            host_key, data_dir = accepted.line, accepted.data_dir
        record = await self._storage.write(
            partial(ledger.add_host, wanted=wanted, host_key=host_key, data_dir=data_dir)
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
        if not self._watches:
            self._watches = True
            self.ctx.start_task(self._watch)

    async def _watch(self) -> None:
        """Look at every machine again and again: a run goes to one that is not busy."""
        while True:
            async with trio.open_nursery() as nursery:
                for host in self._hosts:
                    nursery.start_soon(self._look, host)
            await trio.sleep(LOOK_SECONDS)

    async def _look(self, host: CodexHost) -> None:
        began = trio.current_time()
        vitals = None
        with contextlib.suppress(Refusal, OSError), trio.move_on_after(ANSWER_SECONDS):
            if host.absence is None:
                load = await host.folders.machine_load()
                vitals = HostVitals(load, trio.current_time() - began)
        self._hosts.keep_vitals(host.name, vitals)

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
