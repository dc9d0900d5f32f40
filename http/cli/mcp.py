"""`command-center mcp`: the endpoint for agents over standard input and output.

Each line is a message, and goes to the `/mcp` of a server that runs; what that answers comes back
as lines. So an agent that starts its servers as programs needs no address and no token of its own.
"""

from __future__ import annotations

import io
import sys

import click

from command_center.http.cli.client.listening import ListenedByAnother
from command_center.http.cli.client.server import AskedServer, asks_server
from command_center_client.connection import ANSWER_SECONDS


@click.command()
@asks_server
def mcp(center: AskedServer) -> None:
    """Serve an agent over standard input and output, by the MCP endpoint of a running server."""
    import trio  # noqa: PLC0415 - `--help` needs none

    is_read = trio.run(_serve, center)
    if not is_read:
        raise BrokenPipeError


async def _serve(center: AskedServer) -> bool:
    import httpx  # noqa: PLC0415 - `--help` needs none

    from command_center.http.cli.stdio_bridge import bridge  # noqa: PLC0415 - the same

    async def look(request: httpx.Request) -> None:
        try:
            center.refuse_another_listener()
        except ListenedByAnother as error:
            raise httpx.ConnectError(str(error), request=request) from error

    async with httpx.AsyncClient(
        base_url=center.url,
        headers=center.headers,
        verify=True if center.context is None else center.context,
        timeout=ANSWER_SECONDS,  # a stream has a heartbeat
        event_hooks={"request": [look]},
        limits=httpx.Limits(max_connections=None),
        trust_env=False,  # a proxy would get the token
    ) as client:
        # Without buffers, which a thread that still reads would keep locked at the end.
        source = io.FileIO(sys.stdin.fileno(), "r", closefd=False)
        out = io.FileIO(sys.stdout.fileno(), "w", closefd=False)
        return await bridge(client, source, out)
