"""Schedules against an independent reading of them: every minute of some days, one by one."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from command_center.actors.rules.schedule import (
    DAYS,
    Once,
    find_zone,
    parse,
    passed,
    upcoming,
)
from command_center.actors.rules.schedule_errors import InvalidSchedule, UnknownTimezone

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def walls(expression: str, zone: ZoneInfo, start: str, count: int) -> list[str]:
    """The next due times as the zone's clocks show them; `start` too, unless it has an offset."""
    moment = datetime.fromisoformat(start)
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    found = upcoming(parse(expression), zone, moment, count)
    return [due.astimezone(zone).isoformat(timespec="minutes") for due in found]


# ── the days that are not like others ────────────────────────────────────────────────────────


def test_a_daily_time_that_the_clocks_skip_is_due_once_at_the_first_moment_after() -> None:
    assert [
        "2025-03-29T02:30+01:00",
        "2025-03-30T03:00+02:00",
        "2025-03-31T02:30+02:00",
    ] == walls("daily@02:30", BERLIN, "2025-03-29", 3)


def test_a_daily_time_that_comes_twice_is_due_once_the_first_time() -> None:
    assert [
        "2025-10-25T02:30+02:00",
        "2025-10-26T02:30+02:00",
        "2025-10-27T02:30+01:00",
    ] == walls("daily@02:30", BERLIN, "2025-10-25", 3)


def test_in_the_second_of_two_equal_hours_the_next_daily_time_is_tomorrows() -> None:
    second = "2025-10-26T02:15+01:00"
    for expression in ("daily@02:30", "cron:30 2 * * *"):
        assert ["2025-10-27T02:30+01:00"] == walls(expression, BERLIN, second, 1)


def test_hourly_is_due_at_both_of_two_equal_hours_and_not_at_one_that_is_skipped() -> None:
    assert [
        "2025-10-26T02:00+02:00",
        "2025-10-26T02:00+01:00",
        "2025-10-26T03:00+01:00",
    ] == walls("hourly", BERLIN, "2025-10-26T01:00", 3)
    assert ["2025-03-30T01:00+01:00", "2025-03-30T03:00+02:00"] == walls(
        "hourly", BERLIN, "2025-03-30", 2
    )


def test_every_two_hours_keeps_to_the_wall_clock_on_both_days() -> None:
    assert [
        "2025-03-30T03:00+02:00",
        "2025-03-30T04:00+02:00",
        "2025-03-30T06:00+02:00",
    ] == walls("hourly:2", BERLIN, "2025-03-30", 3)
    assert [
        "2025-10-26T02:00+02:00",
        "2025-10-26T04:00+01:00",
    ] == walls("hourly:2", BERLIN, "2025-10-26", 2)


def test_a_midnight_that_the_clocks_skip_is_due_at_one() -> None:
    zone = ZoneInfo("Asia/Beirut")
    assert ["2025-03-30T01:00+03:00", "2025-03-31T00:00+03:00"] == walls(
        "daily@00:00", zone, "2025-03-29T12:00", 2
    )


def test_a_half_hour_change_moves_a_time_to_the_half_hour() -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    assert ["2025-10-05T02:30+11:00", "2025-10-06T02:00+11:00"] == walls(
        "daily@02:00", zone, "2025-10-04T12:00", 2
    )


def test_the_leap_day_is_a_day_like_others() -> None:
    assert ["2028-02-28", "2028-02-29", "2028-03-01"] == [
        wall[:10] for wall in walls("daily@09:00", BERLIN, "2028-02-28", 3)
    ]
    assert ["2028-02-29", "2032-02-29"] == [
        wall[:10] for wall in walls("cron:0 9 29 2 *", BERLIN, "2025-01-01", 2)
    ]


