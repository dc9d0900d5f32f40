"""The program for the other machine, as one archive.

It is what this very installation has: our own modules, and the packages that they need, all in pure
Python. Its digest is its name, so another version is another program, and both may lie there.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Final

import attrs

OURS: Final = (
    "actors/codex",
    "actors/contracts",
    "actors/core",
    "actors/git",
    "actors/hosts",
    "actors/rules",
    "runtime",
    "store/redaction",
)
"""Folders of ours of which it may need something."""

THEIRS: Final = (
    "attr",
    "attrs",
    "h11",
    "idna",
    "outcome",
    "sniffio",
    "sortedcontainers",
    "structlog",
    "trio",
    "trio_websocket",
    "typing_extensions",
    "wsproto",
)
"""Packages that it needs, with what those need."""

_LOOKED_UP: Final = ("trio",)
"""Packages whose version others of them look up."""

_STAND_INS: Final = "actors/hosts/far/stand_ins/"
_TIME: Final = (2020, 1, 1, 0, 0, 0)


@attrs.frozen
class Bundle:
    """The archive, and its digest."""

    content: bytes
    digest: str


@cache
def make_bundle() -> Bundle:
    """Make it; that takes some tenths of a second, once."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(_files()):
            archive.writestr(zipfile.ZipInfo(name, _TIME), content, zipfile.ZIP_DEFLATED)
    content = buffer.getvalue()
    return Bundle(content, hashlib.sha256(content).hexdigest())


def _files() -> Iterator[tuple[str, bytes]]:
    for folder in OURS:
        place = ".".join(("command_center", *folder.split("/")))
        for name, content in _modules(place):
            ours = name.removeprefix("command_center/")
            if ours.startswith(_STAND_INS) and not ours.endswith("__init__.py"):
                yield ours.removeprefix(_STAND_INS), content
            else:
                yield name, content
    # What our other folders would bring along is needed here, and not over there.
    for parent in ("actors", "store"):
        yield f"command_center/{parent}/__init__.py", b""
    yield "command_center/__init__.py", b""
    for package in THEIRS:
        yield from _modules(package)
    for name in _LOOKED_UP:
        told = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version(name)}\n"
        yield f"{name}-{version(name)}.dist-info/METADATA", told.encode()


def _modules(package: str) -> Iterator[tuple[str, bytes]]:
    spec = find_spec(package)
    if spec is None:
        return
    top = PurePosixPath(*package.split("."))
    if spec.submodule_search_locations is None:
        yield f"{top}.py", Path(str(spec.origin)).read_bytes()
        return
    folder = Path(spec.submodule_search_locations[0])
    for path in folder.rglob("*.py"):
        inner = path.relative_to(folder)
        if not {"_tests", "tests", "__pycache__"} & {*inner.parts}:
            yield str(top / PurePosixPath(*inner.parts)), path.read_bytes()
