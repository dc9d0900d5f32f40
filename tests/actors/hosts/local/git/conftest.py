"""Fixtures of the tests of git."""

from pathlib import Path

import pytest

from command_center.actors.hosts.local.git.checkouts import LocalGit
from command_center.actors.hosts.local.git.process import GitProgram
from tests.actors.git.repository import environment_of, make_repository


@pytest.fixture
def program(tmp_path: Path) -> GitProgram:
    """The git of a user who has configured nothing."""
    home = tmp_path / "home"
    home.mkdir()
    return GitProgram(tmp_path / "data" / "git", inherited=environment_of(home))


@pytest.fixture
def git(program: GitProgram) -> LocalGit:
    """The git under test."""
    return LocalGit(program)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit on `main`."""
    return make_repository(tmp_path / "repository")
