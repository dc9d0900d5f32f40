"""The arithmetic of restarting, by itself."""

from __future__ import annotations

import random

import attrs
from hypothesis import given
from hypothesis import strategies as st

from command_center.runtime import Backoff, Intensity
from command_center.runtime.restart_policy import RestartWindow

TIMES = st.lists(st.floats(0, 100), min_size=1, max_size=40).map(sorted)


@given(TIMES, st.integers(0, 5), st.floats(0.1, 50))
def test_a_window_is_exceeded_exactly_when_too_many_restarts_lie_within_the_period(
    times: list[float], restarts: int, period: float
) -> None:
    window = RestartWindow(Intensity(restarts, period))
    for index, now in enumerate(times):
        recent = [time for time in times[: index + 1] if time > now - period]
        assert window.add(now) == (len(recent) > restarts)


def test_a_cleared_window_has_forgotten() -> None:
    window = RestartWindow(Intensity(0, 10.0))
    assert window.add(1.0)
    window.clear()
    assert window.count(1.0) == 0


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - jitter is no secret


BACKOFFS = st.builds(
    Backoff,
    initial=st.floats(0, 10),
    factor=st.floats(1, 10),
    cap=st.floats(10, 1000),
    jitter=st.floats(0, 1),
)


@given(BACKOFFS, st.integers(1, 10_000), st.integers())
def test_a_delay_lies_between_the_jittered_and_the_capped_one(
    backoff: Backoff, attempt: int, seed: int
) -> None:
    capped = attrs.evolve(backoff, jitter=0.0).delay(attempt, seeded(0))
    delay = backoff.delay(attempt, seeded(seed))
    assert capped <= backoff.cap
    assert capped * (1 - backoff.jitter) <= delay <= capped


def test_jitter_comes_after_the_cap_so_that_those_at_the_cap_do_not_meet() -> None:
    backoff = Backoff(initial=1.0, factor=10.0, cap=5.0, jitter=0.5)
    rng = seeded(1)
    delays = {backoff.delay(9, rng) for _ in range(20)}
    assert len(delays) == 20
