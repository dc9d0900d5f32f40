"""The meaning of `auto` on a machine with and without Codex."""

import sys
from pathlib import Path

import pytest

from command_center.http.config.runner import choose_runner
from command_center.http.config.settings import Settings


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "codex.exe"
    path.touch(mode=0o755)
    return str(path)


def test_auto_is_app_server_where_codex_is_found(program: str) -> None:
    choice = choose_runner(Settings(codex_command=(program, "-c", "x")))
    assert "app-server" == choice.mode
    assert program in choice.reason


def test_a_codex_is_the_own_packages_in_an_environment_of_python_alone(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(codex_command=(program,))
    monkeypatch.setattr(sys, "prefix", str(Path(program).parent))
    assert "own packages" in choose_runner(settings).reason
    monkeypatch.setattr(sys, "base_prefix", sys.prefix)  # as in /usr/local, and with conda
    assert "own packages" not in choose_runner(settings).reason


def test_auto_is_stub_where_codex_is_not_found() -> None:
    choice = choose_runner(Settings(codex_command=("no-such-codex",)))
    assert "stub" == choice.mode
    assert "no-such-codex was not found" in choice.reason


def test_auto_is_app_server_where_one_is_reached_by_url() -> None:
    settings = Settings(
        codex_command=("no-such-codex",), codex_transport="websocket", codex_url="ws://[::1]:1"
    )
    assert "app-server" == choose_runner(settings).mode


def test_a_runner_asked_for_by_name_is_kept_and_a_missing_command_is_told(program: str) -> None:
    missing = choose_runner(Settings(codex_runner_mode="cli", codex_command=("no-such-codex",)))
    assert ("cli", True) == (missing.mode, "was not found" in missing.reason)
    stub = choose_runner(Settings(codex_runner_mode="stub", codex_command=(program,)))
    assert "stub" == stub.mode
