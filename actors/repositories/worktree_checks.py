"""Checks that a worktree is not in use, before it is deleted or merged."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

import trio

from command_center.actors.contracts.hosts import Host
from command_center.actors.core.storage import Storage
from command_center.actors.git import Checkout
from command_center.actors.git.facts import WorktreeEntry, read_gitlinks, read_status
from command_center.actors.ledger.left_commands import lingering_sessions
from command_center.actors.rules.errors import Conflict, Invalid
from command_center.actors.rules.paths import lies_in
from command_center.store import Repository, Session, sessions

ENDING_SECONDS: Final = 3.0
"""Seconds that an agent may take to say that a turn has ended whose session has."""

LOOK_SECONDS: Final = 0.1
"""Seconds between two looks for it."""


class RunningTurns(Protocol):
    """The turns that run in agents' threads, whoever began them."""

    async def __call__(self, host: str) -> list[str]:
        """Return the folders in which turns run on a host.

        Raises:
            Unavailable: the agent cannot be asked now.
        """


class TurnRuns(Conflict):
    """A turn runs in a folder that was to be deleted, or a command that one has left."""

    def __init__(self, path: Path) -> None:
        """Say where, and what to do."""
        super().__init__(
            f"A turn of Codex runs in {path}, or a command that one has left. Wait for its end, or "
            "stop it."
        )


async def live_sessions(storage: Storage, repository: Repository) -> list[Session]:
    """Return the sessions of the repository that have not ended."""
    return await storage.read(
        lambda db: sessions.every(
            db, {"repository_id": repository.id, "finished_at": None}, texts=False
        )
    )


async def check_unused(storage: Storage, host: Host, repository: Repository, path: Path) -> None:
    """Refuse while a session works in a folder, or commands that one has left run there.

    Raises:
        Conflict: one does; the error names it.
    """
    for session in await live_sessions(storage, repository):
        if await host.folders.same(Path(session.cwd), path):
            raise Conflict(
                f"Session {session.id} works in {path} and is {session.status}.",
                sessionId=session.id,
            )
    left = await storage.read(lambda db: lingering_sessions(db, repository.host, cwd=str(path)))
    for session in left:
        raise Conflict(
            f"Commands of session {session.id} still run in {path}. Stop the session to end them.",
            sessionId=session.id,
        )


async def check_no_turn(
    turns: RunningTurns, host: Host, path: Path, *, is_patient: bool = True
) -> None:
    """Refuse while a turn or its command runs in a folder, also one that no session knows of.

    Raises:
        TurnRuns: one does, after `ENDING_SECONDS` still where the caller is patient.
        Unavailable: that cannot be said now.
    """
    deadline = trio.current_time() + (ENDING_SECONDS if is_patient else 0.0)
    while await _has_turn(turns, host, path):
        if trio.current_time() >= deadline:
            raise TurnRuns(path)
        await trio.sleep(LOOK_SECONDS)


async def _has_turn(turns: RunningTurns, host: Host, path: Path) -> bool:
    for folder in await turns(host.name):
        if lies_in(folder, str(path)):
            return True
        try:
            if await host.folders.within(await host.folders.resolve(folder, "cwd"), path):
                return True
        except Invalid:
            continue  # it is gone
    return False


async def check_removable(
    storage: Storage,
    host: Host,
    repository: Repository,
    main: Checkout,
    entry: WorktreeEntry,
    *,
    force: bool,
) -> None:
    """Refuse what must not be deleted.

    Raises:
        Conflict: it is locked, worked in, or (unless forced) dirty or with a repository in it.
    """
    path = Path(entry.path)
    if entry.locked_reason is not None:
        why = f": {entry.locked_reason}" if entry.locked_reason else ""
        raise Conflict(f"Worktree {entry.path} is locked{why}.")
    await check_unused(storage, host, repository, path)
    if force or entry.prunable_reason is not None:
        return
    checkout = await main.git.open(path, common_dir=main.common_dir)
    if (await read_status(checkout)).dirty:
        raise Conflict(
            f"Worktree {entry.path} has uncommitted changes. To delete them, too, add force=true.",
            path=entry.path,
        )
    for folder in await read_gitlinks(checkout):
        inner = folder / ".git"
        if await host.folders.same(inner, inner):  # it is there; git does not run inside
            raise Conflict(
                f"Worktree {entry.path} has a repository of its own in {folder}, which may have "
                "changes. To delete it, too, add force=true.",
                path=entry.path,
            )
