"""Machines that were added to this one."""

from command_center.store.records.record import Record


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
