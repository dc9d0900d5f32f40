"""The state machine is the table, and nothing else."""

from __future__ import annotations

from itertools import product
from typing import get_args

import msgspec
import pytest

from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.transitions import TRANSITIONS, check
from command_center.store.records import SessionStatus
from command_center.store.statuses import ACTIVE, FINAL
from tests.actors.rules.made_sessions import a_session

STATUSES: tuple[SessionStatus, ...] = get_args(SessionStatus)

SESSION = a_session(sandbox="read-only")


def test_every_status_is_in_the_table_and_can_be_reached() -> None:
    assert set(STATUSES) == set(TRANSITIONS)
    reached = {"created"} | {to for following in TRANSITIONS.values() for to in following}
    assert set(STATUSES) == reached


def test_nothing_leads_out_of_an_end_and_an_end_can_be_reached_from_everywhere() -> None:
    for status in FINAL:
        assert not TRANSITIONS[status]
    for status in set(STATUSES) - FINAL:
        assert "stopped" in TRANSITIONS[status]


@pytest.mark.parametrize(("at", "to"), list(product(STATUSES, STATUSES)))
def test_a_transition_passes_just_where_the_table_has_it(
    at: SessionStatus, to: SessionStatus
) -> None:
    session = msgspec.structs.replace(SESSION, status=at)
    if to in TRANSITIONS[at]:
        check(session, to)
    else:
        with pytest.raises(Conflict) as refused:
            check(session, to)
        assert f"is {at} and cannot become {to}" in str(refused.value)


def test_a_session_that_ended_as_blocked_stays_so() -> None:
    ended = msgspec.structs.replace(SESSION, status="blocked", finished_at="2026")
    with pytest.raises(Conflict):
        check(ended, "queued")


def test_a_slot_is_held_in_just_the_statuses_in_which_a_runner_works() -> None:
    assert {"starting", "running", "waiting_approval"} == ACTIVE
