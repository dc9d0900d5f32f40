"""Worktrees that are cleaned up, and those that stay."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from command_center.actors.contracts.worktrees import (
    CleanWorktrees,
    CreateWorktree,
    ListWorktrees,
    WorktreeRequest,
)
from tests.actors.git.repository import commit, make_repository
from tests.actors.repositories.rig import Rig, open_rig


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig(tmp_path / "rig") as rig:
        yield rig


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "project")


async def test_only_worktrees_that_nobody_needs_are_cleaned_up(
    rig: Rig, project: Path, tmp_path: Path
) -> None:
    repository = await rig.register(project)
    done, dirty, ahead, busy = [
        await rig.make_worktree(repository, name) for name in ("done", "dirty", "ahead", "busy")
    ]
    wanted = WorktreeRequest(branch_name="mine", path=str(tmp_path / "mine"))
    await rig.ask(CreateWorktree(repository.id, wanted))
    (Path(dirty.path) / "new.txt").write_text("new\n", encoding="utf-8")
    commit(Path(ahead.path), {"ahead.txt": "1\n"})
    await rig.start_session(repository, cwd=busy.path, worktree_path=busy.path)

    cleaned = await rig.ask(CleanWorktrees(repository.id))

    assert [done.path] == [entry.path for entry in cleaned]
    left = {state.branch_name for state in await rig.ask(ListWorktrees(repository.id))}
    assert {"main", "dirty", "ahead", "busy", "mine"} == left
