"""Moments as text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.store import from_timestamp, now_timestamp, to_timestamp

MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.timezones())  # noqa: DTZ001 - Hypothesis adds the zone


def test_a_moment_is_written_in_utc_with_milliseconds_cut_off() -> None:
    berlin = timezone(timedelta(hours=1))
    moment = datetime(2025, 1, 31, 8, 5, 9, 120999, berlin)
    assert "2025-01-31T07:05:09.120Z" == to_timestamp(moment)


def test_any_offset_is_read() -> None:
    expected = datetime(2025, 1, 31, 7, 5, 9, tzinfo=UTC)
    assert expected == from_timestamp("2025-01-31T08:05:09+01:00")


@given(MOMENTS)
def test_what_was_written_is_read_to_the_millisecond(moment: datetime) -> None:
    assert timedelta(0) <= moment - from_timestamp(to_timestamp(moment)) < timedelta(milliseconds=1)


@given(MOMENTS, MOMENTS)
def test_texts_sort_as_their_moments_follow(one: datetime, other: datetime) -> None:
    if to_timestamp(one) < to_timestamp(other):
        assert one < other


@pytest.mark.parametrize("text", ["2025-01-31T07:05:09", "yesterday", ""])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is the standard library's
        from_timestamp(text)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="names no time zone"):
        to_timestamp(datetime(2025, 1, 31))  # noqa: DTZ001 - that is the point


def test_now_is_now() -> None:
    before = datetime.now(UTC)
    assert abs(from_timestamp(now_timestamp()) - before) < timedelta(minutes=1)
