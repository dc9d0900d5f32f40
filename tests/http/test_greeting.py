"""The greeting: which Codex it is and whose, what is missing, and the page that is opened."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from command_center.http.config.settings import Settings
from command_center.http.demo.run import run_demo
from command_center.http.greeting import can_open, greet
from command_center.http.run import StartRefused
from tests.http.doctor.looks import program

ADDRESS = "http://127.0.0.1:8787"


def test_a_machine_without_git_and_codex_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    greet(Settings(), ADDRESS, [ADDRESS])
    told = capsys.readouterr().out.splitlines()
    assert [
        line
        for line in told
        if line.startswith("Git:     git was not found") or "npm install -g @openai/codex" in line
    ] == [line for line in told if line.startswith(("Git:", "Codex:"))]
    assert 2 == sum(line.startswith(("Git:", "Codex:")) for line in told)
    with pytest.raises(StartRefused, match=r"^git was not found, and the demo"):
        run_demo(0)


def test_a_codex_of_our_own_packages_is_not_taken_for_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = program(tmp_path / "environment", "codex", "")
    theirs = program(tmp_path / "bin", "codex", "")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "environment"))
    monkeypatch.setenv("PATH", f"{ours.parent}{os.pathsep}{theirs.parent}")
    greet(Settings(), ADDRESS, [])
    assert (
        f"codex is at {ours}, which came with Command Center's own packages; "
        f"set CC_CODEX_COMMAND={theirs} for yours."
    ) in capsys.readouterr().out


def test_a_page_is_opened_on_a_desktop_alone(tmp_path: Path) -> None:
    program(tmp_path, "xdg-open", "")
    desktop = {"DISPLAY": ":0", "PATH": str(tmp_path)}
    assert can_open(desktop, "linux")
    assert can_open({}, "darwin")
    assert not can_open({**desktop, "SSH_CONNECTION": "a"}, "linux")
    assert not can_open({"SSH_TTY": "a"}, "darwin")
    assert not can_open({"PATH": str(tmp_path)}, "linux")
    assert not can_open({**desktop, "PATH": "/nowhere"}, "linux")


if sys.platform == "linux":
    import pty

    def read_until(terminal: int, word: str) -> str:
        """Return what comes out of a terminal, until it has the word."""
        said = ""
        while word not in said:
            said += os.read(terminal, 65536).decode()
        return said

    def test_a_desktops_terminal_is_told_of_the_sign_in_and_the_page_is_opened(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codex_binary: Path
    ) -> None:
        opened = tmp_path / "opened"
        os.mkfifo(opened)
        program(tmp_path / "bin", "xdg-open", f"open({str(opened)!r}, 'w').write(sys.argv[1])")
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("CODEX_HOME", str(tmp_path))
        monkeypatch.setenv("DISPLAY", ":0")
        for name in ("CI", "SSH_CONNECTION", "SSH_TTY"):
            monkeypatch.delenv(name, raising=False)
        settings = Settings(codex_command=(str(codex_binary),), data_dir=tmp_path)
        terminal, end = pty.openpty()
        with os.fdopen(end, "w", buffering=1) as stdout:
            monkeypatch.setattr(sys, "stdout", stdout)
            greet(settings, ADDRESS, [ADDRESS], opens=True)
            said = read_until(terminal, "in the page under Account.")
            assert ADDRESS == opened.read_text()
        os.close(terminal)
        assert f"at {codex_binary} is supported" in said
        assert "Codex is not signed in. Sign in with codex login, or " in said
