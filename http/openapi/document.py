"""The OpenAPI 3.1 document, made of the declarations of operations and of the structs themselves.

Descriptions are the structs' own docstrings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from importlib.metadata import version
from types import MappingProxyType
from typing import Any, Final

import msgspec

from command_center.actors.rules.placement import HostWish
from command_center.actors.rules.prompt_files import NAME as PROMPT_NAME
from command_center.actors.rules.uploads import UPLOAD_BYTES
from command_center.http.middleware.gate import GITHUB_WEBHOOK, WEBHOOK, is_api
from command_center.http.middleware.signin import COOKIE, SIGN_IN
from command_center.http.openapi.schemas import REFERENCE, schemas_of, without_null
from command_center.http.routes.github import SIGNATURE
from command_center.http.routes.table import APIS, OPERATIONS
from command_center.http.routes.telegram import HEADER as SECRET_HEADER
from command_center.http.wire.codec import LARGEST
from command_center.http.wire.operation import SENT_EVENTS, Location, OneOf, Operation, Text, camel
from command_center.http.wire.problems import BYTES, JSON
from command_center.http.wire.responses import Error, LiveEvent

_PARAMETER = re.compile(r"<(?:(?P<kind>[a-z]+):)?(?P<name>[a-z_]+)>")
_TEXT: Final = {"type": "string", "pattern": r"^[^/\x00-\x1f\x7f]+$"}
_PROMPT_NAME: Final = {"type": "string", "pattern": PROMPT_NAME}
_ACTOR_PATH: Final = {
    "type": "string",
    "pattern": r"^[^/\x00-\x1f\x7f][^\x00-\x1f\x7f]*$",
    "description": "The actor's path without its first slash, such as `sessions/12`.",
}
_ANY: Final = {"type": "string"}
_ONE_TAG: Final = {"type": "string", "pattern": r"^(\*|\x22[!#-~]*\x22)$"}
_SENT_EVENT: Final = {
    "type": "object",
    "description": "One event of the stream. An event that is only live has no id. Another one has "
    "the log's id and its own.",
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9a-f]{16}:[0-9]+$"},
        "data": {
            "type": "string",
            "contentMediaType": JSON,
            "contentSchema": {
                "anyOf": [
                    {"$ref": REFERENCE.format(name="Event")},
                    {"$ref": REFERENCE.format(name="LiveEvent")},
                ]
            },
        },
    },
    "required": ["data"],
}
_LEFT_OUT: Final = {"type": "null"}
_WISHES: Final = [
    {"required": ["host"], "properties": {"host": {"type": "string"}, "labels": {"maxItems": 0}}},
    {"required": ["labels"], "properties": {"host": _LEFT_OUT, "labels": {"minItems": 1}}},
]
"""The forms of a wish for a host: one that is named, or labels that it has."""
_HOLDS: Mapping[Any, Location] = MappingProxyType(
    {
        next(iter(operation.answers.values())): operation.location
        for operation in OPERATIONS
        if operation.location is not None
    }
)
"""The place of the record that an answer of a kind holds."""

_FIELDS: Final[Mapping[tuple[type, str], type]] = MappingProxyType(
    {field: kind for api in APIS for field, kind in api.fields.items()}
)
"""Types of fields that are plain JSON to the store, by record and field on the wire."""

_ABOUT: Final = """\
Puts Codex to work on local git repositories.

