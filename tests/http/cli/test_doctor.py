"""`command-center doctor`: from a terminal, with a server to ask and without one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from command_center.http.cli.main import main
from command_center.http.config.settings import DECLARATIONS


@pytest.fixture(autouse=True)
def no_settings_of_the_developer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for declaration in DECLARATIONS.values():
        monkeypatch.delenv(declaration.variable, raising=False)
    for name in ("HOME", "CODEX_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("CC_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").touch()
    monkeypatch.setenv("CC_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CC_CODEX_RUNNER_MODE", "stub")
    monkeypatch.setenv("CC_PORT", "1")


def doctor(*arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(main, ["doctor", *arguments], env=variables)


def findings(told: Result) -> dict[str, Any]:
    return {one["check"]: one for one in json.loads(told.output)["findings"]}


def test_without_a_server_it_looks_from_the_terminal(tmp_path: Path) -> None:
    told = doctor("--port", "0", "--json")
    assert 0 == told.exit_code
    assert ("warning", "command") == (
        json.loads(told.output)["status"],
        json.loads(told.output)["examinedBy"],
    )
    assert "warning" == findings(told)["codex"]["level"]  # it is the stub

    (tmp_path / "file").touch()
    told = doctor("--port", "0", CC_DATA_DIR=str(tmp_path / "file" / "data"))
    assert 1 == told.exit_code
    assert "No server answers at http://127.0.0.1:0. Looked from this terminal." in told.output
    assert f"error    data-folder: {tmp_path / 'file'} is a file, and no folder." in told.output
    assert "         Why: All that is acknowledged is kept there first" in told.output
    assert "         Mend: Move that file away, or set CC_DATA_DIR to a folder" in told.output
    assert "ok" == findings(doctor("--json", CC_DATA_DIR=str(tmp_path / "file")))["disk"]["level"]


def test_settings_that_a_start_refuses_are_a_finding_and_flags_that_are_wrong_are_misuse() -> None:
    told = doctor("--json", CC_HOST="0.0.0.0", CC_PORT="nine")
    assert 1 == told.exit_code
    found = json.loads(told.output)["findings"]
    assert ["settings"] == [one["check"] for one in found]
    assert "CC_PORT must be a whole number" in found[0]["message"]
    for wrong in (("--port", "nine"), ("--no-such-flag",)):
        assert 2 == doctor(*wrong).exit_code


def test_a_server_that_is_named_and_does_not_answer_is_unreachable() -> None:
    assert 5 == doctor("--server", "http://127.0.0.1:1").exit_code
