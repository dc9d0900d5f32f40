"""Every request that is sent fits the schema that the installed Codex prints."""

from pathlib import Path

import pytest

from command_center.actors.codex import requests
from command_center.actors.codex.messages import Call
from command_center.actors.codex.requests import AskFor, Sandbox
from tests.codex.schemas import check, check_request

SCHEMA = {"type": "object", "properties": {"ok": {"type": "boolean"}}}

CALLS = [
    requests.thread_start(cwd="/w", sandbox=Sandbox.READ_ONLY, ask_for=AskFor.UNTRUSTED),
    requests.thread_start(
        cwd=Path("/w"),
        sandbox=Sandbox.WORKSPACE_WRITE,
        ask_for=AskFor.ON_REQUEST,
        model="gpt-5.4",
        allow_network=True,
    ),
    requests.thread_start(cwd="/w", sandbox=Sandbox.DANGER_FULL_ACCESS, ask_for=AskFor.NEVER),
    requests.thread_resume("t"),
    requests.thread_resume(
        "t",
        cwd="/w",
        sandbox=Sandbox.WORKSPACE_WRITE,
        ask_for=AskFor.ON_REQUEST,
        model="gpt-5.4",
        allow_network=True,
    ),
    requests.thread_read("t"),
    requests.thread_unsubscribe("t"),
    requests.threads_loaded(),
    requests.threads_loaded(cursor="c", limit=5),
    requests.threads_stored(),
    requests.threads_stored(query="auth", cursor="c", limit=20),
    requests.agents_list("t"),
    requests.agents_list("t", cursor="c"),
    requests.turns_list("t"),
    requests.turns_list("t", cursor="c", limit=1),
    requests.turn_start("t", "Do it.", client_message_id="m-1"),
    *(
        requests.turn_start(
            "t",
            "Do it.",
            client_message_id="m-1",
            cwd="/w",
            model="gpt-5.4",
            ask_for=AskFor.NEVER,
            sandbox_policy=requests.sandbox_policy(sandbox, allow_network=True),
            output_schema=SCHEMA,
        )
        for sandbox in Sandbox
    ),
    requests.turn_steer("t", "u", "Use less.", client_message_id="m-2"),
    requests.turn_interrupt("t", "u"),
    requests.terminals_clean("t"),
    requests.review_start("t", instructions="Look at the tests."),
    requests.models_list(),
    requests.models_list(cursor="c", limit=3),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.method)
@pytest.mark.usefixtures("codex_binary")
def test_a_request_fits_the_schema_of_the_installed_codex(call: Call) -> None:
    check_request(call.method, call.params)


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


def test_the_network_is_set_in_both_directions_where_the_sandbox_may_be_widened() -> None:
    for allowed in (True, False):
        call = requests.thread_start(
            cwd="/w",
            sandbox=Sandbox.WORKSPACE_WRITE,
            ask_for=AskFor.NEVER,
            allow_network=allowed,
        )
        assert call.params["config"] == {
            "sandbox_workspace_write.network_access": allowed,
            "sandbox_workspace_write.writable_roots": [],
        }
