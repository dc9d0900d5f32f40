"""Findings are read out of a review's text, as Codex writes it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.rules.reviews import MOST_FINDINGS, ReviewFinding, findings_in

FOLDER = str(Path("/w").absolute())
ELSEWHERE = str(Path("/elsewhere/a.py").absolute())

WORDS = st.text("abc -:.—[]/1", min_size=1, max_size=30).map(str.strip).filter(bool)
FINDINGS = st.builds(
    ReviewFinding,
    title=WORDS.filter(lambda title: " — " not in title),
    body=st.lists(WORDS, min_size=1, max_size=3).map("\n".join),
    path=st.sampled_from(["a.py", "b/c d.py", "ü.txt"]),
    line=st.just(3),
    end_line=st.integers(3, 99),
)


def written(findings: list[ReviewFinding]) -> str:
    """Write findings as Codex does."""
    parts = ["It greets twice.", "Full review comments:"]
    for one in findings:
        body = "\n".join(f"  {line}" for line in one.body.splitlines())
        parts.append(f"- {one.title} — {FOLDER}/{one.path}:{one.line}-{one.end_line}\n{body}")
    return "\n\n".join(parts)


@given(st.lists(FINDINGS, max_size=4))
def test_what_is_written_is_read_again(findings: list[ReviewFinding]) -> None:
    assert findings == findings_in(written(findings), FOLDER)


@given(st.text())
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    findings_in(text, FOLDER)


def test_a_file_elsewhere_is_told_as_such_and_lines_are_in_order() -> None:
    (found,) = findings_in(f"- A — {ELSEWHERE}:9-0\n  b", FOLDER)
    assert (ELSEWHERE, False, 1, 9) == (
        found.path,
        found.is_inside,
        found.line,
        found.end_line,
    )


def test_only_so_many_are_read() -> None:
    many = "\n".join(f"- A — a.py:{line}-{line}" for line in range(1, 2 * MOST_FINDINGS))
    assert MOST_FINDINGS == len(findings_in(many, FOLDER))


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd",
        ".git/config",
        "a/../../b.py",
        f"{FOLDER}/../x",
        FOLDER,
        ".",
        "a" * 5000,
        "a\0b",
    ],
)
def test_what_is_no_file_of_the_folder_is_not_inside(path: str) -> None:
    assert [] == [
        found.path for found in findings_in(f"- A — {path}:1-2\n  b", FOLDER) if found.is_inside
    ]


@pytest.mark.parametrize(
    "line", ["- " + " — " * 100_000, "- " + " — a:1-" * 60_000, "- a — " + ":1-" * 100_000]
)
def test_a_line_of_hundreds_of_kilobytes_is_passed_over_at_once(line: str) -> None:
    begun = time.thread_time()
    assert [] == findings_in(line, FOLDER)
    assert time.thread_time() - begun < 1
