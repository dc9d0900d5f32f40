"""Schedule expressions of automations, and the moments that they name.

Everything here is a pure function of an expression, a time zone and a moment. A schedule has no
memory: `hourly:6` means the hours 0, 6, 12 and 18 of the day, not "six hours after the last run",
so the due times of any day are known beforehand and a run by hand moves none of them.

Schedules speak of the wall clock of a time zone, and a wall clock is not always honest:

- **A time that does not exist** (02:30 on the night when clocks go forward from 02:00 to 03:00) is
  due at the first moment after the gap, 03:00. If that moment is due by itself, it is one due time.
- **A time that comes twice** (02:30 on the night when clocks go back) is due once, the first time.
  Only `hourly` means each hour that passes, so it is due at both.

`cron:` expressions keep these rules where both the minute and the hour are given; where one of the
two begins with a star the expression follows the hours that pass, as Debian's cron does: it is due
at both of two equal times, and not at all at one that does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import attrs
from cronsim import CronSim, CronSimError

from command_center.actors.rules.event_triggers import PREFIX, OnEvent, read_trigger
from command_center.actors.rules.schedule_errors import InvalidSchedule, UnknownTimezone

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days as `weekly@` names them, in the order of `date.weekday`."""

HOURS: Final = 24

YEARS: Final = range(2000, 9001)
"""The years that `once@` may name; every zone can tell their moments."""

_DAILY = re.compile(r"daily@(?P<time>.*)", re.DOTALL)
_WEEKLY = re.compile(r"weekly@(?P<days>[^@]*)@(?P<time>.*)", re.DOTALL)
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}t[0-9]{2}:[0-9]{2}")
_HOURLY = re.compile(r"hourly:(?P<hours>[0-9]{1,9})")
_TIME = re.compile(r"(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9])")
_CRON_FIELDS = 5
_CRON_LENGTH = 200


