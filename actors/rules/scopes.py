"""Scopes: the kinds of things that a device may do, and which of them it may hand on.

Scopes are independent: none contains another. So a script can approve without working, and an
agent can work without ever approving.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Final, TypeAlias

import msgspec

from command_center.store import Scope

MEANINGS: Final[Mapping[Scope, str]] = MappingProxyType(
    {
        "read": "see everything: lists, events, transcripts, numbers",
        "work": "make tasks and automations, run, steer and stop",
        "approve": "decide approvals, and put off their deadlines",
        "land": "commit, merge, and take worktrees away",
        "operate": "suspend, restart and trace the actors of the running server",
        "admin": "devices, repositories, and what runs may do in them",
    }
)
"""Each scope, in the order in which they are shown, with what it is for."""

EVERY_SCOPE: Final = frozenset(MEANINGS)

Scopes: TypeAlias = Annotated[
    list[Scope], msgspec.Meta(min_length=1, max_length=24, description="In any order.")
]
"""A list of scopes as it comes in."""


def ordered(scopes: Iterable[Scope]) -> list[Scope]:
    """Return the scopes, each once, in the order in which they are shown."""
    wanted = frozenset(scopes)
    return [scope for scope in MEANINGS if scope in wanted]
