"""Events of hosts."""

from __future__ import annotations

from command_center.store import EventData


class HostAdded(EventData, frozen=True, kw_only=True, tag="host.added"):
    """A machine was added, on which repositories can lie from now on."""

    name: str
    kind: str
    address: str


class HostRemoved(EventData, frozen=True, kw_only=True, tag="host.removed"):
    """A machine was removed; what lies on it stays there."""

    name: str
    address: str


class HostConnected(EventData, frozen=True, kw_only=True, tag="host.connected"):
    """A machine can be reached."""

    name: str


class HostAway(EventData, frozen=True, kw_only=True, tag="host.away"):
    """A machine cannot be reached any more, or could not be yet; told once until it can be."""

    name: str
    reason: str


class HostEnrolled(EventData, frozen=True, kw_only=True, tag="host.enrolled"):
    """A machine has used its code, and signs in with a key of its own from now on."""

    name: str


class HostRefused(EventData, frozen=True, kw_only=True, tag="host.refused"):
    """A machine refuses or is refused until a person acts, or its answer makes no sense."""

    name: str
    reason: str


class HostDraining(EventData, frozen=True, kw_only=True, tag="host.draining"):
    """A machine begins no more runs; those that work there go on to their end."""

    name: str


class HostResumed(EventData, frozen=True, kw_only=True, tag="host.resumed"):
    """A machine that was draining begins runs again."""

    name: str


class HostChanged(EventData, frozen=True, kw_only=True, tag="host.changed"):
    """A machine has other labels, or another number of sessions at once."""

    name: str
    labels: list[str]
    max_sessions: int | None


class LeaseRenewed(EventData, frozen=True, kw_only=True, tag="lease.renewed"):
    """A pool host was heard of, and may go on with the runs of these leases."""

    host: str
    leases: list[int]


class LeaseLost(EventData, frozen=True, kw_only=True, tag="lease.lost"):
    """A pool host was not heard of for so long that it has ended the run; another may have it."""

    host: str
    lease: int
    folder: str
    branch_name: str | None
    reason: str


class LeaseReassigned(EventData, frozen=True, kw_only=True, tag="lease.reassigned"):
    """The run of a lease that was lost goes on in another session, on another host if it can."""

    lease: int
    host: str
    to_session_id: int
    to_host: str


class LeaseGivenUp(EventData, frozen=True, kw_only=True, tag="lease.abandoned"):
    """The run of a lease that was lost goes on nowhere."""

    lease: int
    host: str
    reason: str


class LeftWorkFound(EventData, frozen=True, kw_only=True, tag="lease.work.found"):
    """The host of a lease that was lost is back: this is in the folder of its run, and stays."""

    lease: int
    host: str
    folder: str
    branch_name: str | None
    commits: int | None
    is_dirty: bool | None
    problem: str | None
