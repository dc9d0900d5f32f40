"""The pool of this host: repositories that it clones for its server, and keeps for the next run.

A clone is made by the same held git as all work here: an empty repository is made first, and then
git fetches beside a stand-in, by https or ssh alone, with the credentials of this machine's user.
So no hook, filter, attribute or setting of what comes is obeyed, no submodule is fetched, and files
of git-lfs stay as git stores them. Git checks each object as it comes.

Each clone is a folder below `pool` in the host's data folder, and has a note beside it that is
written when all of it is there: one without was cut off, and is made anew. Runs work in worktrees
of it. A clone is taken away where it is old, or room is needed, and only if nothing would be lost:
nobody works there, and it has no worktree and no commit that its remote lacks.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, TextIO

import attrs
import msgspec
import structlog
import trio

from command_center.actors.contracts.pools import (
    CLONE_SECONDS,
    HeldLease,
    HostClock,
    LeaseReport,
    PoolClone,
    PoolState,
)
from command_center.actors.core.locks import KeyedLocks
from command_center.actors.git.remotes import fetch_address
from command_center.actors.hosts.daemon.ceiling import BeyondCeiling, Ceiling
from command_center.actors.hosts.daemon.leases import HostLeases
from command_center.actors.hosts.local.folders import LocalFolders
from command_center.actors.hosts.local.git.checkouts import LocalGit
from command_center.actors.hosts.local.git.cloning import fetch, read_default_branch, take_up
from command_center.actors.rules.errors import Conflict, Unavailable
from command_center.runtime import Actor, Refusal

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

KEPT_SECONDS: Final = 14 * 24 * 60 * 60.0
"""Seconds after its last use that a clone is kept."""

FRESH_SECONDS: Final = 600.0
"""Seconds after its last use for which a clone stays: a run that has asked for it begins soon."""

SWEEP_SECONDS: Final = 60 * 60.0
"""Seconds between two looks for clones that are old."""

LOOK_SECONDS: Final = 1.0
"""Seconds between two looks at how much a clone takes that is being made."""

CLEAN_SECONDS: Final = 5.0
"""Seconds for which the end waits until the rest of a clone that failed is removed."""

SPARED_BYTES: Final = 1024**3
"""Bytes of the disk that no clone takes, whatever the pool may have."""

_PLAIN: Final = re.compile(r"[^A-Za-z0-9._-]+")


class PoolFull(Conflict):
    """The pool of the host has no room for a clone, and no other clone can go."""

    def __init__(self, remote: str, limit: int) -> None:
        """Say how much there may be."""
        super().__init__(
            f"The pool has no room for {remote}: it may take {limit / 1e9:.1f} GB. Let it have "
            "more there (`command-center host --pool-gb`), ask for a depth, or remove worktrees "
            "that are not needed.",
            remote=remote,
        )


class CloneFailed(Conflict):
    """The machine could not keep a clone."""

    def __init__(self, remote: str, error: OSError) -> None:
        """Say why."""
        super().__init__(
            f"{remote} was not cloned: {error.strerror or error}. Nothing of it stays.",
            remote=remote,
        )


class CloneNote(msgspec.Struct, frozen=True, kw_only=True):
    """A note of a clone that is whole: its remote, its depth, and when it was used last."""

    remote: str
    depth: int | None
    used_at: float


@attrs.define(eq=False)
class HostPool:
    """Clones of this host; see `contracts.pools` for what each method does."""

    git: LocalGit
    ceiling: Ceiling
    leases: HostLeases
    _locks: KeyedLocks = attrs.field(factory=KeyedLocks, init=False)

    @property
    def folder(self) -> Path:
        """Return the folder of the clones."""
        return self.ceiling.own / "pool"

    @property
    def _folders(self) -> LocalFolders:
        return LocalFolders(self.ceiling.own)

    async def state(self) -> PoolState:
        """Say what may be cloned, and how full the pool is."""
        allowed = self.ceiling.pool
        if allowed is None:
            return PoolState()
        return PoolState(allowed.remotes, await self._folders.size(self.folder), allowed.limit)

    async def obtain(self, remote: str, depth: int | None) -> PoolClone:
        """Clone a remote, or fetch what is new where it is there already."""
        allowed = self.ceiling.pool
        if allowed is None or not allowed.has(remote):
            raise BeyondCeiling(f"a clone of {remote[:200]}")
        place = self.folder / _name_of(remote)
        async with self._locks.of(place.name), self._held(place, remote, allowed.limit):
            with trio.move_on_after(CLONE_SECONDS):
                note = await trio.to_thread.run_sync(_read, place)
                if note is None:
                    await self._clone(place, remote, depth)
                else:
                    depth = await self._update(place, note, depth)
                    kept = CloneNote(remote=remote, depth=depth, used_at=time.time())
                    await trio.to_thread.run_sync(_write, place, kept)
                return PoolClone(place, is_new=note is None)
        raise Unavailable(f"{remote} was not cloned within {CLONE_SECONDS:g} s. Ask for a depth.")

    async def hold(
        self,
        leases: Sequence[HeldLease],
        over: Sequence[int],
        since: HostClock | None,
        seconds: float,
    ) -> LeaseReport:
        """Have these leases, of runs in worktrees of clones here, and no others."""
        if self.ceiling.pool is None:
            raise BeyondCeiling("runs of a pool")
        for one in leases:
            await trio.to_thread.run_sync(self.ceiling.check_path, one.folder)
        return await self.leases.hold(leases, over, since, seconds)

    async def sweep(self) -> list[Path]:
        """Take away what was not used for KEPT_SECONDS, and what was not cloned to its end."""
        gone = []
        for place, note in (await trio.to_thread.run_sync(_notes, self.folder)).items():
            is_old = note is None or time.time() - note.used_at > KEPT_SECONDS
            if is_old and await self._take_away(place, note):
                gone.append(place)
        return gone

    async def _clone(self, place: Path, remote: str, depth: int | None) -> None:
        """Make a clone that is not there; nothing of it stays if it fails."""
        await trio.to_thread.run_sync(_make_anew, place)
        try:
            await self.git.program.run(
                place, "init", "--quiet", "--template=", where={}, writable=(place,)
            )
            await trio.to_thread.run_sync(_name_remote, place, remote)
            made = await self.git.open(place)
            address = fetch_address(remote, made.user)
            branch = await read_default_branch(made, address)
            await trio.to_thread.run_sync(_name_branch, place, branch)
            made = await self.git.open(place)
            await fetch(made, address, branch=branch, depth=depth)
            await take_up(made, branch)
            kept = CloneNote(remote=remote, depth=depth, used_at=time.time())
            await trio.to_thread.run_sync(_write, place, kept)
        except BaseException:
            aside = place.with_name(f"{place.name}.{secrets.token_hex(4)}")
            with trio.move_on_after(CLEAN_SECONDS, shield=True):
                await trio.to_thread.run_sync(_remove, place, aside, abandon_on_cancel=True)
            raise
        log.info("pool.cloned", remote=remote, path=str(place), depth=depth)

    async def _update(self, place: Path, note: CloneNote, depth: int | None) -> int | None:
        """Fetch what is new; return how deep the clone is then."""
        made = await self.git.open(place)
        address = fetch_address(note.remote, made.user)
        branch = await read_default_branch(made, address)
        deeper = None if None in (note.depth, depth) else max(note.depth or 0, depth or 0)
        was_cut = note.depth is not None
        await fetch(made, address, branch=branch, depth=deeper, completes=was_cut and not deeper)
        await take_up(made, branch)
        return deeper

    @asynccontextmanager
    async def _held(self, place: Path, remote: str, limit: int) -> AsyncIterator[None]:
        """Cancel what clones once the pool is fuller than it may be, and nothing else can go."""
        await trio.to_thread.run_sync(_make_folder, self.folder)
        is_full = False

        async def watch(scope: trio.CancelScope) -> None:
            nonlocal is_full
            while True:
                while await self._is_over(limit):
                    if not await self._make_room(place):
                        is_full = True
                        scope.cancel()
                        return
                await trio.sleep(LOOK_SECONDS)

        failed: Exception | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch, nursery.cancel_scope)
            try:
                yield
            except (Refusal, OSError) as error:
                failed = error
            nursery.cancel_scope.cancel()
        if is_full:
            raise PoolFull(remote, limit)
        if isinstance(failed, OSError):
            raise CloneFailed(remote, failed)
        if failed is not None:
            raise failed

    async def _is_over(self, limit: int) -> bool:
        size = await self._folders.size(self.folder)
        free = (await self._folders.machine_load()).disk_free
        return size > limit or free < SPARED_BYTES

    async def _make_room(self, spared: Path) -> bool:
        """Take away the clone that was not used for longest; return whether there was one."""
        notes = await trio.to_thread.run_sync(_notes, self.folder)
        for place, note in sorted(notes.items(), key=lambda one: _used_at(one[1])):
            if place != spared and await self._take_away(place, note):
                return True
        return False

    async def _take_away(self, place: Path, note: CloneNote | None) -> bool:
        """Delete a clone that nobody uses and that has nothing of its own; say if that was done."""
        if place.name in self._locks.held():
            return False
        async with self._locks.of(place.name):
            if note is not None and (_is_fresh(note) or not await self._is_spare(place)):
                return False
            try:
                await trio.to_thread.run_sync(_delete, place)
            except OSError as error:
                log.warning("pool.kept", path=str(place), reason=str(error))
                return False
        log.info("pool.removed", path=str(place), remote=None if note is None else note.remote)
        return True

    async def _is_spare(self, place: Path) -> bool:
        """Say whether nobody works in a clone, and it has nothing that its remote lacks.

        Of its own is a worktree, a change, and a commit of any ref: those below
        `refs/command-center` keep what was discarded.
        """
        if self.leases.are_held_in(place):
            return False
        try:
            made = await self.git.open(place)
            if await trio.to_thread.run_sync(_has_worktrees, made.common_dir):
                return False
            own = await made.run("rev-list", "--count", "--all", "--not", "--remotes")
            changed = await made.run("status", "--porcelain", "--no-renames", may_cut=True)
        except Refusal as error:  # whatever it is by now, somebody has made it so
            log.warning("pool.kept", path=str(place), reason=str(error))
            return False
        return own.text == "0" and not changed.stdout


class PoolCare(Actor):
    """`/pool`: takes away clones that are old."""

    def __init__(self, pool: HostPool) -> None:
        """Look after that pool."""
        self._pool = pool
        self._removed = 0

    async def on_start(self) -> None:
        """Begin to look, now and every hour."""
        self.ctx.start_task(self._care)

    def describe(self) -> Mapping[str, object]:
        """Show where it is, and how many clones it took away."""
        return {"folder": str(self._pool.folder), "removed": self._removed}

    async def _care(self) -> None:
        while True:
            self._removed += len(await self._pool.sweep())
            await trio.sleep(SWEEP_SECONDS)


def _name_of(remote: str) -> str:
    """Return the name of a clone's folder: the same for one address, and another for each."""
    last = re.split(r"[/:]", remote.rstrip("/"))[-1].removesuffix(".git")
    digest = hashlib.sha256(remote.encode()).hexdigest()[:12]
    return f"{_PLAIN.sub('-', last)[:40].strip('.-') or 'clone'}-{digest}"


