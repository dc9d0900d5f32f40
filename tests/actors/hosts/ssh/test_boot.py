"""The first words to another machine, by which its Python takes our program."""

from __future__ import annotations

import io
import os
import sys
import zipfile
from pathlib import Path

import pytest

from command_center.actors.hosts.ssh.boot import _hold, _keep, _sweep

if os.name == "nt":
    pytest.skip("a host over ssh runs no Windows", allow_module_level=True)
assert sys.platform != "win32"

import fcntl  # noqa: E402 - there is none on Windows


def archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name in names:
            made.writestr(name, "pass\n")
    return buffer.getvalue()


def test_a_program_that_cannot_be_kept_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="inner"):  # a disk that takes only a part of it
        _keep(archive("inner", "inner/part.py"), tmp_path / "digest")
    assert [] == list(tmp_path.iterdir())
    for _ in range(2):  # the second one comes late
        _keep(archive("part.py"), tmp_path / "digest")
    assert [tmp_path / "digest"] == list(tmp_path.iterdir())


def test_programs_that_nothing_runs_out_of_are_removed_when_another_starts(tmp_path: Path) -> None:
    ours, used, unused = (tmp_path / (letter * 64) for letter in "abc")
    for folder in (ours, used, unused):
        _keep(archive("part.py"), folder)
    (tmp_path / ("d" * 64 + ".gone")).mkdir()  # one that was cut off in the middle
    (tmp_path / "another program's").mkdir()
    lock = os.open(used / "in-use", os.O_RDONLY)  # as a process of that program holds it
    fcntl.flock(lock, fcntl.LOCK_SH)
    try:
        assert _hold(ours)
        _sweep(ours)
        assert {ours, used, tmp_path / "another program's"} == {*tmp_path.iterdir()}
    finally:
        os.close(lock)
    _sweep(ours)
    assert {ours, tmp_path / "another program's"} == {*tmp_path.iterdir()}


def test_a_program_that_is_held_stays(tmp_path: Path) -> None:
    ours, other = tmp_path / ("a" * 64), tmp_path / ("b" * 64)
    assert not _hold(ours), "nothing was brought yet"
    for folder in (ours, other):
        _keep(archive("part.py"), folder)
    assert _hold(ours)
    _sweep(other)
    assert ours.exists()
