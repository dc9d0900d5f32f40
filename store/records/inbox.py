"""Marks of things that people need to see no more, or not yet."""

from typing import Literal, TypeAlias

from command_center.store.records.record import Record
from command_center.store.timestamps import Timestamp

InboxKind: TypeAlias = Literal["approval", "session", "automation"]


class InboxMark(Record, frozen=True, kw_only=True, rename="camel"):
    """A thing that stands in nobody's inbox until a moment; None for good.

    Attributes:
        record_id: of the approval, the session that failed or the automation that is paused.
    """

    kind: InboxKind
    record_id: int
    until: Timestamp | None = None
    requested_by: str
