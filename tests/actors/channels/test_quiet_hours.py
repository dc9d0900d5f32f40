"""Quiet hours, as people write them."""

from __future__ import annotations

from datetime import time

import pytest

from command_center.actors.channels.quiet_hours import parse_quiet_hours


def test_quiet_hours_may_be_written_in_short() -> None:
    assert (time(22), time(7)) == parse_quiet_hours("22-7")
    assert (time(22, 30), time(7)) == parse_quiet_hours("22:30 - 07:00")


@pytest.mark.parametrize("said", ["", "22", "24:00-07:00", "22:60-07:00", "8-8", "noon-night"])
def test_what_is_no_time_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_quiet_hours(said)
