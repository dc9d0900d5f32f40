"""Every request that is sent fits the schema that the installed Codex prints."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from command_center.actors.codex import requests
from command_center.actors.codex.confinement import AskFor, Reviewer, Sandbox
from command_center.actors.codex.messages import Call
from tests.codex.confining import confined
from tests.codex.schemas import check, check_request

SCHEMA = {"type": "object", "properties": {"ok": {"type": "boolean"}}}

CONFINEMENTS = [
    confined(sandbox=sandbox, ask_for=ask_for, reviewer=reviewer, allow_network=allow_network)
    for sandbox in Sandbox
    for ask_for in AskFor
    for reviewer in Reviewer
    for allow_network in (False, True)
]

CALLS = [
    *(
        call
        for confinement in CONFINEMENTS
        for call in (
            requests.thread_start(confinement),
            requests.thread_resume("t", confinement),
            requests.turn_start("t", "Do it.", confinement, client_message_id="m-1"),
        )
    ),
    requests.thread_start(confined(), model="gpt-5.4"),
    requests.thread_resume("t", confined(), model="gpt-5.4"),
    requests.turn_start(
        "t",
        "Do it.",
        confined(),
        client_message_id="m-1",
        choices=requests.model_choices(
            {
                "model": "gpt-5.4",
                "effort": "high",
                "service_tier": "flex",
                "personality": "friendly",
                "collaboration_mode": "plan",
            }
        ),
        output_schema=SCHEMA,
    ),
    requests.thread_read("t"),
    requests.thread_unsubscribe("t"),
    requests.threads_loaded(),
    requests.threads_loaded(cursor="c", limit=5),
    requests.threads_stored(),
    requests.threads_stored(query="auth", cursor="c", limit=20, archived=True),
    requests.thread_fork("t", confined(), last_turn_id=None),
    requests.thread_fork("t", confined(), last_turn_id="u"),
    requests.thread_revert("t", "u"),
    requests.thread_name("t", "A name"),
    requests.thread_archive("t"),
    requests.thread_unarchive("t"),
    requests.thread_delete("t"),
    requests.compact_start("t"),
    requests.agents_list("t"),
    requests.turns_list("t"),
    requests.turns_list("t", cursor="c", limit=1),
    requests.goal_get("t"),
    requests.goal_set("t", objective="Pass the tests.", status="active", token_budget=1000),
    requests.goal_set("t", status="paused"),
    requests.goal_clear("t"),
    requests.queue_list("t"),
    requests.account_read(),
    requests.limits_read(),
    requests.sign_in_by_code(),
    requests.sign_in_by_key("a key"),
    requests.sign_in_cancel("l"),
    requests.sign_out(),
    requests.turn_steer("t", "u", "Use less.", client_message_id="m-2"),
    requests.turn_interrupt("t", "u"),
    requests.terminals_clean("t"),
    requests.terminals_list("t"),
    requests.terminal_end("t", "1"),
    requests.shell_start("s", ["codex"], confined(hidden=("/data",)), columns=80, rows=24),
    requests.shell_write("s", b"ls"),
    requests.shell_resize("s", columns=100, rows=30),
    requests.shell_end("s"),
    requests.review_start("t", instructions="Look at the tests."),
    requests.review_start("t", instructions="a", of={"type": "uncommitted"}),
    requests.review_start("t", instructions="a", of={"type": "base", "base": "main"}),
    requests.review_start("t", instructions="a", of={"type": "commit", "commit": "0123abc"}),
    requests.config_read(),
    requests.directory_read("/srv/codex/rules"),
    requests.file_read("/srv/codex/rules/default.rules"),
    requests.servers_list(),
    requests.servers_list(cursor="c", limit=5),
    requests.server_sign_in("tracker"),
    requests.skills_list(None),
    requests.skills_list("/srv/project"),
    requests.skill_switch("/srv/project/SKILL.md", is_enabled=False),
    requests.plugins_installed(None),
    requests.plugins_installed("/srv/project"),
    requests.hooks_list(None),
    requests.hooks_list("/srv/project"),
    requests.profiles_list(None),
    requests.profiles_list("/srv/project"),
    requests.models_list(),
    requests.models_list(cursor="c", limit=3),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.method)
@pytest.mark.usefixtures("codex_binary")
def test_a_request_fits_the_schema_of_the_installed_codex(call: Call) -> None:
    check_request(call.method, call.params)


def test_every_request_is_among_them() -> None:
    said = re.findall(r'Call\(\s*"([\w/]+)"', inspect.getsource(requests))
    assert set() == set(said) - {call.method for call in CALLS}


@pytest.mark.usefixtures("codex_binary")
def test_the_handshake_fits_the_schema_of_the_installed_codex() -> None:
    client = {"name": "command_center", "title": "Command Center", "version": "0.1.0"}
    capabilities = {"experimentalApi": True}
    check_request("initialize", {"clientInfo": client, "capabilities": capabilities})
    check("ClientNotification", {"method": "initialized"})


@pytest.mark.usefixtures("codex_binary")
def test_a_misspelt_parameter_is_found_and_named() -> None:
    with pytest.raises(AssertionError, match="approvalPolice"):
        check_request("thread/start", {"cwd": "/w", "approvalPolice": "never"})


@pytest.mark.skipif(sys.platform == "win32", reason="there is no sh")
def test_a_shell_begins_in_its_folder_alone(tmp_path: Path) -> None:
    folder, link = tmp_path / "-it's one $here", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)

    def begin(place: Path) -> tuple[int, str]:
        call = requests.shell_start(
            "s", ["pwd", "-P"], confined(cwd=str(place)), columns=80, rows=24
        )
        command = call.params["command"]
        begun = command[: command.index("-P", len(requests.IN_FOLDER)) + 1]
        ran = subprocess.run(begun, cwd=call.params["cwd"], capture_output=True, check=False)
        return ran.returncode, ran.stdout.decode().strip()

    assert (0, str(folder)) == begin(folder)
    assert (requests.NO_FOLDER, "") == begin(link)
    folder.rmdir()
    assert (requests.NO_FOLDER, "") == begin(folder)
