"""The numbers of a span of time, counted from the rows themselves.

Nothing is added up while things happen, so the numbers are right after a restart, after a crash
and after records were deleted. What makes that quick are indexes that hold all that is counted,
and the log's ids, which have no gaps.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from sqlite_utils import Database

from command_center.store import events
from command_center.store.timestamps import to_timestamp

UPCOMING = 5
"""How many of the next automations are shown."""

_OUTCOMES = ("completed", "failed", "stopped", "interrupted")


class _Shown(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A part of the summary."""


class Durations(_Shown, frozen=True, kw_only=True, rename="camel"):
    """How long finished sessions ran, in seconds; None where none did."""

    p50: float | None = None
    p95: float | None = None


class SessionNumbers(_Shown, frozen=True, kw_only=True, rename="camel"):
    """Sessions of the span.

    Attributes:
        by_status: those made in the span, by what they are now.
        outcomes: those that ended in the span, by how.
        active: those that run or wait for an answer now, whenever they were made.
        waiting: those that wait for their turn or for policy now.
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
    oldest_pending_at: str | None
    settled: dict[str, int]


class DayTokens(_Shown, frozen=True, kw_only=True, rename="camel"):
    """Tokens of a day in UTC."""

    day: str
    tokens: int


class RepositoryTokens(_Shown, frozen=True, kw_only=True, rename="camel"):
    """Tokens of a repository's sessions; its name is None where it was deleted."""

    repository_id: int
    name: str | None
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
    next_run_at: str


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


def numbers(db: Database, since: datetime, until: datetime) -> StoreNumbers:
    """Count what happened from `since` until now, which is `until`, and what is now."""
    start = to_timestamp(since)
    now = to_timestamp(until)
    ended = db.execute(
        "SELECT status, round((julianday(finished_at) - julianday(started_at)) * 86400, 3)"
        " FROM sessions INDEXED BY sessions_by_finish WHERE finished_at >= ?",
        [start],
    ).fetchall()
    last = events.last_id(db)
    # Ids have no gaps, so the span's events are a difference of two; only a clock that was set
    # back makes it count those that were told again.
    first = db.execute(
        "SELECT id FROM events INDEXED BY events_by_ts WHERE ts >= ? ORDER BY ts, id LIMIT 1",
        [start],
    ).fetchone()
    count = 0 if first is None else last - first[0] + 1
    minutes = max((until - since).total_seconds() / 60, 1 / 60)
    return StoreNumbers(
        tasks=_counted(db, "SELECT status, count(*) FROM tasks GROUP BY status"),
        sessions=_sessions(db, start, ended),
        approvals=_approvals(db, start),
        tokens=_tokens(db, start, now),
        automations=_automations(db),
        events=EventNumbers(last_id=last, count=count, per_minute=round(count / minutes, 3)),
    )


def percentile(values: Sequence[float], share: float) -> float | None:
    """The least of the sorted values that `share` of them do not exceed (nearest rank)."""
    if not values:
        return None
    rank = math.ceil(share * len(values))
    return values[max(0, min(len(values), rank) - 1)]


def _sessions(
    db: Database, start: str, ended: Sequence[tuple[str, float | None]]
) -> SessionNumbers:
    outcomes = Counter(dict.fromkeys(_OUTCOMES, 0))
    outcomes.update(status for status, _ in ended)
    seconds = sorted(max(0.0, ran) for _, ran in ended if ran is not None)
    by_itself = outcomes["completed"] + outcomes["failed"] + outcomes["interrupted"]
    now = _counted(
        db,
        "SELECT status, count(*) FROM sessions INDEXED BY sessions_by_finish"
        " WHERE finished_at IS NULL GROUP BY status",
    )
    return SessionNumbers(
        by_status=_counted(
            db,
            "SELECT status, count(*) FROM sessions INDEXED BY sessions_by_creation"
            " WHERE created_at >= ? GROUP BY status",
            start,
        ),
        outcomes=dict(outcomes),
        active=sum(now.get(status, 0) for status in ("starting", "running", "waiting_approval")),
        waiting=sum(now.get(status, 0) for status in ("queued", "blocked")),
        success_rate=round(outcomes["completed"] / by_itself, 4) if by_itself else None,
        duration_seconds=Durations(p50=percentile(seconds, 0.5), p95=percentile(seconds, 0.95)),
    )


def _approvals(db: Database, start: str) -> ApprovalNumbers:
    pending, oldest = db.execute(
        "SELECT count(*), min(created_at) FROM approvals WHERE status = 'pending'"
    ).fetchone()
    return ApprovalNumbers(
        pending=pending,
        oldest_pending_at=oldest,
        settled=_counted(
            db,
            "SELECT status, count(*) FROM approvals WHERE resolved_at >= ? GROUP BY status",
            start,
        ),
    )


def _tokens(db: Database, start: str, now: str) -> TokenNumbers:
    days: Counter[str] = Counter()
    places: Counter[int] = Counter()
    for select, bound in ((_TOKENS_OF_ENDED, [start]), (_TOKENS_OF_LIVE, [])):
        for day, repository_id, tokens in db.execute(select, bound):
            days[day or now[:10]] += tokens
            places[repository_id] += tokens
    names: dict[int, str] = dict(db.execute("SELECT id, name FROM repositories").fetchall())
    return TokenNumbers(
        total=sum(days.values()),
        by_day=[DayTokens(day=day, tokens=days[day]) for day in sorted(days) if days[day]],
        by_repository=[
            RepositoryTokens(repository_id=place, name=names.get(place), tokens=tokens)
            for place, tokens in places.most_common()
            if tokens
        ],
    )


_USED = "max(0, ifnull(json_extract(token_usage, '$.total.totalTokens'), 0) - token_baseline)"
_TOKENS_OF_ENDED = f"""
    SELECT substr(finished_at, 1, 10) AS day, repository_id, sum({_USED})
    FROM sessions INDEXED BY sessions_by_finish WHERE finished_at >= ?
    GROUP BY day, repository_id
"""  # noqa: S608 - put together from a constant
_TOKENS_OF_LIVE = f"""
    SELECT NULL, repository_id, sum({_USED}) FROM sessions INDEXED BY sessions_by_finish
    WHERE finished_at IS NULL GROUP BY repository_id
"""  # noqa: S608 - the same


def _automations(db: Database) -> AutomationNumbers:
    enabled, paused = db.execute(
        "SELECT count(*) FILTER (WHERE enabled = 1),"
        " count(*) FILTER (WHERE paused_reason IS NOT NULL)"
        " FROM automations WHERE deleted_at IS NULL"
    ).fetchone()
    following = db.execute(
        "SELECT id, repository_id, title, next_run_at FROM automations"
        " WHERE enabled = 1 AND deleted_at IS NULL AND next_run_at IS NOT NULL"
        " ORDER BY next_run_at, id LIMIT ?",
        [UPCOMING],
    )
    return AutomationNumbers(
        enabled=enabled,
        paused=paused,
        next=[
            NextAutomation(id=id_, repository_id=place, title=title, next_run_at=due)
            for id_, place, title, due in following
        ],
    )


def _counted(db: Database, sql: str, *bound: str) -> dict[str, int]:
    rows: Mapping[str, int] = dict(db.execute(sql, list(bound)).fetchall())
    return dict(sorted(rows.items()))
