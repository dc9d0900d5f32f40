"""Answers and frames as they really come, held against the documents that tell of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import attrs
import httpx
from jsonschema import Draft202012Validator, FormatChecker

from command_center.http.openapi.asyncapi import asyncapi_document
from command_center.http.openapi.document import openapi_document

JSON = "application/json"
ERROR = {"$ref": "#/components/schemas/Error"}
TOLD_HEADERS = frozenset(
    {
        "content-encoding",
        "etag",
        "idempotency-replayed",
        "location",
        "retry-after",
        "set-cookie",
        "upgrade",
        "vary",
        "www-authenticate",
        "x-request-id",
    }
)
"""Headers that mean something to a client; each that comes must be described."""

formats = FormatChecker(())


@formats.checks("date-time", ValueError)
def is_timestamp(text: object) -> bool:
    """Return whether it is as every timestamp of the API is."""
    return not isinstance(text, str) or (
        text.endswith("Z") and datetime.fromisoformat(text).utcoffset() == timedelta()
    )


@attrs.frozen
class Described:
    """A document, whose objects have the members that it names and no others."""

    document: Mapping[str, Any]

    def faults(self, schema: Mapping[str, Any], value: object) -> list[str]:
        """Return what of the value is not as the schema says."""
        whole = {**schema, "components": self.document["components"]}
        found = Draft202012Validator(whole, format_checker=formats).iter_errors(value)
        return [f"{fault.json_path}: {fault.message}" for fault in found]

    def resolved(self, part: Any) -> Any:
        """The part, or what it refers to."""
        if "$ref" not in part:
            return part
        place: Any = self.document
        for step in part["$ref"].removeprefix("#/").split("/"):
            place = place[step]
        return place


def closed(part: Any) -> Any:
    """The document with no room for members that it does not name."""
    if isinstance(part, list):
        return [closed(each) for each in part]
    if not isinstance(part, dict):
        return part
    made = {name: closed(each) for name, each in part.items()}
    if made.get("type") == "object" and "properties" in made:
        made.setdefault("additionalProperties", False)
    return made


@cache
def the_api() -> Described:
    """The OpenAPI document."""
    return Described(closed(json.loads(json.dumps(openapi_document(secured=False)))))


@cache
def the_streams() -> Described:
    """The AsyncAPI document."""
    return Described(closed(json.loads(json.dumps(asyncapi_document(secured=False)))))


async def check_answer(answer: httpx.Response) -> None:
    """Fail where an answer is not as the API's document says."""
    request = answer.request
    operation = _operation(request.method, request.url.path)
    if request.method in {"HEAD", "OPTIONS"} or (operation is None and answer.is_success):
        return
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        return
    await answer.aread()
    faults = [*_faults(answer, operation)]
    assert not faults, (request.method, request.url.path, answer.status_code, faults)


def check_event(event: Mapping[str, Any]) -> None:
    """Fail where an event of the stream is not as the streams' document says."""
    payload = {"$ref": f"#/components/messages/{event['type']}/payload"}
    faults = the_streams().faults(payload, event)
    assert not faults, (event, faults)


def check_trace(record: Mapping[str, Any]) -> None:
    """Fail where a record of a trace is not as the streams' document says."""
    faults = the_streams().faults({"$ref": "#/components/schemas/TraceRecordShown"}, record)
    assert not faults, (record, faults)


def _operation(method: str, path: str) -> Any:
    """Return what is told of a method at a path; of paths that fit, that without parameters."""
    for told in sorted(the_api().document["paths"], key=lambda told: told.count("{")):
        pattern = re.sub(r"\\{\w+\\}", ".+" if "/actors/" in told else "[^/]+", re.escape(told))
        if re.fullmatch(pattern, path) and method.lower() in the_api().document["paths"][told]:
            return the_api().document["paths"][told][method.lower()]
    return None


def _faults(answer: httpx.Response, operation: Any) -> Iterator[str]:
    api = the_api()
    told = {} if operation is None else operation["responses"].get(str(answer.status_code))
    if told is None:
        yield "the status is not described"
        return
    told = api.resolved(told)
    content = told.get("content", {})
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if operation is None:
        content = {JSON: {"schema": ERROR}}
    if not content and answer.content:
        yield "a body is not described"
    elif content and kind not in content:
        yield f"the content type {kind} is not described"
    elif kind == JSON:
        yield from api.faults(content[JSON]["schema"], answer.json())
    if operation is not None:
        headers = {name.lower() for name in told.get("headers", {})}
        for name in TOLD_HEADERS & answer.headers.keys() - headers:
            yield f"the header {name} is not described"
