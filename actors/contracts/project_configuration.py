"""The files by which a project configures an agent, and how a person is shown them.

Whoever writes to the repository writes these files, too: a host reads them as hostile input.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import attrs


class NotShowable(Exception):
    """A project's configuration cannot be shown to a person, and so cannot be trusted."""


@attrs.frozen
class ProjectConfiguration:
    """The files that the agent obeys where it trusts them.

    Attributes:
        files: their contents, by their paths in the checkout.
        stamp: another one whenever one of them, or of their folders, was touched in between.
    """

    files: Mapping[str, bytes]
    stamp: str

    @property
    def digest(self) -> str:
        """Return what names these files with these contents, wherever the checkout is."""
        found = hashlib.sha256()
        for path, content in sorted(self.files.items()):
            for part in (path.encode(errors="surrogateescape"), content):
                found.update(len(part).to_bytes(8, "big"))
                found.update(part)
        return found.hexdigest()

    @property
    def texts(self) -> dict[str, str]:
        """Return the files as a person reads them; of one that is no text, its size and digest."""
        return {path: _text_of(content) for path, content in sorted(self.files.items())}


@attrs.frozen
class ProjectFiles:
    """The places where the agent looks in a project.

    Attributes:
        paths: those by which it may look up whether it trusts the project's files.
        obeyed: the folders that it obeys, if it trusts them.
    """

    paths: tuple[str, ...]
    obeyed: tuple[str, ...]


class AgentFiles(Protocol):
    """The files of a host by which projects configure its agent."""

    async def platform(self) -> str:
        """Name the system, as Python does: `linux`, `darwin` or `win32`."""

    async def project_files(self, cwd: Path, main: Path) -> ProjectFiles:
        """Say where the agent looks, in a folder of a repository with that main checkout."""

    async def read_configuration(self, cwd: Path, main: Path) -> ProjectConfiguration | None:
        """Read the files that it obeys there where it trusts them; None if there are none.

        Raises:
            NotShowable: there is too much of it, or something that is no regular file; says what.
        """


def _text_of(content: bytes) -> str:
    text = content.decode(errors="replace")
    if "\0" not in text and "\N{REPLACEMENT CHARACTER}" not in text:
        return text
    return f"No text: {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}\n"
