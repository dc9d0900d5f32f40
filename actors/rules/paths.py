"""Paths that people send: whether they fit this system, exist, and lie where they may.

Only this module, the git wrapper and the runners know that a repository's path is on this
machine. Nothing here starts a program; what touches the disk does so in a worker thread.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import trio

from command_center.actors.rules.errors import Invalid

_DRIVE = re.compile(r"[A-Za-z]:([\\/]|$)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def foreign(text: str, *, windows: bool = os.name == "nt") -> str | None:
    r"""Say in a sentence that a path belongs to another kind of system, or None where it fits.

    `C:\Users\me` and `\\server\share` are Windows paths; `/home/me` is not.
    """
    if not windows and (_DRIVE.match(text) or text.startswith("\\\\")):
        return f"{text} is a Windows path; this server runs on {_system()}."
    if windows and text.startswith("/") and not text.startswith("//"):
        return f"{text} is not a Windows path; this server runs on Windows."
    return None


PATH_BYTES = 4000
"""The longest path, in bytes; Linux takes 4096 with what is added to it here."""

NAME_BYTES = 255
"""The longest name in a path, in bytes."""


def check_path(text: str, field: str) -> Path:
    """A path that can be meant on this system: absolute, of this system's kind, printable.

    Raises:
        Invalid: it cannot; the field is named.
    """
    if not text.strip():
        raise Invalid.field(field, "The path is empty.")
    if (problem := foreign(text)) is not None:
        raise Invalid.field(field, problem)
    if _CONTROL.search(text):
        raise Invalid.field(field, "The path has control characters in it.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Invalid.field(field, "The path is not valid Unicode.") from None
    if len(text.encode()) > PATH_BYTES or any(
        len(part.encode()) > NAME_BYTES for part in re.split(r"[/\\]", text)
    ):
        raise Invalid.field(field, "The path is too long.")
    path = Path(text).expanduser() if text.startswith("~/") else Path(text)
    if not path.is_absolute():
        raise Invalid.field(field, f"{text} is not an absolute path.")
    return path


async def resolve_directory(text: str, field: str, roots: Sequence[Path] = ()) -> Path:
    """The folder that a path leads to, through every link, within `roots` where there are any.

    Raises:
        Invalid: it does not exist, is no folder, cannot be entered, or lies elsewhere.
    """
    path = check_path(text, field)

    def resolve() -> Path | str:
        try:
            found = path.resolve(strict=True)
        except (FileNotFoundError, NotADirectoryError):
            return f"{text} does not exist."
        except (OSError, RuntimeError) as error:
            return f"{text} cannot be reached: {getattr(error, 'strerror', None) or error}."
        if not found.is_dir():
            return f"{text} is a file, not a folder."
        if not os.access(found, os.R_OK | os.X_OK):
            return f"{text} cannot be read by this server."
        return found

    found = await trio.to_thread.run_sync(resolve)
    if isinstance(found, str):
        raise Invalid.field(field, found)
    if _CONTROL.search(str(found)):
        raise Invalid.field(field, "The path has control characters in it.")
    if roots and not await within(found, roots):
        raise Invalid.field(field, f"{found} lies outside the folders that repositories may be in.")
    return found


async def resolve_new(text: str, field: str) -> Path:
    """Where a folder that does not exist yet would be, through every link on the way.

    Raises:
        Invalid: the path cannot be meant here, or something stands there already.
    """
    path = check_path(text, field)

    def resolve() -> Path | str:
        try:
            found = path.resolve()
        except (OSError, RuntimeError) as error:
            return f"{text} cannot be reached: {error}."
        try:
            if os.path.lexists(path) and not (found.is_dir() and not any(found.iterdir())):
                return f"{text} exists already."
        except OSError as error:
            return f"{text} cannot be looked into: {error.strerror}."
        return found

    found = await trio.to_thread.run_sync(resolve)
    if isinstance(found, str):
        raise Invalid.field(field, found)
    return found


async def within(path: Path, roots: Sequence[Path]) -> bool:
    """Tell whether a resolved path is one of the folders or lies below one, links followed."""

    def look() -> bool:
        return any(path.is_relative_to(root.resolve()) for root in roots)

    return await trio.to_thread.run_sync(look)


async def same_file(left: Path, right: Path) -> bool:
    """Tell whether two paths lead to one thing on disk; what is missing is like nothing else."""

    def look() -> bool:
        try:
            return left.samefile(right)
        except OSError:
            return False

    return await trio.to_thread.run_sync(look)


def _system() -> str:
    return {"darwin": "macOS", "linux": "Linux", "win32": "Windows"}.get(sys.platform, sys.platform)
