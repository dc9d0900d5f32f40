"""The documents: whole, valid, and the same as the routes and the documentation."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema_rs
import msgspec
import pytest
from quart_trio import QuartTrio

from command_center.actors.rules.errors import Invalid
from command_center.actors.rules.lengths import PROMPT_LENGTH
from command_center.actors.rules.placement import HostWish, check_placement
from command_center.http.app import create_app
from command_center.http.middleware.gate import GITHUB_WEBHOOK, WEBHOOK, Policy
from command_center.http.openapi.asyncapi import asyncapi_document
from command_center.http.openapi.document import openapi_document
from command_center.http.openapi.page import page_of
from command_center.http.routes.table import OPERATIONS
from tests.actors.automations.rig import opened
from tests.checkout import ROOT
from tests.http.live import client_of

SCHEMAS = Path(__file__).parent / "schemas"
UNDOCUMENTED = frozenset({"certificate", "dashboard", "documentation", "documents"})
"""Blueprints of files for browsers, which are no API."""

DocumentOf: TypeAlias = Callable[..., dict[str, Any]]


def schema(name: str) -> Any:
    return msgspec.json.decode((SCHEMAS / name).read_bytes())


def routes_of(app: QuartTrio, *, websocket: bool) -> set[str]:
    return {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.websocket is websocket and str(rule.endpoint).partition(".")[0] not in UNDOCUMENTED
    }


async def test_the_table_of_operations_is_the_apps_routes(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig:
        app = create_app(rig.center, Policy())
    assert {operation.name for operation in OPERATIONS} == routes_of(app, websocket=False)
    channels = asyncapi_document(secured=False)["channels"].values()
    told = {channel["address"] for channel in channels}
    sockets = {name.removeprefix("GET ") for name in routes_of(app, websocket=True)}
    named = [re.sub("<path:name>", "{path}", rule) for rule in sockets]
    assert told == {rule.replace("<id:session_id>", "{sessionId}") for rule in named}


def texts_in(part: Any) -> Iterator[dict[str, Any]]:
    """The schemas of texts with a pattern, below a part of a document."""
    if isinstance(part, dict):
        if part.get("type") == "string" and "pattern" in part:
            yield part
        part = [*part.values()]
    for inner in part if isinstance(part, list) else ():
        yield from texts_in(inner)


def test_a_pattern_that_a_long_text_has_to_fit_is_shown_with_one_that_does() -> None:
    long = [
        text
        for text in texts_in(openapi_document(secured=True))
        if text.get("maxLength", 0) >= PROMPT_LENGTH
    ]
    assert long  # for these Schemathesis finds no right body by itself
    for text in long:
        assert [] != [one for one in text["examples"] if re.search(text["pattern"], one)]


async def test_every_route_is_documented_and_every_documented_route_exists(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig:
        rules = [*create_app(rig.center, Policy()).url_map.iter_rules()]
    text = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    told = re.findall(r"^- `((?:GET|POST|PUT|PATCH|DELETE) [^` ]+)`", text, re.MULTILINE)
    routes = {
        f"{method} {re.sub(_PARAMETER, _parameter, rule.rule)}"
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert sorted(routes) == sorted(told)


_PARAMETER = r"<(?:(?P<kind>[a-z]+):)?(?P<name>\w+)>"


def _parameter(match: re.Match[str]) -> str:
    kind = match["kind"]
    if kind in {"path", "actor"}:
        return ":path"
    first, *others = match["name"].split("_")
    return ":id" if kind == "id" else f":{first}{''.join(map(str.capitalize, others))}"


@pytest.mark.parametrize("secured", [True, False])
def test_the_openapi_document_is_valid(secured: bool) -> None:  # noqa: FBT001 - a parameter
    document = openapi_document(secured=secured)
    jsonschema_rs.Draft202012Validator(schema("openapi-3.1.json")).validate(document)
    for part in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate(part)
    paths = document["paths"]
    either: list[dict[str, list[str]]] = [{"token": []}, {"cookie": []}]
    assert (either if secured else []) == paths["/api/tasks"]["get"]["security"]
    assert (either[:1] if secured else []) == paths["/api/signin"]["post"]["security"]
    assert [{"webhook": []}] == paths["/api/telegram/webhook"]["post"]["security"]
    assert [] == paths["/health"]["get"]["security"]


@pytest.mark.parametrize("secured", [True, False])
def test_the_asyncapi_document_is_valid(secured: bool) -> None:  # noqa: FBT001 - a parameter
    document = asyncapi_document(secured=secured)
    jsonschema_rs.Draft7Validator(schema("asyncapi-3.0.json")).validate(document)


def test_no_stream_takes_null_for_a_parameter() -> None:
    channels = asyncapi_document(secured=False)["channels"].values()
    queries = [channel["bindings"]["ws"]["query"]["properties"] for channel in channels]
    assert {"type": "integer", "minimum": 0} == {
        name: told for name, told in queries[0]["after"].items() if name != "description"
    }
    assert "null" not in str(queries)


@pytest.mark.parametrize("document_of", [openapi_document, asyncapi_document])
def test_a_client_can_be_generated_with_a_type_for_each_part(document_of: DocumentOf) -> None:
    """Generators name what a field holds by struct and field, and want to know a list's items."""
    schemas = document_of(secured=True)["components"]["schemas"]
    for name, schema in schemas.items():
        for field, kind in schema.get("properties", {}).items():
            choices = kind.get("anyOf", [kind])
            if kind.get("type") == "object" or any("enum" in choice for choice in choices):
                assert f"{name}{field[0].upper()}{field[1:]}" not in schemas
            for choice in choices:
                if choice.get("type") == "array":
                    assert "items" in choice or "prefixItems" in choice, f"{name}.{field}"


