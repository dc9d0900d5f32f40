"""Fixtures of the tests of repositories."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.actors.git.repository import make_repository
from tests.actors.repositories.rig import Rig, open_rig
from tests.actors.repositories.work import Work


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "project")


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig(tmp_path / "rig") as rig:
        yield rig


@pytest.fixture
async def work(rig: Rig, project: Path) -> Work:
    repository = await rig.register(project)
    made = await rig.make_worktree(repository)
    session = await rig.start_session(
        repository, cwd=made.path, worktree_path=made.path, branch_name="work"
    )
    await rig.end_session(session)
    return Work(rig, session, Path(made.path))
