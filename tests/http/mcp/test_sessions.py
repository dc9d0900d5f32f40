"""Sessions of clients, and the requests that go on in them."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from command_center.http.mcp.sessions import MOST_RUNNING, McpSessions
from command_center.http.mcp.waiting import MOVES
from command_center.http.wire.caller import Caller
from command_center.http.wire.mcp import RequestFailed
from command_center.http.wire.problems import Refused
from command_center.store.statuses import ACTIVE, FINAL, WAITING

A, B = Caller(1, "a"), Caller(2, "b")


def test_an_id_in_use_is_refused_and_what_it_names_still_ends() -> None:
    sessions = McpSessions(b"key")
    session, other = (sessions.begin(A, "2025-11-25") for _ in range(2))
    with sessions.serving(session, 5) as running, sessions.serving(other, 5) as elsewhere:
        with pytest.raises(RequestFailed, match="id 5"), sessions.serving(session, 5):
            pass
        sessions.cancel(session, 5)
        assert (True, False) == (running.is_cancelled, elsewhere.is_cancelled)
    with sessions.serving(session, 5) as running:
        sessions.end(sessions.find(A, session.id, None))
        assert running.is_cancelled


def test_only_so_many_waits_of_a_device_go_on_in_all_its_sessions() -> None:
    sessions = McpSessions(b"key")
    with ExitStack() as stack:
        for number in range(MOST_RUNNING):
            stack.enter_context(sessions.serving(sessions.begin(A, "2025-11-25"), number))
        session = sessions.begin(A, "2025-11-25")
        with pytest.raises(Refused) as refused, sessions.serving(session, "more"):
            pass
        assert 429 == refused.value.problem.status
        stack.enter_context(sessions.serving(sessions.begin(B, "2025-11-25"), "more"))
    with sessions.serving(session, "more"):
        pass


def test_a_wait_looks_after_each_event_that_moves_a_session() -> None:
    moved = {"session.started", "session.stopped", "session.resumed", "approval.requested"}
    named = {f"session.{status}" for status in (WAITING | ACTIVE | FINAL) - {"running"}}
    assert moved | named <= {*MOVES}
    assert not {"session.item", "session.updated"} & {*MOVES}
