"""The tools are those of the declarations."""

from __future__ import annotations

import re

from jsonschema import Draft202012Validator

from command_center.http.mcp.tools import NAMES, Tools
from command_center.http.wire.caller import Caller
from command_center.store import Scope
from tests.checkout import ROOT

ASKERS = {"requestedBy", "resolvedBy"}


def test_a_tool_takes_what_its_operation_takes_and_no_more() -> None:
    tools = Tools({}).make()
    assert [*NAMES] == [*tools]
    for tool in tools.values():
        schema = tool.shown["inputSchema"]
        Draft202012Validator.check_schema(schema)
        assert "$ref" not in str(schema)
        assert {*tool.path, *tool.query} - ASKERS <= schema["properties"].keys()
        assert {*tool.path} <= {*schema.get("required", ())}
        assert not ASKERS & schema["properties"].keys()
    task = tools["create_task"].shown["inputSchema"]
    assert {"repositoryId", "title", "prompt"} == {*task["required"]}
    assert 200 == task["properties"]["title"]["maxLength"]


def test_a_tool_that_is_no_reading_is_one_that_clients_ask_about() -> None:
    for name, tool in Tools({}).make().items():
        hints = tool.shown["annotations"]
        reads = name.startswith(("list_", "get_", "show_", "search"))
        assert (reads, not reads) == (hints["readOnlyHint"], hints["destructiveHint"]), name


def test_nobody_has_a_tool_for_what_they_may_not_do() -> None:
    tools = Tools({"wait": ("read", {"name": "wait"})})

    def names(*scopes: Scope) -> set[str]:
        return {told["name"] for told in tools.of(Caller(1, "a", frozenset(scopes)))}

    every: tuple[Scope, ...] = ("read", "work", "approve", "land", "operate", "admin")
    assert {*NAMES, "wait"} == names(*every)
    assert names() == set()
    for scope in every:
        assert {name for name, tool in tools.make().items() if tool.scope == scope} == (
            names(scope) - {"wait"}
        )
        assert names(scope), scope


def test_the_documentation_lists_every_tool_with_its_scope() -> None:
    text = (ROOT / "docs" / "mcp.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| `?(\w+)", text, re.MULTILINE))
    tools = Tools({}).make()
    assert {name: tool.scope for name, tool in tools.items()} | {"wait_for_session": "read"} == told
