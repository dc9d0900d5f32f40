"""Repositories that would keep git waiting, or have it take all memory."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

import pytest
import trio
import trio.testing

from command_center.actors.git import Git, GitFailed, NotAWorkTree, UnsafeRepository
from command_center.actors.git.diffs import read_diff
from command_center.actors.git.facts import read_status
from command_center.actors.hosts.local.git.checkouts import LocalGit
from command_center.actors.hosts.local.git.confinement import MEMORY
from command_center.actors.hosts.local.git.process import SHARE
from tests.actors.git.repository import commit, make_repository
from tests.actors.hosts.local.git.test_hostile_repositories import look_around
from tests.actors.hosts.local.git.test_process import stand_in

POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what is waited for")

REFUSED_BEFORE = (
    ".gitignore",
    ".gitmodules",
    ".git/HEAD",
    ".git/config",
    ".git/index",
    ".git/info/exclude",
    ".git/objects/info/alternates",
    ".git/objects/info/commit-graph",
    ".git/packed-refs",
    ".git/shallow",
)
"""Places at which a pipe is seen before git is started."""

NOT_READ = (
    ".gitattributes",
    ".git/commondir.lock",
    ".git/config.worktree",
    ".git/info/attributes",
    ".git/hooks/post-index-change",
    ".git/logs/HEAD",
)
"""Places at which a pipe keeps nobody waiting, as nobody opens it."""

SEEN_AT_WORK = ("folder/.gitignore", ".git/refs/heads/main")
"""Places at which git comes to a pipe, and is ended."""


def put_pipe(path: Path) -> None:
    """A named pipe in the place of a file; to read it is to wait for whoever writes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if sys.platform != "win32":
        os.mkfifo(path)


async def look(git: Git, repository: Path) -> None:
    checkout = await git.open(repository)
    await look_around(checkout)
    await read_diff(checkout, "main")


@POSIX
@pytest.mark.parametrize("place", REFUSED_BEFORE)
async def test_a_pipe_in_the_place_of_a_file_is_refused_before_git_opens_it(
    git: Git, repository: Path, place: str
) -> None:
    put_pipe(repository / place)

    with trio.fail_after(20), pytest.raises((UnsafeRepository, NotAWorkTree), match="regular file"):
        await look(git, repository)


@POSIX
@pytest.mark.parametrize("place", NOT_READ)
async def test_a_pipe_where_git_would_read_what_is_not_read_here_keeps_nobody_waiting(
    git: Git, repository: Path, place: str
) -> None:
    put_pipe(repository / place)

    with trio.fail_after(20):
        await look(git, repository)


@LINUX
@pytest.mark.parametrize("place", SEEN_AT_WORK)
async def test_a_git_that_waits_at_a_pipe_is_ended(git: Git, repository: Path, place: str) -> None:
    commit(repository, {"folder/file.txt": "1\n"})
    (repository / "folder" / "new.txt").touch()
    put_pipe(repository / place)

    with trio.fail_after(20), pytest.raises(UnsafeRepository, match="came to a pipe"):
        await look(git, repository)


async def test_an_enormous_list_of_patterns_is_not_held(git: Git, repository: Path) -> None:
    with (repository / ".gitignore").open("wb") as file:
        file.truncate(900 * 1024 * 1024)

    with pytest.raises(GitFailed, match="over limit"):
        await read_status(await git.open(repository))


@LINUX
async def test_the_memory_of_a_git_process_is_bounded(tmp_path: Path) -> None:
    telling = stand_in(
        tmp_path / "bin", 'while [ "$(ulimit -d)" = unlimited ]; do :; done; ulimit -d'
    )

    assert str(MEMORY // 1024) == (await telling.run(tmp_path, "status")).text


@POSIX
async def test_a_repository_that_hangs_takes_its_own_turns_only(
    tmp_path: Path, repository: Path
) -> None:
    slow = LocalGit(
        stand_in(tmp_path / "bin", '[ "$1" = config ] && exit 0; [ -e hang ] && sleep 1000; exit 0')
    )
    hanging = make_repository(tmp_path / "hanging")
    (hanging / "hang").touch()
    async with trio.open_nursery() as nursery:

        async def hang() -> None:
            await (await slow.open(hanging)).run("status", deadline=1000)

        for _ in range(SHARE + 6):
            nursery.start_soon(hang)
        with trio.fail_after(30):
            for _ in range(3):
                await (await slow.open(repository)).run("status")
        nursery.cancel_scope.cancel()


@POSIX
async def test_waiting_for_a_turn_does_not_count_against_the_deadline(
    tmp_path: Path, repository: Path, mock_clock: trio.testing.MockClock
) -> None:
    quick = LocalGit(stand_in(tmp_path / "bin", "exit 0"))
    checkout = await quick.open(repository)
    turns = quick.program.turns
    async with trio.open_nursery() as nursery:  # noqa: SIM117 - it ends after the turns
        async with turns.of(checkout.common_dir), turns.of(checkout.common_dir):
            nursery.start_soon(partial(checkout.run, "status", deadline=30))
            await trio.testing.wait_all_tasks_blocked()
            mock_clock.jump(60)
            await trio.testing.wait_all_tasks_blocked()
