"""Git repositories made for tests, with a git that is *not* held: it stands for an unwary user."""

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

VARIABLES = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_TERMINAL_PROMPT": "0",
}

OF_THE_MACHINE = {"GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH"}
"""Variables that outrank what a test's user has configured."""


def environment_of(home: Path) -> dict[str, str]:
    """The environment of a user who has that home."""
    return {**_inherited(), "HOME": str(home), "XDG_CONFIG_HOME": str(home)}


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in OF_THE_MACHINE}


def plain_git(
    directory: Path,
    *arguments: str,
    check: bool = True,
    sent: bytes | None = None,
    variables: Mapping[str, str] | None = None,
) -> str:
    """Run git as a user would, and give what it printed on stdout."""
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607 - the user's own git
        cwd=directory,
        env={**_inherited(), **VARIABLES, **(variables or {})},
        input=sent if sent is not None else b"",
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0 or not check, done.stderr.decode(errors="replace")
    return done.stdout.decode(errors="backslashreplace").rstrip("\n")


def make_repository(path: Path) -> Path:
    """A repository with one commit on `main` that has a text and a source file."""
    path.mkdir(parents=True)
    path = path.resolve()
    shutil.copytree(_made_once(), path, dirs_exist_ok=True)
    plain_git(path, "update-index", "-q", "--refresh")  # a copy's files are others than it knows
    return path


@cache
def _made_once() -> Path:
    """Make the repository of which all others are copies: four runs of git take longer.

    Git's samples of hooks are left out, as they are most of its files.
    """
    made = tempfile.mkdtemp(prefix="command-center-repository-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    path = Path(made)
    plain_git(path, "init", "--quiet", "--initial-branch=main")
    for sample in (path / ".git" / "hooks").glob("*.sample"):
        sample.unlink()
    commit(path, {"readme.txt": "hello\n", "source.py": "print(1)\n"})
    return path


def commit(repository: Path, files: Mapping[str, str], message: str = "A change") -> str:
    """Write files, commit all, and give the commit's id."""
    for name, text in files.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(text, encoding="utf-8")
    plain_git(repository, "add", "--all")
    plain_git(repository, "commit", "--quiet", "--allow-empty", "-m", message)
    return plain_git(repository, "rev-parse", "HEAD")
