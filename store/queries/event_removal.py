"""The removal of old events: how far it may go, how far it is due, and its steps.

Events go from the beginning of the log on, up to a cut (``event_cut``), so that those that are left
have ids without gaps. A cut never passes what work still rests on: the story of a task that is open
or waits for an approval, and of whatever led to it.

The history of a repository may go, too: all of it with the repository, or what is older than the
repository keeps. It is not the oldest of the log: an event that says nothing takes the place of
each, so that ids have no gaps.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
from sqlite_utils import Database

from command_center.store import event_cut, event_segments, events
from command_center.store.errors import DamagedRecord
from command_center.store.queries import days_told
from command_center.store.queries.causes import cause_of
from command_center.store.timestamps import to_timestamp

STEP: Final = 100
"""Most events whose rows go at a time."""

STEP_BYTES: Final = 1024 * 1024
"""Bytes of their texts by which a step ends."""

SAMPLES: Final = 1000
"""Rows by which the size of all is estimated."""

ROW_BYTES: Final = 300
"""Bytes that an event takes beside its text: what it is filtered by, and the indexes."""

_SIZE_OF_ONE: Final = """
    SELECT CASE WHEN body <> '' THEN length(CAST(body AS BLOB)) ELSE ifnull((
        SELECT length(texts) / (last_event - ifnull((
            SELECT max(last_event) FROM event_segments AS before
            WHERE before.last_event < segment.last_event
        ), 0))
        FROM event_segments AS segment WHERE last_event >= events.id ORDER BY last_event LIMIT 1
    ), 0) END + ifnull((
        SELECT sum(length(text)) FROM whole_values
        WHERE record_table = 'events' AND record_id = events.id
    ), 0)
    FROM events WHERE repository_id = ? AND id > ? ORDER BY id
"""
"""Bytes of the texts of a repository's events; of a compressed one, its share of the segment."""

_NEEDED: Final = f"""
    WITH RECURSIVE needed(task_id, approval_id) AS (
        SELECT task_id, NULL FROM sessions WHERE finished_at IS NULL
        UNION SELECT task_id, NULL FROM followups WHERE status = 'pending'
        UNION SELECT task_id, id FROM approvals WHERE status = 'pending'
        UNION SELECT sessions.task_id, NULL FROM approvals
            JOIN sessions ON sessions.id = approvals.session_id WHERE approvals.status = 'pending'
        UNION SELECT cause.task_id, NULL FROM needed
            JOIN events AS told ON told.task_id = needed.task_id
                AND +told.type IN ('task.created', 'session.created')
            JOIN events AS cause ON cause.id = {cause_of("told")}
            WHERE cause.task_id IS NOT NULL
    )
    SELECT first.id, {cause_of("first")} FROM needed
    JOIN events AS first ON first.id = (
        SELECT min(id) FROM events WHERE task_id = needed.task_id
    )
    UNION ALL
    SELECT first.id, {cause_of("first")} FROM needed
    JOIN events AS first ON first.id = (
        SELECT min(id) FROM events WHERE approval_id = needed.approval_id
    )
"""  # noqa: S608 - constants


class RemovalStep(NamedTuple):
    """The events of a step: how many they are, and whether there are more to remove."""

    events: int
    has_more: bool


def first_needed(db: Database, repository_id: int | None = None) -> int | None:
    """Return the first event that open work rests on; None where there is no such work.

    With a repository, the first one of that repository's.
    """
    found = {id_ for row in db.execute(_NEEDED) for id_ in row if id_ is not None}
    if repository_id is not None:
        sql = "SELECT repository_id FROM events WHERE id = ?"
        found = {id_ for id_ in found if db.execute(sql, [id_]).fetchone() == (repository_id,)}
    return min(found, default=None)


def old_up_to(db: Database, days: int, now: datetime) -> int:
    """Return the last event, of full thousands, up to which all are older than so many days.

    One that is of after ``now`` was told by a clock that was ahead, or now is behind: it holds up
    what comes after it until so many days were told of behind it.
    """
    before, latest = days_told.old_before(db, days, now), to_timestamp(now)
    thousand = event_cut.removed_up_to(db) // 1000
    while True:
        found = db.execute(
            "SELECT min(thousand) FROM times_of_events WHERE thousand >= ? AND latest >= ?",
            [thousand, before],
        ).fetchone()[0]
        if found is None:
            sql = "SELECT ifnull(max(thousand) + 1, 0) * 1000 FROM times_of_events"
            last: int = db.execute(sql).fetchone()[0]
            return last
        sql = "SELECT 1 FROM events WHERE id > ? AND id <= ? AND +ts >= ? AND +ts <= ? LIMIT 1"
        is_young = db.execute(sql, [found * 1000, found * 1000 + 1000, before, latest]).fetchone()
        if is_young or not days_told.is_told_behind(db, found * 1000 + 1000, days, now):
            return int(found) * 1000
        thousand = found + 1


