"""An MCP server over standard input and output, with one tool that Codex asks about.

`python tool_server.py` is what `[mcp_servers.NAME]` in a `config.toml` starts.
"""

import json
import sys
from pathlib import Path
from typing import Any

TOOL = {
    "name": "delete_ticket",
    "title": "Delete a ticket",
    "description": "Deletes a ticket for ever.",
    "inputSchema": {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "why": {"type": "string"}},
        "required": ["id"],
    },
    "annotations": {"destructiveHint": True, "readOnlyHint": False},
}


def offer_tool(codex_home: Path, name: str, settings: str = "") -> None:
    """Have the Codex of that home start this as the MCP server `name`, with further settings."""
    with (codex_home / "config.toml").open("a", encoding="utf-8") as config:
        arguments = [str(Path(__file__))]
        config.write(f"\n[mcp_servers.{name}]\n")
        config.write(f"command = {json.dumps(sys.executable)}\nargs = {json.dumps(arguments)}\n")
        config.write(settings)


def answer(method: str, params: dict[str, Any]) -> dict[str, Any]:
    match method:
        case "initialize":
            return {
                "protocolVersion": params["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "tickets", "version": "1"},
            }
        case "tools/list":
            return {"tools": [TOOL]}
        case "tools/call":
            said = f"Deleted {params['arguments']['id']}."
            return {"content": [{"type": "text", "text": said}]}
        case _:
            return {}


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        if "id" in asked:
            result = answer(asked["method"], asked.get("params") or {})
            sys.stdout.write(
                json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}) + "\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
