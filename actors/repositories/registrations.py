"""The registration of repositories: what a folder is, and what is kept of one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import attrs
import msgspec
import structlog
from sqlite_utils import Database

from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.contracts.repositories import (
    CloneRepository,
    CreateRepository,
    DeleteRepository,
    Inspection,
    InspectRepository,
    PatchRepository,
    ProvideClone,
    RepositoryDeleted,
    ScanRepository,
)
from command_center.actors.core.locks import KeyedLocks
from command_center.actors.core.storage import Storage
from command_center.actors.git import Checkout, NotAWorkTree
from command_center.actors.git.facts import (
    WorkTreeStatus,
    read_commits,
    read_contents,
    read_default_branch,
    read_remotes,
    read_status,
    read_store_size,
    read_warnings,
    read_worktrees,
)
from command_center.actors.git.remotes import push_addresses
from command_center.actors.ledger.hosts import states_of
from command_center.actors.ledger.repositories import (
    columns_of,
    create_repository,
    delete_repository,
    identity_as_kept,
    keep_scan,
    note_identities,
    note_worktrees,
    patch_repository,
)
from command_center.actors.repositories.main_checkout import open_main
from command_center.actors.rules.caps import Caps, stored_caps
from command_center.actors.rules.choices import Choices, stored
from command_center.actors.rules.errors import Conflict, Invalid, Unavailable
from command_center.actors.rules.paths import same_place
from command_center.actors.rules.preconditions import only_if
from command_center.store import Repository, Transaction, leases, sessions
from command_center.store import repositories as repository_table
from command_center.store.statuses import ACTIVE

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

NAME_LENGTH: Final = 200
"""Characters of a repository's name."""


class NoPoolHost(Conflict):
    """No pool host can clone what a run needs now."""


