"""Events that no product has, for tests of what carries events and does not look into them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from command_center.store import EventData


def made_up(kind: str, data: Mapping[str, Any] | None = None) -> EventData:
    """An event of that type with that data; the names of its fields stay as they are."""
    given = dict(data or {})
    event: EventData = _class_of(kind, tuple(given))(**given)
    return event


@cache
def _class_of(kind: str, names: tuple[str, ...]) -> type[Any]:
    return msgspec.defstruct(
        "MadeUp",
        [(name, Any) for name in names],
        bases=(EventData,),
        tag=kind,
        frozen=True,
        kw_only=True,
        rename=lambda name: name,
    )
