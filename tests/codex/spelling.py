"""The spelling of a script's steps for the tools that Codex offers its model.

Codex offers each model the tools that its metadata name. `gpt-5.4`, which newer catalogues don't
know, calls `exec_command` and the sub-agents of `multi_agent_v1`. A model of *code mode*, as the
catalogue's own default is, writes JavaScript for the one tool `exec`, and calls the sub-agents of
`collaboration`. A request tells what it offers, so one script does for both.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

import attrs

from tests.codex.script import AddFile, CallTool, Event, Run, SpawnAgent, UpdateFile, WaitForAgents

ToolStep = Run | AddFile | UpdateFile | CallTool | SpawnAgent | WaitForAgents


@attrs.frozen
class Tools:
    """The tools of one request, as `(namespace, name)`; tools of Codex's own have no namespace."""

    offered: frozenset[tuple[str | None, str]]
    agents: tuple[str, ...] = ()
    """The ids of the sub-agents that were started so far, where the tools want them."""

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read them from a request's body, where newer Codex has them in its input."""
        tools = list(body.get("tools") or ())
        for item in body["input"]:
            if item.get("type") == "additional_tools":
                tools += item["tools"]
        return cls(frozenset(_named(tools, None)), tuple(_started_agents(body["input"])))

    @property
    def in_code_mode(self) -> bool:
        """Tell whether commands are JavaScript for the tool `exec`."""
        return (None, "exec") in self.offered

    @property
    def agents_namespace(self) -> str:
        """Name where the sub-agents' tools are: `collaboration` is multi-agent v2."""
        return next(
            (space for space, name in self.offered if name == "spawn_agent" and space),
            "multi_agent_v1",
        )

    def spell(self, step: ToolStep, response_id: str) -> Event:
        """Write the step as a call of an offered tool."""
        match step:
            case Run() | AddFile() | UpdateFile():
                return self._work(step, response_id)
            case SpawnAgent() | WaitForAgents():
                return self._delegation(step, response_id)
            case CallTool(name, arguments, namespace):
                if self.in_code_mode and (namespace, name) not in self.offered:
                    full = name if namespace is None else f"{namespace}__{name}"
                    return self._call(full, arguments, response_id)
                return _function(name, arguments, response_id, namespace)

    def _work(self, step: Run | AddFile | UpdateFile, response_id: str) -> Event:
        match step:
            case Run(command, justification):
                arguments: dict[str, Any] = {"cmd": command, "login": False}
                if justification is not None:
                    arguments["sandbox_permissions"] = "require_escalated"
                    arguments["justification"] = justification
                return self._call("exec_command", arguments, response_id)
            case AddFile(path, content):
                lines = "\n".join(f"+{line}" for line in content.splitlines())
                return self._patch(f"*** Add File: {path}\n{lines}", response_id)
            case UpdateFile(path, old, new):
                return self._patch(f"*** Update File: {path}\n@@\n-{old}\n+{new}", response_id)

    def _delegation(self, step: SpawnAgent | WaitForAgents, response_id: str) -> Event:
        match step:
            case SpawnAgent(message, name):
                given = {"message": message}
                if self.agents_namespace == "collaboration":
                    given |= {"task_name": name, "fork_turns": "none"}
                return _function("spawn_agent", given, response_id, self.agents_namespace)
            case WaitForAgents(seconds):
                wait: dict[str, Any] = {"timeout_ms": int(seconds * 1000)}
                if self.agents:
                    wait["targets"] = list(self.agents)
                return _function("wait_agent", wait, response_id, self.agents_namespace)

    def _call(self, name: str, arguments: Mapping[str, Any], response_id: str) -> Event:
        if self.in_code_mode:
            return _script(f"text(await tools.{name}({json.dumps(arguments)}));", response_id)
        return _function(name, arguments, response_id)

    def _patch(self, hunk: str, response_id: str) -> Event:
        patch = f"*** Begin Patch\n{hunk}\n*** End Patch"
        if self.in_code_mode:
            return _script(f"text(await tools.apply_patch({json.dumps(patch)}));", response_id)
        command = f"apply_patch <<'EOF'\n{patch}\nEOF\n"
        return _function("exec_command", {"cmd": command}, response_id)


def _named(
    tools: Iterable[Mapping[str, Any]], namespace: str | None
) -> Iterator[tuple[str | None, str]]:
    for tool in tools:
        if tool.get("type") == "namespace":
            # What is in `functions` is called by its name alone.
            inner = None if tool["name"] == "functions" else tool["name"]
            yield from _named(tool["tools"], inner)
        elif "name" in tool:
            yield namespace, tool["name"]


def _started_agents(items: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for item in items:
        output = item.get("output")
        if isinstance(output, str) and output.startswith('{"agent_id":'):
            yield json.loads(output)["agent_id"]


def _function(
    name: str, arguments: Mapping[str, Any], response_id: str, namespace: str | None = None
) -> Event:
    call = {"type": "function_call", "id": f"fc_{response_id}", "name": name}
    if namespace is not None:
        call["namespace"] = namespace
    return _item_done({**call, "arguments": json.dumps(arguments)}, response_id)


def _script(javascript: str, response_id: str) -> Event:
    call = {"type": "custom_tool_call", "id": f"ctc_{response_id}", "name": "exec"}
    return _item_done({**call, "input": javascript}, response_id)


def _item_done(call: Mapping[str, Any], response_id: str) -> Event:
    return {
        "type": "response.output_item.done",
        "output_index": 0,
        "item": {**call, "call_id": f"call_{response_id}"},
    }
