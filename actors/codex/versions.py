"""The versions of Codex that can be used: told at the handshake, before anything is asked.

One below the oldest is refused: it lacks what keeps a prompt from being carried out twice. Any
other is asked which methods it has, and is refused if it lacks one that is needed; that lets a
newer one be used, too, or one that does not say which it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final, TypeAlias

import attrs

Version: TypeAlias = tuple[int, int, int]

OLDEST: Final[Version] = (0, 154, 0)
"""The oldest version that may be used."""

NEWEST: Final[Version] = (0, 169, 0)
"""The newest version that was tried."""

NEEDED: Final = frozenset(
    {
        "initialize",
        "model/list",
        "review/start",
        "thread/backgroundTerminals/clean",
        "thread/backgroundTerminals/list",
        "thread/list",
        "thread/loaded/list",
        "thread/read",
        "thread/resume",
        "thread/start",
        "thread/turns/list",
        "thread/unsubscribe",
        "turn/interrupt",
        "turn/start",
        "turn/steer",
    }
)
"""The methods without which Codex cannot be used."""

UNKNOWN_METHOD: Final = "commandCenter/methods"
"""A method that no Codex has: it refuses it by naming those that it has."""


@attrs.frozen
class Support:
    """The support of a Codex: `problem` says why it may not be used, `notice` what to know of it.

    >>> support_of("0.133.0").problem.partition(":")[0]
    'Codex 0.133.0 is too old'
    >>> support_of("0.163.0")
    Support(problem=None, notice=None)
    """

    problem: str | None = None
    notice: str | None = None


def spelled(version: Version) -> str:
    """Spell a version as Codex does."""
    return ".".join(map(str, version))


RANGE: Final = f"{spelled(OLDEST)} to {spelled(NEWEST)}"
"""The versions that are supported, in words."""

INSTALL: Final = f"Install a version from {RANGE}: npm install -g @openai/codex@{spelled(NEWEST)}"
"""The end of each problem: what mends it."""


def read_version(text: str | None) -> Version | None:
    """Read a version such as `0.163.0` or `0.170.0-alpha.2`; None for any other text."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", text or "")
    return None if found is None else (int(found[1]), int(found[2]), int(found[3]))


def support_of(text: str | None, methods: Collection[str] = ()) -> Support:
    """Judge a Codex by its version, and by the methods that it has, where it named them."""
    version = read_version(text)
    which = f"Codex {text}" if text else "This Codex, which does not say its version,"
    if version is not None and version < OLDEST:
        return Support(
            f"{which} is too old: Command Center needs {spelled(OLDEST)} or newer. {INSTALL}"
        )
    missing = sorted(NEEDED - set(methods)) if methods else []
    if missing:
        return Support(f"{which} has no {', '.join(missing)}. {INSTALL}")
    if version is None or version > NEWEST:
        return Support(
            notice=f"{which} was not tested with Command Center, which supports {RANGE}."
        )
    return Support()


def methods_in(refusal: str) -> frozenset[str]:
    """Return the methods that Codex names as it refuses an unknown one; none, if it names none."""
    return frozenset(re.findall(r"`([^`]+)`", refusal.partition("expected one of")[2]))
