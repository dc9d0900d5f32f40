"""A git directory of ours that stands in for a repository's while one git command runs.

Git believes what it reads in a git directory, and reads it anew in every process: looked at now,
the configuration is another one a moment later. So git is never let near the repository's own. It
is given a folder in the server's data folder (`GIT_DIR`), made for one command, that has

- the configuration that `settings` writes, and neither hooks nor `info/attributes`,
- copies of what is small and read as data: HEAD, the index, `packed-refs`, `shallow`,
  `info/exclude`, `info/sparse-checkout`,
- links to what is large or shared and never says what to run: `objects`, `refs`, `reftable`,
  `worktrees`.

What git changes among the links is changed at once. What it writes among the copies is brought
back by us, where it matters: the index and `packed-refs` under git's own locks, and the lines of
the reflogs. They go through folders that are held open and are entered without following a link, so
that nothing is written where a link would lead.

A linked worktree gets two folders, one for what is its own and one for what is shared, as git has
it. There is no file of the repository that says where the second one is.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

import attrs
import structlog

from command_center.actors.git.errors import NotAWorkTree, UnsafeRepository
from command_center.actors.git.ports import GitCommand, Identity, Layout, Writes
from command_center.actors.hosts.local.git.folders import held, open_folder
from command_center.actors.hosts.local.git.locks import (
    FileLock,
    LeftLocks,
    Note,
    inherited,
    refs_of,
)
from command_center.actors.hosts.local.git.snapshots import (
    SMALL_FILE,
    check_regular,
    copy_regular,
    read_regular,
)
from command_center.actors.rules.errors import Conflict

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

INDEX_LIMIT: Final = 1024 * 1024 * 1024
"""Bytes of an index; one of a million files has about a tenth."""

REFS_LIMIT: Final = 128 * 1024 * 1024
"""Bytes of `packed-refs`; a million refs have about two thirds."""

PATTERNS_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of `info/exclude` and `info/sparse-checkout`."""

READS_INDEX: Final = frozenset(
    {
        "check-ignore",
        "commit",
        "diff",
        "ls-files",
        "read-tree",
        "reset",
        "status",
        "update-index",
        "write-tree",
    }
)
"""The commands that need a copy of the index."""

OPENED_BY_PATH: Final = (
    "objects/info/alternates",
    "objects/info/commit-graph",
    "objects/pack/multi-pack-index",
)
"""Files behind the links, which git opens itself: they are at least looked at before."""

IN_THE_TREE: Final = (".gitignore", ".gitmodules")
"""The same, at the top of the work tree."""

_FOLDERS = ("info", "here", "here/info")
_HEAD = re.compile(rb"ref:\s*refs/[^\0\n]+\n?|[0-9a-f]{40,64}\n?")