@attrs.frozen
class Registrations:
    """Inspects, registers, changes, scans and forgets repositories."""

    _storage: Storage
    _hosts: Hosts[Host]
    _locks: KeyedLocks

    async def known(self) -> list[Repository]:
        """Read all repositories; log those that are damaged."""
        known, damaged = await self._storage.read(lambda db: repository_table.sound(db, {}))
        for error in damaged:
            log.error("repository.damaged", repository_id=error.id)
        return known

    async def note_worktrees(self) -> None:
        """Have runs reserve places where worktrees are made now: the data folder may have moved.

        Another machine is not waited for: the server starts before it reaches any.
        """
        moved: dict[int, Path] = {}
        for repository in await self.known():
            if repository.host in self._hosts and self._hosts.of(repository).standing is None:
                folder = await self._hosts.of(repository).folders.worktrees()
                if repository.facts.get("worktreesFolder") != str(folder):
                    moved[repository.id] = folder
        if moved:
            await self._storage.write(lambda tx: note_worktrees(tx, moved))

    async def note_identities(self) -> None:
        """Have copies on other hosts known by what is kept of them, also from before they were."""
        changed = [
            known.id for known in await self.known() if identity_as_kept(known) != known.identity
        ]
        if changed:
            await self._storage.write(lambda tx: note_identities(tx, changed))

    async def inspect(self, message: InspectRepository) -> Inspection:
        """Say what a folder is; nothing is saved."""
        host = self._hosts.named(message.host)
        path = await host.folders.resolve(message.local_path, "localPath")
        try:
            checkout = await host.git.open(path)
        except NotAWorkTree as error:
            return Inspection(
                is_git_repository=False,
                host=host.name,
                name=path.name,
                local_path=str(path),
                warnings=[_sentence(error)],
            )
        return await self._look(host, checkout, await read_status(checkout))

    async def provide_clone(self, message: ProvideClone) -> Repository:
        """Have the least busy pool host that may clone a repository's remote do so.

        Raises:
            Conflict: the repository has no remote, or no host can; `facts.hosts` says why.
        """
        own = await self._storage.read(lambda db: repository_table.get(db, message.repository_id))
        remotes = {one["name"]: one["url"] for one in own.facts.get("remotes", ())}
        remote = remotes.get("origin") or (
            next(iter(remotes.values())) if len(remotes) == 1 else None
        )
        if remote is None:
            raise Conflict(f"Repository {own.id} has no remote `origin` to clone.")
        refused: dict[str, str] = {}
        for name in await self._storage.read(partial(_by_sessions, hosts=list(self._hosts))):
            host = self._hosts.named(name)
            if host.absence is not None:
                refused[name] = host.absence
                continue
            try:
                return await self.clone(_clone_of(own, remote, host.name))
            except (Conflict, Invalid, Unavailable) as error:
                refused[name] = str(error)
        told = " ".join(f"{name}: {why}" for name, why in refused.items())
        raise NoPoolHost(f"No pool host can clone {remote}. {told}".strip(), hosts=refused)

    async def create(
        self, message: CreateRepository, *, cloned_from: str | None = None
    ) -> Repository:
        """Register a repository, under whatever spelling of its path once."""
        host = self._hosts.named(message.host)
        seen, checkout = await self._examine(host, message.local_path)
        git_dir = checkout.common_dir
        addresses = push_addresses(checkout) if message.allow_push else []
        async with self._locks.of(f"registration on {host.name}"):
            await self._check_new(host, seen.local_path, git_dir, but=None)
            worktrees = await host.folders.worktrees()

            def keep(tx: Transaction) -> Repository:
                kept = create_repository(tx, message, seen, git_dir, worktrees, addresses=addresses)
                if cloned_from is not None:
                    leases.note_clone(tx, kept.id, cloned_from)
                return kept

            return await self._storage.write(keep)

    async def clone(self, message: CloneRepository) -> Repository:
        """Have a pool clone a remote, and register that; one that is known is fetched, and scanned.

        Raises:
            Conflict: the host has no pool.
        """
        host = self._hosts.named(message.host)
        if host.pool is None:
            raise Conflict(
                f"Host {host.name} clones nothing. A machine that dials out does, if its own user "
                "lets it: command-center host --pool REMOTE"
            )
        made = await host.pool.obtain(message.remote, message.depth)
        place = {"host": host.name, "local_path": str(made.path)}
        known = await self._storage.read(lambda db: repository_table.find(db, place))
        if known is None:
            registration = message.registration(made.path)
            return await self.create(registration, cloned_from=message.remote)
        return await self.scan(ScanRepository(known.id, requested_by=message.requested_by))

    async def clone_again(self, session_id: int) -> bool:
        """Have the clone of a session made anew that its pool took away while the run waited.

        Return False for one that is there, and for what is no clone.

        Raises:
            Conflict, Unavailable: it cannot be cloned now.
        """

        def find(db: Database) -> tuple[Repository, str | None]:
            repository_id = sessions.get(db, session_id).repository_id
            return repository_table.get(db, repository_id), leases.remote_of(db, repository_id)

        repository, remote = await self._storage.read(find)
        host = self._hosts.of(repository)
        if remote is None or host.pool is None:
            return False
        try:
            await host.folders.resolve(repository.local_path, "localPath")
        except Invalid:
            await host.pool.obtain(remote, None)
            return True
        return False

    async def patch(self, message: PatchRepository) -> Repository:
        """Change what is kept of a repository; a new path is examined as at first."""
        repository_id, changes = message.repository_id, message.changes
        fields: dict[str, Any] = {
            name: value
            for name in changes.__struct_fields__
            if name != "requested_by" and (value := getattr(changes, name)) is not msgspec.UNSET
        }
        if isinstance(changes.run_defaults, Choices):
            fields["run_defaults"] = stored(changes.run_defaults)
        if isinstance(changes.caps, Caps):
            fields["caps"] = stored_caps(changes.caps)

        def change(tx: Transaction) -> Repository:
            return patch_repository(tx, repository_id, fields, changes.requested_by)

        if "local_path" not in fields and not fields.get("allow_push"):
            return await self._storage.write(only_if(message.condition, change))
        known = await self._storage.read(lambda db: repository_table.get(db, repository_id))
        host = self._hosts.of(known)
        registration = self._locks.of(f"registration on {host.name}")
        async with registration, self._locks.of(repository_id):
            known = await self._storage.read(lambda db: repository_table.get(db, repository_id))
            if "local_path" in fields:
                seen, checkout = await self._examine(host, fields["local_path"])
                git_dir = checkout.common_dir
                await self._check_new(host, seen.local_path, git_dir, but=repository_id)
                fields |= columns_of(seen, git_dir, await host.folders.worktrees())
                fields["push_addresses"] = []
            else:
                checkout = await open_main(host, known)
            if fields.get("allow_push"):
                fields["push_addresses"] = push_addresses(checkout)
            return await self._storage.write(only_if(message.condition, change))

    async def scan(self, message: ScanRepository) -> Repository:
        """Look at a repository anew."""
        repository = await self._storage.read(
            lambda db: repository_table.get(db, message.repository_id)
        )
        host = self._hosts.of(repository)
        checkout = await open_main(host, repository)
        status = await read_status(checkout)
        seen = await self._look(host, checkout, status)
        contents = await read_contents(checkout, status)
        commits = await read_commits(checkout, status)
        columns = columns_of(seen, checkout.common_dir, await host.folders.worktrees())
        columns["facts"] |= {
            "contents": msgspec.to_builtins(contents),
            "commits": msgspec.to_builtins(commits),
            "gitBytes": await read_store_size(checkout),
        }
        return await self._storage.write(
            lambda tx: keep_scan(tx, message.repository_id, columns, message.requested_by)
        )

    async def delete(self, message: DeleteRepository) -> RepositoryDeleted:
        """Forget a repository."""
        async with self._locks.of(message.repository_id):
            return await self._storage.write(
                only_if(
                    message.condition,
                    lambda tx: delete_repository(
                        tx,
                        message.repository_id,
                        message.requested_by,
                        with_history=message.with_history,
                    ),
                )
            )

    async def _examine(self, host: Host, local_path: str) -> tuple[Inspection, Checkout]:
        """Inspect a folder that is to be registered; return that, and the checkout.

        Raises:
            Invalid: it cannot be registered; the error names the field.
        """
        path = await host.folders.resolve(local_path, "localPath")
        try:
            checkout = await host.git.open(path)
        except NotAWorkTree as error:
            raise Invalid.field("localPath", str(error)) from error
        return await self._look(host, checkout, await read_status(checkout)), checkout

    async def _look(self, host: Host, checkout: Checkout, status: WorkTreeStatus) -> Inspection:
        warnings = await read_warnings(checkout)
        if await host.folders.has_data_in(checkout.path):
            warnings.append(
                "The data folder of this server lies in it. A run that may write can change it."
            )
        return Inspection(
            is_git_repository=True,
            name=checkout.path.name,
            host=host.name,
            local_path=str(checkout.path),
            default_branch=await read_default_branch(checkout, status),
            current_branch=status.branch,
            head_sha=status.head,
            is_dirty=status.dirty,
            ahead=status.ahead,
            behind=status.behind,
            remotes=read_remotes(checkout),
            worktrees=await read_worktrees(checkout),
            warnings=warnings,
        )

    async def _check_new(
        self, host: Host, local_path: str, git_dir: Path, *, but: int | None
    ) -> None:
        """Refuse a repository that is registered on its host, under whatever spelling.

        Raises:
            Conflict: it is; the other is named.
        """
        for other in await self._storage.read(
            lambda db: repository_table.every(db, {"host": host.name})
        ):
            if other.id == but:
                continue
            known_git_dir = other.facts.get("gitDir")
            if (
                same_place(other.local_path, local_path)
                or await host.folders.same(Path(other.local_path), Path(local_path))
                or (
                    isinstance(known_git_dir, str)
                    and await host.folders.same(Path(known_git_dir), git_dir)
                )
            ):
                raise Conflict(
                    f"{local_path} is registered already: "
                    f"repository {other.id} ({other.name}) at {other.local_path}.",
                    repositoryId=other.id,
                )


def _by_sessions(db: Database, *, hosts: Sequence[Host]) -> list[str]:
    """Return the names of the pool hosts where runs may begin, the one with the fewest first."""
    states = states_of(db)
    wanted = {
        host.name: sessions.count(db, {"host": host.name, "status": ("queued", *sorted(ACTIVE))})
        for host in hosts
        if host.pool is not None and not (host.name in states and states[host.name].is_draining)
    }
    return sorted(wanted, key=lambda name: (wanted[name], name))


def _clone_of(own: Repository, remote: str, host: str) -> CloneRepository:
    return CloneRepository(
        remote=remote,
        host=host,
        name=own.name,
        allow_write=own.allow_write,
        allow_network=own.allow_network,
        allow_commit=own.allow_commit,
        requested_by="pool",
    )


def check_name(name: str) -> None:
    """Refuse a name that cannot be shown.

    Raises:
        Invalid: it is empty, too long, or has control characters.
    """
    if not name.strip() or len(name) > NAME_LENGTH or not name.isprintable():
        raise Invalid.field("name", f"A name has 1 to {NAME_LENGTH} printable characters.")


def _sentence(error: NotAWorkTree) -> str:
    return error.problem[:1].upper() + error.problem[1:]
