"""No trap goes off that is there one moment and gone the next, however often it moves.

The system's own hold on git is left out here, so that it hides no fault of the first line.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from command_center.actors.git import Git
from command_center.actors.git.committing import Author, commit_changes
from command_center.actors.git.conflicts import mark_conflicts
from command_center.actors.git.diffs import read_diff
from command_center.actors.git.facts import read_status, read_worktrees
from command_center.actors.git.including import include_files, list_included, read_patterns
from command_center.actors.git.marked_merges import find_unresolved
from command_center.actors.git.merging import merge_branch
from command_center.actors.git.pushing import push_commit, read_missing
from command_center.actors.git.remotes import push_address, read_heads
from command_center.actors.git.trees import (
    add_worktree,
    prunable,
    prune_worktrees,
    remove_worktree,
)
from command_center.actors.hosts.local.git.confinement import ConfinementSupport
from command_center.actors.hosts.local.git.process import GitProgram
from command_center.runtime import Refusal
from tests.actors.git.remote import TOKEN, Remote, serve_remote, trust
from tests.actors.git.repository import commit, plain_git
from tests.actors.hosts.local.git.moving import State, a_second_common_directory, moving, state_of
from tests.actors.hosts.local.git.test_hostile_repositories import (
    discard_and_restore,
    look_around,
    look_at_changes,
)
from tests.actors.hosts.local.git.traps import (
    Trap,
    groups,
    names_of,
    plant_all,
    push_traps,
    traps,
)

SECONDS = 0.3
"""Seconds that a trap is moved in the usual run, and at least until two of its steps were done."""

CHAOS_SECONDS = 10.0
"""Seconds that it is moved in a chaos run."""

AUTHOR = Author(name="One", email="one@example.org")

LATE = {"hook before a push", "hook before a push in another folder", "signature of a push"}
"""The traps for a push that are reached only by who is let in."""


@pytest.fixture(autouse=True)
def _unconfined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConfinementSupport, "found", classmethod(lambda cls: cls(0)))


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "canary"


async def work(git: Git, repository: Path, branch: str, *, whole: bool) -> int:
    """Do much with a repository, or all of it, whatever is refused; returns how much was not."""
    done = 0
    more = (_include, _conflict, _land) if whole else ()
    for step in (_look, _add, _discard, *more, _merge, _remove):
        with suppress(Refusal):
            await step(git, repository, branch)
            done += 1
    return done


async def _look(git: Git, repository: Path, _: str) -> None:
    checkout = await git.open(repository)
    await look_around(checkout)
    await read_diff(checkout, "main")


async def _add(git: Git, repository: Path, branch: str) -> None:
    made = await add_worktree(await git.open(repository), repository.parent / branch, branch)
    (made.path / "readme.txt").write_text("changed here\n", encoding="utf-8")
    await read_diff(made, "main")


async def _discard(git: Git, repository: Path, branch: str) -> None:
    main = await git.open(repository)
    made = await git.open(repository.parent / branch, common_dir=main.common_dir)
    await look_at_changes(made, made.path)
    await discard_and_restore(made, f"{branch}-restored")


async def _include(git: Git, repository: Path, branch: str) -> None:
    main = await git.open(repository)
    made = await git.open(repository.parent / branch, common_dir=main.common_dir)
    (repository / ".worktreeinclude").write_text("*.env\n", encoding="utf-8")
    (repository / "own.env").write_text("here alone\n", encoding="utf-8")
    await include_files(main, made, await list_included(main, await read_patterns(main)))


async def _conflict(git: Git, repository: Path, branch: str) -> None:
    main = await git.open(repository)
    made = await git.open(repository.parent / branch, common_dir=main.common_dir)
    for checkout in (main, made):
        (checkout.path / "readme.txt").write_text(f"{checkout.path} {branch}\n", encoding="utf-8")
        await commit_changes(checkout, "Change it", paths=["readme.txt"], author=AUTHOR)
    marked = await mark_conflicts(made, "main")
    await find_unresolved(made, marked.sha)
    (made.path / "readme.txt").write_text(f"both {branch}\n", encoding="utf-8")
    await commit_changes(made, "Settle it", author=AUTHOR)


async def _land(git: Git, repository: Path, branch: str) -> None:
    (repository / ".worktreeinclude").unlink(missing_ok=True)  # a partial clone gets no worktree
    (repository / "own.env").unlink(missing_ok=True)
    await merge_branch(await git.open(repository), branch, strategy="merge-commit")


async def _merge(git: Git, repository: Path, _: str) -> None:
    checkout = await git.open(repository)
    for attempt in ("work", "main"):
        await merge_branch(checkout, attempt, strategy="merge-commit")


async def _remove(git: Git, repository: Path, branch: str) -> None:
    main = await git.open(repository)
    await remove_worktree(main, repository.parent / branch)
    await prune_worktrees(main, prunable(await read_worktrees(main)))


@pytest.fixture
def canaries(tmp_path: Path) -> Path:
    return tmp_path / "canaries"


async def move_and_work(
    chosen: Sequence[Trap],
    repository: Path,
    git: Git,
    canaries: Path,
    *,
    seconds: float,
    whole: bool = False,
) -> tuple[int, int]:
    """Work while traps are moved; returns how often they were, and how much work was done."""
    before = state_of(repository)
    plant_all(chosen, repository, canaries)
    done = rounds = 0
    with moving(before, state_of(repository)) as mover:
        end = time.monotonic() + seconds
        while not [*canaries.iterdir()] and (done < 2 or time.monotonic() < end):
            done += await work(git, repository, f"side-{rounds}", whole=whole)
            rounds += 1
    return mover.moves, done


@pytest.mark.chaos
async def test_all_is_done_but_the_merge_of_a_branch_that_traps_alone_make(
    repository: Path, git: Git
) -> None:
    assert 7 == await work(git, repository, "side", whole=True)


@pytest.mark.parametrize("chosen", groups(), ids=names_of)
async def test_traps_that_move_do_not_go_off(
    chosen: tuple[Trap, ...], repository: Path, git: Git, canaries: Path
) -> None:
    moves, done = await move_and_work(chosen, repository, git, canaries, seconds=SECONDS)

    assert [] == [*canaries.iterdir()]
    assert moves > 1
    assert done >= 2


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize("trap", traps(), ids=lambda trap: trap.name)
async def test_a_trap_that_moves_for_long_does_not_go_off(
    trap: Trap, repository: Path, git: Git, canaries: Path
) -> None:
    moves, done = await move_and_work(
        [trap], repository, git, canaries, seconds=CHAOS_SECONDS, whole=True
    )
    print(f"{trap.name}: moved {moves} times during {done} steps")  # noqa: T201 - figures

    assert [] == [*canaries.iterdir()]


@pytest.fixture
def remote(repository: Path, program: GitProgram, tmp_path: Path) -> Iterator[Remote]:
    """The `origin` of the repository, which the user of the git under test may push to."""
    with serve_remote(tmp_path / "remote", token=TOKEN) as remote:
        plain_git(remote.folder, "config", "receive.certNonceSeed", "seed")
        plain_git(repository, "remote", "add", "origin", remote.url)
        trust(remote, tmp_path / "home", token=TOKEN)
        yield remote


@pytest.mark.chaos
@pytest.mark.parametrize("trap", push_traps(), ids=lambda trap: trap.name)
def test_a_trap_for_a_push_goes_off_in_an_unwary_git(
    trap: Trap, repository: Path, canary: Path, remote: Remote
) -> None:
    trap.plant(repository, canary)
    plain_git(repository, "config", "http.sslCAInfo", str(remote.cert))
    if trap.name in LATE:
        helper = canary.parent / "home" / "helper"
        plain_git(repository, "config", "credential.helper", str(helper))

    trap.fire(repository)

    assert canary.exists()


async def push(git: Git, repository: Path, remote: Remote, branch: str) -> None:
    """Do all that a push does, to a branch that is not there yet."""
    checkout = await git.open(repository)
    address = push_address(checkout, "origin")
    assert remote.url == address
    heads = await read_heads(checkout, address)
    sha = (await read_status(checkout)).head
    assert sha is not None
    await read_missing(checkout, sha, [*heads.values()])
    await push_commit(checkout, address, sha, branch)
    assert sha == remote.head(branch)


async def move_and_push(
    chosen: Sequence[Trap],
    repository: Path,
    git: Git,
    canary: Path,
    *,
    remote: Remote,
    seconds: float,
) -> tuple[int, int]:
    """Push, twice at least, while traps are moved; returns how often they and it were."""
    before = state_of(repository)
    for trap in chosen:
        trap.plant(repository, canary)
    done = rounds = 0
    with moving(before, state_of(repository)) as mover:
        end = time.monotonic() + seconds
        while not canary.exists() and (done < 2 or time.monotonic() < end):
            rounds += 1
            with suppress(Refusal):
                await push(git, repository, remote, f"side-{rounds}")
                done += 1
    return mover.moves, done


async def test_traps_that_move_beneath_a_push_do_not_go_off(
    repository: Path, git: Git, canary: Path, remote: Remote
) -> None:
    moves, _ = await move_and_push(
        push_traps(), repository, git, canary, remote=remote, seconds=SECONDS
    )

    assert not canary.exists()
    assert moves > 1


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize("trap", push_traps(), ids=lambda trap: trap.name)
async def test_a_trap_that_moves_beneath_a_push_for_long_does_not_go_off(
    trap: Trap, repository: Path, git: Git, canary: Path, remote: Remote
) -> None:
    counts = await move_and_push(
        [trap], repository, git, canary, remote=remote, seconds=CHAOS_SECONDS
    )
    print("{}: moved {} times during {} pushes".format(trap.name, *counts))  # noqa: T201 - figures

    assert not canary.exists()


def test_a_trap_that_moves_goes_off_in_an_unwary_git(repository: Path, canary: Path) -> None:
    (trap,) = (trap for trap in traps() if trap.name == "clean filter by info/attributes")
    before = state_of(repository)
    trap.plant(repository, canary)
    canary.unlink(missing_ok=True)

    with moving(before, state_of(repository)):
        end = time.monotonic() + 60
        while not canary.exists() and time.monotonic() < end:
            trap.fire(repository)

    assert canary.exists()


def turned(repository: Path, canary: Path, linked: Path) -> tuple[State, State]:
    """The two ways in which a worktree's git directory leads on: as it should, and to a trap."""
    plain_git(repository, "worktree", "add", "-q", "-b", "linked", str(linked))
    commit(linked, {"linked.txt": "1\n"})
    (linked / "readme.txt").write_text("changed\n", encoding="utf-8")
    second = a_second_common_directory(repository, canary)
    link = repository / ".git" / "worktrees" / linked.name / "commondir"
    return {link: b"../..\n"}, {link: f"{second}\n".encode()}


