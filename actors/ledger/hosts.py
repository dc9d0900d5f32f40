"""Everything that is written of hosts: each function is one unit of a transaction."""

from __future__ import annotations

from command_center.actors.contracts.events.hosts import HostAdded, HostRemoved
from command_center.actors.contracts.fleet import NewHost
from command_center.actors.rules.errors import Conflict, NotFound
from command_center.store import StoredHost, Transaction, repositories, stored_hosts
from command_center.store.queries.removal import remove_host as remove_row


def add_host(tx: Transaction, wanted: NewHost, *, host_key: str, data_dir: str) -> StoredHost:
    """Keep a host, and tell of it.

    Raises:
        Conflict: there is one of that name, or at that address.
    """
    for fields in ({"name": wanted.name}, {"address": wanted.address}):
        known = stored_hosts.find(tx.db, fields)
        if known is not None:
            raise Conflict(
                f"Host {known.name} at {known.address} is there already. Remove it first, or give "
                "another name and address.",
                host=known.name,
            )
    kept = stored_hosts.insert(
        tx,
        name=wanted.name,
        kind=wanted.kind,
        address=wanted.address,
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
