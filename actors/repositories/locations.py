"""Places where worktrees may be: the host's folder for them, or a path that somebody asks for."""

from __future__ import annotations

from pathlib import Path

import attrs

from command_center.actors.contracts.hosts import Host
from command_center.actors.core.storage import Storage
from command_center.actors.rules.branch_names import folder_name
from command_center.actors.rules.errors import Invalid
from command_center.actors.rules.paths import pure_path
from command_center.store import Repository, Session, repositories


@attrs.frozen
class Places:
    """Finds and checks places for worktrees."""

    _storage: Storage

    async def free(self, host: Host, repository: Repository, branch: str) -> Path:
        """Find a place that nothing is at, where the host keeps worktrees."""
        return await host.folders.make_place(repository.id, folder_name(branch))

    async def reserved(self, host: Host, session: Session) -> Path:
        """Find the place that was reserved for a session, or one beside it if something is there.

        It is always where the host keeps worktrees.
        """
        name = folder_name(pure_path(session.cwd).name, longest=100)
        return await host.folders.make_place(session.repository_id, name)

    async def asked(self, host: Host, wanted: str, field: str) -> Path:
        """Say where somebody wants a worktree, if one may be there.

        Raises:
            Invalid: something is there already, or it lies where none may.
        """
        path = await host.folders.resolve_new(wanted, field)
        if await host.folders.is_kept(path):
            return path
        known = await self._storage.read(lambda db: repositories.every(db, {"host": host.name}))
        for repository in known:
            if await host.folders.within(path, Path(repository.local_path)):
                raise Invalid.field(
                    field, f"{path} lies inside repository {repository.id} ({repository.name})."
                )
        return path
