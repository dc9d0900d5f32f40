"""The messages about what people need to see no more, or not yet."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from command_center.actors.contracts.fields import DateTime
from command_center.actors.rules.lengths import Name
from command_center.runtime import Request
from command_center.store import InboxMark
from command_center.store.records import InboxKind

MOST_MARKED: Final = 200
"""Things that are marked at once."""


class InboxMarks(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The marks that hold now."""

    items: list[InboxMark]


class NewMarks(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Things of one kind that are dismissed, or put off.

    Attributes:
        until: when they come back; None for good. A moment that has passed takes their marks away.
    """

    kind: InboxKind
    ids: Annotated[tuple[int, ...], msgspec.Meta(min_length=1, max_length=MOST_MARKED)]
    until: DateTime | None = None
    requested_by: Name = "api"


class MarkInbox(msgspec.Struct, Request[InboxMarks], frozen=True):
    """Have things stand in nobody's inbox."""

    wanted: NewMarks
