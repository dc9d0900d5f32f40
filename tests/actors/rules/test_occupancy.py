"""One session in a thread, one writer in a folder."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.rules.occupancy import Obstacle, obstacle
from command_center.store import Session
from tests.actors.rules.made_sessions import a_session

in_thread = partial(a_session, codex_thread_id="t")
SESSION = in_thread()
OTHER = in_thread(id=2, codex_thread_id="u")

sessions = st.builds(
    in_thread,
    id=st.integers(1, 3),
    cwd=st.sampled_from(["/srv/a", "/srv/b"]),
    sandbox=st.sampled_from(["read-only", "workspace-write", "danger-full-access"]),
    codex_thread_id=st.sampled_from([None, "t", "u"]),
    host=st.sampled_from(["local", "far"]),
)


@pytest.mark.parametrize(
    ("fields", "shared"),
    [
        ({}, "folder"),
        ({"sandbox": "danger-full-access"}, "folder"),
        ({"codex_thread_id": "t"}, "thread"),
        ({"codex_thread_id": "t", "cwd": "/srv/b"}, "thread"),
        ({"codex_thread_id": "t", "sandbox": "read-only"}, "thread"),
        ({"codex_thread_id": None}, "folder"),
        ({"sandbox": "read-only"}, None),
        ({"cwd": "/srv/b"}, None),
        ({"workplace": "worktree"}, None),
        ({"workplace": "worktree", "worktree_path": "/srv/a"}, "folder"),
        ({"host": "far"}, None),
        ({"host": "far", "codex_thread_id": "t"}, None),
        ({"id": 1}, None),
    ],
)
def test_a_session_waits_for_who_works_in_its_thread_or_writes_in_its_folder(
    fields: dict[str, Any], shared: str | None
) -> None:
    other = in_thread(**{"id": 2, "codex_thread_id": "u", **fields})
    found = obstacle(SESSION, [other])
    assert (None if shared is None else Obstacle(other, shared)) == found  # type: ignore[arg-type]


def test_two_sessions_without_a_thread_share_none() -> None:
    first, other = (in_thread(id=n, codex_thread_id=None, cwd=f"/srv/{n}") for n in (1, 2))
    assert obstacle(first, [other]) is None


def test_commands_that_go_on_keep_others_from_the_folder_but_not_their_own_thread() -> None:
    assert Obstacle(OTHER, "folder") == obstacle(SESSION, [], [OTHER])
    assert obstacle(in_thread(codex_thread_id="u"), [], [OTHER]) is None
    assert obstacle(in_thread(sandbox="read-only"), [], [OTHER]) is None


def test_the_first_that_is_in_the_way_is_told() -> None:
    free, taken, later = in_thread(id=2, cwd="/b", codex_thread_id="u"), OTHER, in_thread(id=3)
    assert Obstacle(taken, "folder") == obstacle(SESSION, [free, taken, later])


@given(sessions, sessions)
def test_who_is_in_the_way_of_another_has_that_one_in_its_own(one: Session, other: Session) -> None:
    assert (obstacle(one, [other]) is None) == (obstacle(other, [one]) is None)