@attrs.define
class StandInFolder:
    """The folder of the stand-ins, which only the server uses.

    A stand-in is emptied and used again, since making and deleting folders takes the most time.
    """

    path: Path
    left: list[LeftLocks] = attrs.field(factory=list, init=False)
    """Locks of killed commands that are not settled."""
    _free: list[Path] = attrs.field(factory=list, init=False)

    @property
    def no_repository(self) -> Path:
        """Return an empty folder that git takes for a common directory."""
        return self.path / "none"

    def prepare(self) -> None:
        """Make it anew: what is in it was left by a server that was cut off."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in self.path.iterdir():
            if (left := LeftLocks.found(folder)) is not None:
                self.left.append(left)
            else:
                shutil.rmtree(folder, ignore_errors=True)
        for name in ("objects", "refs"):
            (self.no_repository / name).mkdir(parents=True)

    def take(self) -> Path:
        """Take an empty folder; it has the folders in it that each stand-in needs."""
        try:
            return self._free.pop()
        except IndexError:
            made = Path(tempfile.mkdtemp(dir=self.path))
            for name in _FOLDERS:
                (made / name).mkdir()
            return made

    def settle(self, common_dir: Path) -> float:
        """Take away what killed commands locked in a repository; return the seconds to wait."""
        seconds = 0.0
        for left in [left for left in self.left if left.common_dir == common_dir]:
            wait = left.settle()
            seconds = max(seconds, wait)
            if not wait:
                self.left.remove(left)
        return seconds

    def put(self, folder: Path) -> None:
        """Give it back, empty again."""
        self._free.append(folder)


@attrs.define
class Shadow:
    """The stand-in of one command.

    Attributes:
        common: what git takes for the directory that all worktrees share.
        git_dir: what git takes for the work tree's own git directory.
    """

    home: StandInFolder
    layout: Layout
    writes: Writes
    common: Path
    git_dir: Path
    _locks: list[FileLock] = attrs.field(factory=list)
    _note: Note | None = None
    _refs: Sequence[str] = ()
    _packed: Identity | None = None

    def lock(self, command: GitCommand) -> None:
        """Lock what the command writes, and note which locks it may leave.

        Raises:
            Conflict: the index is to be written, and another git holds it.
        """
        self._locks.extend(_lock(self.layout, command.writes))
        if Writes.REFS in command.writes:
            self._refs = refs_of(command)
            self._note = Note.write(self.common, self.layout, command)

    def fill(self, settings: bytes, *, index: bool) -> None:
        """Put in what git reads: links to the folders, and copies of the small files.

        Raises:
            NotAWorkTree: HEAD is none.
            UnsafeRepository: a pipe, or something enormous, is in the place of one of git's files.
        """
        layout, common, git_dir = self.layout, self.common, self.git_dir
        self._packed = _stamp(layout.common_dir / "packed-refs")
        (common / "config").write_bytes(settings)
        if Writes.WORKTREES in self.writes:
            with (
                held(layout.common_dir, layout.identities[1]) as real,
                real.enter("worktrees", make=True),
            ):
                pass  # the first one is to be made
        for name in ("objects", "refs", "reftable", "worktrees"):
            _link_folder(layout.common_dir / name, common / name)
        _copy_head(layout.path, layout.common_dir, common)
        for name, limit in (
            ("packed-refs", REFS_LIMIT),
            ("shallow", REFS_LIMIT),
            ("info/exclude", PATTERNS_LIMIT),
        ):
            copy_regular(layout.common_dir / name, common / name, limit)
        if git_dir != common:
            (git_dir / "commondir").write_bytes(b"..\n")
            _copy_head(layout.path, layout.git_dir, git_dir)
            _link_folder(layout.git_dir / "reftable", git_dir / "reftable")
        copy_regular(
            layout.git_dir / "info/sparse-checkout",
            git_dir / "info/sparse-checkout",
            PATTERNS_LIMIT,
        )
        if index:
            _copy_index(layout.git_dir, git_dir)
        for name in OPENED_BY_PATH:
            check_regular(layout.common_dir / name)
        for name in IN_THE_TREE:
            check_regular(layout.path / name)

    def variables(self) -> dict[str, str]:
        """Say where git works."""
        return {
            "GIT_DIR": os.fspath(self.git_dir),
            "GIT_WORK_TREE": os.fspath(self.layout.path),
        }

    def named_as_it_is(self, text: str) -> str:
        """Put the paths of the repository in the place of the stand-in's in text of git's."""
        own, shared = os.fspath(self.git_dir), os.fspath(self.common)
        return text.replace(own, os.fspath(self.layout.git_dir)).replace(
            shared, os.fspath(self.layout.common_dir)
        )

    def writable(self) -> list[Path]:
        """Name the folders that the command writes to."""
        shared, path = self.layout.common_dir, self.layout.path
        places = {
            Writes.OBJECTS: (shared / "objects",),
            Writes.REFS: (shared / "refs", shared / "reftable", self.layout.git_dir / "reftable"),
            Writes.WORKTREES: (shared / "worktrees",),
            Writes.TREE: (path,),
        }
        found = (
            folder for kind, folders in places.items() if kind in self.writes for folder in folders
        )
        return [self.common, *found]

    def refs_were_packed(self) -> bool:
        """Say whether git has packed refs since the copy was made, which may lack some now."""
        return self._packed != _stamp(self.layout.common_dir / "packed-refs")

    def _flush(self, ref: str) -> None:
        """See that the name of a ref that git has put in place is on the disk, too."""
        with suppress(OSError, UnsafeRepository), ExitStack() as stack:
            at = stack.enter_context(held(self.layout.common_dir, self.layout.identities[1]))
            for part in Path(ref).parent.parts:
                at = stack.enter_context(at.enter(part))
            at.flush()

    def _was_repacked(self) -> bool:
        """Say whether git wrote the copy of `packed-refs`, which has the time of the original."""
        written = _stamp(self.common / "packed-refs")
        return written is not None and (self._packed is None or written[1] != self._packed[1])

    def bring_back(self, logs: bool) -> None:  # noqa: FBT001 - a thread is given it by position
        """Take over into the repository what git wrote in here.

        Args:
            logs: whether the repository keeps reflogs.

        A reflog that is a link or the like gets no line: the ref is moved, and that is what counts.
        """
        for lock in self._locks:
            if lock.name == "index":
                lock.install(self.git_dir / "index")
            elif lock.name == "shallow":
                self._bring_back_shallow(lock)
            elif self._was_repacked():
                lock.install(self.common / "packed-refs")
        for ref in self._refs:
            self._flush(ref)
        if logs and Writes.REFS in self.writes:
            for written, place, known in (
                (self.git_dir, self.layout.git_dir, self.layout.identities[0]),
                (self.common, self.layout.common_dir, self.layout.identities[1]),
            ):
                try:
                    _append_logs(written, place, known)
                except (OSError, UnsafeRepository) as error:
                    log.warning("git.reflog_not_kept", path=str(place), reason=str(error))
                if place == self.layout.common_dir:
                    break

    def _bring_back_shallow(self, lock: FileLock) -> None:
        """Take over where the history ends; it ends nowhere without the file."""
        written = self.common / "shallow"
        if written.exists():
            lock.install(written)
        else:
            lock.folder.unlink("shallow")

    def holds(self) -> Sequence[int]:
        """Return the descriptors by which git holds what is locked for it, as this process does."""
        note = None if self._note is None else self._note.file
        return inherited(note, *(lock.file for lock in self._locks))

    def discard(self, *, killed: bool = False) -> None:
        """Empty it for the next command, and let go of what was locked.

        A command that was killed may have left locks of its own: its stand-in stays until those
        are settled.
        """
        for lock in self._locks:
            lock.release()
        if self._note is not None:
            self._note.file.close()
            if killed:
                self.home.left.append(LeftLocks(self.common, self.layout.common_dir))
                return
        try:
            _empty(self.common)
        except OSError:
            shutil.rmtree(self.common, ignore_errors=True)
        else:
            self.home.put(self.common)


def make_shadow(
    home: StandInFolder, layout: Layout, settings: bytes, command: GitCommand
) -> Shadow:
    """Make a stand-in for one command.

    Args:
        home: where stand-ins are.
        layout: where the repository is.
        settings: the configuration file.
        command: git's, which decides what is needed.

    Raises:
        NotAWorkTree: HEAD is none.
        UnsafeRepository: a pipe, or something enormous, is in the place of one of git's files.
        Conflict: the index is to be written, and another git holds it.
    """
    common = home.take()
    linked = layout.git_dir != layout.common_dir
    git_dir = common / "here" if linked else common
    shadow = Shadow(home, layout, command.writes, common, git_dir)
    try:
        shadow.lock(command)
        shadow.fill(settings, index=command.arguments[0] in READS_INDEX and not command.index_of)
        if command.branch is not None:
            (git_dir / "HEAD").write_bytes(os.fsencode(f"ref: refs/heads/{command.branch}\n"))
    except BaseException:
        shadow.discard()
        raise
    return shadow


def _empty(folder: Path, inside: str = "") -> None:
    """Delete everything but the folders that each stand-in needs."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = inside + entry.name
            if not entry.is_dir(follow_symlinks=False):
                Path(entry.path).unlink()
            elif name in _FOLDERS:
                _empty(Path(entry.path), f"{name}/")
            else:
                shutil.rmtree(entry.path)


