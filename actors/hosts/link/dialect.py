"""The dialect of a link: how this version declares the port, and which version this is.

Data go by the order of the declarations alone. So two versions understand each other if they
declare the port alike, and if they do not, nothing may be asked: a number of seconds would be taken
for a moment. Each side says its dialect in its first frame.
"""

from __future__ import annotations

import enum
import hashlib
import re
from functools import cache
from importlib import metadata
from types import UnionType
from typing import Any, Final, get_args, get_origin

import attrs

from command_center.actors.codex.ports import Codex
from command_center.actors.contracts.hosts import Folders, ProgramTree
from command_center.actors.contracts.pools import Pool
from command_center.actors.git.ports import Git
from command_center.actors.hosts.link.data import NotData, fields_of, method_of
from command_center.actors.hosts.link.faults import FACTS, KINDS
from command_center.actors.hosts.link.opened import PROCESS, STARTED, WAY

PORTS: Final = (Folders, Git, Codex, Pool, ProgramTree)


@cache
def digest() -> str:
    """Return a digest of all that can be asked over a link, with each answer and each error."""
    seen: dict[type, str] = {}
    said = [
        f"{port.__name__}.{name}{_said_of(port, name, seen)}"
        for port in PORTS
        for name in sorted(dir(port))
        if not name.startswith("_")
    ]
    said += [_told(kind, seen) for kind in (WAY, STARTED, *PROCESS.values())]
    said += [*KINDS, *(f"{fact} {_told(kind, seen)}" for fact, kind in FACTS.items())]
    said += [f"{kind.__name__}: {fields}" for kind, fields in seen.items()]
    return hashlib.sha256("\n".join(sorted(said)).encode()).hexdigest()[:16]


def version() -> str:
    """Return the version that is installed; empty for what was brought to a machine."""
    try:
        return metadata.version("command-center")
    except metadata.PackageNotFoundError:
        return ""


def difference(other: str) -> str:
    """Say which side has to be updated, where the other one has that version and another port."""
    ours = version()
    if _numbers(other) == _numbers(ours):
        return f"it has another build of version {ours}; install one on both sides"
    behind = "this side" if _numbers(other) > _numbers(ours) else "the other side"
    shown = other[:50] or "no version"
    return f"it has {shown}, which does not work with {ours} on this side; update {behind}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"[0-9]{1,9}", version[:50])[:4])


def _said_of(port: type, name: str, seen: dict[type, str]) -> str:
    try:
        declared = method_of(port, name)
    except NotData:
        return ""  # an attribute, which is not asked for
    takes = ", ".join(f"{one} {_told(kind, seen)}" for one, kind in declared.takes.items())
    return f"({takes}) {_told(declared.gives, seen)} {declared.streams}"


def _told(kind: Any, seen: dict[type, str]) -> str:
    """Name a type as every version of Python does, and note the fields of those that it names."""
    origin = get_origin(kind)
    if origin is not None:
        name = "Union" if origin is UnionType else getattr(origin, "__name__", str(origin))
        inner = (one if isinstance(one, str) else _told(one, seen) for one in get_args(kind))
        return f"{name}[{', '.join(inner)}]"
    if isinstance(kind, type) and kind not in seen:
        if issubclass(kind, enum.Enum):
            seen[kind] = ", ".join(f"{one.name} {one.value}" for one in kind)
        elif attrs.has(kind):
            seen[kind] = ""  # it may name itself
            fields = fields_of(kind).items()
            seen[kind] = ", ".join(f"{name} {_told(one, seen)}" for name, one in fields)
    return str(getattr(kind, "__name__", kind))
