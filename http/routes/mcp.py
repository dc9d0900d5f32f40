"""/mcp: the endpoint for agents, by the Model Context Protocol over HTTP."""

from __future__ import annotations

from typing import Protocol

from quart import Response

from command_center.http.wire.mcp import McpAnswer, McpMessage
from command_center.http.wire.operation import NOTHING, Api


class McpEndpoint(Protocol):
    """The server of the protocol, which answers the request in hand."""

    async def answer(self) -> Response:
        """Answer a message."""

    async def end(self) -> Response:
        """End the session that the request names."""


api = Api[McpEndpoint]("MCP")


@api.operation(
    "POST",
    "/mcp",
    answers={200: McpAnswer, 202: NOTHING},
    refuses=(404,),
    body=McpMessage,
    is_done_once=False,
    is_for_all=True,
)
async def send_mcp_message(server: McpEndpoint) -> Response:
    """Send a message of the Model Context Protocol; some are answered as a stream of events."""
    return await server.answer()


@api.operation("DELETE", "/mcp", answers={204: NOTHING}, refuses=(404,), is_for_all=True)
async def end_mcp_session(server: McpEndpoint) -> Response:
    """End the session that `Mcp-Session-Id` names, and what runs in it."""
    return await server.end()
