"""Commit messages that are proposed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.rules.commit_messages import (
    BODY_LENGTH,
    SUBJECT_LENGTH,
    as_message,
    propose_message,
)

FOLDER = "/srv/worktrees/1/work"


def test_the_title_comes_first_and_then_what_the_agent_said() -> None:
    assert "Add a greeting\n\nThere is a greeting now." == propose_message(
        "Add a greeting.", "There is a greeting now.", FOLDER
    )


@pytest.mark.parametrize("said", [None, "", "  \n", "Add it"])
def test_without_more_to_say_it_is_the_title(said: str | None) -> None:
    assert "Add it" == propose_message(" Add\n it ", said, FOLDER)


def test_a_long_title_ends_at_a_word() -> None:
    subject = propose_message("word " * 40, None, FOLDER)
    assert subject.endswith("word…")
    assert len(subject) <= SUBJECT_LENGTH


def test_folders_links_and_lines_of_ours_are_left_out() -> None:
    said = (
        f"Changed **[a.py]({FOLDER}/a.py:3)** and {FOLDER}/b.py.\n\n- one\n- two\n\n"
        "Command-Center-Unresolved: yes\n"
    )
    assert "T\n\nChanged a.py and b.py.\n\n- one\n- two" == propose_message("T", said, FOLDER)


def test_paragraphs_are_filled_and_lists_and_code_stay() -> None:
    said = f"{'much ' * 30}\n\n    code  line\n\n1. first\n2. second"
    body = propose_message("T", said, FOLDER).split("\n\n")
    assert max(len(line) for line in body[1].split("\n")) <= SUBJECT_LENGTH
    assert ["    code  line", "1. first\n2. second"] == body[2:]


def test_what_a_model_answered_is_a_message_too() -> None:
    assert "Add it\n\nSo it is there." == as_message("```\n# Add it\n\nSo it is there.\n```", "")


@given(st.text(), st.text() | st.none(), st.sampled_from(["", FOLDER]))
def test_a_proposal_is_short_says_something_and_has_no_sign_that_git_refuses(
    title: str, said: str | None, folder: str
) -> None:
    message = propose_message(title, said, folder)
    subject, _, body = message.partition("\n")
    assert 0 < len(subject.strip()) <= SUBJECT_LENGTH
    assert len(body) <= BODY_LENGTH + 2
    assert not {"\0", "\r", "\x1b"} & set(message)