Every failure is an Error. Below `/api/`, fields and parameters that are not named here are refused
(400). A path that answers a GET answers a HEAD, too, and every path OPTIONS; other methods are 405,
with Allow, and other paths 404. A body that a GET brings is held to what bodies are (408, 413,
415), and otherwise ignored. What is no request at all is 400, 431 (its head is too large), 501 or
505."""

_SECURITY_SCHEMES: Final = {
    "token": {"type": "http", "scheme": "bearer", "description": "`CC_API_TOKEN`, or a device's."},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "The cookie that a browser gets by signing in.",
    },
    "webhook": {
        "type": "apiKey",
        "in": "header",
        "name": SECRET_HEADER,
        "description": "`CC_TELEGRAM_WEBHOOK_SECRET`.",
    },
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": SIGNATURE,
        "description": "`sha256=` and an HMAC over the body, by `CC_GITHUB_WEBHOOK_SECRET`.",
    },
}

_WHEN: Mapping[int, str] = MappingProxyType(
    {
        400: "A field, a parameter or the JSON itself is wrong.",
        401: "The token is missing or wrong.",
        403: "A browser sent it for another site's page, or a device's scopes do not allow it.",
        404: "There is no such record.",
        408: "The body took too long to come.",
        409: "The state or the policy does not allow it.",
        410: "The position to resume after is not in this log. `facts` describe the log.",
        412: "The resource does not meet the conditions of the request.",
        413: "The body is too large.",
        415: "The body's Content-Type is not the one that is taken.",
        421: "The Host is not one of the server's names.",
        422: "The Idempotency-Key was used for another request.",
        426: "Ask for a WebSocket, or for server-sent events with Accept.",
        429: "Too many wrong tokens or codes came, or a part is overloaded.",
        431: "The request's head is too large, as its path or query can make it.",
        500: "A defect of the server.",
        503: "A part is not there now.",
    }
)


def openapi_document(*, secured: bool) -> dict[str, Any]:
    """Make the document; `secured` says that this server wants a token."""
    schemas = schemas_of(_answered(), _taken())
    components = schemas.components
    for (record, field), kind in _FIELDS.items():
        reference = {"$ref": REFERENCE.format(name=kind.__name__)}
        components[record.__name__]["properties"][field] = reference
    for operation in OPERATIONS:
        if operation.body is not None and operation.one_of is not None:
            _add_choice(components[operation.body.__name__], operation.one_of)
    components[HostWish.__name__]["oneOf"] = _WISHES
    for name in schemas.taken:
        _bound(components[name])
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        path = paths.setdefault(path_of(operation.rule), {})
        path[operation.method.lower()] = _operation(operation, schemas.of, secured=secured)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Command Center",
            "version": version("command-center"),
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(op.tag for op in OPERATIONS)],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {str(status): _refusal(status) for status in _WHEN},
            "headers": {"RequestId": _header("The id of this request in the log.")},
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


def _add_choice(schema: dict[str, Any], choice: OneOf) -> None:
    """Say of a body which of its fields exclude each other."""
    fields = {name: schema["properties"][name] for name in choice.fields}
    if not choice.is_needed:
        schema["anyOf"] = [
            {"properties": {other: _LEFT_OUT for other in fields if other != name}}
            for name in reversed(fields)
        ]
        return
    schema["oneOf"] = [
        {
            "required": [name],
            "properties": {
                name: {"type": without_null(field)["type"]},
                **{other: _LEFT_OUT for other in fields if other != name},
            },
        }
        for name, field in fields.items()
    ]


def path_of(rule: str) -> str:
    """Return the router's path as OpenAPI writes it: `/api/repos/{repositoryId}`."""
    return _PARAMETER.sub(lambda found: "{" + camel(found["name"]) + "}", rule)


def _answered() -> Iterable[Any]:
    yield from (Error, LiveEvent)
    for operation in OPERATIONS:
        yield from (kind for kind in operation.answers.values() if not isinstance(kind, Text))


def _taken() -> Iterable[Any]:
    return (operation.body for operation in OPERATIONS if operation.body not in {None, bytes})


def _operation(
    operation: Operation, schemas: Mapping[Any, Any], *, secured: bool
) -> dict[str, Any]:
    parameters = [*parameters_of(operation), *_header_parameters(operation)]
    told: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        **_needed(operation),
        "tags": [operation.tag],
        "responses": {
            **{
                str(status): _answer(operation, status, kind, schemas)
                for status, kind in operation.answers.items()
            },
            **({"304": _unchanged()} if _is_tagged(operation) else {}),
            **{
                str(status): {"$ref": f"#/components/responses/{status}"}
                for status in _refusals(operation)
            },
        },
        "security": _security(operation, secured=secured),
    }
    if parameters:
        told["parameters"] = parameters
    if operation.body is not None:
        told["requestBody"] = {
            "required": _is_needed(operation),
            "content": (
                {
                    BYTES: {
                        "schema": {"type": "string", "format": "binary", "maxLength": UPLOAD_BYTES}
                    }
                }
                if operation.body is bytes
                else {JSON: {"schema": schemas[operation.body]}}
            ),
        }
    return told