def test_the_years_end_is_no_end() -> None:
    assert ["2025-12-31T23:59+01:00", "2026-01-01T23:59+01:00"] == walls(
        "daily@23:59", BERLIN, "2025-12-31T12:00", 2
    )
    assert ["2026-01-01T00:00+01:00"] == walls("hourly:24", BERLIN, "2025-12-31T23:30", 1)


def test_a_single_moment_is_due_once_by_the_clocks_of_the_zone_and_never_is_not() -> None:
    once = "once@2025-03-30T02:30"  # which the clocks skip
    assert ["2025-03-30T03:00+02:00"] == walls(once, BERLIN, "2025-03-29", 3)
    assert [] == walls(once, BERLIN, "2025-03-30T03:00", 3)
    assert [] == walls("never", BERLIN, "2025-03-29", 3)
    for wrong in (
        "once@tomorrow",
        "once@2025-02-30T09:00",
        "once@2025-03-30T09:00:01",
        "once@0001-01-01T00:00",
        "once@1999-12-31T23:59",
        "once@9001-01-01T00:00",
        "once@9999-12-31T23:59",
    ):
        with pytest.raises(InvalidSchedule, match="once@2026-12-01T09:00"):
            parse(wrong)


@given(st.datetimes(), st.timezones())
@example(datetime.fromisoformat("0001-01-01"), ZoneInfo("Asia/Tokyo"))
@example(datetime.fromisoformat("9999-12-31T23:59"), ZoneInfo("America/Los_Angeles"))
def test_a_single_moment_anywhere_in_the_calendar_has_an_answer(
    wall: datetime, zone: ZoneInfo
) -> None:
    now = datetime(2025, 6, 2, tzinfo=UTC)
    due = Once(wall).after(now, zone)
    assert due is None or due > now
    assert (due is not None) or wall.year < 2026 or wall.year == 9999


def test_a_due_time_is_after_the_moment_never_at_it() -> None:
    assert ["2025-06-03T09:00+02:00"] == walls("daily@09:00", BERLIN, "2025-06-02T09:00", 1)
    for expression in ("daily@09:00", "cron:0 9 * * *"):
        assert ["2025-06-02T09:00+02:00"] == walls(expression, BERLIN, "2025-06-02T08:59:59.999", 1)


def test_weekly_names_its_days() -> None:
    assert [
        "2025-06-02T09:00+02:00",  # a Monday
        "2025-06-05T09:00+02:00",
        "2025-06-09T09:00+02:00",
    ] == walls("weekly@mon,thu@09:00", BERLIN, "2025-06-01", 3)


# ── what is refused ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("", "daily@HH:MM"),
        ("daily", "daily@HH:MM"),
        ("hourly:1", "hourly:2 to hourly:24"),
        ("hourly:25", "hourly:2 to hourly:24"),
        ("hourly:", "hourly:2 to hourly:24"),
        ("daily@9:00", "daily@09:00"),
        ("daily@24:00", "daily@09:00"),
        ("daily@09:00\n10:00", "daily@09:00"),
        ("weekly@09:00", "weekly@mon,thu@HH:MM"),
        ("weekly@@09:00", "weekly@mon,thu@09:00"),
        ("weekly@monday@09:00", "weekly@mon,thu@09:00"),
        ("weekly@mon@9", "weekly@mon,thu@09:00"),
        ("cron:", "cron:*/15 9-17 * * mon-fri"),
        ("cron:* * * * * *", "cron:*/15 9-17 * * mon-fri"),
        ("cron:60 * * * *", "minute"),
        ("cron:0 0 30 2 *", "day-of-month"),
        ("cron:* * */20 * 1L", "never comes"),
    ],
)
def test_an_expression_that_means_nothing_is_refused_with_an_example(
    expression: str, expected: str
) -> None:
    with pytest.raises(InvalidSchedule, match="Expected") as refused:
        parse(expression)
    assert expected in str(refused.value)


@pytest.mark.parametrize("name", ["", "Europe", "Europe/Atlantis", "../etc/passwd", "a\0b"])
def test_a_zone_that_nobody_knows_is_refused(name: str) -> None:
    with pytest.raises(UnknownTimezone, match="Europe/Berlin"):
        find_zone(name)


