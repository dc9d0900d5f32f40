"""Locks that a kill leaves: those of ours are taken away, and nobody else's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
import trio

from command_center.actors.git.discarding import KEPT_BELOW
from command_center.actors.git.errors import GitFailed, WorktreeUnfinished
from command_center.actors.git.kept_work import forget_kept
from command_center.actors.git.ports import Writes
from command_center.actors.git.trees import finish_worktree
from command_center.actors.hosts.local.git import locks, process
from command_center.actors.hosts.local.git.checkouts import LocalGit
from command_center.actors.hosts.local.git.folders import held
from command_center.actors.hosts.local.git.locks import MARK, FileLock
from command_center.actors.rules.errors import Conflict
from tests.actors.git.repository import plain_git
from tests.checkout import ROOT

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="what holds a lock there is who has it open"
)


@contextmanager
def working(home: Path, repository: Path, locked: str) -> Iterator[tuple[psutil.Process, int]]:
    """A server, and its git, which hold a lock."""
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.actors.hosts.local.git.killed_git",
            str(home),
            str(repository),
            locked,
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        git = int(server.stdout.readline())
        yield psutil.Process(server.pid), git
        for pid in (server.pid, git):
            kill(pid)


def kill(pid: int) -> None:
    """`kill -9`, and wait for its end."""
    with suppress(psutil.NoSuchProcess):
        psutil.Process(pid).kill()
        psutil.Process(pid).wait(30)


async def read_head(git: LocalGit, repository: Path) -> None:
    checkout = await git.open(repository)
    await checkout.run("read-tree", "HEAD", writes=Writes.INDEX)


async def move_other(git: LocalGit, repository: Path) -> None:
    checkout = await git.open(repository)
    await checkout.run("update-ref", "refs/heads/other", "HEAD", writes=Writes.REFS)


async def test_the_lock_of_an_index_outlives_neither_the_server_nor_its_git(
    git: LocalGit, repository: Path, tmp_path: Path
) -> None:
    lock = repository / ".git" / "index.lock"
    with working(tmp_path / "left", repository, "index") as (server, of_server):
        with pytest.raises(Conflict, match=r"index\.lock"):
            await read_head(git, repository)
        server.kill()
        server.wait(30)
        with pytest.raises(Conflict, match=r"index\.lock"):  # its git may write the files still
            await read_head(git, repository)
        kill(of_server)
    assert lock.exists()
    await read_head(git, repository)
    assert not lock.exists()


async def test_the_lock_of_a_ref_that_a_kill_left_goes_before_the_next_command(
    git: LocalGit, repository: Path
) -> None:
    lock = repository / ".git" / "refs" / "heads" / "other.lock"
    with working(git.program.home.path, repository, "refs"):
        assert lock.exists()
    assert lock.exists()
    await move_other(git, repository)
    assert plain_git(repository, "rev-parse", "HEAD") == plain_git(repository, "rev-parse", "other")
    assert not lock.exists()


async def test_the_lock_of_a_ref_stays_while_the_git_of_a_killed_server_lives(
    git: LocalGit, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with working(git.program.home.path, repository, "refs") as (server, _):
        server.kill()
        server.wait(30)
        with monkeypatch.context() as shorter:
            shorter.setattr(process, "SETTLE_SECONDS", 0.5)
            with pytest.raises(GitFailed, match=r"other\.lock"):
                await move_other(git, repository)
    await move_other(git, repository)


@contextmanager
def users_git(repository: Path) -> Iterator[None]:
    """A git of a user that has locked the branch `other`."""
    with subprocess.Popen(
        ["/bin/sh", "-c", "git update-ref --stdin; true"],  # no child of this process
        cwd=repository,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as theirs:
        assert theirs.stdin is not None
        assert theirs.stdout is not None
        theirs.stdin.write(b"start\nupdate refs/heads/other HEAD\nprepare\n")
        theirs.stdin.flush()
        theirs.stdout.readline()
        theirs.stdout.readline()
        yield
        theirs.stdin.close()


async def test_a_lock_that_a_living_git_of_the_user_holds_stays(
    git: LocalGit, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "SETTLE_SECONDS", 2.0)
    monkeypatch.setattr(locks, "STILL_SECONDS", 0.1)
    lock = repository / ".git" / "refs" / "heads" / "other.lock"
    with working(git.program.home.path, repository, "refs"):
        pass
    lock.unlink()  # as if the killed git had not come to it
    with users_git(repository):
        with pytest.raises(GitFailed, match=r"other\.lock"):
            await move_other(git, repository)
        assert lock.exists()


async def test_a_lock_that_was_there_before_the_killed_command_stays(
    git: LocalGit, repository: Path
) -> None:
    lock = repository / ".git" / "refs" / "heads" / "other.lock"
    with working(git.program.home.path, repository, "refs"):
        pass
    os.utime(lock, (1, 1))
    with pytest.raises(GitFailed, match=r"other\.lock"):
        await move_other(git, repository)
    assert lock.exists()


async def test_no_link_is_followed_to_a_lock(
    git: LocalGit, repository: Path, tmp_path: Path
) -> None:
    with working(git.program.home.path, repository, "refs"):
        pass
    heads = repository / ".git" / "refs" / "heads"
    heads.rename(tmp_path / "elsewhere")
    heads.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    await (await git.open(repository)).run("update-ref", "refs/x", "HEAD", writes=Writes.REFS)
    assert (tmp_path / "elsewhere" / "other.lock").exists()


async def test_a_git_that_is_killed_alone_leaves_no_lock(
    git: LocalGit, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = await git.open(repository)
    lock = repository / ".git" / "refs" / "heads" / "other.lock"
    run = type(git.program).run

    async def killed(*_: object, **__: object) -> None:
        lock.touch()
        raise GitFailed("update-ref", -9, "")

    monkeypatch.setattr(type(git.program), "run", killed)
    with pytest.raises(GitFailed):
        await checkout.run("update-ref", "refs/heads/other", "HEAD", writes=Writes.REFS)
    monkeypatch.setattr(type(git.program), "run", run)
    await move_other(git, repository)
    assert [] == git.program.home.left


@pytest.mark.parametrize("content", [b"", MARK + b"\n", b"DIRC"])
async def test_a_lock_that_does_not_say_that_it_is_ours_stays(
    git: LocalGit, repository: Path, content: bytes
) -> None:
    lock = repository / ".git" / "index.lock"
    lock.write_bytes(content)
    with pytest.raises(Conflict, match=r"index\.lock"):
        await read_head(git, repository)
    assert content == lock.read_bytes()


async def test_a_worktree_that_a_killed_server_had_begun_to_fill_is_filled(
    git: LocalGit, repository: Path, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    plain_git(repository, "worktree", "add", "--no-checkout", "-b", "work", str(made))
    lock = repository / ".git" / "worktrees" / "made" / "index.lock"
    lock.write_bytes(MARK)
    with lock.open("rb") as file:
        assert locks._hold(file)
        with pytest.raises(WorktreeUnfinished):
            await finish_worktree(await git.open(made))
    await finish_worktree(await git.open(made))
    assert "hello\n" == (made / "readme.txt").read_text()


async def test_a_lock_is_marked_where_a_file_has_one_name_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    with held(tmp_path) as folder:
        lock = FileLock.take(folder, "index")
        assert MARK == (tmp_path / "index.lock").read_bytes()
        with held(tmp_path) as again, pytest.raises(FileExistsError):
            FileLock.take(again, "index")
        lock.file.close()
        folder.unlink("index.lock")
    assert [] == list(tmp_path.iterdir())


async def test_a_ref_that_was_packed_is_taken_away_too(git: LocalGit, repository: Path) -> None:
    sha = plain_git(repository, "rev-parse", "HEAD")
    kept = f"refs/command-center/discarded/{sha}"
    plain_git(repository, "update-ref", kept, "HEAD")
    plain_git(repository, "tag", "v1")
    plain_git(repository, "pack-refs", "--all")
    await forget_kept(await git.open(repository), sha, KEPT_BELOW)
    assert "" == plain_git(repository, "for-each-ref", kept)
    assert sha == plain_git(repository, "rev-parse", "v1")
    assert not (repository / ".git" / "packed-refs.lock").exists()


async def test_who_waits_for_a_lock_that_cannot_be_had_goes_on(
    git: LocalGit, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "SETTLE_SECONDS", 0.2)
    with working(git.program.home.path, repository, "refs"):
        with trio.fail_after(60):
            await (await git.open(repository)).run(
                "update-ref", "refs/heads/free", "HEAD", writes=Writes.REFS
            )
        assert 1 == len(git.program.home.left)