_FILE = {"type": "string", "format": "binary", "maxLength": UPLOAD_BYTES}


def _needed(operation: Operation) -> dict[str, str]:
    """Return the description, which tells what a device needs."""
    if operation.scope is None:
        return {}
    told = f"A device needs the scope `{operation.scope}`."
    if operation.needs is not None:
        told += f" With {operation.needs.where} it needs `{operation.needs.scope}`, too."
    return {"description": told}


def _security(operation: Operation, *, secured: bool) -> list[dict[str, Any]]:
    """Return what it needs, any one of them; nothing where the list is empty."""
    if operation.rule == WEBHOOK:
        return [{"webhook": []}]
    if operation.rule == GITHUB_WEBHOOK:
        return [{"signature": []}]
    if operation.is_open or not (secured and is_api(operation.rule)):
        return []
    return [{"token": []}] if operation.rule == SIGN_IN else [{"token": []}, {"cookie": []}]


def _is_needed(operation: Operation) -> bool:
    """Return True if a request without a body is refused."""
    if operation.one_of is not None and operation.one_of.is_needed:
        return True
    body = operation.body
    if body is bytes:
        return True
    if body is None or not getattr(body, "__struct_fields__", ()):
        return False
    return any(field.required for field in msgspec.structs.fields(body))


def _answer(
    operation: Operation, status: int, kind: Any, schemas: Mapping[Any, Any]
) -> dict[str, Any]:
    told: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if not isinstance(kind, Text):
        told["content"] = {JSON: {"schema": schemas[kind]}}
    elif kind.content_types:
        schema = _SENT_EVENT if kind == SENT_EVENTS else _ANY
        told["content"] = {each: {"schema": schema} for each in kind.content_types}
    told["headers"] = {**_REQUEST_ID}
    if _is_tagged(operation):
        told["headers"]["ETag"] = _header("Its tag.")
    if operation.method == "GET" and kind != SENT_EVENTS:
        told["headers"] |= {**_CODING, **_VARY}
    if operation.is_done_once:
        told["headers"]["Idempotency-Replayed"] = _header("`true` where it was done before.")
    for name, text in operation.headers.items():
        told["headers"][name] = _header(text)
    if operation.method == "POST" and (links := _links(kind)):
        told["links"] = links
        if status == HTTPStatus.CREATED:
            told["headers"]["Location"] = _header("Where it is.")
    return told


def _unchanged() -> dict[str, Any]:
    return {
        "description": "Nothing has changed since.",
        "headers": {**_REQUEST_ID, "ETag": _header("Its tag."), **_VARY},
    }


def _header(text: str) -> dict[str, Any]:
    return {"description": text, "schema": {"type": "string"}}


_CODING: Final = {
    "Content-Encoding": _header("`gzip`, where the answer is large and the client accepts it.")
}
_VARY: Final = {"Vary": _header("`Accept-Encoding`, where the answer is large.")}
_REQUEST_ID: Final = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}


def _links(kind: Any) -> dict[str, Any]:
    """Return what can be done, by its id, with the record that an answer of that kind holds."""
    links: dict[str, Any] = {}
    if kind not in _HOLDS:
        return links
    place = _HOLDS[kind]
    for other in OPERATIONS:
        found = [*_PARAMETER.finditer(other.rule)]
        if len(found) == 1 and other.rule.startswith(f"{place.noun}/<id:"):
            parameter = camel(found[0]["name"])
            links[other.id] = {
                "operationId": other.id,
                "parameters": {f"path.{parameter}": f"$response.body#{place.pointer}"},
            }
    return links


