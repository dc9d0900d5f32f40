"""The types that the dashboard's modules are checked with, made from the API's two documents.

`python -m tests.browser.declarations` writes `http/web/openapi.d.ts` anew. It has each struct as an
interface, and each operation with its path, its query, its body and its answer, so that a module
that asks for a path knows what comes and is refused a field that is not there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from command_center.actors.contracts.events.catalogue import EVENTS
from command_center.http.openapi.asyncapi import asyncapi_document
from command_center.http.openapi.document import openapi_document
from tests.checkout import ROOT

DECLARATIONS = ROOT / "http" / "web" / "openapi.d.ts"

HEAD = """\
// The API's types, made from its OpenAPI document by `uv run python -m tests.browser.declarations`.
"""

TAIL = """
/** An event as the streams tell it; one that is only live has no id. */
export type AnyEvent = {
  [K in keyof EventData]: Omit<Event, "id" | "type" | "data"> & {
    id: number | null;
    type: K;
    data: EventData[K];
  };
}[keyof EventData];

type Named = Operations[keyof Operations];

/** Every path that a method is taken at; a parameter stands for a number or a text in it. */
export type PathOf<M extends string> = Extract<Named, { method: M }>["path"];

/** The operation at a path: the one that names it in full, or else the one whose parameters fit. */
type At<M extends string, P extends string> =
  P extends Extract<Named, { method: M; isExact: true }>["path"]
    ? Extract<Named, { method: M; path: P }>
    : { [K in keyof Operations]: Operations[K] extends { method: M; path: infer Q; isExact: false }
        ? P extends Q ? Operations[K] : never
        : never }[keyof Operations];

export type QueryOf<M extends string, P extends string> = At<M, P>["query"];
export type BodyOf<M extends string, P extends string> = At<M, P>["body"];
export type AnswerOf<M extends string, P extends string> = At<M, P>["answer"];
export type ItemOf<P extends string> = AnswerOf<"GET", P> extends Page<infer T> ? T : never;
"""

JSON = "application/json"
_SCHEMAS = "#/components/schemas/"
_PAGE = re.compile(r"Page_(\w+)_")
_PARAMETER = re.compile(r"\{(\w+)\}")
_SIMPLE = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}


def declarations() -> str:
    """The whole file."""
    told = openapi_document(secured=True)
    schemas = told["components"]["schemas"]
    parts = [HEAD, "export interface Page<T> {\n  items: T[];\n  nextCursor: string | null;\n}\n"]
    for name, schema in schemas.items():
        if not _PAGE.fullmatch(name):
            parts.append(_interface(name, schema))
    lines = (_operation(*found) for found in _operations(told))
    parts.append("export interface Operations {\n" + "".join(lines) + "}\n")
    parts += _events(known=frozenset(schemas))
    return "\n".join(parts) + TAIL


def _events(known: frozenset[str]) -> Iterator[str]:
    """The data of each type of event, from the streams' document."""
    schemas = asyncapi_document(secured=True)["components"]["schemas"]
    for name, schema in schemas.items():
        if name not in known:
            yield _interface(name, schema)
    kinds = "".join(f"  {json.dumps(kind)}: {event.__name__};\n" for kind, event in EVENTS.items())
    yield (
        "/** The data of an event, by its type. */\nexport interface EventData {\n" + kinds + "}\n"
    )


def _operations(told: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def _body(operation: Mapping[str, Any]) -> Any:
    return operation.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema")


def _interface(name: str, schema: Mapping[str, Any]) -> str:
    """A struct."""
    if "properties" not in schema:
        return f"export type {name} = {_type(schema)};\n"
    about = " ".join(schema.get("description", "").split("\n\n")[0].split())
    lines = [f"/** {about} */\n"] if about else []
    lines.append(f"export interface {name} {{\n")
    for field, kind in schema["properties"].items():
        is_there = field in schema.get("required", ())
        lines.append(f"  {field}{'' if is_there else '?'}: {_type(kind)};\n")
    return "".join(lines) + "}\n"


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> str:
    parameters = operation.get("parameters", ())
    kinds = {p["name"]: p["schema"] for p in parameters if p["in"] == "path"}
    pattern = _PARAMETER.sub(lambda found: "${" + _type(kinds[found[1]]) + "}", path)
    query = "".join(
        f"{p['name']}{'' if p['required'] else '?'}: {_type(p['schema'])} | null; "
        for p in parameters
        if p["in"] == "query"
    )
    body = _body(operation)
    answers = {
        _type(answer["content"][JSON]["schema"]) if JSON in answer.get("content", {}) else "null"
        for status, answer in operation["responses"].items()
        if status.startswith("2")
    }
    fields = {
        "method": json.dumps(method),
        "path": f"`{pattern}`" if kinds else json.dumps(path),
        "isExact": "false" if kinds else "true",
        "query": f"{{ {query}}}" if query else "Record<string, never>",
        "body": "undefined" if body is None else _type(body),
        "answer": " | ".join(sorted(answers)),
    }
    told = "".join(f"    {name}: {kind};\n" for name, kind in fields.items())
    return f"  /** {operation['summary']} */\n  {operation['operationId']}: {{\n{told}  }};\n"


def _type(schema: Mapping[str, Any]) -> str:
    match schema:
        case {"$ref": str() as reference}:
            told = _referred(reference.removeprefix(_SCHEMAS))
        case {"anyOf": [*choices]}:
            told = " | ".join(dict.fromkeys(_type(choice) for choice in choices))
        case {"enum": [*values]}:
            told = " | ".join(json.dumps(value) for value in values)
        case {"type": "array"}:
            item = _type(schema.get("items", {}))
            told = f"({item})[]" if " " in item else f"{item}[]"
        case {"type": "object"}:
            told = f"Record<string, {_type(schema.get('additionalProperties', {}))}>"
        case {"type": str() as name}:
            told = _SIMPLE[name]
        case _:
            told = "any"
    return told


def _referred(name: str) -> str:
    page = _PAGE.fullmatch(name)
    if page is None:
        return name
    item = {"Any": "any", "str": "string"}.get(page[1], page[1])
    return f"Page<{item}>"


if __name__ == "__main__":
    DECLARATIONS.write_text(declarations(), encoding="utf-8", newline="\n")
