"""The bounds of a session: what it writes beside its folder, and which files Codex obeys there."""

from __future__ import annotations

from pathlib import Path

import attrs
import structlog
from sqlite_utils import Database

from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.contracts.project_configuration import NotShowable, ProjectConfiguration
from command_center.actors.contracts.worktrees import (
    Bounds,
    FindBounds,
    SeeConfiguration,
    SeenConfiguration,
)
from command_center.actors.core.storage import Storage
from command_center.actors.git import GitFailed, NotAWorkTree, UnsafeRepository
from command_center.actors.repositories.main_checkout import open_main
from command_center.store import (
    Repository,
    Session,
    repositories,
    sessions,
    trusted_configurations,
)

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@attrs.frozen
class SessionBounds:
    """Finds out where a session ends; each public method answers a message."""

    _storage: Storage
    _hosts: Hosts[Host]

    async def bounds(self, message: FindBounds) -> Bounds:
        """Say where a session ends; where git cannot say what a commit writes to, it writes none.

        A commit then needs a person, as any other step out of the sandbox.
        """
        session, repository = await self._look_up(message.session_id)
        place = (Path(session.cwd), Path(repository.local_path))
        writable: list[Path] = []
        if session.allow_commit and session.sandbox == "workspace-write":
            try:
                writable = await self._commit_folders(session, repository)
            except (NotAWorkTree, UnsafeRepository, GitFailed) as error:
                log.warning("session.commit_folders.unknown", session=session.id, reason=str(error))
        files = await self._hosts.of(repository).agent_files.project_files(*place)
        found = await self._read_configuration(session, repository)
        configuration = found if isinstance(found, ProjectConfiguration) else None
        return Bounds(
            writable=tuple(map(str, writable)),
            projects=files.paths,
            obeyed=files.obeyed,
            trusted=configuration is not None
            and await self._storage.read(
                lambda db: trusted_configurations.is_trusted(
                    db, repository.id, configuration.digest
                )
            ),
            stamp=None if configuration is None else configuration.stamp,
            reviewer=repository.reviewer,
            servers_off=tuple(repository.mcp_servers_off),
        )

    async def see_configuration(self, message: SeeConfiguration) -> SeenConfiguration | None:
        """Show the files by which a session's repository configures Codex, if it may ask for it."""
        found = await self._read_configuration(*await self._look_up(message.session_id))
        match found:
            case None:
                return None
            case ProjectConfiguration():
                return SeenConfiguration(digest=found.digest, texts=found.texts)
            case problem:
                return SeenConfiguration(problem=problem)

    async def _read_configuration(
        self, session: Session, repository: Repository
    ) -> ProjectConfiguration | str | None:
        """Read the configuration in the session's folder; if it cannot be shown, return why."""
        if repository.codex_config != "ask":
            return None
        try:
            return await self._hosts.of(repository).agent_files.read_configuration(
                Path(session.cwd), Path(repository.local_path)
            )
        except NotShowable as error:
            return str(error)

    async def _commit_folders(self, session: Session, repository: Repository) -> list[Path]:
        main = await open_main(self._hosts.of(repository), repository)
        checkout = await main.git.open(Path(session.cwd), common_dir=main.common_dir)
        return await checkout.git.commit_folders(checkout)

    async def _look_up(self, session_id: int) -> tuple[Session, Repository]:
        def look_up(db: Database) -> tuple[Session, Repository]:
            session = sessions.get(db, session_id)
            return session, repositories.get(db, session.repository_id)

        return await self._storage.read(look_up)