def touch(linked: Path) -> None:
    """Have git compare a file anew: an index that knows of it runs no filter."""
    (linked / "linked.txt").write_text("1\n", encoding="utf-8")


async def turn_and_work(
    repository: Path, git: Git, canary: Path, states: tuple[State, State], seconds: float
) -> int:
    """Do what is done with a worktree, at least once, while it is turned; returns how often."""
    done = 0
    with moving(*states):
        end = time.monotonic() + seconds
        while not canary.exists() and (not done or time.monotonic() < end):
            with suppress(Refusal):
                main = await git.open(repository)
                await read_worktrees(main)
                touch(repository.parent / "linked")
                linked = await git.open(repository.parent / "linked", common_dir=main.common_dir)
                assert (await read_status(linked)).dirty
                await read_diff(linked, "main")
                done += 1
    return done


async def test_a_worktree_that_is_turned_to_another_common_directory_runs_nothing_of_it(
    repository: Path, git: Git, canary: Path, tmp_path: Path
) -> None:
    states = turned(repository, canary, tmp_path / "linked")

    assert await turn_and_work(repository, git, canary, states, SECONDS)
    assert not canary.exists()


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_a_worktree_that_is_turned_for_long_runs_nothing(
    repository: Path, git: Git, canary: Path, tmp_path: Path
) -> None:
    states = turned(repository, canary, tmp_path / "linked")

    assert await turn_and_work(repository, git, canary, states, 120)
    assert not canary.exists()


def test_a_worktree_that_is_turned_runs_what_it_leads_to_in_an_unwary_git(
    repository: Path, canary: Path, tmp_path: Path
) -> None:
    states = turned(repository, canary, tmp_path / "linked")

    with moving(*states):
        end = time.monotonic() + 60
        while not canary.exists() and time.monotonic() < end:
            touch(tmp_path / "linked")
            plain_git(tmp_path / "linked", "status", check=False)

    assert canary.exists()
