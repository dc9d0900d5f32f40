"""Calls of operations from within: as requests of the same caller, without a connection.

All that stands between a request and its handler counts for them: the scopes, the checks of the
body, and the shape of refusals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import attrs
import msgspec
from quart import request
from werkzeug.datastructures import Headers

from command_center.http.mcp.tools import Tool, is_number
from command_center.http.middleware.idempotency import HEADER, REPLAYED
from command_center.http.wire.caller import CALLER, caller_of
from command_center.http.wire.problems import JSON, Problem, problem_of
from command_center.http.wire.quart_app import Application


@attrs.frozen
class Answered:
    """An operation's answer, as JSON.

    Attributes:
        is_replayed: it was given before, to the same call.
    """

    status: int
    body: bytes
    is_replayed: bool = False

    @property
    def is_refusal(self) -> bool:
        """Return True if nothing was done."""
        return self.status >= 400  # noqa: PLR2004 - the border between answers and refusals


@attrs.frozen
class ToolArguments:
    """Arguments of a tool, by where its operation takes them."""

    tool: Tool
    path: Mapping[str, object] = attrs.field(kw_only=True)
    query: Mapping[str, object] = attrs.field(kw_only=True)
    body: Mapping[str, object] = attrs.field(kw_only=True, factory=dict)


async def perform(
    app: Application, given: ToolArguments, *, idempotency_key: str | None = None
) -> Answered:
    """Carry a tool out for who sent the request in hand; a refusal is an answer, too.

    With a key it is carried out once, as a POST with an `Idempotency-Key` is.
    """
    headers = Headers({"Content-Type": JSON})
    if idempotency_key is not None:
        headers[HEADER] = idempotency_key
    tool, operation, target = given.tool, given.tool.operation, given.tool.target
    scope: Any = dict(request.scope)
    # What is within an agent's limits was checked; the operation knows of scopes alone.
    scope[CALLER] = attrs.evolve(caller_of(scope), limits=None)
    for name, value in given.path.items():
        target = target.replace(f"{{{name}}}", str(value))
        if name in tool.numbers and not is_number(value):
            return _told(Problem(404, f"There is no {target}."))
    inner = app.request_class(
        operation.method,
        request.scheme,
        target,
        urlencode(_plain(given.query), doseq=True).encode(),
        headers,
        "",
        request.http_version,
        scope,
        send_push_promise=_push_nothing,
    )
    if operation.body is not None:
        inner.body.append(msgspec.json.encode(given.body))
    inner.body.set_complete()
    async with app.request_context(inner) as context:
        rule = inner.url_rule
        if rule is None or rule.endpoint != operation.id:
            # What stands in the path is no id of its kind, or leads to another operation.
            return _told(Problem(404, f"There is no {target}."))
        try:
            answer: Any = await app.dispatch_request(context)
        except Exception as error:  # noqa: BLE001 - it becomes an answer here, as it would outside
            return _told(problem_of(error))
        told = await answer.get_data(as_text=False)
        return Answered(answer.status_code, told, is_replayed=REPLAYED in answer.headers)


async def _push_nothing(path: str, headers: Headers) -> None:
    del path, headers


def _told(problem: Problem) -> Answered:
    return Answered(problem.status, problem.body())


def _plain(query: Mapping[str, object]) -> dict[str, object]:
    """Return the parameters as a query string spells them; null is left out."""
    return {name: _spelt(value) for name, value in query.items() if value is not None}


def _spelt(value: object) -> object:
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return [_spelt(item) for item in value]
        case dict():
            return msgspec.json.encode(value).decode()
    return value
