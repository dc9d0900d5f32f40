"""A pool host clones what its server names, within what its user allows, and runs none of it."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NoReturn

import attrs
import pytest
import trio
import trio.testing

from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.contracts.pools import HeldLease
from command_center.actors.hosts.daemon import pool as pools
from command_center.actors.hosts.daemon.ceiling import BeyondCeiling, Ceiling, make_ceiling
from command_center.actors.hosts.daemon.held_git import HeldGit
from command_center.actors.hosts.daemon.leases import HostLeases
from command_center.actors.hosts.daemon.pool import CloneNote, HostPool, PoolFull
from command_center.actors.hosts.link.calling import pool_of as pool_of_link
from command_center.actors.hosts.link.channels import Channels
from command_center.actors.hosts.link.serving import Served
from command_center.actors.hosts.link.standing import Standing
from command_center.actors.hosts.local.codex.codex import LocalCodex
from command_center.actors.hosts.local.folders import LocalFolders
from command_center.actors.hosts.local.git.checkouts import LocalGit
from command_center.actors.hosts.local.git.process import GitProgram
from command_center.actors.rules.errors import Conflict
from tests.actors.git.remote import TOKEN, Remote, serve_remote, trust
from tests.actors.git.repository import commit, environment_of, make_repository, plain_git


@attrs.frozen
class Pooled:
    """A pool host, a remote that it may clone, and the repository that was pushed there."""

    pool: HostPool
    remote: Remote
    source: Path

    def put(self, name: str, used_at: float) -> Path:
        """Put a clone into the pool, as if it had been made."""
        place = self.pool.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        plain_git(self.source, "clone", "--quiet", str(self.source), str(place))
        pools._write(
            place, CloneNote(remote="https://forge.example/a", depth=None, used_at=used_at)
        )
        return place

    def push(self, **files: str) -> str:
        """Commit files there, and push them."""
        commit(self.source, {name.replace("__", "."): text for name, text in files.items()})
        plain_git(self.source, "push", "--quiet", str(self.remote.folder), "HEAD:refs/heads/main")
        return self.remote.head("main")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    with serve_remote(tmp_path_factory.mktemp("remote"), token=TOKEN) as remote:
        yield remote


@pytest.fixture
def pooled(tmp_path: Path, served: Remote) -> Pooled:
    home = tmp_path / "home"
    home.mkdir()
    trust(served, home, token=TOKEN)
    pooled = Pooled(pool_of(home, served.url), served, make_repository(tmp_path / "source"))
    plain_git(
        pooled.source, "push", "--quiet", "--force", str(served.folder), "HEAD:refs/heads/main"
    )
    return pooled


def pool_of(home: Path, *remotes: str) -> HostPool:
    own = home.parent / "own"
    git = LocalGit(GitProgram(own / "git-work", inherited=environment_of(home)))
    leases = HostLeases(own / "leases.json", stopped_nothing)
    return HostPool(git, make_ceiling(own, [home], pool=remotes), leases)


async def stopped_nothing(folders: Collection[str]) -> None:
    """Stand for the end of what works there; nothing does."""


async def test_a_remote_is_cloned_with_the_credentials_of_the_host(pooled: Pooled) -> None:
    made = await pooled.pool.obtain(pooled.remote.url, None)
    assert made.is_new
    assert made.path.is_relative_to(pooled.pool.folder)
    assert "hello\n" == (made.path / "readme.txt").read_text()
    assert "" == plain_git(made.path, "status", "--porcelain")
    assert "main" == plain_git(made.path, "rev-parse", "--abbrev-ref", "HEAD")
    assert pooled.remote.url == plain_git(made.path, "remote", "get-url", "origin")

    # The next run finds it there, with what was pushed meanwhile; a branch of its own stays.
    plain_git(made.path, "branch", "own")
    newer = pooled.push(readme__txt="newer\n")
    again = await pooled.pool.obtain(pooled.remote.url, None)
    assert (made.path, False) == (again.path, again.is_new)
    assert newer == plain_git(made.path, "rev-parse", "HEAD")
    assert "newer\n" == (made.path / "readme.txt").read_text()
    assert plain_git(made.path, "rev-parse", "own") != newer


async def test_a_history_is_cut_and_made_whole_again(pooled: Pooled) -> None:
    pooled.push(readme__txt="second\n")
    made = await pooled.pool.obtain(pooled.remote.url, 1)
    assert "1" == plain_git(made.path, "rev-list", "--count", "HEAD")
    pooled.push(readme__txt="third\n")
    await pooled.pool.obtain(pooled.remote.url, 2)
    assert "2" == plain_git(made.path, "rev-list", "--count", "HEAD")
    await pooled.pool.obtain(pooled.remote.url, None)
    assert "3" == plain_git(made.path, "rev-list", "--count", "HEAD")
    assert "false" == plain_git(made.path, "rev-parse", "--is-shallow-repository")
    await pooled.pool.obtain(pooled.remote.url, 1)
    assert "3" == plain_git(made.path, "rev-list", "--count", "HEAD")
    assert "" == plain_git(made.path, "fsck", "--connectivity-only")


async def test_nothing_of_a_hostile_remote_is_run(pooled: Pooled, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    trap = f"!touch {ran}"
    home = tmp_path / "home"
    # Programs that a plain git of this user would run for what the repository says.
    for key in ("filter.evil.smudge", "filter.evil.clean", "filter.evil.process"):
        plain_git(home, "config", "--file", str(home / ".gitconfig"), key, f"touch {ran}")
    hooks = home / "hooks"
    hooks.mkdir()
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {ran}\n")
        (hooks / name).chmod(0o755)
    plain_git(home, "config", "--file", str(home / ".gitconfig"), "core.hooksPath", str(hooks))
    pooled.push(
        __gitattributes="* filter=evil\n",
        __gitmodules=f'[submodule "a"]\n\tpath = a\n\turl = ext::sh -c {trap}\n\tupdate = none\n',
    )
    made = await pooled.pool.obtain(pooled.remote.url, None)
    assert (made.path / ".gitattributes").exists()
    assert not ran.exists()

    # And nothing of what somebody has written into the clone since.
    for name in ("post-checkout", "reference-transaction"):
        hook = made.path / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
        hook.chmod(0o755)
    for key in ("core.fsmonitor", "core.sshCommand", "credential.helper", "core.gitProxy"):
        plain_git(made.path, "config", key, f"touch {ran} #")
    plain_git(made.path, "config", "remote.origin.url", f"ext::sh -c {trap}")
    plain_git(made.path, "config", f"url.ext::sh -c {trap} #.insteadOf", "https://")
    newer = pooled.push(readme__txt="newer\n")
    await pooled.pool.obtain(pooled.remote.url, None)
    assert newer == (made.path / ".git" / "refs" / "heads" / "main").read_text().strip()
    assert not ran.exists()


@pytest.mark.parametrize(
    "remote",
    [
        "https://forge.example/other/work",
        "https://forge.example/acme",
        "https://forge.example/acme/",
        "https://forge.example/acme/../other/work",
        "https://forge.example/acme/%2e%2e/other/work",
        "https://forge.example/acme//work",
        "https://forge.example@evil.example/acme/work",
        "https://forge.example/acme/work?x",
        "http://forge.example/acme/work",
        "file:///srv/work",
        "ext::sh -c touch% ran",
        "/srv/work",
        "--upload-pack=touch",
    ],
)
async def test_no_other_remote_is_cloned(tmp_path: Path, remote: str) -> None:
    pool = pool_of(tmp_path / "home", "https://forge.example/acme/*", "git@forge.example:acme/*")
    with pytest.raises(BeyondCeiling, match="does not allow a clone"):
        await pool.obtain(remote, None)
    assert not pool.folder.exists()


def test_a_pattern_stands_for_what_is_below_it(tmp_path: Path) -> None:
    pool = make_ceiling(
        tmp_path, pool=["https://forge.example/acme/*", "git@forge.example:acme/*"]
    ).pool
    assert pool is not None
    assert pool.has("https://forge.example/acme/work.git")
    assert pool.has("git@forge.example:acme/deep/work")
    for strange in ("forge.example/*", "https://*", "file:///srv", "https://forge.example/*/x"):
        with pytest.raises(ValueError, match="is no remote of a pool"):
            make_ceiling(tmp_path, pool=[strange])
    for secret in ("https://me:secret@forge.example/*", "https://secret@forge.example/*"):
        with pytest.raises(ValueError, match="has a password or token in it") as refused:
            make_ceiling(tmp_path, pool=[secret])
        assert "secret" not in str(refused.value)


async def test_a_host_that_is_no_pool_clones_nothing(tmp_path: Path, served: Remote) -> None:
    pool = pool_of(tmp_path / "home")
    assert () == (await pool.state()).remotes
    with pytest.raises(BeyondCeiling, match="--pool"):
        await pool.obtain(served.url, None)


async def test_a_clone_that_fails_leaves_nothing(pooled: Pooled, tmp_path: Path) -> None:
    (tmp_path / "home" / ".gitconfig").unlink()
    with pytest.raises(Conflict, match="certificate"):
        await pooled.pool.obtain(pooled.remote.url, None)
    assert [] == list(pooled.pool.folder.iterdir())


@pytest.mark.parametrize("step", ["_name_remote", "_name_branch", "_write"])
async def test_a_clone_on_a_full_disk_is_one_error_and_nothing_of_it_stays(
    pooled: Pooled, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(pools, step, fail)
        with pytest.raises(pools.CloneFailed, match=r"No space left on device\. Nothing of it"):
            await pooled.pool.obtain(pooled.remote.url, None)
    assert [] == list(pooled.pool.folder.iterdir())
    assert (await pooled.pool.obtain(pooled.remote.url, None)).is_new


async def test_a_clone_stays_until_the_run_that_asked_for_it_can_have_begun(
    pooled: Pooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "SPARED_BYTES", 0)
    fresh, old = pooled.put("fresh", time.time()), pooled.put("old", 2.0)
    assert await pooled.pool._make_room(pooled.pool.folder / "other")
    assert not await pooled.pool._make_room(pooled.pool.folder / "other")
    assert (True, False) == (fresh.exists(), old.exists())


async def test_what_was_cut_off_is_cloned_anew(pooled: Pooled) -> None:
    place = pooled.put(pools._name_of(pooled.remote.url), used_at=1.0)
    place.with_name(f"{place.name}.json").unlink()
    (place / ".git" / "HEAD").unlink()
    made = await pooled.pool.obtain(pooled.remote.url, None)
    assert (place, True) == (made.path, made.is_new)
    assert "hello\n" == (place / "readme.txt").read_text()


async def test_a_clone_is_taken_away_if_nothing_is_lost(pooled: Pooled) -> None:
    old, new = pooled.put("old", used_at=1.0), pooled.put("new", used_at=time.time())
    commit(old, {"own.txt": "own\n"})
    assert [] == await pooled.pool.sweep()
    plain_git(old, "reset", "--quiet", "--hard", "origin/main")
    plain_git(old, "worktree", "add", "--quiet", str(old.parent.parent / "worktree"))
    assert [] == await pooled.pool.sweep()
    plain_git(old, "worktree", "remove", str(old.parent.parent / "worktree"))
    (old / "readme.txt").write_text("changed\n")
    assert [] == await pooled.pool.sweep()
    plain_git(old, "checkout", "--quiet", "readme.txt")
    discarded = plain_git(old, "commit-tree", "-m", "discarded", "HEAD^{tree}")
    plain_git(old, "update-ref", f"refs/command-center/discarded/{discarded}", discarded)
    assert [] == await pooled.pool.sweep()
    plain_git(old, "update-ref", "-d", f"refs/command-center/discarded/{discarded}")
    plain_git(old, "checkout", "--quiet", "--detach")
    commit(old, {"own.txt": "own\n"})
    assert [] == await pooled.pool.sweep()
    plain_git(old, "checkout", "--quiet", "main")
    clock = (await pooled.pool.hold([], [], None, 60.0)).clock
    await pooled.pool.hold([HeldLease(3, str(old / "deep"))], [], clock, 60.0)
    assert [] == await pooled.pool.sweep()
    await pooled.pool.hold([], [], clock, 60.0)
    assert [old] == await pooled.pool.sweep()
    assert [new, new.with_name("new.json")] == sorted(pooled.pool.folder.iterdir())


async def test_a_note_is_written_through_no_link(pooled: Pooled, tmp_path: Path) -> None:
    (tmp_path / "profile").write_text("mine\n")
    made = pooled.put("made", used_at=1.0)
    made.with_name("made.partial").symlink_to(tmp_path / "profile")
    pools._write(made, CloneNote(remote="https://forge.example/b", depth=None, used_at=2.0))
    assert "mine\n" == (tmp_path / "profile").read_text()
    found = pools._read(made)
    assert found is not None
    head = made / ".git" / "HEAD"
    head.unlink()
    head.symlink_to(tmp_path / "profile")
    if hasattr(os, "O_NOFOLLOW"):
        with pytest.raises(OSError, match="symbolic links"):
            pools._name_branch(made, "main;touch${IFS}ran")
        assert "mine\n" == (tmp_path / "profile").read_text()
    assert "https://forge.example/b" == found.remote


async def test_room_is_made_by_what_was_not_used_for_longest(
    pooled: Pooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "SPARED_BYTES", 0)
    for used_at, name in ((3.0, "c"), (1.0, "a"), (2.0, "b")):
        pooled.put(name, used_at)
    size = (await pooled.pool.state()).size
    full = _with_room(pooled.pool, size - 1)
    async with full._held(full.folder / "c", "https://forge.example/c", size - 1):
        with trio.fail_after(30):
            while (full.folder / "a").exists():  # noqa: ASYNC110 - another task takes it away
                await trio.sleep(0.01)
    assert ["b", "b.json", "c", "c.json"] == sorted(one.name for one in full.folder.iterdir())


async def test_a_clone_that_grows_beyond_the_room_is_cut_off(
    pooled: Pooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "LOOK_SECONDS", 0.01)
    big = pooled.source / "big"
    big.write_bytes(os.urandom(3_000_000))
    pooled.push(more="more")
    plain_git(pooled.source, "add", "big")
    pooled.push(more="more still")
    with trio.fail_after(30), pytest.raises(PoolFull):
        await _with_room(pooled.pool, 200_000).obtain(pooled.remote.url, None)
    assert [] == list(pooled.pool.folder.iterdir())


async def test_the_server_may_work_in_a_clone_and_not_beside_it(pooled: Pooled) -> None:
    made = pooled.put("made", used_at=1.0)
    held = HeldGit(pooled.pool.git, pooled.pool.ceiling)
    assert made == (await held.open(made)).path
    pooled.pool.ceiling.check_path(made)
    for beside in (made.parent, made / ".."):  # the notes of the host lie there
        with pytest.raises(BeyondCeiling):
            pooled.pool.ceiling.check_path(beside)
    plain = HeldGit(pooled.pool.git, attrs.evolve(pooled.pool.ceiling, pool=None))
    with pytest.raises(BeyondCeiling):
        await plain.open(made)


async def test_the_server_speaks_with_the_pool_over_the_link(tmp_path: Path) -> None:
    pool = pool_of(tmp_path / "home", "https://forge.example/acme/*")
    (pool.ceiling.own / "worktrees").mkdir(parents=True)
    ours, theirs = trio.testing.memory_stream_pair()
    codex = LocalCodex(BridgeSettings())
    served = Served(LocalFolders(pool.ceiling.own), pool.git, codex, pool)
    standing, link = Standing("box"), Channels(ours, ours)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(served.serve, theirs, theirs)
        nursery.start_soon(link.run)
        standing.connected(link)
        far = pool_of_link(standing)
        assert ("https://forge.example/acme/*",) == (await far.state()).remotes
        with pytest.raises(Conflict, match="does not allow a clone"):
            await far.obtain("https://forge.example/other/work", None)
        place = str(pool.ceiling.own / "worktrees" / "1")
        first = await far.hold([], [], None, 60.0)
        report = await far.hold([HeldLease(3, place)], [], first.clock, 60.0)
        assert () == report.ended
        assert [3] == pool.leases.numbers
        with pytest.raises(Conflict, match="does not allow work in"):
            await far.hold([HeldLease(4, str(tmp_path))], [], first.clock, 60.0)
        nursery.cancel_scope.cancel()


def _with_room(pool: HostPool, limit: int) -> HostPool:
    ceiling: Ceiling = pool.ceiling
    assert ceiling.pool is not None
    bounded = attrs.evolve(ceiling, pool=attrs.evolve(ceiling.pool, limit=limit))
    return HostPool(pool.git, bounded, pool.leases)
