"""The tools of MCP servers that Codex's user has set never to be asked about.

Codex then calls them, outside of any sandbox, without a word to anybody. For a tool,
`mcp_servers.SERVER.tools.TOOL.approval_mode` counts before the server's
`default_tools_approval_mode`, and for each of them the first of the layers that sets it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_NEVER_ASK = "approve"


def approving_setting(layers: Sequence[Mapping[str, Any]], server: str, tool: str) -> str | None:
    """Name the setting by which nobody is asked about the tool; None if there is none.

    `layers` are the files that Codex reads its settings from, the strongest first.
    """
    for path in (("tools", tool, "approval_mode"), ("default_tools_approval_mode",)):
        for layer in layers:
            mode = _at(layer.get("config"), ("mcp_servers", server, *path))
            if mode is not None:
                return ".".join(("mcp_servers", server, *path)) if mode == _NEVER_ASK else None
    return None


def _at(settings: Any, path: Sequence[str]) -> Any:
    for name in path:
        settings = settings.get(name) if isinstance(settings, Mapping) else None
    return settings
