"""The name of Command Center's own MCP server in Codex's configuration."""

from __future__ import annotations

from typing import Final

OWN_MCP_SERVER: Final = "command_center"
"""The name by which Codex knows the tools of Command Center, as docs/mcp.md has it written."""