@given(st.text(max_size=40) | st.text("cron:*/0123456789,-#L ?monfri@hourlydw", max_size=30))
def test_whatever_is_given_is_a_schedule_or_is_refused(text: str) -> None:
    for expression in (text, f"cron:{text}", f"weekly@{text}", f"hourly:{text}"):
        try:
            schedule = parse(expression)
        except InvalidSchedule:
            continue
        assert schedule.after(datetime(2025, 1, 1, tzinfo=UTC), BERLIN) is not None


# ── the independent reading ──────────────────────────────────────────────────────────────────

Matches = Callable[[datetime], bool]
"""Judges whether a schedule names a wall time, to the minute."""


def every_due_minute(
    matches: Matches, zone: ZoneInfo, start: datetime, end: datetime, *, twice: bool
) -> Iterator[datetime]:
    """Go through the minutes after `start` and read the clock at each, as a person would.

    Where the clock jumps over times, it looks whether one of them was wanted; a time that the
    clock has shown within the last day is not wanted again, unless `twice`.
    """
    seen: set[datetime] = set()
    before: datetime | None = None
    for moment, wall in clock(start - timedelta(days=1), end, zone):
        shown = [wall]
        while before is not None and (skipped := before + len(shown) * MINUTE) < wall:
            shown.insert(-1, skipped)
        wanted = [time for time in shown if (twice or time not in seen) and matches(time)]
        seen.update(shown)
        if wanted and moment > start:
            yield moment
        before = wall


