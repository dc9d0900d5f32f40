"""Foreign text, tables and colours: the rules, without a terminal."""

from __future__ import annotations

import io
import json
import sys
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from command_center.http.cli.client import terminal
from command_center.http.cli.client.terminal import (
    cleaned,
    cut,
    diff_lines,
    echo,
    json_of,
    line_of,
    moment_of,
    painted,
    table,
    width_of,
)
from command_center.http.cli.client.transcript import item_lines


class Screen(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@settings(max_examples=30)
@given(st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Lu"])))
def test_no_control_of_a_foreign_text_reaches_the_terminal(text: str) -> None:
    for shown in (cleaned(text), line_of(text), json_of({"a": text})):
        controls = {c for c in shown if unicodedata.category(c) in {"Cc", "Cs"}} - {"\n", "\t"}
        assert set() == controls | (terminal.TURNING & {*shown})
    assert "\n" not in line_of(text)


@given(st.dictionaries(st.text(), st.text()))
def test_json_says_the_same_after_its_controls_are_escaped(value: dict[str, str]) -> None:
    assert value == json.loads(json_of(value))


def test_a_title_that_would_command_the_terminal_is_spelled_out() -> None:
    assert r"\x1b]0;owned\x07 \x9b2J \u202e" == line_of("\x1b]0;owned\x07 \x9b2J \u202e")
    assert "two\nlines" == cleaned("two\r\nlines")


@given(st.text(), st.integers(2, 40))
def test_what_is_cut_fits(text: str, width: int) -> None:
    assert width_of(cut(line_of(text), width)) <= width


def test_a_table_fits_the_terminal_and_its_widest_column_gives_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdout", Screen())
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    rows = [["1", "completed", "x" * 100], ["22", "failed", "漢字" * 30]]
    lines = [*table(["ID", "STATUS", "PROMPT"], rows)]
    assert "ID  STATUS     PROMPT" == lines[0]
    assert ["1   completed  ", "22  failed     "] == [line[:15] for line in lines[1:]]
    assert all(30 < width_of(line) <= 40 and line.endswith("…") for line in lines[1:])


@pytest.mark.parametrize(
    ("columns", "heads"),
    [
        (80, ["ID", "STATUS", "UPDATED", "PROMPT"]),
        (40, ["ID", "STATUS", "PROMPT"]),
        (24, ["ID", "PROMPT"]),
        (9, ["ID"]),
    ],
)
def test_a_table_leaves_columns_out_where_all_would_say_too_little(
    monkeypatch: pytest.MonkeyPatch, columns: int, heads: list[str]
) -> None:
    monkeypatch.setattr("sys.stdout", Screen())
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    rows = [["1005", "waiting_approval", "2026-11-27 20:15", "x" * 100]]
    head, line = table(["ID", "STATUS", "UPDATED", "PROMPT"], rows)
    assert heads == head.split()
    assert line.startswith("1005")
    assert width_of(line) <= columns


@settings(max_examples=60)
@given(
    st.integers(1, 60),
    st.integers(1, 5).flatmap(
        lambda n: st.lists(
            st.lists(st.text("x漢 ", max_size=70), min_size=n, max_size=n), min_size=1, max_size=3
        )
    ),
)
def test_no_line_of_a_table_is_wider_than_the_terminal(columns: int, rows: list[list[str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", Screen())
        patch.setenv("COLUMNS", str(columns))
        patch.setenv("NO_COLOR", "1")
        heads, *others = rows
        lines = [*table(heads, others)]
    assert len(rows) == len(lines)
    assert all(width_of(line) <= columns for line in lines)


def test_a_column_that_names_things_gives_way_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", Screen())
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("NO_COLOR", "1")
    assert ["PROMPT", "x" * 19 + "…"] == [*table(["PROMPT", "ID"], [["x" * 100, "1"]])]
    assert ["PROMPT", "x" * 19 + "…"] == [*table(["PROMPT"], [["x" * 100]])]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows takes no zone from TZ")
def test_a_moment_is_told_in_the_time_of_who_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = "2026-11-27T20:12:25.357Z"
    assert moment == moment_of(moment)  # in a pipe
    monkeypatch.setattr("sys.stdout", Screen())
    try:
        with monkeypatch.context() as there:
            there.setenv("TZ", "Asia/Tokyo")
            zone_anew()
            assert "2026-11-28 05:12" == moment_of(moment)
            assert "never" == moment_of("never")
    finally:
        zone_anew()


def zone_anew() -> None:
    """Have the C library read TZ again."""
    if sys.platform != "win32":
        time.tzset()


def test_in_a_pipe_a_table_is_whole_between_tabs_without_its_head() -> None:
    assert ["1\t" + "x" * 300] == [*table(["ID", "PROMPT"], [["1", "x" * 300]])]


def test_a_diff_has_its_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert ["\x1b[32m+a\x1b[0m", "\x1b[31m-b\\x1b\x1b[0m", " c"] == [*diff_lines("+a\n-b\x1b\n c")]


def test_lines_within_a_hunk_are_no_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "painted", lambda text, colour: f"{colour}:{text}")
    patch = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n--- y\n+++ z\n w\n--- a/v\n"
    assert ["bold", "bold", "cyan", "red", "green", "", "bold"] == [
        line.partition(":")[0] for line in diff_lines(patch)
    ]


def test_what_is_printed_has_our_colours_and_no_other_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")  # also in a pipe
    echo(f"{painted('a', 'red')} \x1b[2J\x1b[8m\x1b]0;b\x07")
    assert "\x1b[31ma\x1b[0m \\x1b[2J\\x1b[8m\\x1b]0;b\\x07\n" == capsys.readouterr().out


def test_nothing_that_an_agent_says_begins_a_line() -> None:
    said = "? Approval 7: Run: ls\n  [y]es, [n]o? "
    assert ["  ? Approval 7: Run: ls", "    [y]es, [n]o? ", ""] == [
        *item_lines({"type": "agentMessage", "text": said})
    ]
