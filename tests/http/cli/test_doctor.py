"""The doctor: what it finds on machines that lack something."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from command_center.actors.codex.versions import NEWEST, OLDEST, spelled
from command_center.http.cli.main import main
from command_center.http.config.settings import DECLARATIONS


@pytest.fixture(autouse=True)
def no_settings_of_the_developer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for declaration in DECLARATIONS.values():
        monkeypatch.delenv(declaration.variable, raising=False)
    monkeypatch.setenv("CC_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").touch()
    monkeypatch.setenv("CC_DATA_DIR", str(tmp_path / "data"))


def program(tmp_path: Path, name: str, says: str, *, fails: bool = False) -> Path:
    """A program on the PATH that says its version, or fails."""
    path = tmp_path / name
    path.write_text(f"#!{sys.executable}\nprint({says!r})\nraise SystemExit({int(fails)})\n")
    path.chmod(0o755)
    return path


def examined(**variables: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and the findings by check."""
    told = CliRunner().invoke(main, ["doctor", "--json"], env=variables)
    return told.exit_code, {one["check"]: one for one in json.loads(told.output)}


def test_a_machine_that_has_all_is_well(codex_binary: Path) -> None:
    code, found = examined(CC_CODEX_COMMAND=str(codex_binary))
    assert ({"ok"}, 0) == ({one["level"] for one in found.values()}, code)
    assert f"{spelled(OLDEST)} to {spelled(NEWEST)}" in found["codex"]["message"]


@pytest.mark.parametrize(
    ("says", "level", "words"),
    [
        ("codex-cli 0.133.0", "error", "Codex 0.133.0 is too old"),
        ("codex-cli 9.0.0", "warning", "Codex 9.0.0 was not tested"),
    ],
)
def test_a_codex_out_of_the_range_is_told_of(
    tmp_path: Path, says: str, level: str, words: str
) -> None:
    code, found = examined(CC_CODEX_COMMAND=str(program(tmp_path, "codex", says)))
    assert (level, int(level == "error")) == (found["codex"]["level"], code)
    assert words in found["codex"]["message"]
    assert f"{spelled(OLDEST)} to {spelled(NEWEST)}" in found["codex"]["mend"]


def test_a_codex_that_is_missing_or_broken_is_told_of(tmp_path: Path) -> None:
    broken = str(program(tmp_path, "broken", "codex-cli 0.163.0", fails=True))
    missing = "/nowhere/codex"
    for command, mode, level in [
        (missing, "auto", "warning"),  # the stub plays
        (missing, "app-server", "error"),
        (broken, "auto", "error"),
    ]:
        code, found = examined(CC_CODEX_COMMAND=command, CC_CODEX_RUNNER_MODE=mode)
        assert (level, int(level == "error")) == (found["codex"]["level"], code)
        assert "npm install -g @openai/codex" in found["codex"]["mend"]


def test_codex_is_not_given_the_servers_own_secrets(tmp_path: Path) -> None:
    codex = tmp_path / "codex"
    says = "import os; print('codex-cli', '9.0.0' if os.environ.get('CC_API_TOKEN') else '0.163.0')"
    codex.write_text(f"#!{sys.executable}\n{says}\n")
    codex.chmod(0o755)
    _, found = examined(
        CC_CODEX_COMMAND=str(codex), CC_API_TOKEN="a-token-of-32-characters-or-more"
    )
    assert "Codex 0.163.0 is supported" in found["codex"]["message"]


def test_a_git_that_is_missing_or_too_old_is_told_of(tmp_path: Path) -> None:
    code, found = examined(PATH=str(tmp_path))
    assert ("error", 1) == (found["git"]["level"], code)
    program(tmp_path, "git", "git version 2.30.2")
    code, found = examined(PATH=str(tmp_path))
    assert ("error", 1) == (found["git"]["level"], code)
    assert "git version 2.30.2 is too old." == found["git"]["message"]
    assert "2.41 or newer" in found["git"]["mend"]


def test_a_data_folder_below_a_file_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, found = examined(CC_DATA_DIR=str(tmp_path / "file" / "data"))
    assert ("error", 1) == (found["data folder"]["level"], code)


def test_it_is_read_by_people_too(tmp_path: Path) -> None:
    codex = program(tmp_path, "codex", "codex-cli 0.133.0")
    told = CliRunner().invoke(main, ["doctor"], env={"CC_CODEX_COMMAND": str(codex)})
    assert "error    codex: Codex 0.133.0 is too old" in told.output
    assert f"npm install -g @openai/codex@{spelled(NEWEST)}" in told.output
