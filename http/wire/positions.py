"""Positions in the log: an event's id, and which log it is of.

An id alone says nothing after the database was put back to an earlier state: the log goes on from
there, and gives the same ids again. So a client names the log beside the id, and is told at once
when what it names is not there. An id past the log's end is wrong, whichever log it is of.
"""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

import attrs
import msgspec
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.http.wire.codec import LARGEST
from command_center.http.wire.problems import Detail, InvalidFields, NotInLog
from command_center.store import events

LAST_EVENT_ID = "Last-Event-ID"

EventId: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
LogId: TypeAlias = Annotated[str, msgspec.Meta(max_length=16, pattern=r"^[0-9a-f]{16}$(?!\n)")]

_POSITION = re.compile(rf"(?:([0-9a-f]{{16}}):)?([0-9]{{1,{len(str(LARGEST))}}})")


@attrs.frozen
class Position:
    """A position to go on from: after an event, of a log that may be named."""

    after: int | None = None
    log_id: str | None = None

    async def check(self, center: Center) -> None:
        """Do nothing if the position is in the log.

        Raises:
            NotInLog: it is of another log, or past the end.
        """
        is_published = self.after is None or self.after <= (center.fanout.last_id or 0)
        if not is_published or self.log_id not in {None, center.log_id}:
            # What was seen in an answer may be durable before it is published.
            await center.storage.read(lambda db: self.check_in(db, center.log_id))

    def check_in(self, db: Database, log_id: str) -> None:
        """Do the same, in a snapshot of the log that is to be read."""
        last_id = events.last_id(db)
        is_of_another = self.log_id not in {None, log_id}
        if is_of_another or (self.after is not None and self.after > last_id):
            raise NotInLog(log_id, last_id, is_of_another=is_of_another)


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
