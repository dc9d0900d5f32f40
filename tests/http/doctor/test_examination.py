"""An examination: checks side by side, each within its time, none hiding another."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio
import trio.lowlevel

from command_center.http.config.parsers import Secret
from command_center.http.doctor import examination
from command_center.http.doctor.check import Checkup, Subject, Symptom, in_thread
from command_center.http.doctor.clinic import Clinic
from command_center.http.doctor.table import CHECKS
from tests.checkout import ROOT
from tests.http.doctor.looks import subject

SECRET = "a-token-of-32-characters-or-more"


def check(name: str, look: object, seconds: float = 5.0) -> Checkup:
    return Checkup(name=name, why="It matters.", look=look, seconds=seconds)  # type: ignore[arg-type]


async def test_a_check_that_fails_or_hangs_is_a_finding_and_hides_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release = trio.Event()

    def hangs(_: Subject) -> Sequence[Symptom]:
        trio.from_thread.run(release.wait)
        return [Symptom("late")]

    async def fails(_: Subject) -> Sequence[Symptom]:
        raise ValueError(f"{SECRET} is in a path")

    async def is_well(_: Subject) -> Sequence[Symptom]:
        return [Symptom("All right.")]

    here = subject(tmp_path, api_token=Secret(SECRET))
    checks = [check("hangs", in_thread(hangs), 0.05), check("fails", fails), check("well", is_well)]
    began = time.monotonic()
    told = await examination.examine(here, checks)
    release.set()
    assert time.monotonic() - began < 20
    assert "warning" == told.status
    assert [
        ("hangs", "warning", "It was not done within 0.05 s."),
        ("fails", "warning", "The check itself failed: ValueError: [hidden] is in a path"),
        ("well", "ok", "All right."),
    ] == [(one.check, one.level, one.message) for one in told.findings]
    assert ("", "") == capsys.readouterr()  # a command prints its findings alone
    assert ["It matters.", "It matters.", None] == [one.why for one in told.findings]


async def test_many_who_ask_at_once_are_answered_by_one_examination(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    made = 0

    async def counts(_: Subject) -> Sequence[Symptom]:
        nonlocal made
        made += 1
        await trio.sleep(1)
        return [Symptom("All right.")]

    monkeypatch.setattr(examination.examine, "__defaults__", ([check("counts", counts)],))
    clinic = Clinic(subject(tmp_path))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(clinic.diagnosis)
        await trio.sleep(0.5)
        for _ in range(5):
            nursery.start_soon(clinic.diagnosis)
    assert 2 == made  # the first one began before the others asked


async def test_an_examination_that_was_cut_off_answers_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    made = 0

    async def counts(_: Subject) -> Sequence[Symptom]:
        nonlocal made
        made += 1
        await trio.sleep(1)
        return [Symptom(f"Look {made}.")]

    monkeypatch.setattr(examination.examine, "__defaults__", ([check("counts", counts)],))
    clinic = Clinic(subject(tmp_path))
    await clinic.diagnosis()
    told: list[str] = []

    async def asks() -> None:
        told.append((await clinic.diagnosis()).findings[0].message)

    async with trio.open_nursery() as nursery:
        with trio.move_on_after(0.5):
            async with trio.open_nursery() as leaving:
                leaving.start_soon(clinic.diagnosis)
                await trio.lowlevel.checkpoint()
                nursery.start_soon(asks)
                await trio.sleep(0.4)
    assert ["Look 3."] == told


def test_every_check_is_told_of_in_the_documentation() -> None:
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    told = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]
    assert [one.name for one in CHECKS] == [
        name for name in told if name in {c.name for c in CHECKS}
    ]
    assert len({one.name for one in CHECKS}) == len(CHECKS)
