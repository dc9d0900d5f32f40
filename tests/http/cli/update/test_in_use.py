"""Programs whose files a system keeps: they are told, waited for, and no longer than need be."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_center.http.cli.update import in_use
from command_center.http.cli.update.in_use import await_unused, patiently, programs_of
from command_center.http.cli.update.telling import UpdateFailed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="The programs are a shell's.")


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """An environment with a program, and a stub of it beside, as uv has them on Windows."""
    made = tmp_path / "environment"
    made.mkdir()
    shutil.copy("/bin/sleep", made / "python")
    shutil.copy("/bin/sh", tmp_path / "command-center")
    return made


@pytest.fixture
def stub(prefix: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The stub, which has started the program and waits for it."""
    words: list[str | Path] = [
        prefix.with_name("command-center"),
        "-c",
        f"{prefix}/python 60; exit",
    ]
    with subprocess.Popen(words) as process:
        yield process


def test_a_program_and_what_waits_for_it_are_waited_for(
    prefix: Path, stub: subprocess.Popen[bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    while len(found := [*programs_of(prefix)]) < 2:
        pass
    program = next(one for one in found if one.pid != stub.pid)
    assert program.ppid() == stub.pid
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_use, "QUIET_SECONDS", -1.0)
        with pytest.raises(UpdateFailed, match=rf"command-center \(process {stub.pid}\), python"):
            await_unused(prefix, 0.3)
    assert 1 == capfd.readouterr().err.count("Its files are in use by")
    program.kill()
    stub.wait()
    await_unused(prefix, 10)
    assert "" == capfd.readouterr().err
    assert [] == [*programs_of(prefix)]


def test_what_a_scanner_holds_is_tried_again_where_files_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left = [PermissionError(), PermissionError()]

    def act() -> str:
        if left:
            raise left.pop()
        return "done"

    monkeypatch.setattr(in_use, "LOOK_SECONDS", 0.0)
    with pytest.raises(PermissionError):
        patiently(act)
    monkeypatch.setattr(in_use, "IS_KEPT", True)
    left.append(PermissionError())
    assert "done" == patiently(act)
    left.append(PermissionError())
    with pytest.raises(PermissionError):
        patiently(act, seconds=-1.0)
