"""Paths that people send, as texts: whether they fit this system and can be meant at all.

Nothing here looks at a disk. Where a path leads to, its host says (`contracts.hosts`).
"""

from __future__ import annotations

import ntpath
import os
import posixpath
import re
import sys
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import Final

from command_center.actors.rules.errors import Invalid

_DRIVE = re.compile(r"[A-Za-z]:([\\/]|$)")
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


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


def pure_path(text: str) -> PurePath:
    r"""Read an absolute path of a host, whichever system that runs, by its spelling.

    >>> pure_path("C:\\src\\app").name
    'app'
    """
    return PureWindowsPath(text) if _is_windows(text) else PurePosixPath(text)


def same_place(left: str, right: str) -> bool:
    """Tell whether two absolute paths are spelled alike, as their system compares paths.

    Only spelling: links and mounts are followed where a path is used.
    """
    return _is_windows(left) == _is_windows(right) and _plain(left) == _plain(right)


def lies_in(path: str, folder: str) -> bool:
    """Return True if an absolute path is the folder, or below it, as it is spelled."""
    place = pure_path(path)
    return any(same_place(str(one), folder) for one in (place, *place.parents))


def _is_windows(text: str) -> bool:
    return bool(_DRIVE.match(text)) or text.startswith("\\\\")


def _plain(text: str) -> str:
    if _is_windows(text):
        return ntpath.normcase(ntpath.normpath(text))
    return posixpath.normpath(text)


def check_path(text: str, field: str, *, is_foreign: bool = False) -> None:
    """Refuse a path that cannot be meant: it is absolute or begins with `~/`, and is printable.

    One that `is_foreign` is for a host of whichever system, which looks at it itself.

    Raises:
        Invalid: it cannot; the field is named.
    """
    if not text.strip():
        raise Invalid.field(field, "The path is empty.")
    if not is_foreign and (problem := foreign(text)) is not None:
        raise Invalid.field(field, problem)
    if CONTROL.search(text):
        raise Invalid.field(field, "The path has control characters in it.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Invalid.field(field, "The path is not valid Unicode.") from None
    if len(text.encode()) > PATH_BYTES or any(
        len(part.encode()) > NAME_BYTES for part in re.split(r"[/\\]", text)
    ):
        raise Invalid.field(field, "The path is too long.")
    path = pure_path(text) if is_foreign else PurePath(text)
    if not text.startswith("~/") and not path.is_absolute():
        raise Invalid.field(field, f"{text} is not an absolute path.")


def is_in_work_tree(text: str) -> bool:
    """Return True if a text can be the path of a file in a work tree, counted from its top.

    >>> [is_in_work_tree(path) for path in ("a/b.py", ".", "../a", "a/.Git/config", "/a")]
    [True, False, False, False, False]
    """
    try:
        is_text = b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False
    parts = PurePosixPath(text).parts
    leads_out = not parts or parts[0] == "/" or ".." in parts
    is_git = any(part.lower() == ".git" for part in parts)
    return is_text and not leads_out and not is_git and len(text.encode()) <= PATH_BYTES


def _system() -> str:
    return {"darwin": "macOS", "linux": "Linux", "win32": "Windows"}.get(sys.platform, sys.platform)
