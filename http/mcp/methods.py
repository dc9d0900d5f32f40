"""The methods of the protocol: tools and resources, as who asks may see and use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Final

import attrs
import msgspec
import trio
from quart import request

from command_center.actors.center import Center
from command_center.actors.core.storage import RequestOrigin
from command_center.actors.rules.agent_limits import OutOfBounds, TooManyRuns
from command_center.http.mcp.bounds import (
    LISTS_REPOSITORIES,
    REPOSITORY,
    AgentBounds,
    only_allowed,
    sessions_of,
)
from command_center.http.mcp.calls import Answered, ToolArguments, perform
from command_center.http.mcp.exchange import fitting
from command_center.http.mcp.resources import TEMPLATES, listed, parse
from command_center.http.mcp.tools import Tool, Tools, names_of_asker
from command_center.http.middleware.request_log import ToolCall, note_tool
from command_center.http.wire.caller import caller_of
from command_center.http.wire.mcp import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    RESOURCE_NOT_FOUND,
    CallTool,
    McpResult,
    ReadResource,
    RequestFailed,
    ResourceContents,
    ResourceList,
    ResourceRead,
    TemplateList,
    ToolList,
    ToolResult,
)
from command_center.http.wire.problems import JSON, problem_of
from command_center.http.wire.quart_app import Application
from command_center.runtime import origin
from command_center.store import Session
from command_center.store.queries.causes import last_event

ASKER: Final = "mcp"
"""The word of events for who asks by a tool; beside it they have the device."""

NOT_FOUND: Final = 404


@attrs.frozen(eq=False)
class Methods:
    """Answers methods from a center, through the app that serves it."""

    _app: Application
    _center: Center
    _tools: Tools
    _bounds: AgentBounds

    async def result(self, method: str, params: Mapping[str, Any]) -> McpResult:
        """Return the result of a method.

        Raises:
            RequestFailed: there is no such method, tool or resource, or its parameters are none.
        """
        match method:
            case "tools/list":
                await trio.to_thread.run_sync(self._tools.make)
                return ToolList(
                    tools=[dict(tool) for tool in self._tools.of(caller_of(request.scope))]
                )
            case "tools/call":
                return await self._call(fitting(params, CallTool))
            case "resources/list":
                return ResourceList(resources=await self._list_resources())
            case "resources/templates/list":
                return TemplateList(resource_templates=[*TEMPLATES])
            case "resources/read":
                return await self._read_resource(fitting(params, ReadResource).uri)
        raise RequestFailed(METHOD_NOT_FOUND, f"There is no method {method!r} here.")

    async def _list_resources(self) -> list[dict[str, Any]]:
        limits = caller_of(request.scope).limits
        allowed = [None] if limits is None or limits.repositories is None else limits.repositories
        found: list[dict[str, Any]] = []
        for repository_id in allowed:
            wanted = {"limit": 25, "diff": False, REPOSITORY: repository_id}
            page = msgspec.json.decode(_body_of(await self._perform("list_sessions", wanted)))
            found += page["items"]
        return listed(sorted(found, key=itemgetter("id"), reverse=True)[:25])

    async def _read_resource(self, uri: str) -> ResourceRead:
        resource = parse(uri)
        wanted: dict[str, Any] = {"sessionId": resource.session_id}
        if not resource.is_diff:
            body = _body_of(await self._perform("get_session", wanted))
            return _contents(uri, JSON, body.decode())
        wanted["cursor"] = resource.cursor
        piece = msgspec.json.decode(_body_of(await self._perform("get_diff", wanted)))
        following = resource.at(piece["nextCursor"])
        return _contents(uri, "text/x-diff", piece["diff"] or "", nextUri=following)

    async def _call(self, call: CallTool) -> ToolResult:
        done = await self._perform(call.name, call.arguments, call.meta)
        return ToolResult.of(done.body, is_error=done.is_refusal)

    async def _perform(
        self,
        name: str,
        arguments: Mapping[str, Any],
        meta: Mapping[str, Any] = MappingProxyType({}),
    ) -> Answered:
        await trio.to_thread.run_sync(self._tools.make)
        tool = self._tools.find(name)
        given = tool.read(arguments)
        done = await self._within_limits(name, tool, given, meta)
        note_tool(
            request.scope,
            ToolCall(
                name=name,
                is_reading=tool.operation.method == "GET",
                status=done.status,
                session_id=given.get("sessionId"),
                body=done.body,
            ),
        )
        return done

    async def _within_limits(
        self, name: str, tool: Tool, arguments: Mapping[str, Any], meta: Mapping[str, Any]
    ) -> Answered:
        key = _idempotency_key(meta)
        begun_by = await sessions_of(self._center, meta)
        caller = caller_of(request.scope)
        limits = caller.limits
        try:
            await self._bounds.check_deciding(name, arguments, begun_by)
            if limits is None:
                return await self._send(_split(tool, arguments), key, begun_by)
            given = _split(tool, await self._bounds.within(limits, name, tool, arguments))
            await self._bounds.check_depth(limits, name, begun_by)
            with self._bounds.counted(caller, limits, name) as take_back:
                done = await self._send(given, key, begun_by)
                if done.is_refusal or done.is_replayed:
                    take_back()
        except (OutOfBounds, TooManyRuns) as refused:
            problem = problem_of(refused)
            return Answered(problem.status, problem.body())
        if name == LISTS_REPOSITORIES and not done.is_refusal:
            return Answered(done.status, only_allowed(limits, done.body))
        return done

    async def _send(
        self, arguments: ToolArguments, key: str | None, begun_by: Sequence[Session]
    ) -> Answered:
        if begun_by:
            await self._go_on(begun_by[0])
        return await perform(self._app, arguments, idempotency_key=key)

    async def _go_on(self, session: Session) -> None:
        """Have what is done now tell of the session whose agent does it as its cause."""
        cause = await self._center.storage.read(lambda db: last_event(db, "session_id", session.id))
        origin.set(
            RequestOrigin.of(
                origin.get(), requested_by=ASKER, story=session.correlation_id, cause=cause
            )
        )


def _idempotency_key(meta: Mapping[str, Any]) -> str | None:
    """Return the key under which a tool is carried out once.

    Raises:
        RequestFailed: it is no text that a key can be.
    """
    key = meta.get("idempotencyKey")
    if key is None or (isinstance(key, str) and key.isprintable()):
        return key
    raise RequestFailed(INVALID_PARAMS, "params: _meta.idempotencyKey is no text of one line.")


def _split(tool: Tool, arguments: Mapping[str, Any]) -> ToolArguments:
    """Return a tool's arguments as those of the path, of the query, and of the body.

    Raises:
        RequestFailed: one of the path's is missing.
    """
    rest = dict(arguments)
    missing = [name for name in tool.path if name not in rest]
    if missing:
        raise RequestFailed(INVALID_PARAMS, f"arguments: {missing[0]} is missing.")
    path = {name: rest.pop(name) for name in tool.path}
    rest |= dict.fromkeys(names_of_asker(tool.operation), ASKER)
    if tool.operation.body is None:
        return ToolArguments(tool, path=path, query=rest)
    query = {name: rest.pop(name) for name in tool.query & rest.keys()}
    return ToolArguments(tool, path=path, query=query, body=rest)


def _body_of(answered: Answered) -> bytes:
    if answered.is_refusal:
        raise RequestFailed(
            RESOURCE_NOT_FOUND if answered.status == NOT_FOUND else INVALID_REQUEST,
            msgspec.json.decode(answered.body)["error"]["message"],
        )
    return answered.body


def _contents(uri: str, kind: str, text: str, **meta: object) -> ResourceRead:
    told = ResourceContents(uri=uri, mime_type=kind, text=text, meta=meta or msgspec.UNSET)
    return ResourceRead(contents=(told,))