@pytest.mark.parametrize("document_of", [openapi_document, asyncapi_document])
def test_every_reference_leads_somewhere(document_of: DocumentOf) -> None:
    document = document_of(secured=True)
    found = [*references(document)]
    assert found
    for reference in found:
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for below in part.values():
            yield from references(below)
    elif isinstance(part, list):
        for below in part:
            yield from references(below)


def test_other_peoples_schemas_are_as_they_were_taken() -> None:
    told = (SCHEMAS / "README.md").read_text(encoding="utf-8")
    for path in SCHEMAS.glob("*.json"):
        assert f"`{hashlib.sha256(path.read_bytes()).hexdigest()}`" in told


def test_a_wish_for_a_host_is_told_as_it_is_taken() -> None:
    schema = openapi_document(secured=False)["components"]["schemas"]["HostWish"]
    hosts: list[dict[str, Any]] = [{}, {"host": None}, {"host": "box"}]
    labels: list[dict[str, Any]] = [{}, {"labels": []}, {"labels": ["gpu"]}]
    taken = []
    for told in (host | label for host in hosts for label in labels):
        with contextlib.suppress(Invalid):
            check_placement(msgspec.convert(told, HostWish))
            taken.append(told)
        assert (told in taken) is jsonschema_rs.is_valid(schema, told)
    assert 4 == len(taken)


def test_operations_have_names_of_their_own() -> None:
    names = [operation.id for operation in OPERATIONS]
    assert sorted(set(names)) == sorted(names)


async def test_no_operation_takes_a_parameter_that_its_description_does_not_name(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        for operation in OPERATIONS:
            if operation.rule.startswith("/api/") and operation.rule not in {
                WEBHOOK,
                GITHUB_WEBHOOK,
            }:
                path = re.sub("<[^>]+>", "1", operation.rule)
                answer = await http.request(operation.method, path, params={"unheardOf": "1"})
                assert 400 == answer.status_code, operation.name
                assert "Unknown parameter unheardOf" in answer.json()["error"]["message"]


@pytest.mark.parametrize("brought", [{}, {"Authorization": "Bearer another-token-that-is-long"}])
async def test_each_operation_that_is_told_to_need_the_token_does(
    tmp_path: Path, brought: dict[str, str]
) -> None:
    policy = Policy(token="a-token-that-is-long-enough", wrong_tokens=1000)
    paths = openapi_document(secured=True)["paths"]
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, policy)) as http:
        for path, methods in paths.items():
            for method, told in methods.items():
                if not {"webhook", "signature"} & {*chain.from_iterable(told["security"])}:
                    at = re.sub("{[^}]+}", "1", path)
                    answer = await http.request(method.upper(), at, headers=brought)
                    needed = {"token": []} in told["security"]
                    assert needed == (401 == answer.status_code), (method, path)


def test_the_page_needs_nothing_from_elsewhere_and_no_script() -> None:
    page = page_of(openapi_document(secured=False))
    assert "<script" not in page
    assert " style=" not in page
    links = re.findall(r'<link [^>]*href="([^"]*)"', page)
    assert ["../web/icons/icon.svg", "../web/styles/tokens.css", "openapi.css"] == links
    anchors = set(re.findall(r' id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors
    for operation in OPERATIONS:
        assert operation.id in anchors


async def test_the_documents_are_open_to_everybody(tmp_path: Path) -> None:
    policy = Policy(token="a-token-that-is-long-enough")
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, policy)) as http:
        for path in ("/openapi.json", "/asyncapi.json", "/docs/openapi.html", "/docs/openapi.css"):
            assert 200 == (await http.get(path)).status_code
        told = (await http.get("/openapi.json")).json()["paths"]["/metrics"]["get"]
        assert {"token": []} in told["security"]


def unlimited(document: Any, schema: Any, path: str) -> Iterator[str]:
    """Yield the places of texts that may be of any length."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    kinds = schema.get("type", ())
    if "string" in kinds and not {"maxLength", "enum", "const"} & schema.keys():
        yield path
    # Beside properties of its own, choices say only which of them exclude each other.
    choices = () if "properties" in schema else (*schema.get("anyOf", ()), *schema.get("oneOf", ()))
    for inner in choices:
        yield from unlimited(document, inner, path)
    for name, inner in schema.get("properties", {}).items():
        yield from unlimited(document, inner, f"{path}.{name}")
    if isinstance(schema.get("items"), dict):
        yield from unlimited(document, schema["items"], f"{path}[]")


def test_every_text_that_comes_in_has_a_limit_that_the_document_tells() -> None:
    document = openapi_document(secured=True)
    found: list[str] = []
    for route, methods in document["paths"].items():
        for method, told in methods.items():
            if not isinstance(told, dict) or route == WEBHOOK:
                continue
            place = f"{method} {route}"
            for parameter in told.get("parameters", ()):
                if parameter.get("in") == "query":
                    found += unlimited(
                        document, parameter["schema"], f"{place} {parameter['name']}"
                    )
            body = told.get("requestBody")
            for kind, content in (body or {"content": {}})["content"].items():
                if kind == "application/json":
                    found += unlimited(document, content["schema"], place)
                elif "maxLength" not in content["schema"]:
                    found.append(f"{place} {kind}")
    assert [] == found
