"""The place where a stream goes on: frames in, events out, and the place moved on."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from command_center_client.place import FIRST_SECONDS, LONGEST_SECONDS, LogPlace

LOG = "5f1a60c2b7d94e83"


def frame(number: int | None, kind: str = "task.created") -> list[str]:
    event = {"id": number, "type": kind}
    place = [] if number is None else [f"id: {LOG}:{number}"]
    return [*place, f"data: {json.dumps(event)}", ""]


def taken(place: LogPlace, *lines: str) -> list[Any]:
    return [event["id"] for line in lines for event in place.take(line)]


def test_the_opening_frame_is_where_the_stream_is_and_no_event() -> None:
    place = LogPlace()
    assert {"after": None, "logId": None} == place.query()
    opening = ["event: stream.opened", f"id: {LOG}:17", 'data: {"type": "stream.opened"}', ""]
    assert [] == taken(place, "retry: 1000", "", *opening)
    assert {"after": 17, "logId": LOG} == place.query()


@given(st.lists(st.integers(1, 9), min_size=1, max_size=20), st.data())
def test_however_often_it_is_cut_each_event_comes_once_and_in_order(
    cuts: list[int], data: st.DataObject
) -> None:
    """A server sends all after the place that it is asked for; the connection is cut anywhere."""
    place, seen = LogPlace(0, LOG), []
    for length in cuts:
        place.begin()
        after = data.draw(st.integers(0, place.after or 0))  # at worst, more than was asked for
        lines = [line for number in range(after + 1, 30) for line in frame(number)]
        seen += taken(place, *lines[:length])
    assert [*range(1, len(seen) + 1)] == seen
    assert place.after == len(seen)


def test_what_is_only_live_moves_no_place() -> None:
    place = LogPlace(3, LOG)
    assert [None, 4] == taken(place, ":", *frame(None, "session.usage"), *frame(4))
    assert 4 == place.after


def test_pauses_grow_to_a_bound_and_begin_anew_once_events_come() -> None:
    place = LogPlace(0, LOG)
    pauses = [place.wait_seconds() for _ in range(20)]
    assert FIRST_SECONDS / 2 <= pauses[0] <= FIRST_SECONDS
    assert all(LONGEST_SECONDS / 2 <= pause <= LONGEST_SECONDS for pause in pauses[7:])
    assert [1] == taken(place, *frame(1))
    assert place.wait_seconds() <= FIRST_SECONDS
