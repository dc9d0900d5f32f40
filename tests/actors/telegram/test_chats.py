"""People who may act, and messages that make no sound."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.telegram.chats import is_silent, moment
from command_center.actors.telegram.errors import NotAnUpdate
from command_center.actors.telegram.updates import decode_update
from command_center.store import TelegramChat


def chat(**more: Any) -> TelegramChat:
    at = "2026-01-01T00:00:00.000Z"
    return TelegramChat(id=1, created_at=at, updated_at=at, chat_id=1, **more)


@pytest.mark.parametrize(
    ("hours", "now", "silent"),
    [
        ("22:00-07:00", "21:59", False),
        ("22:00-07:00", "22:00", True),
        ("22:00-07:00", "03:00", True),
        ("22:00-07:00", "07:00", False),
        ("12:00-13:00", "12:30", True),
        ("12:00-13:00", "13:00", False),
        (None, "03:00", False),
    ],
)
def test_quiet_hours_hold_over_midnight_too(hours: str | None, now: str, silent: bool) -> None:  # noqa: FBT001 - it is a column of the table
    at = datetime.fromisoformat(f"2026-01-15T{now}:00+00:00")
    assert silent is is_silent(chat(quiet_hours=hours), at, UTC)


def test_quiet_hours_are_those_of_the_time_zone() -> None:
    at = datetime(2026, 7, 1, 21, 30, tzinfo=UTC)
    wants = chat(quiet_hours="23:00-07:00")
    assert is_silent(wants, at, ZoneInfo("Europe/Berlin"))
    assert not is_silent(wants, at, UTC)


def test_a_silence_ends_at_its_moment() -> None:
    wants = chat(silent_until="2026-01-15T12:00:00.000Z")
    assert is_silent(wants, datetime(2026, 1, 15, 11, 59, tzinfo=UTC), UTC)
    assert not is_silent(wants, datetime(2026, 1, 15, 12, 0, tzinfo=UTC), UTC)


def test_a_moment_of_today_needs_no_day() -> None:
    now = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
    assert "18:30" == moment("2026-01-15T18:30:00.000Z", UTC, now=now)
    assert "16 Jan 18:30" == moment("2026-01-16T18:30:00.000Z", UTC, now=now)


@given(st.binary(max_size=200))
def test_whatever_comes_is_an_update_or_is_refused(body: bytes) -> None:
    with contextlib.suppress(NotAnUpdate):
        assert decode_update(body).update_id >= 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["message", "from", "chat", "id", "text", "callback_query", "data"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["message", "callback_query", "x"]), JSON))
def test_an_update_of_any_shape_says_who_and_where_or_nothing(members: dict[str, Any]) -> None:
    update = decode_update(msgspec.json.encode({**members, "update_id": 7}))
    assert 7 == update.update_id
    assert update.chat is None or isinstance(update.chat.id, int)
    assert update.user is None or isinstance(update.user.id, int)