def clock(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Go through the minutes and say what the clock shows at each.

    It is looked at each minute of an hour in which it has been changed, and else once.
    """
    moment = start
    while moment <= end:
        wall = _wall(moment, zone)
        is_changed = _wall(moment + HOUR, zone) != wall + HOUR
        for minute in range(min(60, (end - moment) // MINUTE + 1)):
            later = minute * MINUTE
            now = moment + later
            yield now, _wall(now, zone) if is_changed else wall + later
        moment += HOUR


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",  # half an hour
        "Asia/Beirut",  # at midnight
        "America/Havana",  # back over midnight
        "Atlantic/Azores",
        "Africa/Casablanca",  # twice a year, about Ramadan
        "Asia/Kathmandu",
        "Pacific/Apia",
    )
]

CHANGES = [
    datetime(2025, 3, 29, 20, tzinfo=UTC),
    datetime(2025, 10, 25, 20, tzinfo=UTC),
    datetime(2026, 3, 8, 3, tzinfo=UTC),
    datetime(2025, 11, 2, 1, tzinfo=UTC),
    datetime(2025, 4, 5, 10, tzinfo=UTC),
    datetime(2025, 10, 4, 10, tzinfo=UTC),
    datetime(2025, 2, 22, 20, tzinfo=UTC),
    datetime(2028, 2, 28, 20, tzinfo=UTC),
    datetime(2025, 12, 31, 20, tzinfo=UTC),
]
"""Shortly before something unusual, somewhere."""

starts = st.one_of(
    st.builds(
        lambda change, minutes: change + timedelta(minutes=minutes),
        st.sampled_from(CHANGES),
        st.integers(0, 12 * 60),
    ),
    st.integers(0, 6 * 366 * 24 * 60).map(lambda n: datetime(2024, 1, 1, tzinfo=UTC) + n * MINUTE),
)
hours = st.integers(0, 23)
minutes = st.sampled_from([0, 1, 15, 30, 59])


@st.composite
def expressions(draw: st.DrawFn) -> tuple[str, Matches, bool]:
    """An expression, what it means to a person, and whether it counts equal hours twice."""
    hour, minute = draw(hours), draw(minutes)
    kind = draw(st.sampled_from(["hourly", "hourly:n", "daily", "weekly", "cron"]))
    if kind == "hourly":
        return "hourly", lambda wall: wall.minute == 0, True
    if kind == "hourly:n":
        step = draw(st.integers(2, 24))
        return f"hourly:{step}", lambda w: w.minute == 0 and w.hour % step == 0, False
    if kind == "daily":
        return (
            f"daily@{hour:02}:{minute:02}",
            lambda wall: (wall.hour, wall.minute) == (hour, minute),
            False,
        )
    days = draw(st.sets(st.sampled_from(DAYS), min_size=1))
    if kind == "weekly":
        return (
            f"weekly@{','.join(sorted(days))}@{hour:02}:{minute:02}",
            lambda w: (w.hour, w.minute) == (hour, minute) and DAYS[w.weekday()] in days,
            False,
        )
    last = draw(st.integers(hour, 23))
    return (
        f"cron:{minute} {hour}-{last} * * {','.join(sorted(days))}",
        lambda w: w.minute == minute and hour <= w.hour <= last and DAYS[w.weekday()] in days,
        False,
    )


@settings(max_examples=120, deadline=None)
@given(expressions(), st.sampled_from(ZONES), starts)
def test_every_next_time_is_the_one_that_reading_the_clock_finds(
    meaning: tuple[str, Matches, bool], zone: ZoneInfo, start: datetime
) -> None:
    expression, matches, twice = meaning
    end = start + timedelta(days=8)
    schedule = parse(expression)
    expected = list(every_due_minute(matches, zone, start, end, twice=twice))
    found = []
    due = schedule.after(start, zone)
    while due is not None and due <= end:
        found.append(due)
        due = schedule.after(due, zone)
    assert expected == found


@settings(deadline=None)
@given(st.sampled_from([1, 5, 7, 15, 30]), starts)
def test_a_starred_cron_expression_follows_the_hours_that_pass(step: int, start: datetime) -> None:
    for zone in (ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")):
        end = start + 12 * HOUR
        minutes = clock(start + MINUTE, end, zone)
        expected = [moment for moment, wall in minutes if wall.minute % step == 0]
        found = upcoming(parse(f"cron:*/{step} * * * *"), zone, start, len(expected) + 1)
        assert expected == [due for due in found if due <= end]


# ── how much has passed ──────────────────────────────────────────────────────────────────────


def test_what_passed_is_every_due_time_up_to_now() -> None:
    schedule = parse("hourly")
    first = datetime(2025, 6, 2, 1, tzinfo=UTC)
    now = datetime(2025, 6, 2, 4, 30, tzinfo=UTC)
    assert [first, first + HOUR, first + 2 * HOUR, first + 3 * HOUR] == passed(
        schedule, BERLIN, first, now, limit=100
    )
    assert [first] == passed(schedule, BERLIN, first, first, limit=100)


@pytest.mark.parametrize(
    ("expression", "last"),
    [
        ("cron:* * * * *", datetime(2025, 6, 2, 4, 30, tzinfo=UTC)),
        ("hourly", datetime(2025, 6, 2, 4, 0, tzinfo=UTC)),
        ("daily@09:00", datetime(2025, 6, 1, 7, 0, tzinfo=UTC)),
        ("cron:0 0 1 * *", datetime(2025, 5, 31, 22, 0, tzinfo=UTC)),
        ("cron:0 0 29 2 *", datetime(2024, 2, 28, 23, 0, tzinfo=UTC)),
    ],
)
def test_of_very_many_that_passed_the_last_is_found_and_the_rest_is_cut(
    expression: str, last: datetime
) -> None:
    schedule = parse(expression)
    first = next(upcoming(schedule, BERLIN, datetime(2000, 1, 1, tzinfo=UTC), 1))
    now = datetime(2025, 6, 2, 4, 30, 59, tzinfo=UTC)
    found = passed(schedule, BERLIN, first, now, limit=5)
    assert (5, first, last) == (len(found), found[0], found[-1])
