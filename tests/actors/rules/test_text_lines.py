"""Lines that have a text: each once, with its number, and quickly whatever they are."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.rules.text_lines import is_binary, lines_with

TEXTS = st.text("abAB\n \r.é", max_size=60)


@given(TEXTS, st.sampled_from(["a", "A", "ab", "aB", "é", "b.", "Aé"]), st.integers(1, 9))
def test_the_first_lines_are_found_that_have_the_text(text: str, query: str, limit: int) -> None:
    folded = text.lower() if query.islower() else text
    expected = [number for number, line in enumerate(folded.split("\n"), 1) if query in line]
    found = lines_with(text.encode(), query, limit)
    assert expected[:limit] == [number for number, _ in found]
    for number, shown in found:
        assert text.split("\n")[number - 1].rstrip("\r") == shown


def test_letters_of_other_lengths_and_codings_keep_the_numbers() -> None:
    assert [(2, "\u0130 É x")] == lines_with("\u0130\n\u0130 É x".encode(), "é", 5)
    assert [(2, "\\xff É")] == lines_with(b"\xff\n\xff \xc3\x89\n", "é", 5)


def test_a_zero_byte_at_the_beginning_is_no_texts() -> None:
    assert is_binary(b"a\0b")
    assert not is_binary(b"a" * 9000 + b"\0")


def test_no_line_holds_a_search_up() -> None:
    began = time.perf_counter()
    assert not lines_with(b"a" * 4_000_000, "a" * 199 + "b", 20)
    assert 1 == len(lines_with(b"a" * 4_000_000, "a" * 200, 20))
    assert 20 == len(lines_with(b"a\n" * 2_000_000, "a", 20))
    assert time.perf_counter() - began < 5
