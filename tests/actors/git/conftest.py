"""What the tests of git share."""

import os
from pathlib import Path

import pytest

from command_center.actors.git import Git
from tests.actors.git.repository import make_repository


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """The git under test, of a user who has configured nothing."""
    home = tmp_path / "home"
    home.mkdir()
    return Git(
        tmp_path / "data" / "git",
        inherited={**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home)},
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit on `main`."""
    return make_repository(tmp_path / "repository")
