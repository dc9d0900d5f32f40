"""Lines that have a text: each once, with its number, and quickly whatever they are."""

from __future__ import annotations

import time
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.rules.text_lines import BLOCK, is_binary, lines_with


def found_in(content: bytes, query: str, limit: int) -> list[tuple[int, str]]:
    return [*chain.from_iterable(lines_with(content, query, limit))]


TEXTS = st.text("abAB\n \r.é", max_size=60)


@given(TEXTS, st.sampled_from(["a", "A", "ab", "aB", "é", "b.", "Aé"]), st.integers(1, 9))
def test_the_first_lines_are_found_that_have_the_text(text: str, query: str, limit: int) -> None:
    folded = text.lower() if query.islower() else text
    expected = [number for number, line in enumerate(folded.split("\n"), 1) if query in line]
    found = found_in(text.encode(), query, limit)
    assert expected[:limit] == [number for number, _ in found]
    for number, shown in found:
        assert text.split("\n")[number - 1].rstrip("\r") == shown


def test_letters_of_other_lengths_and_codings_keep_the_numbers() -> None:
    assert [(2, "\u0130 É x")] == found_in("\u0130\n\u0130 É x".encode(), "é", 5)
    assert [(2, "\\xff É")] == found_in(b"\xff\n\xff \xc3\x89\n", "é", 5)


def test_a_zero_byte_at_the_beginning_is_no_texts() -> None:
    assert is_binary(b"a\0b")
    assert not is_binary(b"a" * 9000 + b"\0")


@pytest.mark.parametrize("filler", ["x", "É", "x\n", "\n", "xxxx\r\n"])
@pytest.mark.parametrize("query", ["needle", "nädel"])
def test_nothing_is_missed_or_found_twice_at_a_seam(filler: str, query: str) -> None:
    width = len(filler.encode())
    for before in range(BLOCK - 9, BLOCK + 3):
        text = "y" * (before % width) + filler * (before // width) + query.upper() + filler * BLOCK
        text += f"\nzz {query}\n"
        number = text[: text.index(query.upper())].count("\n") + 1
        found = found_in(text.encode(), query, 9)
        assert [number, text.count("\n")] == [line for line, _ in found]
        assert query in found[0][1].lower()


def test_a_step_looks_through_a_block_at_most() -> None:
    content = b"\n" * (4 * 1024 * 1024 - 18_000) + "ä\n".encode() * 6000
    began = time.thread_time()
    steps = [*lines_with(content, "ä", 20)]
    assert time.thread_time() - began < 2
    assert len(steps) >= 4 * 1024 * 1024 // BLOCK - 1
    first = len(content) - 18_000 + 1
    assert [*range(first, first + 20)] == [line for lines in steps for line, _ in lines]


def test_no_line_holds_a_search_up() -> None:
    began = time.thread_time()
    assert not found_in(b"a" * 4_000_000, "a" * 199 + "b", 20)
    assert 1 == len(found_in(b"a" * 4_000_000, "a" * 200, 20))
    assert 20 == len(found_in(b"a\n" * 2_000_000, "a", 20))
    assert time.thread_time() - began < 5
