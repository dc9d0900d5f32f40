"""Everything that is written of hosts: each function is one unit of a transaction."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlite_utils import Database

from command_center.actors.contracts.events.hosts import (
    HostAdded,
    HostChanged,
    HostDraining,
    HostEnrolled,
    HostRemoved,
    HostResumed,
)
from command_center.actors.contracts.fleet import HostChanges, NewHost
from command_center.actors.rules.errors import Conflict, NotFound, WrongCode, WrongHostKey
from command_center.store import (
    HostState,
    StoredHost,
    Timestamp,
    Transaction,
    host_keys,
    host_states,
    now_timestamp,
    repositories,
    stored_hosts,
)
from command_center.store.host_life import HostLife
from command_center.store.queries.removal import remove_host as remove_row
from command_center.store.records import LOCAL


def add_host(tx: Transaction, wanted: NewHost, *, host_key: str, data_dir: str) -> StoredHost:
    """Keep a host, and tell of it.

    Raises:
        Conflict: there is one of that name, or at that address.
    """
    taken = [{"name": wanted.name}]
    if wanted.address is not None:
        taken.append({"address": wanted.address})
    for fields in taken:
        known = stored_hosts.find(tx.db, fields)
        if known is not None:
            where = f" at {known.address}" if known.address else ""
            raise Conflict(
                f"Host {known.name}{where} is there already. Remove it first, or give another name"
                f"{' and address' if wanted.address else ''}.",
                host=known.name,
            )
    kept = stored_hosts.insert(
        tx,
        name=wanted.name,
        kind=wanted.kind,
        address=wanted.address or "",
        host_key=host_key,
        data_dir=data_dir,
        requested_by=wanted.requested_by,
    )
    told = HostAdded(name=kept.name, kind=kept.kind, address=kept.address)
    tx.emit(told, actor=wanted.requested_by)
    return kept


def remove_host(tx: Transaction, name: str, actor: str) -> StoredHost:
    """Forget a host, and tell of it.

    Raises:
        NotFound: no host of that name was added.
        Conflict: repositories lie on it.
    """
    known = stored_hosts.find(tx.db, {"name": name})
    if known is None:
        raise NotFound("Host", name)
    lying = repositories.count(tx.db, {"host": name})
    if lying:
        which = "1 repository lies" if lying == 1 else f"{lying} repositories lie"
        raise Conflict(f"{which} on host {name}. Remove them from here first.", repositories=lying)
    remove_row(tx, known.id)
    tx.emit(HostRemoved(name=name, address=known.address), actor=actor)
    return known


def offer_enrolment(tx: Transaction, name: str, code_hash: str, expires_at: str) -> None:
    """Keep the hash of a code by which a machine becomes a host.

    Raises:
        NotFound: no host of that name was added.
        Conflict: the host does not dial out.
    """
    known = stored_hosts.find(tx.db, {"name": name})
    if known is None:
        raise NotFound("Host", name)
    if known.kind != "dial":
        raise Conflict(f"Host {name} is reached over {known.kind}: it needs no code.")
    host_keys.offer(tx, known.id, code_hash, expires_at)


def enrol_host(tx: Transaction, code_hash: str, key_hash: str) -> StoredHost:
    """Give the host of a code a key in the place of its earlier one, and tell of it.

    Raises:
        WrongCode: no host has the code, or it was used.
        Conflict: it has expired.
    """
    found = host_keys.offered(tx.db, code_hash)
    if found is None or found.enrolment_expires_at is None:
        raise WrongCode
    host = stored_hosts.get(tx.db, found.host_id)
    if found.enrolment_expires_at <= now_timestamp():
        raise Conflict(
            f"The code of host {host.name} has expired. Ask for a new one.", outcome="expired"
        )
    host_keys.enrol(tx, host.id, key_hash)
    tx.emit(HostEnrolled(name=host.name), actor=f"host:{host.name}")
    return host


def admit_life(tx: Transaction, key_hash: str, life: HostLife) -> None:
    """Keep the life of a host's program that is let in.

    The same life may come again, and a later one, after which no earlier one is let in.

    Raises:
        WrongHostKey: no host has the key.
        Conflict: a later life was let in, or another of the same number.
    """
    found = host_keys.by_key(tx.db, key_hash)
    if found is None:
        raise WrongHostKey
    known = found.life
    if life.number < known.number:
        raise Conflict(
            f"This is start {life.number} of the host's program, and start {known.number} was here "
            "already. Another machine has the same key, or this one was restored from an old "
            "image. Enrol it anew.",
            outcome="older",
        )
    if life.number == known.number and life.id != known.id:
        raise Conflict(
            f"Another program has made start {life.number} of this host. Another machine has the "
            "same key, or this one was restored from an image. Enrol it anew.",
            outcome="copy",
        )
    if life != known:
        host_keys.begin_life(tx, found.host_id, life)


def states_of(db: Database) -> dict[str, HostState]:
    """Return the state of each host that has a row, by its name."""
    return {state.name: state for state in host_states.every(db, {})}


def change_host(tx: Transaction, name: str, changes: HostChanges, actor: str) -> None:
    """Keep what differs, and tell of it if anything does."""
    wanted = {
        field: value
        for field in ("labels", "max_sessions")
        if (value := getattr(changes, field)) is not msgspec.UNSET
    }
    if "labels" in wanted:
        wanted["labels"] = sorted({*wanted["labels"]})
    before, after = _put(tx, name, wanted)
    if (before.labels, before.max_sessions) != (after.labels, after.max_sessions):
        told = HostChanged(name=name, labels=after.labels, max_sessions=after.max_sessions)
        tx.emit(told, actor=actor)


def set_draining(tx: Transaction, name: str, actor: str, *, is_draining: bool) -> None:
    """Have no run begin on a host, or have them begin again; tell of it if it was not so."""
    before, _ = _put(tx, name, {"is_draining": is_draining})
    if before.is_draining != is_draining:
        tx.emit(HostDraining(name=name) if is_draining else HostResumed(name=name), actor=actor)


def keep_seen(tx: Transaction, name: str, at: Timestamp) -> None:
    """Keep when there was a link to a host last, unless it was removed meanwhile."""
    if stored_hosts.find(tx.db, {"name": name}) is not None:
        _put(tx, name, {"last_seen_at": at})


def _put(tx: Transaction, name: str, fields: dict[str, Any]) -> tuple[HostState, HostState]:
    """Return the state before and after.

    Raises:
        NotFound: there is no such host, such as one that is being removed: another of that name
            must not find the state of this one.
    """
    if name != LOCAL and stored_hosts.find(tx.db, {"name": name}) is None:
        raise NotFound("Host", name)
    known = host_states.find(tx.db, {"name": name})
    before = host_states.insert(tx, name=name) if known is None else known
    changed = {field: one for field, one in fields.items() if getattr(before, field) != one}
    return before, host_states.update(tx, before.id, **changed) if changed else before
