"""Git directories that are not what they seem, and trees that are odd."""

import os
import sys
from pathlib import Path

import pytest

from command_center.actors.git import Git, GitFailed, NotAWorkTree, UnsafeRepository
from command_center.actors.git.diffs import read_diff
from command_center.actors.git.facts import (
    bare_address,
    read_contents,
    read_status,
    read_warnings,
)
from command_center.actors.git.trees import add_worktree, remove_worktree
from command_center.actors.hosts.local.folders import LocalFolders
from command_center.actors.hosts.local.git.checkouts import LocalGit
from command_center.actors.hosts.local.git.process import GitProgram
from command_center.actors.rules.errors import Conflict
from tests.actors.git.repository import commit, make_repository, plain_git

POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names of any bytes")


async def refused(git: Git, path: Path) -> str:
    """Return why the folder is no work tree that may be used."""
    with pytest.raises(NotAWorkTree) as error:
        await git.open(path)
    return error.value.problem


async def test_a_bare_repository_inside_of_a_tree_is_not_entered(
    git: LocalGit, repository: Path, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    inner = repository / "inner"
    inner.mkdir()
    plain_git(inner, "init", "--quiet", "--bare")
    program = inner / "evil.sh"
    program.write_text(f"#!/bin/sh\n: > {canary}\n", encoding="utf-8")
    program.chmod(0o755)
    plain_git(inner, "config", "core.fsmonitor", str(program))
    plain_git(inner, "config", "core.bare", "false")
    plain_git(inner, "config", "core.worktree", str(inner))
    plain_git(inner, "status", check=False)
    assert canary.exists()
    canary.unlink()

    assert "bare repository" in await refused(git, inner)
    with pytest.raises(GitFailed, match="not a git repository"):
        await git.program.run(inner, "status")
    assert not canary.exists()


async def test_a_git_file_that_points_elsewhere_is_not_followed(
    git: Git, repository: Path, tmp_path: Path
) -> None:
    secret = make_repository(tmp_path / "secret")
    thief = tmp_path / "thief"
    thief.mkdir()
    (thief / ".git").write_text(f"gitdir: {secret / '.git'}\n", encoding="utf-8")
    assert "A change" in plain_git(thief, "log", "--oneline")

    assert "does not name this folder" in await refused(git, thief)

    (thief / ".git").write_text("gitdir: nowhere\n", encoding="utf-8")
    assert "leads to no repository" in await refused(git, thief)
    (thief / ".git").write_text("garbage\n", encoding="utf-8")
    assert "leads to no repository" in await refused(git, thief)
    (thief / ".git").write_text(f"gitdir: {thief / '.git'}\n", encoding="utf-8")
    assert "leads to no repository" in await refused(git, thief)
    (thief / ".git").unlink()
    (thief / ".git").symlink_to(secret / ".git", target_is_directory=True)
    assert "symbolic link" in await refused(git, thief)


@POSIX
async def test_a_pipe_in_the_place_of_a_file_of_gits_keeps_nobody_waiting(
    git: Git, repository: Path, tmp_path: Path
) -> None:
    linked = tmp_path / "linked"
    plain_git(repository, "worktree", "add", "-q", str(linked))
    put_pipe(repository / ".git" / "worktrees" / "linked" / "gitdir")

    assert "does not name this folder" in await refused(git, linked)


def put_pipe(path: Path) -> None:
    """A named pipe in the place of a file; to read it is to wait for whoever writes."""
    path.unlink()
    if sys.platform != "win32":
        os.mkfifo(path)


async def test_a_git_directory_that_shares_another_ones_history_is_refused(
    git: Git, repository: Path, tmp_path: Path
) -> None:
    secret = make_repository(tmp_path / "secret")
    (repository / ".git" / "commondir").write_text(f"{secret / '.git'}\n", encoding="utf-8")

    assert "points to another one" in await refused(git, repository)


async def test_a_work_tree_that_is_set_to_another_folder_is_refused(
    git: Git, repository: Path, tmp_path: Path
) -> None:
    plain_git(repository, "config", "core.worktree", str(tmp_path))

    assert f"git takes {tmp_path} for its work tree" in await refused(git, repository)


async def test_a_repository_above_is_not_found(git: Git, repository: Path) -> None:
    (repository / "inner").mkdir()
    (repository / "inner" / ".git").mkdir()

    assert "does not take it for a repository" in await refused(git, repository / "inner")


async def test_a_path_that_became_a_link_is_not_followed(
    git: Git, repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(repository, target_is_directory=True)

    assert "somewhere else" in await refused(git, tmp_path / "link")


async def test_a_submodule_and_a_linked_worktree_are_work_trees(
    git: Git, repository: Path, tmp_path: Path
) -> None:
    other = make_repository(tmp_path / "other")
    plain_git(
        repository, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "sub"
    )
    plain_git(repository, "worktree", "add", "-q", str(tmp_path / "linked"))

    submodule = await git.open(repository / "sub")
    linked = await git.open(tmp_path / "linked")

    assert (repository / ".git" / "modules" / "sub", False) == (
        submodule.common_dir,
        submodule.linked,
    )
    assert (repository / ".git", True) == (linked.common_dir, linked.linked)


@POSIX
async def test_a_repository_of_another_user_is_refused_with_advice(
    git: Git, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)

    assert "safe.directory" in await refused(git, repository)


@POSIX
@pytest.mark.parametrize("trusted", ["*", "{}", "{}/../*"])
async def test_a_repository_of_another_user_is_taken_where_the_user_trusts_it(
    git: Git,
    program: GitProgram,
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    trusted: str,
) -> None:
    home = Path(program.inherited["HOME"])
    (home / ".gitconfig").write_text(
        f"[safe]\n\tdirectory = {trusted.format(repository)}\n", encoding="utf-8"
    )
    monkeypatch.setattr(os, "geteuid", lambda: 12345)

    assert repository == (await git.open(repository)).path


@pytest.mark.skipif(
    os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="only root can give a folder away",
)
async def test_a_repository_that_really_is_another_users_is_refused(
    git: Git, repository: Path
) -> None:
    for path in (repository, repository / ".git"):
        if sys.platform != "win32":
            os.chown(path, 12345, 12345)

    assert "belongs to another user" in await refused(git, repository)


async def test_a_folder_that_became_a_link_to_itself_is_refused(
    git: Git, repository: Path, tmp_path: Path
) -> None:
    repository.rename(tmp_path / "elsewhere")
    repository.symlink_to(repository)

    assert "cannot be looked at" in await refused(git, repository)


async def test_a_configuration_of_absurd_size_is_refused(git: Git, repository: Path) -> None:
    with (repository / ".git" / "config").open("a", encoding="utf-8") as file:
        file.write("[a]\n" + "b = " + "c" * 1000 + "\n")
        file.write("".join(f"k{number} = {'c' * 1000}\n" for number in range(1200)))

    with pytest.raises(UnsafeRepository, match=r"configuration .* is larger"):
        await git.open(repository)


async def test_a_configuration_that_is_broken_is_told(git: Git, repository: Path) -> None:
    with (repository / ".git" / "config").open("a", encoding="utf-8") as file:
        file.write("[broken\n")

    assert "bad config" in await refused(git, repository)


async def test_objects_that_are_borrowed_are_warned_of(
    git: Git, repository: Path, tmp_path: Path
) -> None:
    (repository / ".git" / "objects" / "info" / "alternates").write_text(
        f"{tmp_path / 'nowhere'}\n", encoding="utf-8"
    )
    checkout = await git.open(repository)

    assert not (await read_status(checkout)).dirty
    assert any("borrows objects" in warning for warning in await read_warnings(checkout))


ODD_NAMES = (
    b"--output=owned",
    b"-rf",
    b"a\nb",
    b'tab\tquote"back\\slash',
    b"\xff\xfe invalid",
    b":(top)magic",
    b"* star ?",
)


@LINUX
async def test_odd_file_names_are_only_names(git: Git, repository: Path, tmp_path: Path) -> None:
    folder = os.fsencode(repository)
    for name in ODD_NAMES:
        with open(os.path.join(folder, name), "wb") as file:  # noqa: PTH118, PTH123, ASYNC230 - a name of any bytes
            file.write(b"1\n")
    checkout = await git.open(repository)
    assert (await read_status(checkout)).dirty
    assert {"--output=owned", "a\nb", "\\xff\\xfe invalid"} <= {
        file.path for file in (await read_diff(checkout, "main")).files
    }
    plain_git(repository, "add", "--all")
    plain_git(repository, "commit", "--quiet", "-m", "Odd names")

    checkout = await git.open(repository)
    made = await add_worktree(checkout, tmp_path / "work", "work")
    (tmp_path / "work" / "-rf").write_text("2\n", encoding="utf-8")
    diff = await read_diff(made, "main")

    assert len(ODD_NAMES) + 2 == (await read_contents(made, await read_status(made))).files
    assert ["-rf"] == [change.path for change in diff.files]
    await remove_worktree(checkout, tmp_path / "work")
    assert not (tmp_path / "work").exists()
    assert not (repository / "owned").exists()


async def test_a_branch_that_looks_like_an_option_is_only_shown(git: Git, repository: Path) -> None:
    head = plain_git(repository, "rev-parse", "HEAD")
    (repository / ".git" / "refs" / "heads" / "--output=owned").write_text(
        f"{head}\n", encoding="utf-8"
    )
    (repository / ".git" / "HEAD").write_text("ref: refs/heads/--output=owned\n", encoding="utf-8")

    checkout = await git.open(repository)
    status = await read_status(checkout)
    await read_contents(checkout, status)
    await read_diff(checkout, "main")

    assert "--output=owned" == status.branch
    assert not (repository / "owned").exists()


@POSIX
async def test_links_that_leave_the_tree_are_not_followed(
    git: Git, repository: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret\n", encoding="utf-8")
    commit(repository, {"folder/secret.txt": "harmless\n"})
    (repository / "file").symlink_to(outside / "secret.txt")
    plain_git(repository, "add", "file")
    plain_git(repository, "commit", "--quiet", "-m", "A link")
    made = await add_worktree(await git.open(repository), tmp_path / "work", "work")
    work = tmp_path / "work"
    (work / "folder" / "secret.txt").unlink()
    (work / "folder").rmdir()
    (work / "folder").symlink_to(outside, target_is_directory=True)
    (work / "file").unlink()
    (work / "file").symlink_to(outside / "absent")

    diff = await read_diff(made, "main")

    assert (work / "folder" / "secret.txt").exists()
    assert "+secret" not in diff.patch
    assert await LocalFolders(work).size(work) < 10_000
    await remove_worktree(await git.open(repository), work)
    assert (outside / "secret.txt").exists()


async def test_an_enormous_file_is_not_shown_and_not_held(git: Git, repository: Path) -> None:
    commit(repository, {"big.txt": "1\n"})
    (repository / "big.txt").write_bytes(b"a line of text\n" * 1_200_000)

    diff = await read_diff(await git.open(repository), "main")

    (change,) = diff.files
    assert (None, None) == (change.additions, change.deletions)
    assert len(diff.patch) < 1000


async def test_a_binary_file_is_counted_and_not_shown(git: Git, repository: Path) -> None:
    (repository / "image.bin").write_bytes(bytes(range(256)) * 100)
    plain_git(repository, "add", "image.bin")

    diff = await read_diff(await git.open(repository), "main")

    assert [("image.bin", None)] == [(change.path, change.additions) for change in diff.files]
    assert "Binary files" in diff.patch


async def test_thousands_of_files_are_counted_to_the_limit(git: Git, repository: Path) -> None:
    for number in range(3000):
        (repository / f"{'untracked' * 5}-{number}").touch()

    checkout = await git.open(repository)

    assert (await read_status(checkout)).dirty
    diff = await read_diff(checkout, "main")
    assert (2000, True) == (len(diff.files), diff.is_cut)


async def test_a_tree_that_would_write_into_git_itself_is_not_checked_out(
    git: Git, repository: Path, tmp_path: Path
) -> None:
    blob = plain_git(repository, "hash-object", "-w", "--stdin", sent=b"[core]\n")
    inner = plain_git(repository, "mktree", sent=f"100644 blob {blob}\tconfig\n".encode())
    tree = plain_git(repository, "mktree", sent=f"040000 tree {inner}\t.git\n".encode())
    evil = plain_git(repository, "commit-tree", "-m", "evil", tree)
    plain_git(repository, "branch", "evil", evil)

    with pytest.raises(GitFailed):
        await add_worktree(await git.open(repository), tmp_path / "work", "evil")

    assert not (tmp_path / "work").exists()
    assert plain_git(repository, "branch", "--list", "evil")


async def test_a_branch_that_is_checked_out_elsewhere_is_a_conflict(
    git: Git, repository: Path, tmp_path: Path
) -> None:
    with pytest.raises(Conflict):
        await add_worktree(await git.open(repository), tmp_path / "work", "main")


@pytest.mark.parametrize("link", [False, True])
async def test_what_came_meanwhile_in_the_place_of_a_worktree_stays(
    git: Git, repository: Path, tmp_path: Path, *, link: bool
) -> None:
    """A worktree of another repository, or a link to one of this."""
    owner = repository if link else make_repository(tmp_path / "other")
    theirs = await add_worktree(await git.open(owner), tmp_path / "theirs", "theirs")
    place = tmp_path / "link" if link else theirs.path
    if link:
        place.symlink_to(theirs.path, target_is_directory=True)

    with pytest.raises(GitFailed):
        await add_worktree(await git.open(repository), place, "ours")

    assert (theirs.path / "readme.txt").exists()
    assert "ours" not in plain_git(repository, "branch", "--list")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://ada:token@example.org/p.git", "https://example.org/p.git"),
        ("https://token@example.org:8443/p.git?x=1#y", "https://example.org:8443/p.git"),
        ("ssh://git@example.org/p.git", "ssh://example.org/p.git"),
        ("https://a@b@example.org", "https://example.org"),
        ("git@example.org:p.git", "git@example.org:p.git"),
        ("/srv/p.git", "/srv/p.git"),
    ],
)
def test_an_address_is_shown_without_what_it_carries(url: str, expected: str) -> None:
    assert expected == bare_address(url)
