"""Git writes only where it belongs, wherever a link leads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from command_center.actors.git import Git, GitFailed
from command_center.actors.git.merging import merge_branch
from command_center.actors.git.ports import Writes
from command_center.actors.git.trees import add_worktree, remove_worktree
from command_center.actors.hosts.local.git.confinement import ConfinementSupport, Grant, programs
from command_center.actors.rules.errors import Conflict
from tests.actors.git.repository import commit, plain_git

POSIX = pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
CONFINED = pytest.mark.skipif(
    not ConfinementSupport.found().version, reason="this system has no Landlock to hold git with"
)


def diverge(repository: Path) -> None:
    """Give the repository a branch `work` that has a commit more."""
    plain_git(repository, "switch", "--quiet", "-c", "work")
    commit(repository, {"more.txt": "1\n"})
    plain_git(repository, "switch", "--quiet", "main")


@POSIX
@pytest.mark.parametrize("hard", [False, True])
async def test_no_reflog_is_written_where_a_link_leads(
    git: Git, repository: Path, tmp_path: Path, *, hard: bool
) -> None:
    """A branch's name is in the line; in a shell's start-up file it would be a command."""
    diverge(repository)
    startup = tmp_path / "profile"
    startup.write_text("# mine\n", encoding="utf-8")
    for name in ("HEAD", "refs/heads/main"):
        log = repository / ".git" / "logs" / name
        log.unlink()
        if hard:
            os.link(startup, log)
        else:
            log.symlink_to(startup)

    merged = await merge_branch(await git.open(repository), "work")

    assert merged.head_sha == plain_git(repository, "rev-parse", "main")
    assert "# mine\n" == startup.read_text(encoding="utf-8")


async def test_a_merge_is_in_the_reflogs_of_the_repository(git: Git, repository: Path) -> None:
    diverge(repository)

    await merge_branch(await git.open(repository), "work")

    for name in ("HEAD", "main"):
        assert "merge work" in plain_git(repository, "reflog", "show", name).split("\n")[0]


@POSIX
@CONFINED
async def test_no_ref_is_written_where_a_link_leads(
    git: Git, repository: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (repository / ".git" / "refs" / "heads" / "away").symlink_to(outside)
    head = plain_git(repository, "rev-parse", "HEAD")

    with pytest.raises(GitFailed):
        await (await git.open(repository)).run(
            "update-ref", "refs/heads/away/new", head, writes=Writes.REFS
        )

    assert [] == list(outside.iterdir())


@POSIX
@CONFINED
async def test_a_command_that_only_reads_writes_nothing(git: Git, repository: Path) -> None:
    head = plain_git(repository, "rev-parse", "HEAD")

    with pytest.raises(GitFailed, match="Permission denied"):
        await (await git.open(repository)).run("update-ref", "refs/heads/new", head)


@POSIX
async def test_a_lock_of_another_git_is_kept(git: Git, repository: Path) -> None:
    diverge(repository)
    lock = repository / ".git" / "index.lock"
    lock.touch()

    with pytest.raises(Conflict, match=r"index\.lock"):
        await merge_branch(await git.open(repository), "work")

    assert lock.exists()
    assert not (repository / "more.txt").exists()


@POSIX
async def test_nothing_is_deleted_where_a_link_leads(
    git: Git, repository: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious.txt").touch()
    made = await add_worktree(await git.open(repository), tmp_path / "work", "work")
    (made.path / "away").symlink_to(outside, target_is_directory=True)
    (repository / ".git" / "worktrees" / "work" / "away").symlink_to(
        outside, target_is_directory=True
    )

    await remove_worktree(await git.open(repository), made.path)

    assert (outside / "precious.txt").exists()
    assert not made.path.exists()
    assert not (repository / ".git" / "worktrees" / "work").exists()


@CONFINED
def test_a_process_starts_only_what_it_may_and_writes_only_where_it_may(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    shell = Path("/bin/sh").resolve()
    grant = Grant(write=(inside,), start=programs(shell, Path("/nowhere")))
    script = f": > {inside}/file; : > {outside}/file; /bin/cat /etc/passwd; exit 0"

    process = ConfinementSupport.found().start(
        grant,
        lambda: subprocess.Popen(
            [shell, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ),
    )
    printed, _ = process.communicate(timeout=30)

    assert b"" == printed
    assert (inside / "file").exists()
    assert not (outside / "file").exists()


@CONFINED
def test_the_rules_of_one_process_are_not_those_of_the_server(tmp_path: Path) -> None:
    ConfinementSupport.found().start(
        Grant(), lambda: subprocess.Popen([sys.executable, "-c", ""])
    ).wait(30)

    (tmp_path / "file").touch()
    subprocess.run([sys.executable, "-c", ""], check=True, timeout=30)
