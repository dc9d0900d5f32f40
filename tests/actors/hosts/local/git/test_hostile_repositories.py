"""No trap that a repository sets goes off, whatever is done with the repository."""

import os
from pathlib import Path

import pytest

from command_center.actors.git import Checkout, Git, GitFailed
from command_center.actors.git.changes import Against, keep_contents, read_changes
from command_center.actors.git.diffs import read_diff
from command_center.actors.git.discarding import (
    KEPT_BELOW,
    keep_work,
    restore_kept,
    take_back,
)
from command_center.actors.git.facts import (
    read_commits,
    read_contents,
    read_default_branch,
    read_status,
    read_store_size,
    read_warnings,
    read_worktrees,
)
from command_center.actors.git.kept_work import forget_kept
from command_center.actors.git.merging import merge_branch
from command_center.actors.git.patches import read_patch
from command_center.actors.git.ports import Writes
from command_center.actors.git.rewinding import (
    MOST_KEPT_BYTES,
    count_beyond,
    put_back,
    take_snapshot,
    unstage,
)
from command_center.actors.git.trees import (
    add_worktree,
    prunable,
    prune_worktrees,
    remove_worktree,
)
from command_center.actors.hosts.local.git.checkouts import LocalGit
from command_center.actors.hosts.local.git.process import GitProgram
from command_center.actors.rules.errors import Conflict
from tests.actors.git.repository import make_repository, plain_git
from tests.actors.hosts.local.git.traps import Trap, groups, names_of, plant_all, traps

ALONE = [(trap,) for trap in traps()]
EVERY_TRAP = pytest.mark.parametrize(
    "chosen",
    [*groups(), *(pytest.param(one, marks=pytest.mark.chaos) for one in ALONE)],
    ids=names_of,
)


@pytest.fixture
def canaries(tmp_path: Path) -> Path:
    return tmp_path / "canaries"


@EVERY_TRAP
async def test_each_trap_goes_off_in_an_unwary_git(
    chosen: tuple[Trap, ...], repository: Path, canaries: Path
) -> None:
    planted = plant_all(chosen, repository, canaries)

    for trap in chosen:
        trap.fire(repository)
        assert planted[trap.name].exists(), trap.name


async def look_around(checkout: Checkout) -> None:
    """Everything that inspect and scan do."""
    status = await read_status(checkout)
    await read_default_branch(checkout, status)
    await read_worktrees(checkout)
    await read_warnings(checkout)
    await read_contents(checkout, status)
    await read_commits(checkout, status)
    await read_store_size(checkout)


async def look_at_changes(checkout: Checkout, folder: Path) -> None:
    """All that shows what has changed, and keeps that it was seen."""
    (folder / "new.txt").write_text("new\n", encoding="utf-8")
    names = [file.path for file in (await read_changes(checkout, "main")).files]
    assert "new.txt" in names
    against: Against
    for against in ("base", "commit"):
        patch = await read_patch(checkout, "main", "new.txt", against=against)
        assert "+new" in patch.patch
    kept = await keep_contents(checkout, "main", ["new.txt"])
    viewed = kept["new.txt"]
    assert viewed
    seen = await read_changes(checkout, "main", viewed=["new.txt"])
    assert kept == seen.contents
    patch = await read_patch(checkout, "main", "new.txt", against="viewed", viewed=viewed)
    assert "" == patch.patch
    (folder / "new.txt").unlink()


async def discard_and_restore(checkout: Checkout, branch: str) -> None:
    """All that is done with what people discard, and put back."""
    left = await take_snapshot(checkout, "Left")
    if b" filter=" in (await checkout.git.read_file(checkout, ".gitattributes", 1000) or b""):
        with pytest.raises(Conflict, match="Git converts"):
            await put_back(checkout, left.sha, left.head)
    else:
        await put_back(checkout, left.sha, left.head)
        await put_back(checkout, left.head, left.sha)
        await unstage(checkout)
    assert 0 == await count_beyond(checkout, [left.sha], MOST_KEPT_BYTES)
    kept = await keep_work(checkout, "Discarded")
    await take_back(checkout, kept)
    await restore_kept(checkout, kept.sha, branch)
    await forget_kept(checkout, kept.sha, KEPT_BELOW)


@EVERY_TRAP
async def test_no_trap_goes_off_in_the_git_that_is_held(
    chosen: tuple[Trap, ...], repository: Path, canaries: Path, git: Git, tmp_path: Path
) -> None:
    plant_all(chosen, repository, canaries)

    async def see(what: str) -> Checkout:
        assert [] == [*canaries.iterdir()], f"fired on {what}"
        return await git.open(repository)

    await look_around(await see("nothing"))
    await read_diff(await see("inspect and scan"), "main")
    await look_at_changes(await see("diff"), repository)
    work = tmp_path / "worktree"
    try:
        made = await add_worktree(await see("changes"), work, "side")
    except GitFailed:
        assert "lazy fetch" in names_of(chosen)  # what is missing is not fetched: none
        assert not work.exists()
    else:
        await look_around(made)
        (work / "readme.txt").write_text("changed here\n", encoding="utf-8")
        await read_diff(made, "main")
        await look_at_changes(made, work)
        await discard_and_restore(made, "restored")
        assert "changed here\n" != (work / "readme.txt").read_text(encoding="utf-8")
        kept = plain_git(repository, "cat-file", "blob", "restored:readme.txt", check=False)
        assert "changed here" == kept
        await remove_worktree(await see("worktree create"), work)
    main = await see("worktree remove")
    await prune_worktrees(main, prunable(await read_worktrees(main)))
    main = await see("worktree prune")
    await main.run("read-tree", "--reset", "-u", "HEAD", writes=Writes.TREE | Writes.INDEX)
    if plain_git(repository, "branch", "--list", "work"):
        await merge_branch(main, "work", strategy="merge-commit")
    assert [] == [*canaries.iterdir()], "fired on merge"


async def test_what_the_environment_names_does_not_run(repository: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    evil = tmp_path / "evil.sh"
    evil.write_text(f"#!/bin/sh\n: > '{canary.as_posix()}'\n", encoding="utf-8")
    evil.chmod(0o755)
    (repository / "readme.txt").write_text("changed\n", encoding="utf-8")
    variables = {
        "GIT_EXTERNAL_DIFF": evil.as_posix(),
        "GIT_CONFIG_PARAMETERS": f"'core.fsmonitor={evil.as_posix()}'",
        "GIT_PAGER": evil.as_posix(),
    }
    plain_git(repository, "diff", variables=variables, check=False)
    assert canary.exists()
    canary.unlink()

    held = LocalGit(
        GitProgram(tmp_path / "data", inherited={**os.environ, **variables, "GIT_DIR": "/nowhere"})
    )
    checkout = await held.open(repository)
    await read_status(checkout)
    await read_diff(checkout, "main")

    assert not canary.exists()


async def test_another_repository_stays_as_it_was(git: Git, tmp_path: Path) -> None:
    make_repository(tmp_path / "first")
    other = make_repository(tmp_path / "second")

    assert (await git.open(other)).git_dir == other / ".git"
