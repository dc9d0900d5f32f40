"""An agent's processes see no setting and no token of Command Center."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.hosts.local.codex.environment import (
    OWNER,
    agent_environment,
    current_life,
    life_of,
)


def test_settings_and_bot_tokens_are_left_out_in_any_case_of_letters() -> None:
    environment = {
        "CC_API_TOKEN": "x",
        "cc_port": "x",
        "TELEGRAM_TOKEN": "x",
        "telegram_chat": "x",
        "MY_BOT_TOKEN": "x",
        "CODEX_HOME": "/home/.codex",
        "OPENAI_API_KEY": "kept",
        "ACC_X": "kept",
        "CC": "clang",
    }
    assert set(agent_environment(environment)) == {"CODEX_HOME", "OPENAI_API_KEY", "ACC_X", "CC"}


def test_an_app_server_is_no_command_of_the_thread_that_the_server_was_started_in() -> None:
    assert {"PATH": "/bin"} == agent_environment({"PATH": "/bin", "CODEX_THREAD_ID": "one"})


def test_codexs_own_folder_is_named_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert {"CODEX_HOME": str(tmp_path / "home")} == agent_environment({"CODEX_HOME": "home"})


def test_a_variable_that_holds_a_secret_is_left_out_whatever_its_name() -> None:
    environment = {"A": "https://u:hunter2@host", "B": "hunter"}
    assert agent_environment(environment, secrets=("hunter2", "")) == {"B": "hunter"}


def test_the_mark_names_life_and_folder_and_is_never_inherited(tmp_path: Path) -> None:
    marked = agent_environment({OWNER: "1:/other"}, state_folder=tmp_path)
    assert life_of(marked, tmp_path) == current_life()
    assert life_of(marked, tmp_path / "other") is None
    assert agent_environment({OWNER: "1:/other"}) == {}


@given(st.dictionaries(st.text(min_size=1), st.text()), st.text(min_size=1))
def test_no_secret_passes(environment: dict[str, str], secret: str) -> None:
    kept = agent_environment(environment, secrets=(secret,))
    assert not [value for value in kept.values() if secret in value]