def _note_of(place: Path) -> Path:
    return place.with_name(f"{place.name}.json")


def _read(place: Path) -> CloneNote | None:
    try:
        note = msgspec.json.decode(_note_of(place).read_bytes(), type=CloneNote)
    except (OSError, msgspec.MsgspecError):
        return None
    return note if place.is_dir() else None


def _write(place: Path, note: CloneNote) -> None:
    partial = _note_of(place).with_suffix(".partial")
    partial.unlink(missing_ok=True)
    try:
        with partial.open("xb") as file:  # and through no link that somebody has put there
            file.write(msgspec.json.encode(note))
        partial.replace(_note_of(place))
    finally:
        partial.unlink(missing_ok=True)


def _notes(folder: Path) -> dict[Path, CloneNote | None]:
    try:
        return {place: _read(place) for place in folder.iterdir() if place.is_dir()}
    except FileNotFoundError:
        return {}


def _is_fresh(note: CloneNote) -> bool:
    return abs(time.time() - note.used_at) < FRESH_SECONDS  # the clock may have been set


def _used_at(note: CloneNote | None) -> float:
    return 0.0 if note is None else note.used_at


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _make_anew(place: Path) -> None:
    _delete(place)
    place.mkdir(mode=0o700)


def _remove(place: Path, aside: Path) -> None:
    """Remove the rest of a clone under a name that no other clone has; `sweep` takes what stays."""
    with suppress(OSError):
        shutil.rmtree(place.rename(aside), ignore_errors=True)