def beyond_size(db: Database, size: int) -> int:
    """Return the last event that has to go so that the log takes this many bytes, about."""
    first, last = event_cut.removed_up_to(db), events.last_id(db)
    taken = log_bytes(db)
    if taken <= size or last == first:
        return first
    return first + -(-(last - first) * (taken - size) // taken)


def log_bytes(db: Database) -> int:
    """Estimate the bytes that the log takes, by some of its rows."""
    first, last = event_cut.removed_up_to(db) + 1, events.last_id(db)
    text = db.execute(
        """
        WITH RECURSIVE sample(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM sample WHERE n < ?),
            at(id) AS (SELECT ? + n * 2654435761 % ? FROM sample)
        SELECT ifnull(avg(length(CAST(body AS BLOB)) + ifnull((
            SELECT sum(length(text)) FROM whole_values
            WHERE record_table = 'events' AND record_id = events.id
        ), 0)), 0) FROM at JOIN events USING (id)
        """,
        [SAMPLES, first, max(1, last - first + 1)],
    ).fetchone()[0]
    begin, end, segments = db.execute(
        "SELECT min(last_event), max(last_event), count(*) FROM event_segments "
        "WHERE last_event >= ?",  # those of events that were removed go, too
        [first],
    ).fetchone()
    packed = 0.0
    if segments:
        packed = db.execute(
            """
            WITH RECURSIVE sample(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM sample WHERE n < ?),
                at(id) AS (SELECT ? + n * 2654435761 % ? FROM sample)
            SELECT avg(length(texts)) FROM at JOIN event_segments ON last_event = (
                SELECT min(last_event) FROM event_segments WHERE last_event >= at.id
            )
            """,
            [SAMPLES, begin, max(1, end - begin)],
        ).fetchone()[0]
    return int((last - first + 1) * (text + ROW_BYTES) + segments * packed)


def beyond_size_of(db: Database, repository_id: int, size: int) -> int:
    """Return the last event, of a full thousand, by which so much of a repository has to go.

    Then its events take this many bytes, about. It is estimated by some of them, spread evenly.
    """
    cut_at = event_cut.removed_up_to(db)
    counts = db.execute(
        "SELECT (thousand + 1) * 1000, count FROM thousands_of_events "
        "WHERE repository_id = ? AND thousand >= ? ORDER BY thousand",
        [repository_id, cut_at // 1000],
    ).fetchall()
    total = sum(count for _, count in counts)
    if not total:
        return 0
    taken = looked_at = passed = 0
    step = max(1, total // SAMPLES)
    for up_to, count in counts:
        for at in range(-passed % step, count, step):
            sql = f"{_SIZE_OF_ONE} LIMIT 1 OFFSET ?"
            (bytes_,) = db.execute(sql, [repository_id, up_to - 1000, at]).fetchone()
            taken, looked_at = taken + bytes_ + ROW_BYTES, looked_at + 1
        passed += count
    beyond = total - int(size / (taken / looked_at))
    for up_to, count in counts:
        if beyond <= 0:
            return int(up_to) - 1000
        beyond -= count
    return int(counts[-1][0])


def cut(db: Database, up_to: int) -> int | None:
    """Move the cut to the last full thousand up to an event, or before what work rests on.

    Returns:
        the last event that is removed; None where no more are than before.
    """
    first = first_needed(db)
    up_to = min(up_to, events.last_id(db) - 1, up_to if first is None else first - 1) // 1000 * 1000
    if up_to <= event_cut.removed_up_to(db):
        return None
    event_cut.move(db, up_to)
    return up_to


def is_pending(db: Database) -> bool:
    """Say whether rows are left that are to go: below the cut, or of a deleted repository."""
    found = db.execute(
        """
        SELECT EXISTS (SELECT 1 FROM events WHERE id <= ?)
            OR EXISTS (
                SELECT 1 FROM removed_histories AS gone CROSS JOIN events
                ON events.repository_id = gone.repository_id AND events.id <= gone.up_to
                WHERE gone.checksum IS row_checksum(gone.repository_id, gone.up_to)
            )
        """,
        [event_cut.removed_up_to(db)],
    ).fetchone()
    return bool(found[0])


def remove_next(db: Database, of_turns: Collection[str]) -> RemovalStep:
    """Remove the rows of the next events below the cut, a hundred or a megabyte at most.

    Of those of the types `of_turns` is kept which turns they told of.

    Raises:
        DamagedRecord: the cut is not as it was written.
    """
    if not event_cut.is_sound(db):
        raise DamagedRecord("Cut", 1)
    up_to = event_cut.removed_up_to(db)
    last = count = taken = 0
    for id_, size in db.execute(
        """
        SELECT id, length(body) + ifnull((
            SELECT sum(length(text)) FROM whole_values
            WHERE record_table = 'events' AND record_id = events.id
        ), 0) FROM events WHERE id <= ? ORDER BY id LIMIT ?
        """,
        [up_to, STEP],
    ):
        if count and taken + size > STEP_BYTES:
            break
        last, count, taken = id_, count + 1, taken + size
    if not count:
        return RemovalStep(0, has_more=False)
    _keep_what_is_asked_for(db, "id <= ?", [last], of_turns)
    for sql in (
        "DELETE FROM times_of_events WHERE thousand < (? + 999) / 1000",
        "DELETE FROM thousands_of_events WHERE thousand < (? + 999) / 1000",
        "DELETE FROM event_segments WHERE last_event <= ?",
    ):
        db.execute(sql, [last])
    db.execute("DELETE FROM whole_values WHERE record_table = 'events' AND record_id <= ?", [last])
    db.execute("DELETE FROM events WHERE id <= ?", [last])
    return RemovalStep(count, has_more=last < up_to)


def forget_history(db: Database, repository_id: int, up_to: int) -> None:
    """Have the events of a repository be removed, those that there are up to this one.

    A bound that is damaged is written anew.
    """
    db.execute(
        "DELETE FROM removed_histories "
        "WHERE repository_id = ? AND checksum IS NOT row_checksum(repository_id, up_to)",
        [repository_id],
    )
    db.execute(
        """
        INSERT INTO removed_histories (repository_id, up_to) VALUES (?, ?)
        ON CONFLICT (repository_id) DO UPDATE SET up_to = max(up_to, excluded.up_to)
        """,
        [repository_id, up_to],
    )


def lost_bounds(db: Database) -> list[tuple[int, int]]:
    """Return deleted repositories whose bound is damaged, and what the log tells that it was."""
    lost = db.execute(
        "SELECT repository_id FROM removed_histories "
        "WHERE checksum IS NOT row_checksum(repository_id, up_to)"
    ).fetchall()
    return [
        (repository_id, told.id - 1)
        for (repository_id,) in lost
        for told in events.after(db, 0, wanted=_deletion_of(repository_id))[0]
        if msgspec.json.decode(told.body)["data"].get("historyRemoved")
    ]


def _deletion_of(repository_id: int) -> events.EventFilter:
    return events.EventFilter(types=("repo.deleted",), repository_id=repository_id)


def shorten_history(db: Database, repository_id: int, up_to: int) -> int | None:
    """Have the events of a repository up to this one be removed, or before what work rests on.

    Returns:
        the last event up to which they are; None where there are none.
    """
    first = first_needed(db, repository_id)
    up_to = up_to if first is None else min(up_to, first - 1)
    found = db.execute(
        "SELECT max(id) FROM events WHERE repository_id = ? AND id > ? AND id <= ?",
        [repository_id, event_cut.removed_up_to(db), up_to],
    ).fetchone()[0]
    if found is not None:
        forget_history(db, repository_id, found)
    return None if found is None else int(found)


def forget_next(db: Database, of_turns: Collection[str]) -> RemovalStep:
    """Remove the next events of repositories whose history is to go, of one segment at most.

    Of those of the types `of_turns` is kept which turns they told of. Where it is damaged which
    repository's are to go, or how many, none go.
    """
    for repository_id, up_to in db.execute(
        "SELECT repository_id, up_to FROM removed_histories "
        "WHERE checksum IS row_checksum(repository_id, up_to)"
    ).fetchall():
        ids: list[int] = []
        taken, end = 0, up_to
        for id_, size in db.execute(
            """
            SELECT id, length(body) + ifnull((
                SELECT sum(length(text)) FROM whole_values
                WHERE record_table = 'events' AND record_id = events.id
            ), 0) FROM events WHERE repository_id = ? AND id <= ? ORDER BY id LIMIT ?
            """,
            [repository_id, up_to, STEP],
        ):
            if not ids:
                end = event_segments.last_of_segment(db, id_) or up_to
            elif id_ > end or taken + size > STEP_BYTES:
                break
            ids.append(id_)
            taken += size
        if ids:
            places = ", ".join("?" * len(ids))
            _keep_what_is_asked_for(db, f"id IN ({places})", ids, of_turns)
            events.remove_from_within(db, ids)
            return RemovalStep(len(ids), has_more=True)
    return RemovalStep(0, has_more=False)


def _keep_what_is_asked_for(
    db: Database, which: str, of: Sequence[int], types: Collection[str]
) -> None:
    """Keep what is still asked for of events that go.

    That is the turns that sessions were told to have, as one that is not known is taken for a new
    one, and for which session each worktree was made last, as its cleaning asks for that.
    """
    places = ", ".join("?" * len(types))
    db.execute(
        f"""
        INSERT OR IGNORE INTO turns_of_removed_events (session_id, turn_id)
        SELECT session_id, json_extract(body, '$.data.turnId') FROM events
        WHERE {which} AND +type IN ({places}) AND json_valid(body)
            AND json_extract(body, '$.data.turnId') IS NOT NULL
            AND session_id IN (SELECT id FROM sessions)
        """,  # noqa: S608 - constants and places
        [*of, *types],
    )
    db.execute(
        f"""
        INSERT OR REPLACE INTO worktrees_of_removed_events (repository_id, path, session_id)
        SELECT repository_id, json_extract(body, '$.data.path'), session_id FROM events
        WHERE {which} AND +type = 'worktree.created' AND json_valid(body)
            AND json_extract(body, '$.data.path') IS NOT NULL
            AND repository_id IN (SELECT id FROM repositories)
        ORDER BY id
        """,  # noqa: S608 - the same
        [*of],
    )
