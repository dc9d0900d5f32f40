"""Placement: on which host a run works, where the same repository lies on several.

Copies of one repository are known by their `identity`: the word that a person gave them, or the
address of their remote. A run may name a host, ask for labels, or leave the choice open. Of the
hosts that can be chosen it gets the one with the fewest sessions, running and queued, for its
slots; then the one whose machine is less busy. A host that is draining or away is never chosen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, TypeAlias

import attrs
import msgspec

from command_center.actors.rules.errors import Conflict, Invalid
from command_center.actors.rules.forge_links import project_of
from command_center.store import HostState, Repository, Session

HostName = Annotated[
    str,
    msgspec.Meta(
        max_length=32,
        pattern=r"^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$(?!\n)",
        description="a name of small letters, digits and -, such as box-2",
    ),
]
HostLabel = Annotated[
    str,
    msgspec.Meta(
        max_length=32,
        pattern=r"^[a-z0-9](?:[a-z0-9._-]{0,30}[a-z0-9])?$(?!\n)",
        description="a label of small letters, digits and ._-, such as gpu",
    ),
]
HostLabels = Annotated[list[HostLabel], msgspec.Meta(max_length=20)]


class HostWish(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    forbid_unknown_fields=True,
    omit_defaults=True,
):
    """A host that is named, or labels that it must have; one of the two.

    Attributes:
        host: the name of a host.
        labels: the least busy host is chosen that has all of these.
    """

    host: HostName | None = None
    labels: HostLabels = msgspec.field(default_factory=list)


Placement: TypeAlias = HostWish | Literal["any", "pool"]
"""`any` is each host that has the repository, `pool` each host that clones what it needs."""


class NowhereToRun(Conflict):
    """No host can be chosen for a run."""


@attrs.frozen(kw_only=True)
class Candidate:
    """A copy of the repository, and how its host is now.

    Attributes:
        repository: the copy.
        state: what is wanted of the host; None for nothing in particular.
        absence: why the host cannot be reached; None if it can.
        wanted: the sessions that work there or wait for it.
        slots: how many may work there at once.
        load: processes that want one of its processors; None if it has not said.
        is_held: a limit of its agent's account is reached.
        is_clone: a pool has made it, and no person works there.
    """

    repository: Repository
    state: HostState | None
    absence: str | None
    wanted: int
    slots: int
    load: float | None
    is_held: bool
    is_clone: bool = False

    @property
    def host(self) -> str:
        """Return the host's name."""
        return self.repository.host


@attrs.frozen
class PlacementChoice:
    """The copy in which a run works, and the reason, in a sentence."""

    repository: Repository
    reason: str


UNKNOWN_LOAD: Final = 1.0
"""The load of a machine that has not said any, on each of its processors."""


def stored_placement(wish: Placement | None) -> dict[str, Any] | str | None:
    """Return the wish as it is kept and shown."""
    kept: dict[str, Any] | str | None = msgspec.to_builtins(wish)
    return kept


def leaves_host_open(session: Session) -> bool:
    """Say whether another host may be chosen for a queued session: none was named, none has begun.

    One that has a thread, or a folder that somebody named, works where that is.
    """
    is_named = session.placement is None or (
        isinstance(session.placement, dict) and "host" in session.placement
    )
    has_folder = session.worktree_path is not None and not session.worktree_reserved
    return not (is_named or has_folder or session.codex_thread_id)


def check_placement(wish: Placement | None, field: str = "placement") -> None:
    """Refuse a wish that cannot be met by any fleet.

    Raises:
        Invalid: the wish names both or neither, or there is nothing of that kind.
    """
    if isinstance(wish, HostWish) and (wish.host is None) == (not wish.labels):
        raise Invalid.field(field, "Name a host or labels, one of the two.")


def identity_of(project: str | None, remotes: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the name under which copies of one repository are known.

    A person's word outweighs the address of `origin`, or that of the only remote, which is
    written alike for https and ssh. None where nothing tells: such a repository has no copies.
    """
    if project is not None:
        return project
    named = {remote["name"]: remote["url"] for remote in remotes}
    url = named.get("origin") or (next(iter(named.values())) if len(named) == 1 else None)
    known = None if url is None else project_of(url)
    if known is None or not known.host:  # such as a file's, which another machine has not
        return None
    return f"{known.host_name}/{known.path}"


def choose(wish: Placement, own: Repository, candidates: Sequence[Candidate]) -> PlacementChoice:
    """Choose among the copies of a repository; where all is alike, `own`.

    Raises:
        NowhereToRun: none can be chosen; `facts.hosts` says why for each.
    """
    refused = {one.host: why for one in candidates if (why := _why_not(wish, one)) is not None}
    open_to = [one for one in candidates if one.host not in refused]
    if not open_to:
        raise NowhereToRun(_nowhere(wish, own, refused), hosts=refused)
    best = min(
        open_to, key=lambda one: (*_cost(one), one.repository.id != own.id, one.repository.id)
    )
    if isinstance(wish, HostWish) and wish.host is not None:
        return PlacementChoice(best.repository, f"It was asked for on {best.host}.")
    used = f"{best.wanted} of {best.slots} slots taken or waited for"
    if len(open_to) == 1:
        why = f"{best.host} is the only host that can be chosen ({used})."
    else:
        busy = "" if best.load is None else f", load {best.load:.2f} on each processor"
        why = f"{best.host} is the least busy of {len(open_to)} hosts ({used}{busy})."
    return PlacementChoice(best.repository, " ".join((why, *_told(refused))))


def _cost(one: Candidate) -> tuple[bool, float, float]:
    load = UNKNOWN_LOAD if one.load is None else one.load
    return one.is_held, one.wanted / one.slots, load


def _why_not(wish: Placement, one: Candidate) -> str | None:
    if isinstance(wish, HostWish):
        if wish.host not in {None, one.host}:
            return "it is not the host that was asked for"
        has = set() if one.state is None else {*one.state.labels}
        missing = [label for label in wish.labels if label not in has]
        if missing:
            return f"it does not have the label{'s' * (len(missing) > 1)} {', '.join(missing)}"
    if wish == "pool" and not one.is_clone:
        return "it has no clone of a pool"
    if one.state is not None and one.state.is_draining:
        return "it is draining"
    return None if one.absence is None else f"it is away: {one.absence.rstrip('.')}"


def _told(refused: Mapping[str, str]) -> list[str]:
    return [f"{host}: {why}." for host, why in sorted(refused.items())]


def _nowhere(wish: Placement, own: Repository, refused: Mapping[str, str]) -> str:
    if isinstance(wish, HostWish) and wish.host is not None:
        if wish.host in refused:
            return f"The run was asked for on host {wish.host}, but {refused[wish.host]}."
        lies = ", ".join(sorted(refused)) or "no host"
        return (
            f"Repository {own.id} does not lie on host {wish.host}, but on {lies}. Register it "
            "there; if its remote has another address, give both the same `project`."
        )
    return " ".join((f"No host can be chosen for repository {own.id}.", *_told(refused)))
