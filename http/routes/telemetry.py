"""/api/telemetry/summary: the numbers of a span of time, and how the running parts are."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import msgspec

from command_center.actors.center import Center
from command_center.actors.rules.lengths import Name
from command_center.http.wire.operation import Api
from command_center.http.wire.problems import Detail, InvalidFields
from command_center.runtime import Status
from command_center.store import Timestamp, to_timestamp
from command_center.store.queries.telemetry import StoreNumbers, numbers

_WINDOW = re.compile(r"(?P<count>[1-9]\d{0,3})(?P<unit>[hd])", re.ASCII)
_LONGEST = timedelta(days=90)

api = Api[Center]("Telemetry")


class SummaryQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The span, and the repository that the numbers are of.

    Attributes:
        window: so many hours or days up to now, from `1h` to `90d`.
        repository_id: only what is of this repository; all where it is left out.
    """

    window: Name = "24h"
    repository_id: int | None = None


class RuntimeNumbers(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The state of the actors now.

    Attributes:
        status: `ok`, or `degraded` where one is quarantined or starts again and again.
        quarantined: the paths of those that were set aside.
        restarts: of the actors that are there now, since each began.
        mailbox_depth: messages that wait, of all together.
        oldest_message_seconds: how long the one that waits longest does.
        subscribers: watchers of the events, the server's own parts included.
    """

    status: str
    actors: int
    quarantined: list[str]
    restarts: int
    dead_letters: int
    mailbox_depth: int
    oldest_message_seconds: float
    subscribers: int


class Summary(StoreNumbers, frozen=True, kw_only=True, rename="camel"):
    """The numbers of a span of time, and of now; of one repository where one was named.

    Attributes:
        runtime: the server's own, whatever the rest is of.
    """

    window: str
    repository_id: int | None
    since: Timestamp
    until: Timestamp
    runtime: RuntimeNumbers


@api.operation("GET", "/api/telemetry/summary", refuses=(404,))
async def summary(center: Center, query: SummaryQuery) -> Summary:
    """Sum up the last hours or days in numbers."""
    until = datetime.now(UTC)
    since = until - length_of(query.window)
    found = await center.storage.read_long(
        lambda db: numbers(db, since, until, query.repository_id)
    )
    return Summary(
        **msgspec.structs.asdict(found),
        window=query.window,
        repository_id=query.repository_id,
        since=to_timestamp(since),
        until=to_timestamp(until),
        runtime=runtime_numbers(center),
    )


def length_of(window: str) -> timedelta:
    """Parse the length of a window such as `24h` or `7d`.

    Raises:
        InvalidFields: it is none, or longer than 90 days.
    """
    match = _WINDOW.fullmatch(window)
    if match is not None:
        count = int(match["count"])
        length = timedelta(hours=count) if match["unit"] == "h" else timedelta(days=count)
        if length <= _LONGEST:
            return length
    message = "Expected hours or days from 1h to 90d, such as 24h or 7d."
    raise InvalidFields(f"window: {message}", [Detail(path="window", message=message)])


def runtime_numbers(center: Center) -> RuntimeNumbers:
    """Read the state of the actors now; wait for none of them."""
    snapshot = center.system.snapshot()
    actors = snapshot.actors
    quarantined = [actor.path for actor in actors if actor.status is Status.QUARANTINED]
    troubled = any(actor.status is Status.BACKOFF for actor in actors)
    return RuntimeNumbers(
        status="degraded" if quarantined or troubled else "ok",
        actors=len(actors),
        quarantined=quarantined,
        restarts=sum(actor.restarts for actor in actors),
        dead_letters=center.system.dead_letters.total,
        mailbox_depth=snapshot.totals.waiting,
        oldest_message_seconds=round(max(actor.oldest_age or 0.0 for actor in actors), 3),
        subscribers=len(center.fanout),
    )
