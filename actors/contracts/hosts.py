"""Hosts: the machines that repositories lie on, as the rest of the program sees them.

Whatever touches a machine goes through the host of a repository: its folders, its git, its agent.
Two folders are the same only on the same host. `local` is this machine (`hosts.local`), and others
may be added; docs/hosts.md shows how, and how to write another kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import attrs

from command_center.actors.contracts.pools import Pool
from command_center.actors.contracts.project_configuration import AgentFiles
from command_center.actors.git.ports import Git
from command_center.actors.rules.errors import Conflict, Invalid
from command_center.runtime import ActorSnapshot, ChildSpec


@attrs.frozen
class FolderLook:
    """A look through folders for repositories.

    Attributes:
        found: the repositories.
        folders: how many folders were looked into.
        passed_over: those of them that have too many entries to be looked through.
        ended_at: the folder behind which the next look goes on; None at the end of all.
    """

    found: tuple[Path, ...]
    folders: int
    passed_over: tuple[Path, ...]
    ended_at: Path | None


@attrs.frozen
class MachineLoad:
    """The load of a machine, and the room on its disk.

    Attributes:
        load: processes that want a processor, on the average of the last minute.
        processors: how many it has.
        disk_free: bytes that this user may still write where our data lie.
        disk_size: bytes of that disk.
    """

    load: float
    processors: int
    disk_free: int
    disk_size: int

    @property
    def per_processor(self) -> float:
        """Return how many processes want each of its processors."""
        return self.load / max(self.processors, 1)


@attrs.frozen
class HostVitals:
    """A look at a machine: its load, and the seconds until it had answered."""

    load: MachineLoad
    latency: float


class Folders(Protocol):
    """The folders of a host: where paths lead to, and what may lie where.

    A host may have a ceiling of its own: folders that repositories must be in, which nobody can
    widen from here.
    """

    async def expand(self, text: str, field: str) -> Path:
        """Read a path that somebody sent, wherever it leads; `~/` is the home folder there.

        Raises:
            Invalid: it cannot be meant on this host; the field is named.
        """

    async def resolve(self, text: str, field: str) -> Path:
        """Follow a path that somebody sent to the folder that it leads to, through every link.

        Raises:
            Invalid: it does not exist, is no folder, cannot be entered, or lies where no repository
                may; the field is named.
        """

    async def resolve_new(self, text: str, field: str) -> Path:
        """Say where a worktree that somebody asks for would be, through every link on the way.

        Raises:
            Invalid: something is there already, or it lies where no worktree may; the field is
                named.
        """

    async def make_place(self, repository_id: int, name: str) -> Path:
        """Find a free place for a worktree that nobody named a place for, named like this."""

    async def worktrees(self) -> Path:
        """Return the folder in which `make_place` finds places, one folder per repository."""

    async def is_kept(self, path: Path) -> bool:
        """Say whether a folder lies where worktrees go that nobody named a place for."""

    async def may_have(self, path: Path) -> bool:
        """Say whether a repository may lie there, by the ceiling of the host."""

    async def has_data_in(self, path: Path) -> bool:
        """Say whether the data of Command Center lie in that folder."""

    async def hidden_from(self, folder: Path, *, writes: bool) -> list[Path]:
        """Say what a person's shell that works in a folder may not read: the data of this server.

        A sandbox that `writes` there opens the folder again where it lies in what is hidden; a
        sandbox that only reads does not, and what lies beside the folder is hidden one by one.
        """

    async def private_data(self) -> list[Path]:
        """Name what no run reads of the data of this server: all but worktrees and uploads.

        Empty where the agent's sandbox cannot hide anything.
        """

    async def within(self, path: Path, folder: Path) -> bool:
        """Say whether a resolved path is the folder or lies below it, links followed."""

    async def same(self, left: Path, right: Path) -> bool:
        """Say whether two paths lead to one thing; what is missing is like nothing else."""

    async def find_repositories(self, after: Path | None) -> FolderLook:
        """Look for repositories behind a folder, for a second: in the home folder, or the ceiling.

        No link is followed, and no git is run.

        Raises:
            Invalid: no look has ended at that folder.
            Unavailable: a disk does not answer.
        """

    async def size(self, path: Path) -> int:
        """Add up the bytes of the files below a folder, no link followed; bounded."""

    async def machine_load(self) -> MachineLoad:
        """Measure how busy the machine is, and how full the disk that has our data."""

    async def clock(self) -> float:
        """Read the clock of the machine, in seconds since 1970."""


class ProgramTree(Protocol):
    """The actors of the program that a host runs. Only hosts that dial out run one."""

    async def actors(self) -> Sequence[ActorSnapshot]:
        """Return its actors as they are now, 200 at most."""


class HostStanding(Protocol):
    """The standing of the link to a host."""

    @property
    def is_refused(self) -> bool:
        """Say whether nothing changes until a person does something."""

    @property
    def next_try_at(self) -> str | None:
        """Return when it is reached for again; None if there is a link, or it is tried now."""

    @property
    def seen_at(self) -> str | None:
        """Return when a link began or ended last; None if there was none in this life."""


class Host(Protocol):
    """A machine. All that is done on it is done through these.

    What an agent needs of a machine beside them, its adapter says: `codex.ports.CodexHost`.
    """

    @property
    def name(self) -> str:
        """Return its name, which a repository has as `host`."""

    @property
    def absence(self) -> str | None:
        """Return why it cannot be reached now, in a sentence; None if it can."""

    @property
    def standing(self) -> HostStanding | None:
        """Return how its link stands; None for one that needs none."""

    @property
    def folders(self) -> Folders:
        """Return its folders."""

    @property
    def git(self) -> Git:
        """Return its git."""

    @property
    def agent_files(self) -> AgentFiles:
        """Return the files by which projects there configure the agent."""

    @property
    def pool(self) -> Pool | None:
        """Return its pool; None for one that clones nothing."""

    @property
    def actors(self) -> Sequence[ChildSpec]:
        """Return the actors that it needs below `/hosts/NAME`, such as a connection's."""


