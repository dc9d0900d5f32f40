"""A package index is asked once a day, however often the server starts, and what is out is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio.testing

from command_center.actors.hosts.local.releases.actor import CUT_OFF, ReleaseWatch
from command_center.actors.hosts.local.releases.last_look import read_look
from command_center.actors.hosts.local.releases.newest import LookFailed
from command_center.runtime import ChildSpec
from tests.actors.rows import rig, settle
from tests.http.doctor.looks import look_for_one, subject


class Asked:
    """A stand-in for the question, with a clock that goes as trio's does."""

    def __init__(self, answer: str | Exception | None) -> None:
        self.answer = answer
        self.times: list[float] = []

    async def __call__(self) -> str | None:
        self.times.append(trio.current_time())
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def now(self) -> datetime:
        return datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=trio.current_time())


HOURS = 8


async def watched(
    folder: Path, asked: Asked, clock: trio.testing.MockClock, looks: int
) -> Mapping[str, object]:
    """Have it run for so many times eight hours, by trio's clock, and return what it shows."""
    folder.mkdir(exist_ok=True)
    async with rig(folder / "db.sqlite3") as made:

        def start() -> ReleaseWatch:
            return ReleaseWatch(folder / "data", installed="0.1.0", find=asked, now=asked.now)

        await made.system.start_child("/", ChildSpec(id="release-watch", start=start))
        await settle(made)
        for _ in range(looks):
            clock.jump(HOURS * 3600)
            await settle(made)
        return made.system.snapshot_of("/release-watch").description


async def test_it_asks_once_a_day_also_over_restarts(
    tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    asked = Asked("0.2.0")
    shown = await watched(tmp_path, asked, mock_clock, 1)
    assert ("newer", "0.2.0", 1) == (shown["state"], shown["newest"], len(asked.times))
    assert "0.2.0" == (await watched(tmp_path, asked, mock_clock, 1))["newest"]
    assert 1 == len(asked.times)
    asked.answer = None
    assert "current" == (await watched(tmp_path, asked, mock_clock, 3))["state"]
    assert 2 == len(asked.times)
    assert asked.times[1] - asked.times[0] >= 86400


async def test_a_failure_is_told_and_tried_again_the_next_day_alone(
    tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    asked = Asked(LookFailed("index.test: it did not answer within 20 s."))
    shown = await watched(tmp_path, asked, mock_clock, 6)
    assert ("failed", None, 3) == (shown["state"], shown["newest"], len(asked.times))
    found = await look_for_one("release", subject(tmp_path, update_notice="on"))
    assert ("warning", True) == (found[0], "index.test: it did not answer" in found[1])
    asked.answer = RuntimeError("a fault of ours")
    await watched(tmp_path, asked, mock_clock, 4)
    looked = read_look(tmp_path / "data")
    assert looked is not None
    assert CUT_OFF == looked.failure  # and a restart does not ask before its time
    assert 4 == len(asked.times)


@pytest.mark.parametrize(("newest", "level"), [("99.0", "warning"), ("0.0.1", "ok")])
async def test_the_doctor_tells_what_is_out(
    tmp_path: Path, mock_clock: trio.testing.MockClock, newest: str, level: str
) -> None:
    here = subject(tmp_path, update_notice="on")
    assert "No newer one was looked for yet." in (await look_for_one("release", here))[1]
    await watched(tmp_path, Asked(newest), mock_clock, 0)
    found = await look_for_one("release", here)
    assert (level, level == "warning") == (found[0], "command-center update" in found[2])
    off = await look_for_one("release", subject(tmp_path))
    assert ("ok", True) == (off[0], "CC_UPDATE_NOTICE=on" in off[2])
