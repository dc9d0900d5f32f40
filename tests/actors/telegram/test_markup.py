"""Texts: escaped whatever is in them, and never longer than Telegram takes."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.telegram.markup import (
    LONGEST,
    StyledText,
    block,
    bold,
    code,
    fit,
    length,
    length_of,
    lines,
    shorten,
    shorten_middle,
    text,
    to_html,
    to_plain,
)

ANY = st.text(st.characters(exclude_categories=[]), max_size=300)
PIECES = st.lists(
    st.builds(StyledText, st.sampled_from(["plain", "bold", "italic", "code", "block"]), ANY)
)


def test_each_style_has_its_tag() -> None:
    said = text("a", bold("b"), code("c"), block("d"))
    assert "a<b>b</b><code>c</code><pre>d</pre>" == to_html(said)
    assert "abcd" == to_plain(said)


def test_what_looks_like_markup_is_text() -> None:
    assert '<b>&lt;/b&gt;&amp;amp; "</b>' == to_html([bold('</b>&amp; "')])


@given(PIECES)
def test_the_html_shows_exactly_the_plain_text(pieces: list[StyledText]) -> None:
    written = to_html(pieces)
    shown = html.unescape(re.sub(r"</?(?:b|i|code|pre)>", "", written))
    assert to_plain(pieces) == shown
    written.encode()


@given(PIECES)
def test_what_is_fitted_fits_and_is_a_beginning(pieces: list[StyledText]) -> None:
    fitted = fit(pieces, 100)
    assert length_of(fitted) <= 100
    whole = "".join(piece.text for piece in pieces)
    kept = "".join(piece.text for piece in fitted).removesuffix("…").rstrip()
    assert whole.replace("\ud800", "").startswith(kept[:1]) or not kept


@given(ANY, st.integers(1, 200))
def test_what_is_shortened_is_short_enough(said: str, limit: int) -> None:
    assert length(shorten(said, limit)) <= limit
    if length(said) <= limit:
        assert said == shorten(said, limit)


@given(st.lists(st.text(max_size=40)).map("\n".join), st.integers(40, 400))
def test_a_middle_that_is_left_out_leaves_room(said: str, limit: int) -> None:
    assert length(shorten_middle(said, limit)) <= limit


def test_the_middle_is_left_out_by_whole_lines() -> None:
    said = "\n".join(f"line {number}" for number in range(100))
    short = shorten_middle(said, 120)
    assert short.startswith("line 0\nline 1\n")
    assert short.endswith("line 98\nline 99")
    assert "lines left out" in short


def test_lengths_are_counted_as_telegram_counts_them() -> None:
    assert 2 == length("🔔")
    assert "🔔" * 50 == "".join(p.text for p in fit([bold("🔔" * 50)], 100))
    assert LONGEST == length_of(fit([block("🔔" * 4000)])) + 1


def test_lines_leave_out_what_is_nothing() -> None:
    assert "a\n\nb" == to_plain(lines("a", None, "", bold("b")))
