"""The Python client's calls and shapes, made from the API's two documents.

`python -m tests.http.python_client` writes `calls.py` and `shapes.py` of the client anew. A call is
a function that returns the request as a value, so that one function serves the client that waits
and the one that does not. Shapes are typed dictionaries, which cost nothing as they are read.
"""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterator, Mapping
from typing import Any

from command_center.actors.contracts.events.catalogue import EVENTS
from command_center.http.openapi.asyncapi import asyncapi_document
from command_center.http.openapi.document import openapi_document
from tests.browser.declarations import JSON, _body, _operations
from tests.checkout import ROOT

FOLDER = ROOT / "http" / "command_center_client"

MADE = "made from its OpenAPI document by `uv run python -m tests.http.python_client`"

CALLS = f'''\
"""Every operation of the API as a function that returns its call.

They are {MADE}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from command_center_client.call import ApiCall, at

if TYPE_CHECKING:
    from typing import Unpack

    from command_center_client import shapes
    from command_center_client.shapes import ListPage
'''

SHAPES = f'''\
"""Shapes of all that the API takes, answers and tells as events.

They are {MADE}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Literal, NotRequired, TypedDict, TypeVar

T = TypeVar("T")


class ListPage(TypedDict, Generic[T]):
    """A page of a list; `nextCursor` is None on the last."""

    items: list[T]
    nextCursor: str | None


class AnyEvent(TypedDict):
    """An event as the streams tell it; one that is only live has no id."""

    id: int | None
    type: str
    ts: str
    actor: str
    correlationId: str | None
    causationId: int | None
    data: Any
    repositoryId: NotRequired[int]
    taskId: NotRequired[int]
    sessionId: NotRequired[int]
    approvalId: NotRequired[int]
    automationId: NotRequired[int]
    device: NotRequired[str]
    shortened: NotRequired[bool]

'''

_SCHEMAS = "#/components/schemas/"
_PAGE = re.compile(r"Page_(\w+)_")
_PARAMETER = re.compile(r"\{(\w+)\}")
_SIMPLE = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def calls() -> str:
    """The functions."""
    told = openapi_document(secured=True)
    return CALLS + "".join(_call(*found) for found in _operations(told) if _is_call(found[2]))


def shapes() -> str:
    """The typed dictionaries."""
    told = openapi_document(secured=True)
    schemas = told["components"]["schemas"]
    parts = [SHAPES]
    parts += [_shape(n, s) for n, s in schemas.items() if not _PAGE.fullmatch(n)]
    streams = asyncapi_document(secured=True)["components"]["schemas"]
    parts += [_shape(name, schema) for name, schema in streams.items() if name not in schemas]
    for path, method, operation in _operations(told):
        query = _query(operation)
        if query and _is_call(operation):
            parts.append(_shape(_query_name(operation), query))
        assert path, method
    kinds = "".join(f'    "{kind}": "{event.__name__}",\n' for kind, event in EVENTS.items())
    parts.append(f"EVENT_DATA = {{\n{kinds}}}\n")
    return "\n".join(parts)


def _is_call(operation: Mapping[str, Any]) -> bool:
    """Tell whether its answer is JSON, and not a stream, a document or metrics."""
    answers = operation["responses"].values()
    return {kind for answer in answers for kind in answer.get("content", {})} <= {JSON}


def _query(operation: Mapping[str, Any]) -> dict[str, Any]:
    asked = [p for p in operation.get("parameters", ()) if p["in"] == "query"]
    if not asked:
        return {}
    return {
        "properties": {p["name"]: p["schema"] for p in asked},
        "required": [p["name"] for p in asked if p["required"]],
        "description": operation["summary"] + ".",
    }


def _query_name(operation: Mapping[str, Any]) -> str:
    name: str = operation["operationId"]
    return f"{name[0].upper()}{name[1:]}Query"