@attrs.frozen
class Times:
    """Certain times of certain days of the week."""

    times: tuple[time, ...]
    days: frozenset[int] = frozenset(range(7))
    each_hour: bool = False
    """A time that comes twice is due twice."""

    def after(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """Return the first due time after the moment, in UTC."""
        day = moment.astimezone(zone).date() - timedelta(days=1)
        while True:
            if day.weekday() in self.days:
                for due in self._moments(day, zone):
                    if due > moment:
                        return due
            day += timedelta(days=1)

    def _moments(self, day: date, zone: ZoneInfo) -> Sequence[datetime]:
        found = {first_moment(datetime.combine(day, at), zone) for at in self.times}
        if self.each_hour:
            found |= {last_moment(datetime.combine(day, at), zone) for at in self.times}
        return sorted(found)


@attrs.frozen
class Cron:
    """A cron expression of five fields, as `cronsim` reads it."""

    fields: str

    def after(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """Return the first due time after the moment, in UTC; None where none comes in 50 years."""
        for found in CronSim(self.fields, moment.astimezone(zone)):
            # In the second of two equal hours the library may name a time of the first.
            if (due := found.astimezone(UTC)) > moment:
                return due
        return None


@attrs.frozen
class Once:
    """One moment of the zone's clocks."""

    at: datetime

    def after(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """Return the due time if it lies after the moment, in UTC.

        None, too, at the ends of the calendar, where UTC has no such moment.
        """
        try:
            due = first_moment(self.at, zone)
        except OverflowError:
            return None
        return due if due > moment else None


@attrs.frozen
class Never:
    """No time: what follows it begins by hand, or by a hook."""

    def after(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """Return None."""
        del moment, zone
        return None


Schedule: TypeAlias = Times | Cron | Once | Never | OnEvent


@lru_cache(maxsize=1024)
def parse(expression: str) -> Schedule:
    """Read an expression; case, but in conditions on events, and surrounding space do not matter.

    Raises:
        InvalidSchedule: it is none of the known forms, or names no time at all.
    """
    text = expression.strip().lower()
    if text in _WORDS:
        return _WORDS[text]
    if text.startswith(PREFIX):
        return read_trigger(expression, expression.strip()[len(PREFIX) :])
    return _parse_times(expression, text)


def _parse_times(expression: str, text: str) -> Schedule:
    if text.startswith("once@"):
        return _once(expression, text.removeprefix("once@").strip())
    if match := _HOURLY.fullmatch(text):
        return _every(expression, int(match["hours"]))
    if match := _DAILY.fullmatch(text):
        return Times((_time(expression, match["time"], "daily@09:00"),))
    if match := _WEEKLY.fullmatch(text):
        at = _time(expression, match["time"], "weekly@mon,thu@09:00")
        return Times((at,), _days(expression, match["days"]))
    if text.startswith("cron:"):
        return _cron(expression, text.removeprefix("cron:").strip())
    raise InvalidSchedule(expression, "is not a schedule")


def find_zone(name: str) -> ZoneInfo:
    """Return the time zone of that IANA name.

    Raises:
        UnknownTimezone: there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, malformed, or a folder of zones
        raise UnknownTimezone(name) from None


def upcoming(
    schedule: Schedule, zone: ZoneInfo, moment: datetime, count: int
) -> Iterator[datetime]:
    """Return the next `count` due times after the moment; fewer where there are no more."""
    following: datetime | None = moment
    for _ in range(count):
        assert following is not None  # noqa: S101 - the loop has ended otherwise
        following = schedule.after(following, zone)
        if following is None:
            return
        yield following


def passed(
    schedule: Schedule, zone: ZoneInfo, first: datetime, moment: datetime, *, limit: int
) -> list[datetime]:
    """Return the due times from `first`, which is one, up to the moment, oldest first.

    Of more than `limit` it gives the first `limit - 1` and the last one, which it finds without
    going through those between: after a year asleep nobody waits for a year to be counted.
    """
    found = [first]
    for due in upcoming(schedule, zone, first, limit):
        if due > moment:
            return found
        found.append(due)
    return [*found[: limit - 1], _last(schedule, zone, moment) or found[-1]]


def first_moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment at which the zone's clocks first show this time, or a later one."""
    early = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if early.astimezone(zone).replace(tzinfo=None) == wall:
        return early
    # In a gap fold 0 counts from before it, and so comes out after it; fold 1 the reverse
    # (https://peps.python.org/pep-0495/#the-fold-attribute). The gap's end lies between the two.
    before, after = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), early
    offset = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after


def last_moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment at which the zone's clocks last show this time, or first a later one."""
    late = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if late.astimezone(zone).replace(tzinfo=None) == wall:
        return late
    return first_moment(wall, zone)


def _last(schedule: Schedule, zone: ZoneInfo, moment: datetime) -> datetime | None:
    """Return the last due time up to the moment; looks back further and further."""
    for hours in (1, 24, 24 * 8, 24 * 32, 24 * 366, 24 * 366 * 8):
        due = schedule.after(moment - timedelta(hours=hours), zone)
        if due is not None and due <= moment:
            while (later := schedule.after(due, zone)) is not None and later <= moment:
                due = later
            return due
    return None


def _once(expression: str, text: str) -> Once:
    example = "a day and a time, as in once@2026-12-01T09:00"
    if not _MOMENT.fullmatch(text):
        raise InvalidSchedule(expression, "names no moment", example)
    try:
        at = datetime.fromisoformat(text.upper())
    except ValueError:
        raise InvalidSchedule(expression, "names no day that there is", example) from None
    if at.year not in YEARS:
        years = f"a year from {YEARS[0]} to {YEARS[-1]}, as in once@2026-12-01T09:00"
        raise InvalidSchedule(expression, "is too far away", years)
    return Once(at)


def _every(expression: str, hours: int) -> Times:
    if not 2 <= hours <= HOURS:  # noqa: PLR2004 - "every hour" has its own word
        raise InvalidSchedule(
            expression, "is beyond a day or below two hours", "hourly, or hourly:2 to hourly:24"
        )
    return Times(tuple(time(hour) for hour in range(0, HOURS, hours)))


def _time(expression: str, text: str, example: str) -> time:
    match = _TIME.fullmatch(text)
    if match is None:
        raise InvalidSchedule(
            expression, "names no time of the day", f"HH:MM from 00:00 to 23:59, as in {example}"
        )
    return time(int(match["hour"]), int(match["minute"]))


def _days(expression: str, text: str) -> frozenset[int]:
    names = [name.strip() for name in text.split(",")]
    if not all(name in DAYS for name in names):
        raise InvalidSchedule(
            expression,
            "names no days of the week",
            f"some of {', '.join(DAYS)}, as in weekly@mon,thu@09:00",
        )
    return frozenset(DAYS.index(name) for name in names)


def _cron(expression: str, fields: str) -> Cron:
    example = "five fields, as in cron:*/15 9-17 * * mon-fri"
    if len(fields.split()) != _CRON_FIELDS or len(fields) > _CRON_LENGTH:
        raise InvalidSchedule(
            expression,
            "does not have the five fields minute, hour, day of the month, month, day of the week",
            example,
        )
    try:
        CronSim(fields, _SOME_MOMENT)
    except CronSimError as error:
        fault = str(error).removeprefix("Bad ")
        raise InvalidSchedule(expression, f"has a bad {fault}", example) from None
    cron = Cron(fields)
    if cron.after(_SOME_MOMENT, _UTC) is None:
        raise InvalidSchedule(expression, "never comes", example)
    return cron


_WORDS: Final[Mapping[str, Schedule]] = {
    "never": Never(),
    "hourly": Times(tuple(time(hour) for hour in range(HOURS)), each_hour=True),
}
_UTC = ZoneInfo("UTC")
_SOME_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
