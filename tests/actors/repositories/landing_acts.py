"""The acts by which a session's work lands, or is discarded, by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from command_center.actors.contracts.landing import (
    CommitRequest,
    CommitWork,
    ConflictsRequest,
    DiscardRequest,
    DiscardWork,
    MarkConflicts,
    RestoreRequest,
    RestoreWork,
)
from command_center.actors.contracts.worktrees import (
    CreateWorktree,
    MergeRequest,
    MergeWorktree,
    WorktreeRequest,
)
from command_center.store import Session, sessions
from tests.actors.repositories.rig import Rig
from tests.actors.repositories.work import ADA


async def commit(rig: Rig, session: int) -> object:
    return await rig.ask(CommitWork(session, CommitRequest(author=ADA, message="Done")))


async def merge(rig: Rig, session: int) -> object:
    found: Session = await rig.storage.read(lambda db: sessions.get(db, session))
    wanted = MergeRequest(path=found.cwd)
    return await rig.ask(MergeWorktree(found.repository_id, wanted))


async def mark(rig: Rig, session: int) -> object:
    return await rig.ask(MarkConflicts(session, ConflictsRequest()))


async def discard(rig: Rig, session: int) -> object:
    return await rig.ask(DiscardWork(session, DiscardRequest()))


async def restore(rig: Rig, row: int) -> object:
    return await rig.ask(RestoreWork(row, RestoreRequest(branch_name="back")))


async def create(rig: Rig, repository: int) -> object:
    return await rig.ask(CreateWorktree(repository, WorktreeRequest(branch_name="made")))


ACTS: Final[Mapping[str, Callable[[Rig, int], Awaitable[Any]]]] = {
    "commit": commit,
    "merge": merge,
    "mark": mark,
    "resolve": commit,
    "discard": discard,
    "restore": restore,
    "create": create,
}
