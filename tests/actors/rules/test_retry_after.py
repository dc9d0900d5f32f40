"""The pause that an answer wants: a number or a date, and anything else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.rules.retry_after import retry_after

HOUR = 3600.0


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (b"30", 30.0),
        (" 30 ", 30.0),
        (b"0", 0.0),
        (b"9" * 5000, HOUR),
        (b"-1", None),
        (b"1.5", None),
        (b"1e9", None),
        (b"", None),
        (None, None),
        ("²", None),
        ("٣", None),
        (b"\xb2", None),
        (b"\xff\xfe", None),
        (b"soon", None),
        (b"Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        (b"Fri, 31 Dec 9999 23:59:59 -2359", HOUR),
        (b"Sat, 01 Jan 0001 00:00:00 +2359", 0.0),
        (b"Fri, 31 Dec 99999 23:59:59 GMT", None),
        (b"Fri, 31 Dec 2026 23:59:59 +99999999999999999999", None),
        (b"Fri, 31 Feb 2026 99:99:99 GMT", None),
    ],
)
def test_it_is_a_number_or_a_date_and_is_bounded(
    said: bytes | str | None, seconds: float | None
) -> None:
    assert seconds == retry_after(said, longest=HOUR)


def test_a_date_is_so_many_seconds_away() -> None:
    said = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    found = retry_after(said, longest=HOUR)
    assert found is not None
    assert 90 < found <= 100


@given(st.one_of(st.binary(), st.text(), st.from_regex(r"\w+, \d+ \w+ \d+ \d+:\d+:\d+ .*")))
def test_whatever_it_says_is_borne(said: bytes | str) -> None:
    found = retry_after(said, longest=HOUR)
    assert found is None or 0 <= found <= HOUR
