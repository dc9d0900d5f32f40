"""The settings: which place wins, and what stops the start."""

from pathlib import Path

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.http.config.parsers import Secret
from command_center.http.config.settings import (
    DECLARATIONS,
    Settings,
    SettingsError,
    load_settings,
    resolve_settings,
)


@pytest.fixture(autouse=True)
def usual_config_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "usual"
    folder.mkdir()
    monkeypatch.setattr(platformdirs, "user_config_path", lambda *_, **__: folder)
    return folder


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(
    variables: dict[str, str],
    flags: dict[str, object] | None = None,
    config_file: Path | None = None,
) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings(variables, flags, config_file=config_file)
    return caught.value.problems


def test_without_anything_given_every_setting_has_its_default() -> None:
    resolved = resolve_settings({})
    assert resolved.settings == Settings()
    assert {"default"} == set(resolved.sources.values())
    assert None is resolved.config_file
    assert ("127.0.0.1", 8787) == (resolved.settings.host, resolved.settings.port)
    assert "auto" == resolved.settings.codex_runner_mode
    assert ("codex",) == resolved.settings.codex_command
    assert 4 == resolved.settings.max_sessions


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = write(tmp_path / "c.toml", "port = 1\nmax_sessions = 1\nstall_seconds = 1\n")
    variables = {"CC_PORT": "2", "CC_MAX_SESSIONS": "2"}
    resolved = resolve_settings(variables, {"port": "3"}, config_file=file)
    found = resolved.settings
    assert (3, 2, 1) == (found.port, found.max_sessions, found.stall_seconds)
    assert ["flag", "environment", "file", "default"] == [
        resolved.sources[name] for name in ("port", "max_sessions", "stall_seconds", "host")
    ]


def test_the_file_in_the_usual_folder_is_read(usual_config_folder: Path) -> None:
    file = write(usual_config_folder / "config.toml", 'log_format = "json"')
    resolved = resolve_settings({})
    assert ("json", file) == (resolved.settings.log_format, resolved.config_file)


def test_a_file_named_by_flag_wins_over_one_named_by_the_environment(
    tmp_path: Path, usual_config_folder: Path
) -> None:
    write(usual_config_folder / "config.toml", "port = 1")
    in_environment = write(tmp_path / "environment.toml", "port = 2")
    by_flag = write(tmp_path / "flag.toml", "port = 3")
    variables = {"CC_CONFIG": str(in_environment)}
    assert 2 == load_settings(variables).port
    assert 3 == load_settings(variables, config_file=by_flag).port


def test_a_named_file_that_does_not_exist_stops_the_start(tmp_path: Path) -> None:
    absent = tmp_path / "absent.toml"
    expected = (f"The configuration file {absent} does not exist.",)
    assert expected == problems_of({"CC_CONFIG": str(absent)})


def test_a_home_of_nobody_stops_the_start() -> None:
    for name in ("CC_CONFIG", "CC_DATA_DIR"):
        expected = (f"{name} must be a path, not '~nobody-here/x'.",)
        assert expected == problems_of({name: "~nobody-here/x"})


def test_a_folder_in_the_files_place_stops_the_start(tmp_path: Path) -> None:
    (problem,) = problems_of({}, config_file=tmp_path)
    assert f"The configuration file {tmp_path} cannot be read" in problem


def test_broken_toml_stops_the_start_and_names_the_file_and_the_place(tmp_path: Path) -> None:
    file = write(tmp_path / "c.toml", "port = \n")
    (problem,) = problems_of({}, config_file=file)
    assert problem.startswith(f"The configuration file {file} is not valid TOML")
    assert "line 1" in problem


def test_an_unknown_name_stops_the_start_and_the_one_that_was_meant_is_told(
    tmp_path: Path,
) -> None:
    file = write(tmp_path / "c.toml", "CC_PROT = 1\nwhatever_this_is = 2\n")
    problems = problems_of({"CC_MAX_SESION": "2"}, config_file=file)
    assert {
        f"CC_PROT in {file} is not a setting. Did you mean port?",
        f"whatever_this_is in {file} is not a setting.",
        "CC_MAX_SESION is not a setting. Did you mean CC_MAX_SESSIONS?",
    } == set(problems)


def test_names_of_other_programs_and_of_the_test_suite_are_no_settings() -> None:
    variables = {"CC_TEST_CODEX": "x", "CC_x86_64_unknown_linux_gnu": "clang", "CC": "gcc"}
    assert Settings() == load_settings(variables)


def test_an_empty_variable_counts_as_not_set() -> None:
    resolved = resolve_settings({"CC_PORT": "", "CC_API_TOKEN": ""})
    assert Settings() == resolved.settings
    assert "default" == resolved.sources["port"]


