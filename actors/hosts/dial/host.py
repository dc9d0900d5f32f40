"""A host that dials out to this server."""

from __future__ import annotations

from functools import partial

import attrs

from command_center.actors.core.storage import Storage
from command_center.actors.hosts.dial.keeper import DialLink
from command_center.actors.hosts.dial.leases import PoolLeases
from command_center.actors.hosts.link.calling import pool_of, tree_of
from command_center.actors.hosts.link.host import LinkedHost
from command_center.actors.hosts.link.standing import Standing
from command_center.runtime import ChildSpec
from command_center.store import StoredHost


def dialling_host(record: StoredHost, storage: Storage, *, disabled: str | None) -> LinkedHost:
    """Make it; `disabled` says why its Codex is not reached."""
    standing = Standing(record.name, "It has not connected yet.")
    link = ChildSpec(id="link", start=partial(DialLink, storage, standing))
    pool = pool_of(standing)
    tree = tree_of(standing)
    host = LinkedHost.over(standing, link, disabled=disabled, pool=pool, tree=tree)
    leases = ChildSpec(id="leases", start=partial(PoolLeases, storage, standing, pool, host.git))
    return attrs.evolve(host, beside=(leases,))