def _shape(name: str, schema: Mapping[str, Any]) -> str:
    if "properties" not in schema:
        return f"{name} = {_type(schema)}\n"
    about = " ".join(schema.get("description", "").split("\n\n")[0].split())
    lines = [f"# {about}\n"] if about else []
    lines.append(f'{name} = TypedDict(\n    "{name}",\n    {{\n')
    for field, kind in schema["properties"].items():
        told = _type(kind)
        told = told if field in schema.get("required", ()) else f"NotRequired[{told}]"
        lines.append(f"        {json.dumps(field)}: {_quoted(told)},\n")
    return "".join(lines) + "    },\n)\n"


def _quoted(told: str) -> str:
    return "'" + told + "'"


def _call(path: str, method: str, operation: Mapping[str, Any]) -> str:
    parameters = operation.get("parameters", ())
    kinds = {p["name"]: p["schema"] for p in parameters if p["in"] == "path"}
    names = _PARAMETER.findall(path)
    takes = [f"{_snake(name)}: {_type(kinds[name])}" for name in names]
    sends = []
    body = _body(operation)
    is_raw = body is None and "requestBody" in operation
    query = _query(operation)
    if is_raw:
        takes.append("body: bytes")
        sends.append("body=body")
    elif body is not None and not ("$ref" in body and not query):
        takes.append("body: Mapping[str, Any]")
        sends.append("body=body")
    if takes:
        takes.append("/")
    if query:
        takes.append(f"**query: Unpack[shapes.{_query_name(operation)}]")
        sends.append("query=query")
    elif body is not None and "$ref" in body:
        takes.append(f"**body: Unpack[shapes.{body['$ref'].removeprefix(_SCHEMAS)}]")
        sends.append("body=body")
    if any(p["name"] == "Idempotency-Key" for p in parameters):
        sends.append("is_done_once=True")
    where = json.dumps(_PARAMETER.sub("{}", path))
    if names:
        where = f"at({where}, {', '.join(map(_snake, names))})"
    answers = dict.fromkeys(
        _type(answer["content"][JSON]["schema"], prefix="shapes.")
        if JSON in answer.get("content", {})
        else "None"
        for status, answer in operation["responses"].items()
        if status.startswith("2")
    )
    name = _snake(operation["operationId"])
    return (
        f"\n\ndef {name}({', '.join(takes)}) -> ApiCall[{' | '.join(answers)}]:\n"
        f'    """{operation["summary"]}: `{method} {path}`."""\n'
        f"    return ApiCall({', '.join([json.dumps(method), where, *sends])})\n"
    )


def _snake(name: str) -> str:
    told = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return f"{told}_" if keyword.iskeyword(told) else told


def _type(schema: Mapping[str, Any], *, prefix: str = "") -> str:
    """Return a type; `prefix` stands before the names of shapes."""
    match schema:
        case {"$ref": str() as reference}:
            told = _referred(reference.removeprefix(_SCHEMAS), prefix)
        case {"anyOf": [*choices]}:
            told = " | ".join(dict.fromkeys(_type(c, prefix=prefix) for c in choices))
        case {"enum": [*values]}:
            told = f"Literal[{', '.join(json.dumps(value) for value in values)}]"
        case {"type": "array"}:
            told = f"list[{_type(schema.get('items', {}), prefix=prefix)}]"
        case {"type": "object"}:
            item = _type(schema.get("additionalProperties", {}), prefix=prefix)
            told = f"Mapping[str, {item}]"
        case {"type": str() as name}:
            told = _SIMPLE[name]
        case _:
            told = "Any"
    return told


def _referred(name: str, prefix: str) -> str:
    page = _PAGE.fullmatch(name)
    if page is None:
        return prefix + name
    item = {"Any": "Any", "str": "str"}.get(page[1]) or prefix + page[1]
    return f"ListPage[{item}]"


def files() -> Iterator[tuple[str, str]]:
    """Both files, by their names."""
    yield "calls.py", calls()
    yield "shapes.py", shapes()


if __name__ == "__main__":
    for name, text in files():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
