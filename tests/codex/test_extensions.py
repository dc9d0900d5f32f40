"""Extensions are read from all that Codex may say of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from command_center.actors.codex.extensions import (
    LONGEST,
    MOST_TOOLS,
    hooks_from,
    plugins_from,
    problems_in,
    profiles_from,
    servers_from,
    skills_from,
)

MEMBERS = st.sampled_from(
    [
        *("data", "name", "tools", "skills", "path", "hooks", "key", "errors", "marketplaces"),
        *("plugins", "id", "interface", "annotations", "description", "marketplaceLoadErrors"),
    ]
)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(MEMBERS, ANYTHING, max_size=4))
def test_nothing_that_codex_says_cannot_be_read(answer: dict[str, Any]) -> None:
    for read in (
        *(servers_from, skills_from, plugins_from, hooks_from, profiles_from, problems_in),
    ):
        read(answer)


def test_a_server_says_why_its_tools_are_not_known_and_many_are_cut() -> None:
    tools = {f"tool-{n}": {"description": "a" * 2 * LONGEST} for n in range(2 * MOST_TOOLS)}
    known = {"name": "a", "authStatus": "oAuth", "tools": tools}
    failed = {"name": "b", "tools": {}, "toolsError": "it did not start"}
    one, other = servers_from({"data": [known, failed]})
    assert MOST_TOOLS == len(one.tools)
    assert LONGEST == len(one.tools[0].description or "")
    assert ("unknown", "it did not start") == (other.sign_in, other.error)


@pytest.mark.parametrize(
    ("handler", "runs"),
    [
        ({"handlerType": "command", "command": "x" * 2 * LONGEST}, "x" * 2 * LONGEST),
        ({"handlerType": "mcpTool", "server": "tracker", "tool": "note"}, "tracker: note"),
        ({"handlerType": "prompt"}, None),
    ],
)
def test_what_a_hook_runs_is_shown_whole(handler: dict[str, Any], runs: str | None) -> None:
    hook = {"key": "k", "eventName": "stop", "enabled": True, "trustStatus": "trusted", **handler}
    (found,) = hooks_from({"data": [{"hooks": [hook]}, {"hooks": [hook]}]})
    assert (runs, True, "trusted") == (found.runs, found.is_enabled, found.trust)


def test_no_secret_is_shown_of_what_a_hook_runs_and_of_what_failed() -> None:
    secret = "ghp_" + "a1B2c3D4e5F6" * 3
    hook = {"key": "k", "command": f"curl -H 'Authorization: Bearer {secret}' https://x.example"}
    tool = {"key": "l", "server": "tracker", "tool": secret}
    failed = {"path": "/m.json", "message": f"token={secret} was refused"}
    answer = {"data": [{"hooks": [hook, tool], "errors": [failed]}]}
    server = {"name": "a", "toolsError": f"{'x' * LONGEST}"[:-20] + f" token={secret}"}
    (one,) = servers_from({"data": [server]})
    said = [*(str(found.runs) for found in hooks_from(answer)), *problems_in(answer)]
    said.append(str(one.error))
    assert 4 == len(said)
    assert not [text for text in said if secret[:8] in text]
    assert said[0].startswith("curl -H")


def test_a_plugin_is_read_with_its_market_and_what_failed_is_named() -> None:
    shown = {"shortDescription": "Does it."}
    plugin = {"id": "p@m", "name": "p", "installed": True, "enabled": False, "interface": shown}
    answer = {
        "marketplaces": [{"name": "m", "plugins": [plugin]}],
        "marketplaceLoadErrors": [{"path": "/m.json", "message": "no JSON"}],
    }
    (found,) = plugins_from(answer)
    assert ("m", "Does it.", True, False) == (
        *(found.marketplace, found.description, found.is_installed, found.is_enabled),
    )
    assert ["/m.json: no JSON"] == problems_in(answer)
