"""A client of the endpoint that sends what it is told to, right or wrong."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import attrs
import httpx

from command_center.http.wire.mcp import SESSION_HEADER, VERSION_HEADER


@attrs.define
class Speaker:
    """One session with the server."""

    http: httpx.AsyncClient
    headers: dict[str, str] = attrs.field(factory=dict)
    _ids: Iterator[int] = attrs.field(factory=lambda: itertools.count(1))

    async def post(self, message: object, **headers: str) -> httpx.Response:
        return await self.http.post("/mcp", json=message, headers=self.headers | headers)

    async def initialize(self, version: str = "2025-06-18") -> Any:
        """Begin a session; return what the server says of itself."""
        params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test"}}
        answer = await self.post(self.request("initialize", params))
        assert 200 == answer.status_code, answer.text
        result = answer.json()["result"]
        self.headers = {
            SESSION_HEADER: answer.headers[SESSION_HEADER],
            VERSION_HEADER: result["protocolVersion"],
        }
        done = await self.post({"jsonrpc": "2.0", "method": "notifications/initialized"})
        assert (202, b"") == (done.status_code, done.content)
        return result

    def request(self, method: str, params: object = None) -> dict[str, Any]:
        told = {"jsonrpc": "2.0", "id": next(self._ids), "method": method}
        return told if params is None else told | {"params": params}

    async def ask(self, method: str, params: object = None) -> Any:
        """The result, or the error."""
        sent = self.request(method, params)
        answer = await self.post(sent)
        assert 200 == answer.status_code, answer.text
        message = answer.json()
        assert ("2.0", sent["id"]) == (message["jsonrpc"], message["id"])
        return message["result"] if "result" in message else message["error"]

    async def call(self, name: str, **arguments: Any) -> Any:
        """The answer of a tool that did not refuse."""
        result = await self.ask("tools/call", {"name": name, "arguments": arguments})
        assert "isError" not in result, result
        assert result["structuredContent"] == json.loads(result["content"][0]["text"])
        return result["structuredContent"]

    async def wait(self, session_id: int) -> Any:
        """The answer once the session has ended."""
        call = {"name": "wait_for_session", "arguments": {"sessionId": session_id}}
        answer = await self.post(self.request("tools/call", call))
        return messages_of(answer.text)[-1]["result"]["structuredContent"]

    async def refusal(self, name: str, **arguments: Any) -> tuple[int, str]:
        """The status and the words with which a tool refuses."""
        result = await self.ask("tools/call", {"name": name, "arguments": arguments})
        assert result["isError"]
        error = result["structuredContent"]["error"]
        return error["statusCode"], error["message"]


def messages_of(text: str) -> list[Any]:
    """The messages on a stream of server-sent events."""
    lines = [line for line in text.splitlines() if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]