def test_every_problem_is_told_at_once_with_the_place_where_it_stands(tmp_path: Path) -> None:
    file = write(tmp_path / "c.toml", "port = true\n")
    problems = problems_of({"CC_MAX_SESSIONS": "0"}, {"log_level": "loud"}, file)
    assert (
        f"port in {file} must be a whole number from 0 to 65535, not True.",
        "CC_MAX_SESSIONS must be a whole number from 1 to 1000, not '0'.",
        "--log-level must be one of debug, info, warning, error, not 'loud'.",
    ) == problems


def test_a_bad_value_stops_the_start_even_if_another_place_overrides_it() -> None:
    assert ("CC_PORT must be a whole number from 0 to 65535, not 'many'.",) == problems_of(
        {"CC_PORT": "many"}, {"port": "1"}
    )


def test_a_bad_secret_is_refused_without_being_shown() -> None:
    (problem,) = problems_of({"CC_API_TOKEN": "hush hush"})
    assert "CC_API_TOKEN must be printable ASCII characters without spaces." == problem


def test_a_secret_is_in_no_text_of_the_settings() -> None:
    bot_token = "12345:AAF-bot"
    variables = {"CC_API_TOKEN": "hushhush", "CC_TELEGRAM_BOT_TOKEN": bot_token}
    resolved = resolve_settings(variables)
    assert isinstance(resolved.settings.api_token, Secret)
    assert "hushhush" == resolved.settings.api_token.reveal()
    shown = [str(resolved.shown(name)) for name in DECLARATIONS]
    for text in (repr(resolved), str(resolved), f"{resolved.settings.api_token}", *shown):
        assert "hushhush" not in text
        assert bot_token not in text


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.org"])
def test_an_address_that_others_reach_is_refused_without_a_token(host: str) -> None:
    (problem,) = problems_of({"CC_HOST": host})
    assert problem.startswith(f"CC_HOST is {host}")
    assert "CC_API_TOKEN" in problem
    assert host == load_settings({"CC_HOST": host, "CC_API_TOKEN": "t"}).host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_a_loopback_address_needs_no_token(host: str) -> None:
    assert host == load_settings({"CC_HOST": host}).host


def test_settings_that_contradict_each_other_stop_the_start() -> None:
    variables = {"CC_CODEX_TRANSPORT": "websocket", "CC_TELEGRAM_MODE": "webhook"}
    assert (
        "CC_CODEX_TRANSPORT is websocket: set CC_CODEX_URL.",
        "CC_TELEGRAM_MODE is webhook: set CC_TELEGRAM_BOT_TOKEN.",
        "CC_TELEGRAM_MODE is webhook: set CC_TELEGRAM_WEBHOOK_SECRET.",
    ) == problems_of(variables)


def test_polling_needs_no_webhook_secret() -> None:
    variables = {"CC_TELEGRAM_MODE": "polling", "CC_TELEGRAM_BOT_TOKEN": "1:a"}
    assert "polling" == load_settings(variables).telegram_mode


def test_toml_values_of_their_own_types_are_taken(tmp_path: Path) -> None:
    file = write(
        tmp_path / "c.toml",
        'codex_command = ["my codex", "--profile", "x"]\n'
        "telegram_allowed_ids = [-100, 7]\n"
        'allowed_hosts = ["Box.local"]\n'
        "repo_roots = ['relative']\n",
    )
    found = load_settings({}, config_file=file)
    assert ("my codex", "--profile", "x") == found.codex_command
    assert (-100, 7) == found.telegram_allowed_ids
    assert ("box.local",) == found.allowed_hosts
    assert (Path("relative").absolute(),) == found.repo_roots


def test_settings_made_by_keyword_are_checked_as_well() -> None:
    with pytest.raises(SettingsError, match="CC_API_TOKEN"):
        Settings(host="0.0.0.0")
    with pytest.raises(SettingsError, match="could have a passkey: set CC_API_TOKEN"):
        Settings(approval_passkeys="beyond-run")
    with pytest.raises(ValueError, match="must be one of"):
        Settings(log_level="loud")  # type: ignore[arg-type]


@given(st.dictionaries(st.sampled_from([d.variable for d in DECLARATIONS.values()]), st.text()))
def test_whatever_the_environment_holds_is_taken_or_refused_by_name(
    variables: dict[str, str],
) -> None:
    absent = "absent"
    problems = problems_of({**variables, "CC_CONFIG": absent})
    assert f"The configuration file {absent} does not exist." == problems[0]
    assert {problem.split()[0] for problem in problems[1:]} <= variables.keys()
