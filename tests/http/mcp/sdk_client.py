"""A client of the official SDK, in a process of its own: `python sdk_client.py URL TOKEN`.

It does what an agent would, and prints what it saw as JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.client import session as sdk_session
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.exceptions import MCPError

# An answer that comes later has the SDK take the server for one of an older version.
sdk_session.DISCOVER_TIMEOUT_SECONDS = 60.0


async def main(url: str, token: str) -> None:
    seen: dict[str, Any] = {"progress": []}

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        del total
        seen["progress"].append([progress, message])

    headers = {"Authorization": f"Bearer {token}"}
    async with create_mcp_http_client(headers=headers) as http:
        transport = streamable_http_client(f"{url}/mcp", http_client=http)
        async with Client(transport) as client:
            seen["version"] = client.protocol_version
            assert client.server_info is not None
            seen["server"] = client.server_info.name
            seen["tools"] = [tool.name for tool in (await client.list_tools()).tools]

            async def call(name: str, **arguments: Any) -> Any:
                result = await client.call_tool(name, arguments, progress_callback=on_progress)
                assert not result.is_error, result
                return result.structured_content

            task = await call("create_task", repositoryId=1, title="Look", prompt="Look around.")
            run = await call("run_task", taskId=task["id"], sandbox="read-only")
            session = run["session"]["id"]
            seen["ended"] = (await call("wait_for_session", sessionId=session))["ended"]
            seen["diff"] = await call("get_diff", sessionId=session)
            found = await call("search", q="around")
            seen["found"] = len(found["items"])
            resources = (await client.list_resources()).resources
            seen["resources"] = [str(resource.uri) for resource in resources]
            templates = (await client.list_resource_templates()).resource_templates
            seen["templates"] = [template.uri_template for template in templates]
            (read,) = (await client.read_resource(f"command-center://sessions/{session}")).contents
            seen["read"] = read.mime_type
            refused = await client.call_tool("resolve_approval", {"approvalId": 1})
            seen["refused"] = refused.is_error
            try:
                await client.call_tool("delete_all", {})
            except MCPError as error:
                seen["unknown"] = error.code
        by_initialize = streamable_http_client(f"{url}/mcp", http_client=http)
        async with Client(by_initialize, mode="legacy") as client:
            seen["version by initialize"] = client.protocol_version
            result = await client.call_tool("get_session", {"sessionId": 1})
            assert not result.is_error, result
    await by_stdio(url, token, seen)
    sys.stdout.write(json.dumps(seen))


async def by_stdio(url: str, token: str, seen: dict[str, Any]) -> None:
    program = StdioServerParameters(
        command=sys.executable,
        args=["-m", "command_center.http", "mcp", "--server", url],
        env={"CC_TOKEN": token},
    )
    async with Client(stdio_client(program)) as client:
        seen["stdio version"] = client.protocol_version
        seen["stdio tools"] = [tool.name for tool in (await client.list_tools()).tools]
        result = await client.call_tool("wait_for_session", {"sessionId": 1})
        assert result.structured_content is not None
        seen["stdio ended"] = result.structured_content["ended"]


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2])
