"""Moments of a query."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.http.wire.problems import InvalidFields
from command_center.http.wire.timestamps import normalised
from command_center.store import from_timestamp, to_timestamp

SANE = st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29))  # noqa: DTZ001 - Hypothesis takes naive bounds
OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    ("moment", "stored"),
    [
        ("2025-01-31T07:05:09.120Z", "2025-01-31T07:05:09.120Z"),
        ("2025-01-31T07:05:09Z", "2025-01-31T07:05:09.000Z"),
        ("2025-01-31t08:05:09.5+01:00", "2025-01-31T07:05:09.500Z"),
        ("2025-01-31T08:05:09 01:00", "2025-01-31T07:05:09.000Z"),
        ("2025-01-31T00:00:00-05:30", "2025-01-31T05:30:00.000Z"),
        ("2025-01-31T07:05:09.120000001Z", "2025-01-31T07:05:09.121Z"),
        ("2025-01-31T07:05:09.12000000Z", "2025-01-31T07:05:09.120Z"),
    ],
)
def test_a_moment_with_any_offset_is_compared_as_the_store_writes_it(
    moment: str, stored: str
) -> None:
    assert stored == normalised("since", moment)


@pytest.mark.parametrize(
    "moment",
    [
        "",
        "yesterday",
        "2025-01-31",
        "2025-01-31T07:05:09",
        "2025-02-30T07:05:09Z",
        "2025-01-31T25:05:09Z",
        "20250131T070509Z",
        "2025-W05-5T07:05:09Z",
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59.9999Z",
        "2025-01-31T07:05:09Z\n",
        "\N{FULLWIDTH DIGIT TWO}025-01-31T07:05:09Z",
    ],
)
def test_what_is_no_moment_is_refused_with_its_field(moment: str) -> None:
    with pytest.raises(InvalidFields) as refused:
        normalised("until", moment)
    assert ["until"] == [detail.path for detail in refused.value.details]


def test_no_moment_stays_none() -> None:
    assert normalised("since", None) is None


@given(moment=SANE, zone=OFFSETS, other=SANE)
def test_rounding_changes_no_comparison_with_a_stored_timestamp(
    moment: datetime, zone: timezone, other: datetime
) -> None:
    aware = moment.replace(tzinfo=zone)
    stored = to_timestamp(other.replace(tzinfo=UTC))
    bound = normalised("since", aware.isoformat())
    assert bound is not None
    assert (from_timestamp(stored) < aware) == (stored < bound)
