"""Traps that move: what lies in wait is there one moment and gone the next, thousands of times.

A guard that looks first and works later sees the harmless state and works in the other one. What is
moved is all that decides which program git runs, between how it was before a trap was planted and
how the trap has it.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import attrs

from tests.actors.git.repository import plain_git

MOVED = (
    ".gitattributes",
    ".gitmodules",
    ".git/commondir",
    ".git/config",
    ".git/config.worktree",
    ".git/more.cfg",
    ".git/info/attributes",
    ".git/objects/info/alternates",
)
"""The files of a checkout that decide what git runs, or lead to others that do."""

State = Mapping[Path, bytes | None]
"""The bytes of each file; None if it is not there."""


def state_of(repository: Path) -> State:
    """Return how everything that can be moved is now, the hooks included."""
    hooks = repository / ".git" / "hooks"
    found = [path for path in hooks.glob("*") if path.suffix != ".sample"]
    return {path: _read(path) for path in [*(repository / name for name in MOVED), *found]}


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


@attrs.define
class Mover:
    """Moves files to and fro between two states until it is told to stop; `moves` counts."""

    first: State
    second: State
    moves: int = 0
    _stop: threading.Event = attrs.field(factory=threading.Event)

    def run(self) -> None:
        """Move what differs, both ways, over and over."""
        paths = [
            path
            for path in {**self.first, **self.second}
            if self.first.get(path) != self.second.get(path)
        ]
        while not self._stop.is_set():
            for state in (self.second, self.first):
                for path in paths:
                    put(path, state.get(path))
                self.moves += 1

    def stop(self) -> None:
        """Move no more after this round."""
        self._stop.set()


def put(path: Path, content: bytes | None) -> None:
    """Replace a file at one stroke, or take it away."""
    if content is None:
        path.unlink(missing_ok=True)
        return
    with suppress(FileNotFoundError):  # its folder is being taken away by the git under test
        new = path.with_name(f"{path.name}.new")
        new.write_bytes(content)
        new.chmod(0o755)
        os.replace(new, path)  # noqa: PTH105 - what an agent would call


@contextmanager
def moving(first: State, second: State) -> Iterator[Mover]:
    """Move between two states by a thread of its own while the block runs."""
    mover = Mover(first, second)
    thread = threading.Thread(target=mover.run, daemon=True)
    thread.start()
    try:
        yield mover
    finally:
        mover.stop()
        thread.join()


def a_second_common_directory(repository: Path, canary: Path) -> Path:
    """A copy of the common directory, in it, whose filter is a program that leaves a canary."""
    copy = repository / ".git" / "second"
    shutil.copytree(
        repository / ".git",
        copy,
        symlinks=True,
        ignore=shutil.ignore_patterns("second", "*.sample"),
    )
    program = copy / "evil.sh"
    program.write_text(f"#!/bin/sh\n: > '{canary.as_posix()}'\ncat\n", encoding="utf-8")
    program.chmod(0o755)
    plain_git(
        repository, "config", "--file", str(copy / "config"), "filter.evil.clean", str(program)
    )
    (copy / "info").mkdir(exist_ok=True)
    (copy / "info" / "attributes").write_text("* filter=evil\n", encoding="utf-8")
    return copy
