"""Worktrees that are cleaned up, and those that stay."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from command_center.actors.contracts.worktrees import (
    CleanWorktrees,
    CreateWorktree,
    ListWorktrees,
    RemoveWorktree,
    WorktreeRequest,
)
from command_center.actors.rules.errors import Conflict
from tests.actors.git.repository import commit, make_repository, plain_git
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

    assert [done.path] == [entry.path for entry in cleaned.items]
    left = {state.branch_name for state in await rig.ask(ListWorktrees(repository.id))}
    assert {"main", "dirty", "ahead", "busy", "mine"} == left


async def test_a_worktree_with_a_repository_in_it_stays_unless_by_force(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project)
    worktree = Path((await rig.make_worktree(repository)).path)
    inner = make_repository(worktree / "inner")
    commit(worktree, {})  # git takes it in as a link to its commit
    plain_git(project, "merge", "--quiet", "work")
    (inner / "readme.txt").write_text("not committed\n", encoding="utf-8")
    assert "" == plain_git(worktree, "status", "--porcelain", "--ignore-submodules=dirty")

    assert [] == (await rig.ask(CleanWorktrees(repository.id))).items
    with pytest.raises(Conflict, match="a repository of its own"):
        await rig.ask(RemoveWorktree(repository.id, str(worktree)))
    assert "not committed\n" == (inner / "readme.txt").read_text(encoding="utf-8")
    await rig.ask(RemoveWorktree(repository.id, str(worktree), force=True))
    assert not worktree.exists()


async def test_a_submodule_that_was_not_checked_out_keeps_no_worktree(
    rig: Rig, project: Path
) -> None:
    inner = make_repository(project / "inner")
    commit(project, {})
    repository = await rig.register(project)
    worktree = Path((await rig.make_worktree(repository)).path)
    assert not (worktree / "inner" / ".git").exists()
    assert inner.exists()
    cleaned = await rig.ask(CleanWorktrees(repository.id))
    assert [str(worktree)] == [entry.path for entry in cleaned.items]
