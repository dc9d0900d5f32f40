"""Repositories that keep their data in other ways than most."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_center.actors.git import Git, GitFailed
from command_center.actors.git.diffs import read_diff
from command_center.actors.git.facts import read_commits, read_status, read_worktrees
from command_center.actors.git.merging import merge_branch
from command_center.actors.git.trees import (
    add_worktree,
    prunable,
    prune_worktrees,
    remove_worktree,
)
from command_center.actors.hosts.local.git.process import GitProgram
from tests.actors.git.repository import commit, make_repository, plain_git


async def use(git: Git, repository: Path, tmp_path: Path) -> None:
    """Do with a repository what is done with any."""
    main = await git.open(repository)
    assert not (await read_status(main)).dirty
    made = await add_worktree(main, tmp_path / "work", "work")
    assert "" == plain_git(made.path, "status", "--porcelain")
    assert [str(repository), str(made.path)] == [e.path for e in await read_worktrees(made)]
    commit(made.path, {"more.txt": "1\n"})
    assert ["more.txt"] == [c.path for c in (await read_diff(made, "main")).files]
    merged = await merge_branch(main, "work")
    assert merged.head_sha == plain_git(repository, "rev-parse", "HEAD")
    status = await read_status(main)
    assert (False, "main", merged.head_sha) == (status.dirty, status.branch, status.head)
    assert "" == plain_git(repository, "status", "--porcelain")
    assert merged.head_sha == (await read_commits(main, status))[0].sha
    await remove_worktree(main, made.path)
    assert [] == await prune_worktrees(main, prunable(await read_worktrees(main)))
    plain_git(repository, "fsck", "--strict")


@pytest.mark.parametrize(
    "how", ["--object-format=sha256", "--ref-format=reftable", "--ref-format=files"]
)
async def test_a_repository_of_another_format_is_used_like_any_other(
    git: Git, tmp_path: Path, how: str
) -> None:
    repository = tmp_path / "other"
    repository.mkdir()
    plain_git(repository, "init", "--quiet", "--initial-branch=main", how)
    commit(repository, {"readme.txt": "hello\n"})

    await use(git, repository, tmp_path)


@pytest.mark.parametrize(
    "commands",
    [
        (("pack-refs", "--all"), ("gc", "--quiet")),
        (("update-index", "--split-index"),),
        (("config", "extensions.worktreeConfig", "true"), ("sparse-checkout", "set", "folder")),
        (("config", "extensions.preciousObjects", "true"),),
        (("config", "core.logAllRefUpdates", "false"),),
    ],
    ids=lambda commands: " ".join(commands[-1][:2]),
)
async def test_a_repository_that_is_set_up_otherwise_is_used_like_any_other(
    git: Git, repository: Path, tmp_path: Path, commands: tuple[tuple[str, ...], ...]
) -> None:
    commit(repository, {"folder/file.txt": "1\n", "source.py": "print(2)\n"})
    plain_git(repository, "config", "core.repositoryFormatVersion", "1")
    for command in commands:
        plain_git(repository, *command)

    await use(git, repository, tmp_path)


async def test_a_shallow_clone_and_one_that_borrows_are_used_like_any_other(
    git: Git, repository: Path, tmp_path: Path
) -> None:
    commit(repository, {"readme.txt": "again\n"})
    for name, how in (("shallow", "--depth=1"), ("borrowing", "--shared")):
        clone = tmp_path / name
        source = repository.as_uri() if name == "shallow" else str(repository)
        plain_git(tmp_path, "clone", "--quiet", how, source, str(clone))
        (tmp_path / f"for-{name}").mkdir()

        await use(git, clone, tmp_path / f"for-{name}")


async def test_how_far_a_branch_is_from_the_one_it_follows_is_told(
    git: Git, repository: Path, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    plain_git(tmp_path, "clone", "--quiet", str(repository), str(clone))
    commit(repository, {"theirs.txt": "1\n"})
    commit(clone, {"ours.txt": "1\n"})
    commit(clone, {"ours.txt": "2\n"})
    plain_git(clone, "fetch", "--quiet")

    status = await read_status(await git.open(clone))

    assert (2, 1) == (status.ahead, status.behind)


async def test_an_extension_that_git_does_not_know_is_refused_by_git(
    git: Git, repository: Path
) -> None:
    plain_git(repository, "config", "core.repositoryFormatVersion", "1")
    plain_git(repository, "config", "extensions.fromTheFuture", "true")

    with pytest.raises(GitFailed, match="fromthefuture"):
        await read_status(await git.open(repository))


async def test_what_the_user_ignores_is_ignored_and_who_the_user_is_here_is_told(
    git: Git, program: GitProgram, repository: Path
) -> None:
    home = Path(program.inherited["HOME"])
    (home / "ignored").write_text("*.log\n", encoding="utf-8")
    (home / "here").write_text("[user]\n\temail = here@example.org\n", encoding="utf-8")
    (home / ".gitconfig").write_text(
        f"[core]\n\texcludesFile = {home / 'ignored'}\n[user]\n\tname = Ada\n"
        f'[includeIf "gitdir:{repository}/"]\n\tpath = here\n',
        encoding="utf-8",
    )
    (repository / "noise.log").touch()
    checkout = await git.open(repository)

    assert not (await read_status(checkout)).dirty
    assert "Ada <here@example.org>" in (await checkout.run("var", "GIT_COMMITTER_IDENT")).text


async def test_the_main_checkout_is_named_where_a_worktree_is_asked(
    git: Git, tmp_path: Path
) -> None:
    repository = make_repository(tmp_path / "named")
    made = await add_worktree(await git.open(repository), tmp_path / "work", "work")

    leads_to = (made.path / ".git").read_text(encoding="utf-8")

    assert f"gitdir: {repository / '.git' / 'worktrees' / 'work'}\n" == leads_to
    assert str(repository) == (await read_worktrees(made))[0].path