def _stamp(file: Path) -> Identity | None:
    """Return the inode and the time of change of a file; None if it is not there.

    Git replaces its files as a whole, so that each state of one has another stamp.
    """
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _copy_head(path: Path, source: Path, target: Path) -> None:
    if (source / "HEAD").is_symlink():  # git's oldest way to name a branch
        head: bytes | None = b"ref: " + os.fsencode((source / "HEAD").readlink()) + b"\n"
    else:
        head = read_regular(source / "HEAD", SMALL_FILE)
    if head is None or _HEAD.fullmatch(head) is None:
        raise NotAWorkTree(
            path, f"git does not take it for a repository ({source / 'HEAD'} is none)."
        )
    (target / "HEAD").write_bytes(head)


def _copy_index(source: Path, target: Path) -> None:
    if copy_regular(source / "index", target / "index", INDEX_LIMIT):
        for part in source.glob("sharedindex.*"):
            copy_regular(part, target / part.name, INDEX_LIMIT)


def _link_folder(source: Path, link: Path) -> None:
    """Lead git to a folder, if there is one; where links need a privilege, by a junction."""
    if not source.is_dir():
        return
    if sys.platform == "win32":
        import _winapi  # noqa: PLC0415 - there is none elsewhere

        _winapi.CreateJunction(os.fspath(source), os.fspath(link))
    else:
        link.symlink_to(source, target_is_directory=True)


def _lock(layout: Layout, writes: Writes) -> Iterator[FileLock]:
    """Lock the files that are copied and that the command changes."""
    wanted = {
        Writes.INDEX: (layout.git_dir, layout.identities[0], "index"),
        Writes.PACKED: (layout.common_dir, layout.identities[1], "packed-refs"),
        Writes.SHALLOW: (layout.common_dir, layout.identities[1], "shallow"),
    }
    for kind, (place, known, name) in wanted.items():
        if kind not in writes:
            continue
        folder = open_folder(place, known)
        try:
            yield FileLock.take(folder, name)
        except OSError as error:
            folder.close()
            raise Conflict(
                f"{place / name}.lock cannot be made: {error.strerror}. Another git may be at "
                "work; if none is, delete that file."
            ) from error


def _append_logs(written: Path, place: Path, known: Identity) -> None:
    """Append what git logged in a stand-in to the logs of the repository."""
    logs = [path for path in (written / "logs").rglob("*") if path.is_file()]
    for log in logs:
        with ExitStack() as stack:
            at = stack.enter_context(held(place, known))
            *folders, name = log.relative_to(written).parts
            for part in folders:
                at = stack.enter_context(at.enter(part, make=True))
            at.append(name, log.read_bytes())
