"""Read what the other side of a post says of itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from command_center.actors.channels.posting import retry_after


@pytest.mark.parametrize(
    ("said", "seconds"), [("", None), ("120", 120.0), ("soon", None), ("999999", 86400.0)]
)
def test_a_retry_after_has_seconds(said: str, seconds: float | None) -> None:
    assert seconds == retry_after(said)


def test_a_retry_after_may_have_a_date() -> None:
    moment = datetime.now(UTC) + timedelta(minutes=10)
    assert 590 < (retry_after(format_datetime(moment, usegmt=True)) or 0) <= 600
    assert 0 == retry_after("Thu, 01 Jan 1970 00:00:00 -0000")
