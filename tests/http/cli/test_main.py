"""The command line, as a user types it; a served start is in the wheel's test."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

import platformdirs
import pytest
from click.testing import CliRunner, Result

from command_center.http.cli.main import main
from command_center.http.config.settings import DECLARATIONS


@pytest.fixture(autouse=True)
def no_settings_of_the_developer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for declaration in DECLARATIONS.values():
        monkeypatch.delenv(declaration.variable, raising=False)
    monkeypatch.delenv("CC_CONFIG", raising=False)
    monkeypatch.setattr(platformdirs, "user_config_path", lambda *_, **__: tmp_path)


def run(*words: str, **variables: str) -> Result:
    return CliRunner().invoke(main, words, env=variables, prog_name="command-center")


def test_the_version_is_the_packages() -> None:
    assert f"command-center, version {version('command-center')}\n" == run("--version").output


def test_help_tells_of_the_commands() -> None:
    told = run("--help")
    assert 0 == told.exit_code
    assert "config " in told.output
    assert "serve " in told.output


def test_serve_has_a_flag_for_every_setting() -> None:
    told = run("serve", "--help").output
    assert [] == [d.flag for d in DECLARATIONS.values() if f"  {d.flag} " not in told]


def test_config_shows_every_setting_and_where_it_comes_from() -> None:
    told = run("config", "--port", "9", CC_MAX_SESSIONS="2")
    lines = {line.split()[0]: line.split() for line in told.output.splitlines() if line}
    assert 0 == told.exit_code
    assert ["CC_PORT", "9", "flag"] == lines["CC_PORT"]
    assert ["CC_MAX_SESSIONS", "2", "environment"] == lines["CC_MAX_SESSIONS"]
    assert ["CC_HOST", "127.0.0.1", "default"] == lines["CC_HOST"]
    assert {d.variable for d in DECLARATIONS.values()} <= lines.keys()


def test_config_as_json_shows_the_same(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('codex_command = ["codex", "-c"]')
    told = json.loads(run("config", "--json", CC_PORT="9").output)
    assert str(file) == told["configFile"]
    assert {d.variable for d in DECLARATIONS.values()} == told["settings"].keys()
    assert {"value": 9, "source": "environment"} == told["settings"]["CC_PORT"]
    assert ["codex", "-c"] == told["settings"]["CC_CODEX_COMMAND"]["value"]
    assert None is told["settings"]["CC_API_TOKEN"]["value"]


def test_config_says_where_a_configuration_file_would_be(tmp_path: Path) -> None:
    told = run("config")
    assert f"none at {tmp_path / 'config.toml'}" in told.output.replace("\n", "")


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_config_hides_secrets(form: tuple[str, ...]) -> None:
    told = run("config", *form, CC_API_TOKEN="hush-hush", CC_TELEGRAM_WEBHOOK_SECRET="hush")
    assert 0 == told.exit_code
    assert "hush" not in told.output
    assert 2 == told.output.count("[hidden]")


@pytest.mark.parametrize("command", ["serve", "config"])
def test_a_bad_setting_stops_the_start_with_a_line_that_names_it(command: str) -> None:
    told = run(command, CC_PORT="many", CC_MAX_SESION="1")
    assert 2 == told.exit_code
    assert (
        "command-center: CC_MAX_SESION is not a setting. Did you mean CC_MAX_SESSIONS?\n"
        "command-center: CC_PORT must be a whole number from 0 to 65535, not 'many'.\n"
    ) == told.stderr


def test_serve_is_what_flags_without_a_command_mean() -> None:
    told = run("--host", "0.0.0.0")
    assert 2 == told.exit_code
    assert told.stderr.startswith("command-center: CC_HOST is 0.0.0.0")


def test_tailscale_needs_no_value_as_a_flag_but_a_token() -> None:
    told = run("config", "--tailscale", "--port", "9", CC_API_TOKEN="hush")
    lines = {line.split()[0]: line.split() for line in told.output.splitlines() if line}
    assert ["CC_TAILSCALE", "serve", "flag"] == lines["CC_TAILSCALE"]
    assert "9" in lines["CC_PORT"]
    told = run("--tailscale")
    assert (2, True) == (told.exit_code, "set CC_API_TOKEN" in told.stderr)


def test_a_word_that_is_no_command_is_refused() -> None:
    told = run("sevre")
    assert 2 == told.exit_code
    assert "sevre" in told.stderr


@pytest.mark.parametrize(
    ("command", "reads"),
    [
        ("serve", "local.resolve"),
        ("config", "local.resolve"),
        ("doctor", "doctor.resolve_settings"),
    ],
)
def test_ctrl_c_while_a_command_is_about_to_begin_ends_it_without_a_word(
    monkeypatch: pytest.MonkeyPatch, command: str, reads: str
) -> None:
    def interrupted(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"command_center.http.cli.{reads}", interrupted)
    told = run(command)
    assert (130, "") == (told.exit_code, told.output)


def test_top_takes_the_configuration_file_of_the_server(tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text("port = 9")
    told = run("top", "--once", "--config", str(file))
    assert "No server answers at http://127.0.0.1:9:" in told.stderr
