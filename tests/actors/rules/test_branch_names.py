"""Branch names, judged like git judges them."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from command_center.actors.rules.branch_names import is_branch_name

PIECES = ["a", "B", "0", "é", "-", ".", "/", "..", ".lock", "@", "{", "}", "~", "^", ":", "?"]
PIECES += ["*", "[", "]", "\\", " ", "\t", "\x7f", "HEAD", "refs/heads/", "#", "'", "%", "+"]


def git_accepts(name: str) -> bool:
    """Return whether git takes the name as it is."""
    done = subprocess.run(
        ["git", "check-ref-format", "--branch", name],  # noqa: S607 - the user's own git
        capture_output=True,
        check=False,
    )
    return done.returncode == 0 and done.stdout == f"{name}\n".encode()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join))
def test_the_judgement_is_gits_own(name: str) -> None:
    assert (git_accepts(name) and name not in {"@", "HEAD"}) == is_branch_name(name)


@pytest.mark.parametrize("name", ["", "x" * 201, "a\u2028b", "a\nb", "@", "HEAD"])
def test_a_name_that_people_cannot_use_is_none(name: str) -> None:
    assert not is_branch_name(name)


@pytest.mark.parametrize("name", ["main", "cc/review-auth-flow", "cc/task-1-session-2", "über"])
def test_a_usual_name_is_one(name: str) -> None:
    assert is_branch_name(name)