def _refusals(operation: Operation) -> list[int]:
    found = {400, 421, 431, 500, 503, *operation.refuses}
    if is_api(operation.rule):
        found |= {401, 429}
    if operation.method != "GET" or operation.scope is not None:
        found |= {403}
    if _is_checked(operation) or _is_tagged(operation):
        found |= {412}
    if operation.is_done_once:
        found |= {409, 422}
    if operation.method != "GET":
        found |= {408, 413, 415}
    if "<" in operation.rule and "<thread:thread_id>" not in operation.rule:
        found |= {404}
    return sorted(found)


def _is_tagged(operation: Operation) -> bool:
    """Return True if its answer has an ETag."""
    kind = operation.answers.get(200)
    return (
        operation.method == "GET"
        and operation.rule.startswith("/api/")
        and not isinstance(kind, Text)
    )


def _is_checked(operation: Operation) -> bool:
    """Return True if it takes the condition `If-Match`."""
    is_record = operation.method in {"PATCH", "DELETE"} and operation.rule.endswith(">")
    return is_record or operation.is_of_branch


def _header_parameters(operation: Operation) -> list[dict[str, Any]]:
    told: dict[str, tuple[str, dict[str, Any], bool]] = {
        "If-None-Match": ("The tag of a former answer.", _ANY, _is_tagged(operation)),
        "If-Match": (
            "The commit that the branch must be at still, in quotes: its `headSha`."
            if operation.is_of_branch
            else "The tag of what is to be changed.",
            _ONE_TAG if operation.is_of_branch else _ANY,
            _is_checked(operation),
        ),
        "Idempotency-Key": (
            "A key that the client makes up. What is sent again under it is done once.",
            {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"},
            operation.is_done_once,
        ),
        "Last-Event-ID": (
            "Goes before `after`.",
            {"type": "integer", "minimum": 0, "maximum": LARGEST},
            SENT_EVENTS in operation.answers.values(),
        ),
    }
    return [
        {"name": name, "in": "header", "required": False, "description": text, "schema": schema}
        for name, (text, schema, is_taken) in told.items()
        if is_taken
    ]


def _refusal(status: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "description": _WHEN[status],
        "content": {JSON: {"schema": {"$ref": REFERENCE.format(name="Error")}}},
    }
    headers: dict[str, Any] = {**_REQUEST_ID}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = _header("`Bearer`, where that is what is missing.")
    if status == HTTPStatus.UPGRADE_REQUIRED:
        headers["Upgrade"] = _header("`websocket`.")
    if status in {
        HTTPStatus.CONFLICT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }:
        headers["Retry-After"] = {
            "description": "Seconds after which to try again.",
            "schema": {"type": "integer", "minimum": 1},
        }
    told["headers"] = headers
    return told


def parameters_of(operation: Operation) -> list[dict[str, Any]]:
    """Return what an operation takes in its path and its query, without references."""
    return [*_path_parameters(operation.rule), *_query_parameters(operation.query)]


def _path_parameters(rule: str) -> list[dict[str, Any]]:
    schemas: dict[str | None, dict[str, Any]] = {
        "id": {"type": "integer", "minimum": 1, "maximum": LARGEST},
        "path": _ACTOR_PATH,
        "actor": _ACTOR_PATH,
        "thread": _TEXT,
        "prompt": _PROMPT_NAME,
        None: _TEXT,
    }
    return [
        {
            "name": camel(found["name"]),
            "in": "path",
            "required": True,
            "schema": schemas[found["kind"]],
        }
        for found in _PARAMETER.finditer(rule)
    ]


def _query_parameters(query: type | None) -> list[dict[str, Any]]:
    if query is None:
        return []
    schema = schemas_of((), [query]).components[query.__name__]
    _bound(schema)
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            **({"description": told.pop("description")} if "description" in told else {}),
            "schema": without_null(told),
        }
        for name, told in schema["properties"].items()
    ]


def _bound(schema: Any) -> None:
    """Say of every whole number that is taken what all of them are: no larger than 64 bits."""
    if isinstance(schema, dict):
        if schema.get("type") == "integer":
            schema.setdefault("minimum", -LARGEST - 1)
            schema.setdefault("maximum", LARGEST)
        for part in schema.values():
            _bound(part)
    elif isinstance(schema, list):
        for part in schema:
            _bound(part)
