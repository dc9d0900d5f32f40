"""Errors of a host's port, by name, as data.

Only what stands here can come from another machine: its class, a text, and the facts of it, each
checked. Another error of that machine comes as the nearest of its kinds that stands here; one that
has none is `FarFault`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from command_center.actors.codex.errors import MessageTooLong, WireClosed
from command_center.actors.contracts.project_configuration import NotShowable
from command_center.actors.core.turns import NoTurn
from command_center.actors.git import errors as git
from command_center.actors.hosts.link.data import Data, NotData, printable
from command_center.actors.rules import errors as rules

LONGEST_TEXT: Final = 4000
"""Characters of a text of another machine."""


LONGEST_FAULT: Final = 256 * 1024
"""Bytes of an error of another machine, with all its facts."""

LONGEST_PAUSE: Final = 3600.0
"""Seconds after which a client tries again, at the latest, whatever another machine says."""

_HIDDEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters by which a text shows something else on a terminal, or in another order."""


class FarFault(rules.Unavailable):
    """The other machine failed in a way that the port has no word for."""


KINDS: Final[Mapping[str, type[Exception]]] = {
    kind.__name__: kind
    for kind in (
        rules.Conflict,
        rules.Invalid,
        rules.NotFound,
        rules.TooBusy,
        rules.Unavailable,
        NoTurn,
        git.BadBranchName,
        git.FileChanged,
        git.GitAnswerTooLong,
        git.GitFailed,
        git.GitMissing,
        git.GitTimedOut,
        git.NotAWorkTree,
        git.StepCutOff,
        git.UnknownRef,
        git.UnsafeRepository,
        git.WorktreeUnfinished,
        MessageTooLong,
        NotShowable,
        WireClosed,
    )
}
"""Errors that may come, by the names of their classes."""

_Fact = str | bool | int | None

FACTS: Final[Mapping[str, Any]] = {
    "command": str,
    "complaint": str,
    "details": tuple[Mapping[str, str], ...],
    "exit_code": int,
    "facts": Mapping[str, _Fact],
    "head": bytes,
    "key": str,
    "kind": str,
    "limit": int,
    "name": str,
    "path": Path | str,
    "problem": str,
    "reason": str,
    "retry_after": float | None,
    "seconds": float,
}
"""Facts that such an error may have, with their types."""

_EXPECTED: Final[Mapping[str, object]] = {
    "details": (),
    "facts": {},
    "head": b"",
    "key": "",
    "kind": "Thing",
    "limit": 0,
    "retry_after": 1.0,
}
"""Facts of an error that does not bring them, so that whoever reads it finds them."""

_FORM: Final[Any] = tuple[str, str, tuple[tuple[str, bytes], ...]]


def write_fault(error: Exception) -> bytes:
    """Write an error as data."""
    names = [kind.__name__ for kind in type(error).__mro__ if kind.__name__ in KINDS]
    data = Data()
    if not names:
        told = f"{type(error).__name__}: {error}"[:LONGEST_TEXT]
        return data.write((FarFault.__name__, told, ()), _FORM)
    facts = []
    for name, value in vars(error).items():
        if name == "facts":
            value = {k: v for k, v in value.items() if isinstance(v, _Fact)}  # noqa: PLW2901 - what can go
        if isinstance(value, str):
            value = value[:LONGEST_TEXT]  # noqa: PLW2901 - the other end cuts it, too
        if name in FACTS:
            facts.append((name, data.write(value, FACTS[name])))
    return data.write((names[0], str(error)[:LONGEST_TEXT], tuple(facts)), _FORM)


def read_fault(raw: bytes) -> Exception:
    """Make the error that the data tell of; raises `NotData`."""
    if len(raw) > LONGEST_FAULT:
        raise NotData(f"an error of more than {LONGEST_FAULT} bytes")
    data = Data()
    name, text, facts = data.read(raw, _FORM)
    text = _told(text)
    kind = KINDS.get(name)
    if kind is None:
        return FarFault(f"The host failed: {text}")
    made = kind.__new__(kind, text)
    made.args = (text,)
    vars(made).update(_EXPECTED, reason=text)
    for fact, value in facts:
        if fact not in FACTS:
            raise NotData(f"no fact {fact}")
        read = data.read(value, FACTS[fact])
        setattr(made, fact, _told(read))
    return made


def _told(fact: Any) -> Any:
    """Return what another machine tells as it can be kept, and shown on a terminal."""
    match fact:
        case str():
            return _HIDDEN.sub(" ", printable(fact[:LONGEST_TEXT]))
        case Path():
            return Path(_told(str(fact)))
        case float():
            return min(max(fact, 0.0), LONGEST_PAUSE)
        case tuple():
            return tuple(map(_told, fact))
        case Mapping():
            return {_told(name): _told(one) for name, one in fact.items()}
        case _:
            return fact
