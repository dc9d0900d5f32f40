"""Texts and plain JSON that are too long for a row."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.store.long_texts.shortening import LONGEST, length_of, shorten, shorten_text

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=400),
    lambda inner: (
        st.lists(inner, max_size=12) | st.dictionaries(st.text(max_size=20), inner, max_size=12)
    ),
    max_leaves=60,
)


@given(value=plain, room=st.integers(300, 3000))
def test_what_has_room_stays_as_it_is_and_the_rest_comes_to_about_the_room(
    value: Any, room: int
) -> None:
    shown = shorten(value, room)
    if length_of(value) <= room:
        assert shown is value
    else:
        # A note stands in each text that was shortened, and those are longer than the note.
        assert length_of(shown) <= 2 * room
        assert type(value) is type(shown)


def test_a_text_keeps_its_beginning_and_its_end() -> None:
    shown = shorten_text("a" * 600 + "b" * 400, 100)
    assert shown.startswith("a" * 75 + "\n… 900 characters are left out here …\n")
    assert shown.endswith("b" * 25)
    assert "a" * 100 == shorten_text("a" * 100, 100)


def test_numbers_and_short_texts_of_an_item_stay_whole() -> None:
    body = {
        "id": "call_1",
        "type": "commandExecution",
        "command": "make",
        "aggregatedOutput": "o" * 10 * LONGEST,
        "exitCode": 2,
        "durationMs": 12,
    }
    shown = shorten(body)
    assert list(body) == list(shown)
    assert {**body, "aggregatedOutput": ""} == {**shown, "aggregatedOutput": ""}
    assert LONGEST * 0.99 < len(shown["aggregatedOutput"]) < LONGEST


@pytest.mark.parametrize("count", [3, 50, 100_000])
def test_of_many_changes_the_first_are_shown(count: int) -> None:
    changes = [
        {"path": f"/srv/{n}", "kind": {"type": "add"}, "diff": "x" * 9000} for n in range(50)
    ]
    body = {"id": "c", "type": "fileChange", "changes": (changes * (count // 50 + 1))[:count]}
    shown = shorten(body)
    assert ["id", "type", "changes"] == list(shown)
    assert {"path": "/srv/0", "kind": {"type": "add"}}.items() <= shown["changes"][0].items()
    assert length_of(shown) < 1.5 * LONGEST


def test_a_mass_of_numbers_is_cut() -> None:
    assert length_of(shorten(list(range(10 * LONGEST)))) <= LONGEST
