"""The numbers of a span of time.

Whole days are summed from `totals`, which the database keeps in the transactions that change what
they count. The day in which the span begins is counted from the rows, by indexes that hold all that
is asked for, and so are the sessions that live. So a long span costs little more than a short one.
The log's ids have no gaps: its events are a difference of two of them. How many of each thousand
events a repository has is noted once, when the thousand is full: none of it ever changes.
"""

import math
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, get_args

import attrs
import msgspec
from sqlite_utils import Database

from command_center.store import event_notes, events, totals
from command_center.store.records import ApprovalStatus, SessionStatus
from command_center.store.statuses import ACTIVE, FINAL, WAITING
from command_center.store.tables import repositories
from command_center.store.timestamps import Timestamp, from_timestamp, to_timestamp
from command_center.store.totals import Kind

UPCOMING = 5
"""The number of coming automations that are shown."""


class _Shown(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A part of the summary."""


class Durations(_Shown, frozen=True, kw_only=True, rename="camel"):
    """The time that finished sessions ran, in seconds; None where none did."""

    p50: float | None = None
    p95: float | None = None


class SessionNumbers(_Shown, frozen=True, kw_only=True, rename="camel"):
    """Sessions of the span.

    Attributes:
        by_status: those made in the span, by what they are now.
        outcomes: those that ended in the span, by how.
        active: those that run or wait for an answer now, whenever they were made.
        waiting: those that wait for their turn, for policy or for a limit's reset now.
        success_rate: completed ones among those that ended by themselves; one that a person
            stopped counts for neither. None where there were none.
    """

    by_status: dict[str, int]
    outcomes: dict[str, int]
    active: int
    waiting: int
    success_rate: float | None
    duration_seconds: Durations


class ApprovalNumbers(_Shown, frozen=True, kw_only=True, rename="camel"):
    """Approvals: those that wait now, and those settled in the span by how."""

    pending: int
    oldest_pending_at: Timestamp | None
    settled: dict[str, int]


class DayTokens(_Shown, frozen=True, kw_only=True, rename="camel"):
    """Tokens of a day in UTC."""

    day: str
    tokens: int


class RepositoryTokens(_Shown, frozen=True, kw_only=True, rename="camel"):
    """Tokens of a repository's sessions."""

    repository_id: int
    name: str
    tokens: int


class TokenNumbers(_Shown, frozen=True, kw_only=True, rename="camel"):
    """Tokens that sessions used which ended in the span, on the day of their end, or run now."""

    total: int
    by_day: list[DayTokens]
    by_repository: list[RepositoryTokens]


class NextAutomation(_Shown, frozen=True, kw_only=True, rename="camel"):
    """An automation that will run."""

    id: int
    repository_id: int
    title: str
    next_run_at: Timestamp


class AutomationNumbers(_Shown, frozen=True, kw_only=True, rename="camel"):
    """Enabled automations, and those that run next."""

    enabled: int
    paused: int
    next: list[NextAutomation]


class EventNumbers(_Shown, frozen=True, kw_only=True, rename="camel"):
    """The log: its last id, and how many events the span added."""

    last_id: int
    count: int
    per_minute: float


class StoreNumbers(_Shown, frozen=True, kw_only=True, rename="camel"):
    """All that the database tells of a span."""

    tasks: dict[str, int]
    sessions: SessionNumbers
    approvals: ApprovalNumbers
    tokens: TokenNumbers
    automations: AutomationNumbers
    events: EventNumbers


def numbers(
    db: Database, since: datetime, until: datetime, repository_id: int | None = None
) -> StoreNumbers:
    """Count what happened from `since` until now, which is `until`, and what is now.

    With a repository all of it is that one's.

    Raises:
        RecordNotFound: there is no such repository.
    """
    if repository_id is not None:
        repositories.get(db, repository_id)
    span = _Span(db, to_timestamp(since), repository_id)
    return StoreNumbers(
        tasks=totals.counts(db, "tasks", repository_id or 0),
        sessions=_sessions(span),
        approvals=_approvals(span),
        tokens=_tokens(span, to_timestamp(until)),
        automations=_automations(span),
        events=_events(span, max((until - since).total_seconds() / 60, 1 / 60)),
    )


@attrs.frozen
class _Span:
    """The span that is counted: all since `start`, or what is of one repository.

    Its first day may be a part of one; `next` is the day after that, from which on days are whole.
    """

    db: Database
    start: Timestamp
    repository_id: int | None
    next: str = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        following = from_timestamp(self.start) + timedelta(days=1)
        object.__setattr__(self, "next", to_timestamp(following)[:10])

    def rows(self, sql: str, **bound: str | float) -> list[Any]:
        """Give what is selected; where `{of}` stands, of the repository alone."""
        of = "" if self.repository_id is None else _OF_REPOSITORY
        known = {"start": self.start, "next": self.next, "repository": self.repository_id, **bound}
        return self.db.execute(sql.replace("{of}", of), known).fetchall()

    def counts(self, kind: Kind, *parts: str) -> dict[str, int]:
        """Sum the totals of the whole days, and what these queries count, by their words."""
        found = Counter(totals.counts_since(self.db, kind, self.next, self.repository_id or 0))
        for sql in parts:
            found.update(dict(self.rows(sql)))
        return {word: found[word] for word in sorted(found) if found[word]}


def nearest_rank(count: int, share: float) -> int:
    """Return the place, among so many sorted values, of the least that `share` do not exceed."""
    return max(0, min(count, math.ceil(share * count)) - 1)


def _sessions(span: _Span) -> SessionNumbers:
    outcomes = dict.fromkeys(sorted(FINAL), 0) | span.counts("ended", _ENDED)
    by_itself = outcomes["completed"] + outcomes["failed"] + outcomes["interrupted"]
    now = dict(span.rows(_UNFINISHED))
    return SessionNumbers(
        by_status=span.counts("made", _MADE, _MADE_AND_LIVING),
        outcomes=outcomes,
        active=sum(now.get(status, 0) for status in ACTIVE),
        waiting=sum(now.get(status, 0) for status in WAITING),
        success_rate=round(outcomes["completed"] / by_itself, 4) if by_itself else None,
        duration_seconds=_durations(span),
    )


def _durations(span: _Span) -> Durations:
    """Return the percentiles of the span's durations.

    The class in which one is, is found by counts. Only that class is looked through.
    """
    of_classes = Counter({int(word): count for word, count in span.counts("ran").items()})
    of_classes.update(totals.class_of_duration(ran) for (ran,) in span.rows(_RAN))
    count = of_classes.total()
    return Durations(
        p50=_looked_up(span, of_classes, nearest_rank(count, 0.5)),
        p95=_looked_up(span, of_classes, nearest_rank(count, 0.95)),
    )


def _looked_up(span: _Span, of_classes: Mapping[int, int], place: int) -> float | None:
    """Return the duration with so many before it, counted from the nearer end of its class."""
    for least in sorted(of_classes):
        count = of_classes[least]
        if place < count:
            above = count - 1 - place
            ranked, skipped = (_FROM_LONGEST, above) if above < place else (_FROM_SHORTEST, place)
            first, end = totals.bounds_of_class(least)
            found = span.rows(ranked, skipped=skipped, first=first, end=end)
            return max(0.0, found[0][0]) if found else None
        place -= count
    return None


def _approvals(span: _Span) -> ApprovalNumbers:
    [(pending, oldest)] = span.rows(_PENDING)
    return ApprovalNumbers(
        pending=pending, oldest_pending_at=oldest, settled=span.counts("settled", _SETTLED)
    )


def _tokens(span: _Span, now: Timestamp) -> TokenNumbers:
    kept_days, kept_places = totals.tokens_since(span.db, span.next, span.repository_id)
    days, places = Counter(kept_days), Counter(kept_places)
    for select in (_TOKENS_OF_ENDED, _TOKENS_OF_LIVE):
        for day, repository_id, tokens in span.rows(select):
            days[day or now[:10]] += tokens
            places[repository_id] += tokens
    ids = msgspec.json.encode([*places]).decode()
    names: dict[int, str] = dict(span.rows(_NAMES, ids=ids))
    return TokenNumbers(
        total=sum(days.values()),
        by_day=[DayTokens(day=day, tokens=days[day]) for day in sorted(days) if days[day]],
        by_repository=[
            RepositoryTokens(repository_id=place, name=names[place], tokens=tokens)
            for place, tokens in sorted(places.items(), key=itemgetter(1), reverse=True)
            if tokens and place in names  # a total that the disk has changed names anything
        ],
    )


def _automations(span: _Span) -> AutomationNumbers:
    [(enabled, paused)] = span.rows(_AUTOMATIONS)
    return AutomationNumbers(
        enabled=enabled,
        paused=paused,
        next=[
            NextAutomation(id=id_, repository_id=place, title=title, next_run_at=due)
            for id_, place, title, due in span.rows(_NEXT_AUTOMATIONS)
        ],
    )


def _events(span: _Span, minutes: float) -> EventNumbers:
    # Ids have no gaps, so the span's events are a difference of two; only a clock that was set
    # back makes it count those that were told again.
    last = events.last_id(span.db)
    found = span.rows(_FIRST_EVENT)
    before = found[0][0] - 1 if found else last
    count = last - before
    if span.repository_id is not None:
        count = event_notes.count_of_repository(span.db, span.repository_id, last)
        count -= event_notes.count_of_repository(span.db, span.repository_id, before)
        last = events.last_id_of_repository(span.db, span.repository_id)
    return EventNumbers(last_id=last, count=count, per_minute=round(count / minutes, 3))


def _any(statuses: tuple[str, ...]) -> str:
    # Every status is named, so that each is a range of an index that is read in its order.
    return f"status IN ({', '.join(map(repr, statuses))})"


# ruff: noqa: S608 - all that follows is put together from constants
_OF_REPOSITORY = "AND repository_id = :repository"
_ANY_SESSION = _any(get_args(SessionStatus))
_ANY_APPROVAL = _any(get_args(ApprovalStatus))
_USED = "max(0, ifnull(json_extract(token_usage, '$.total.totalTokens'), 0) - token_baseline)"
_SECONDS = "round((julianday(finished_at) - julianday(started_at)) * 86400, 3)"
_DAY = "substr(finished_at, 1, 10)"
_MADE = f"""
    SELECT status, count(*) FROM sessions INDEXED BY sessions_by_status_and_creation
    WHERE {_ANY_SESSION} AND created_at >= :start AND created_at < :next {{of}} GROUP BY status
"""
_MADE_AND_LIVING = """
    SELECT status, count(*) FROM sessions INDEXED BY sessions_that_use_tokens
    WHERE finished_at IS NULL AND created_at >= :next {of} GROUP BY status
"""
_UNFINISHED = f"""
    SELECT status, count(*) FROM sessions INDEXED BY sessions_by_status_and_finish
    WHERE {_ANY_SESSION} AND finished_at IS NULL {{of}} GROUP BY status
"""
_ENDED = f"""
    SELECT status, count(*) FROM sessions INDEXED BY sessions_by_status_and_finish
    WHERE {_ANY_SESSION} AND finished_at >= :start AND finished_at < :next {{of}} GROUP BY status
"""
_RAN = f"""
    SELECT {_SECONDS} FROM sessions INDEXED BY sessions_by_status_and_finish
    WHERE {_ANY_SESSION} AND finished_at >= :start AND finished_at < :next
        AND {_SECONDS} IS NOT NULL {{of}}
"""
_RANKED = f"""
    SELECT {_SECONDS} FROM sessions INDEXED BY sessions_by_duration
    WHERE {_SECONDS} IS NOT NULL AND {_SECONDS} >= :first AND {_SECONDS} < :end
        AND finished_at >= :start {{of}} ORDER BY {_SECONDS}
"""
_FROM_SHORTEST = f"{_RANKED} ASC LIMIT 1 OFFSET :skipped"
_FROM_LONGEST = f"{_RANKED} DESC LIMIT 1 OFFSET :skipped"
_PENDING = """
    SELECT count(*), min(created_at) FROM approvals INDEXED BY approvals_by_status
    WHERE status = 'pending' {of}
"""
_SETTLED = f"""
    SELECT status, count(*) FROM approvals INDEXED BY approvals_by_status_and_resolution
    WHERE {_ANY_APPROVAL} AND resolved_at >= :start AND resolved_at < :next {{of}} GROUP BY status
"""
_TOKENS_OF_ENDED = f"""
    SELECT {_DAY}, repository_id, sum({_USED}) FROM sessions INDEXED BY sessions_by_last_day
    WHERE {_DAY} = substr(:start, 1, 10) AND finished_at >= :start {{of}}
    GROUP BY {_DAY}, repository_id
"""
_TOKENS_OF_LIVE = f"""
    SELECT NULL, repository_id, sum({_USED}) FROM sessions INDEXED BY sessions_that_use_tokens
    WHERE finished_at IS NULL {{of}} GROUP BY repository_id
"""
_NAMES = "SELECT id, name FROM repositories WHERE id IN (SELECT value FROM json_each(:ids))"
_AUTOMATIONS = """
    SELECT count(*) FILTER (WHERE enabled = 1), count(*) FILTER (WHERE paused_reason IS NOT NULL)
    FROM automations WHERE deleted_at IS NULL {of}
"""
_NEXT_AUTOMATIONS = f"""
    SELECT id, repository_id, title, next_run_at FROM automations
    WHERE enabled = 1 AND deleted_at IS NULL AND next_run_at IS NOT NULL {{of}}
    ORDER BY next_run_at, id LIMIT {UPCOMING}
"""
_FIRST_EVENT = """
    SELECT id FROM events INDEXED BY events_by_ts WHERE ts >= :start ORDER BY ts, id LIMIT 1
"""
