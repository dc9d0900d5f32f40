"""Positions in the log: an event's id, and which log it is of.

An id alone says nothing after the database was put back to an earlier state: the log goes on from
there, and gives the same ids again. So a client names the log beside the id, and is told at once
when what it names is not there. An id past the log's end is wrong, whichever log it is of. So is
one after which events were removed, as they were old; 0 asks for all that there are.
"""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

import attrs
import msgspec
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.http.wire.codec import LARGEST
from command_center.http.wire.problems import Detail, InvalidFields, NotInLog, Wrong
from command_center.store import event_cut, events

LAST_EVENT_ID = "Last-Event-ID"

EventId: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
LogId: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        max_length=16, pattern=r"^[0-9a-f]{16}$(?!\n)", description="16 hexadecimal digits"
    ),
]

_POSITION = re.compile(rf"(?:([0-9a-f]{{16}}):)?([0-9]{{1,{len(str(LARGEST))}}})")


@attrs.frozen
class Position:
    """A position to go on from: after an event, of a log that may be named."""

    after: int | None = None
    log_id: str | None = None

    async def check(self, center: Center) -> None:
        """Do nothing if the position is in the log.

        Raises:
            NotInLog: it is of another log, past the end, or before what is kept.
        """
        is_at_end = self.after is None or self.after == (center.fanout.last_id or 0)
        if not is_at_end or self.log_id not in {None, center.log_id}:
            # What was seen in an answer may be durable before it is published.
            await center.storage.read(lambda db: self.check_in(db, center.log_id))

    def check_in(self, db: Database, log_id: str) -> None:
        """Do the same, in a snapshot of the log that is to be read."""
        last_id, removed = events.last_id(db), event_cut.removed_up_to(db)
        wrong: Wrong | None = None
        if self.log_id not in {None, log_id}:
            wrong = "of another log"
        elif self.after is not None and self.after > last_id:
            wrong = "past the end"
        elif self.after and self.after < removed:
            wrong = "removed"
        if wrong is not None:
            raise NotInLog(log_id, last_id, removed + 1, wrong)


def position_of(header: str | None, after: int | None, log_id: str | None) -> Position:
    """Return where to begin; `Last-Event-ID` of a client that comes back goes before the query.

    The header is `<logId>:<id>`, as an event stream gives it out, or an id alone.

    Raises:
        InvalidFields: the header is neither.
    """
    if not header:
        return Position(after, log_id)
    found = _POSITION.fullmatch(header)
    if found is None or int(found[2]) > LARGEST:
        message = "Expected the id of an event."
        detail = Detail(path=LAST_EVENT_ID, message=message)
        raise InvalidFields(f"{LAST_EVENT_ID}: {message}", [detail])
    return Position(int(found[2]), found[1] or log_id)
