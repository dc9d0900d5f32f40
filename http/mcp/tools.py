"""The tools: operations of the API that an agent has a use for, as their declarations tell them.

A tool is called as its handler is. Its arguments are what the path, the query and the body take, in
one object, and its schema is put together of theirs. Who may not do an operation has no such tool.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import attrs
import msgspec

from command_center.http.routes.table import OPERATIONS
from command_center.http.wire.caller import Caller
from command_center.http.wire.mcp import INVALID_PARAMS, RequestFailed
from command_center.http.wire.operation import Operation
from command_center.store import Scope

NAMES: Final = (
    *("list_repositories", "get_repository", "search"),
    *("list_tasks", "get_task", "create_task", "patch_task", "run_task"),
    *("list_sessions", "get_session", "stop_session", "steer_session", "say"),
    *("list_items", "get_plan", "get_diff", "list_changes", "show_patch"),
    *("list_comments", "create_comment", "send_comments", "review_session"),
    *("list_followups", "queue_followup", "cancel_followup"),
    *("list_threads", "get_thread"),
    *("list_approvals", "get_approval", "resolve_approval"),
    *("list_automations", "run_automation"),
    *("commit_session", "merge_session", "push_session", "open_pull_request"),
    *("list_devices", "revoke_device"),
    *("get_tree", "restart_actor"),
)
"""The operations that are tools, by the names of their handlers."""

_REACHES_OUT: Final = frozenset({"push_session", "open_pull_request"})
_WHO_ASKS: Final = "requestedBy"
_DECIDES: Final = "resolvedBy"

_WHOLE_NUMBER: Final = re.compile("[0-9]{1,18}")


@attrs.frozen(eq=False)
class Tool:
    """A tool that carries out one operation.

    Attributes:
        operation: what it does.
        target: its path, with the names of arguments in braces.
        path: the names of the arguments in the path.
        query: of those in the query.
        numbers: of those that are whole numbers.
        shown: as `tools/list` tells it.
    """

    operation: Operation
    target: str
    path: tuple[str, ...]
    query: frozenset[str]
    numbers: frozenset[str]
    shown: Mapping[str, Any]

    @property
    def scope(self) -> Scope | None:
        """Return what its caller needs."""
        return self.operation.scope

    def takes(self, name: str) -> bool:
        """Return True for the name of an argument."""
        return name in self.shown["inputSchema"]["properties"]

    def read(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments with each whole number as one, also where it came as a text."""
        return {
            name: _number(value) if name in self.numbers else value
            for name, value in arguments.items()
        }


@attrs.define(eq=False)
class Tools:
    """Every tool, made when the first is asked for, and the others that are no operations.

    Attributes:
        extra: descriptions of tools that are done here, each with its scope.
    """

    extra: Mapping[str, tuple[Scope, Mapping[str, Any]]]
    _made: Mapping[str, Tool] | None = attrs.field(default=None, init=False)

    def make(self) -> Mapping[str, Tool]:
        """Return them by name; it takes a while, the first time."""
        if self._made is None:
            self._made = _made()
        return self._made

    def of(self, caller: Caller) -> list[Mapping[str, Any]]:
        """Return what a caller may do, as `tools/list` tells it."""
        shown = [tool.shown for tool in self.make().values() if tool.scope in caller.scopes]
        return shown + [told for scope, told in self.extra.values() if scope in caller.scopes]

    def find(self, name: str) -> Tool:
        """Return a tool.

        Raises:
            RequestFailed: there is none of that name.
        """
        found = self.make().get(name)
        if found is None:
            raise RequestFailed(
                INVALID_PARAMS, f"There is no tool {name[:100]!r}. Call tools/list for their names."
            )
        return found


def schema_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the schema of a struct, without references."""
    made, components = msgspec.json.schema_components([kind])
    schema: dict[str, Any] = _inlined(made[0], components)
    return schema


def _made() -> Mapping[str, Tool]:
    from command_center.http.openapi.document import parameters_of, path_of  # noqa: PLC0415 - a server that no agent asks starts sooner, and stays smaller
    from command_center.http.openapi.schemas import schemas_of  # noqa: PLC0415 - the same

    by_name = {operation.handler.__name__: operation for operation in OPERATIONS}
    wanted = {name: by_name[name] for name in NAMES}
    bodies = schemas_of((), [each.body for each in wanted.values() if each.body is not None])
    found = (
        _tool(
            name,
            operation,
            path_of(operation.rule),
            parameters_of(operation),
            _inlined(bodies.of.get(operation.body, {}), bodies.components),
        )
        for name, operation in wanted.items()
    )
    return MappingProxyType({tool.shown["name"]: tool for tool in found})


def _tool(
    name: str,
    operation: Operation,
    target: str,
    parameters: Sequence[Mapping[str, Any]],
    body: Mapping[str, Any],
) -> Tool:
    properties = {
        part["name"]: part["schema"]
        | ({"description": part["description"]} if "description" in part else {})
        for part in parameters
    } | body.get("properties", {})
    needed = [part["name"] for part in parameters if part["required"]]
    needed += body.get("required", ())
    about = " ".join(filter(None, [f"{operation.summary}.", body.get("description")]))
    for hidden in (_WHO_ASKS, _DECIDES):
        properties.pop(hidden, None)
    is_read = operation.method == "GET"
    return Tool(
        operation=operation,
        target=target,
        path=tuple(part["name"] for part in parameters if part["in"] == "path"),
        query=frozenset(part["name"] for part in parameters if part["in"] == "query"),
        numbers=frozenset(name for name, part in properties.items() if _is_number(part)),
        shown={
            "name": name,
            "description": about,
            "inputSchema": {
                "type": "object",
                "properties": properties,
                **({"required": needed} if needed else {}),
                "additionalProperties": False,
            },
            "annotations": {
                "readOnlyHint": is_read,
                # What is neither, Codex calls without asking anybody.
                "destructiveHint": not is_read,
                "openWorldHint": name in _REACHES_OUT,
            },
        },
    )


def is_number(value: object) -> bool:
    """Return True for a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(schema: Mapping[str, Any]) -> bool:
    kinds = {kind.get("type") for kind in schema.get("anyOf", [schema])}
    return "integer" in kinds and "string" not in kinds


def _number(value: object) -> object:
    """Return a whole number that is spelt in another way as one, and anything else as it is."""
    if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value):
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def names_of_asker(operation: Operation) -> tuple[str, ...]:
    """Return the fields in which an operation is told who asks."""
    taken = getattr(operation.body or operation.query, "__struct_encode_fields__", ())
    return tuple(name for name in (_WHO_ASKS, _DECIDES) if name in taken)


def _inlined(part: Any, components: Mapping[str, Any], within: tuple[str, ...] = ()) -> Any:
    """Return a schema with what it refers to in its place; what holds itself may be anything."""
    if isinstance(part, list):
        return [_inlined(item, components, within) for item in part]
    if not isinstance(part, dict):
        return part
    reference = part.get("$ref")
    if isinstance(reference, str):
        name = reference.rpartition("/")[2]
        if name in within:
            return {}
        whole = _inlined(components[name], components, (*within, name))
        return whole | {key: value for key, value in part.items() if key not in {"$ref", "default"}}
    return {
        key: _inlined(value, components, within)
        for key, value in part.items()
        if key != "title" or not isinstance(value, str)  # a struct's name; a field has a schema
    }
