"""The messages by which the files of a repository or a session are seen and searched."""

from __future__ import annotations

from typing import Literal

import msgspec

from command_center.actors.git.files import FileView, FoundFiles
from command_center.actors.git.patches import PageCursor
from command_center.runtime import Request

SearchedFor = Literal["names", "text"]
"""The thing that a search looks through: the names of files, or what is in them."""


class FilesOf(msgspec.Struct, frozen=True):
    """The folder that is meant: the main checkout of a repository, or where a session works."""

    kind: Literal["repository", "session"]
    id: int


class SeeFiles(msgspec.Struct, Request[FileView], frozen=True):
    """Show a folder, or a page of a file."""

    place: FilesOf
    path: str
    cursor: PageCursor | None = None


class FindFiles(msgspec.Struct, Request[FoundFiles], frozen=True):
    """Find files by their names, or by a text that is in them."""

    place: FilesOf
    query: str
    searched: SearchedFor
    limit: int