class OnHost(Protocol):
    """A thing that lies on a host, such as a repository, or works there, such as a session."""

    @property
    def host(self) -> str:
        """Return the host's name."""


class HostMissing(Conflict):
    """The host of a repository is none of this server's."""

    def __init__(self, host: str) -> None:
        """Name it."""
        super().__init__(f"This server has no host {host!r} any more.", host=host)


H_co = TypeVar("H_co", bound=Host, covariant=True)


@attrs.frozen
class Hosts(Generic[H_co]):
    """The hosts by name. Machines may be added and removed while it runs.

    hosts = Hosts({"local": host})
    folders = hosts.of(repository).folders
    """

    _known: dict[str, H_co]
    _vitals: dict[str, HostVitals] = attrs.field(factory=dict)

    def of(self, record: OnHost) -> H_co:
        """Give the host of a repository or session.

        Raises:
            HostMissing: this server does not have it.
        """
        try:
            return self._known[record.host]
        except KeyError:
            raise HostMissing(record.host) from None

    def named(self, name: str, field: str = "host") -> H_co:
        """Give the host that somebody named.

        Raises:
            Invalid: there is none of that name; the field is named.
        """
        try:
            return self._known[name]
        except KeyError:
            known = ", ".join(sorted(self._known))
            raise Invalid.field(
                field, f"There is no host {name!r}. Hosts of this server: {known}."
            ) from None

    def absence_of(self, record: OnHost) -> str | None:
        """Return why a record's host cannot be reached now, in a sentence; None if it can."""
        try:
            return self.of(record).absence
        except HostMissing as missing:
            return str(missing)

    def add(self, host: H_co) -> None:  # type: ignore[misc]  # whoever adds knows what all are
        """Have one more, or another in the place of the one of that name."""
        self._known[host.name] = host

    def remove(self, name: str) -> None:
        """Have one no longer."""
        del self._known[name]
        self._vitals.pop(name, None)

    def vitals(self, name: str) -> HostVitals | None:
        """Return the last look at a machine; None where it is away or was not looked at yet."""
        return self._vitals.get(name)

    def keep_vitals(self, name: str, vitals: HostVitals | None) -> None:
        """Keep what a look at a machine has shown; None where it did not answer."""
        if vitals is None or name not in self._known:
            self._vitals.pop(name, None)
        else:
            self._vitals[name] = vitals

    def __contains__(self, name: str) -> bool:
        """Say whether there is one of that name."""
        return name in self._known

    def __iter__(self) -> Iterator[H_co]:
        """Go through all of them."""
        return iter([*self._known.values()])