def _delete(place: Path) -> None:
    """Delete a clone; its note goes first, so that one that is cut off is known as such."""
    _note_of(place).unlink(missing_ok=True)
    if place.is_symlink():
        place.unlink()
    elif place.exists():
        shutil.rmtree(place)


def _has_worktrees(common_dir: Path) -> bool:
    with suppress(FileNotFoundError):
        return any((common_dir / "worktrees").iterdir())
    return False


def _open_plain(path: Path, flags: int) -> TextIO:
    """Open a file of a clone, through no link: a turn may have put one there meanwhile."""
    flags |= os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)
    written = os.open(path, flags)
    return os.fdopen(written, "w", encoding="utf-8", errors="surrogateescape", newline="\n")


def _name_remote(place: Path, remote: str) -> None:
    with _open_plain(place / ".git" / "config", os.O_APPEND) as file:
        file.write(
            f'[remote "origin"]\n\turl = "{_quoted(remote)}"\n'
            "\tfetch = +refs/heads/*:refs/remotes/origin/*\n"
        )


def _name_branch(place: Path, branch: str) -> None:
    with _open_plain(place / ".git" / "HEAD", os.O_TRUNC) as file:
        file.write(f"ref: refs/heads/{branch}\n")
    with _open_plain(place / ".git" / "config", os.O_APPEND) as file:
        named = _quoted(branch)
        file.write(f'[branch "{named}"]\n\tremote = origin\n\tmerge = "refs/heads/{named}"\n')


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
