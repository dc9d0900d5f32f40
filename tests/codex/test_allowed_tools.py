"""The tools of MCP servers that nobody is asked about, by the settings of Codex's user."""

from __future__ import annotations

from typing import Any

import pytest

from command_center.actors.codex.allowed_tools import approving_setting

DEFAULT = "mcp_servers.tracker.default_tools_approval_mode"
OWN = "mcp_servers.tracker.tools.delete_ticket.approval_mode"


def layer(default: str | None = None, own: str | None = None) -> dict[str, Any]:
    """A file of settings for the server `tracker`."""
    tools = {"delete_ticket": {"approval_mode": own}}
    return {
        "config": {
            "mcp_servers": {
                "tracker": {"default_tools_approval_mode": default}
                | ({} if own is None else {"tools": tools})
            }
        }
    }


@pytest.mark.parametrize(
    ("setting", "layers"),
    [
        (None, []),
        (None, [{}, {"config": None}, {"config": {"mcp_servers": {"tracker": "odd"}}}]),
        (None, [layer("auto")]),
        (DEFAULT, [layer("approve")]),
        (OWN, [layer(own="approve")]),
        (OWN, [layer("prompt", own="approve")]),
        (None, [layer("approve", own="prompt")]),
        (None, [layer("prompt"), layer("approve")]),
        (DEFAULT, [{}, layer("approve"), layer("prompt")]),
    ],
)
def test_the_tool_s_own_setting_counts_first_and_then_the_first_layer_that_has_one(
    setting: str | None, layers: list[dict[str, Any]]
) -> None:
    assert setting == approving_setting(layers, "tracker", "delete_ticket")


def test_another_server_s_setting_says_nothing() -> None:
    assert approving_setting([layer("approve")], "other", "delete_ticket") is None
