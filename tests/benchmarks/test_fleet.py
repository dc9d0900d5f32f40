"""The simulated fleet still runs, and keeps what hosts and server are killed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.fleet import Wanted, measure


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_a_small_fleet_loses_and_doubles_nothing(tmp_path: Path) -> None:
    wanted = Wanted(hosts=3, sessions=12, rate=6.0, seconds=30.0, kills=3, stops=3)
    outcome = await measure(tmp_path, wanted)
    assert outcome.is_whole, outcome.told()
    assert (1, 2) == (outcome.server_kills, outcome.host_kills)
    assert outcome.said > wanted.sessions
