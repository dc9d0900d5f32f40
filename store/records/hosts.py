"""Machines that were added to this one, and what is wanted of each."""

from __future__ import annotations

import msgspec

from command_center.store.records.record import Record
from command_center.store.timestamps import Timestamp


class StoredHost(Record, frozen=True, kw_only=True, rename="camel"):
    """A machine that repositories lie on.

    Attributes:
        host_key: the line of known_hosts that somebody has accepted; empty if ssh knew it.
        data_dir: the folder that this server has over there.
    """

    name: str
    kind: str
    address: str
    host_key: str
    data_dir: str
    requested_by: str


class HostState(Record, frozen=True, kw_only=True, rename="camel"):
    """State of a host beside how it is reached; a host without a row has the defaults.

    Attributes:
        name: the host's, which may be `local`.
        is_draining: no run begins there.
        labels: words that say what it is good for.
        max_sessions: how many sessions work there at once; None if only the server's limit counts.
        last_seen_at: when there was a link last; None for the server's own machine.
    """

    name: str
    is_draining: bool = False
    labels: list[str] = msgspec.field(default_factory=list)
    max_sessions: int | None = None
    last_seen_at: Timestamp | None = None
