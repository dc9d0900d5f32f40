"""The MCP servers of Codex's configuration, and those that lead to Command Center itself."""

from __future__ import annotations

from typing import Any

import pytest

from command_center.actors.codex.mcp_servers import ConfiguredServer, servers_in, switched_off

OWN = "command-center"
URLS = ("http://127.0.0.1:8787", "https://center.example.org", "http://[fd00::1]:8787")


@pytest.mark.parametrize(
    ("leads_here", "settings"),
    [
        (True, {"url": "http://127.0.0.1:8787/mcp"}),
        (True, {"url": "http://LOCALHOST:8787/mcp/"}),
        (True, {"url": "http://[::1]:8787/mcp?x=1"}),
        (True, {"url": "https://center.example.org:443/mcp"}),
        (True, {"url": "http://[fd00::1]:8787/mcp"}),
        (True, {"command": "command-center", "args": ["mcp"]}),
        (True, {"command": r"C:\bin\command-center.exe", "args": ["--server", "x", "mcp"]}),
        (True, {"command": "uvx", "args": ["--from", "a", "command-center", "mcp"]}),
        (True, {"command": "python", "args": ["-m", "command_center.http", "mcp"]}),
        (True, {"command": "bash", "args": ["-c", "X=1 exec '/opt/command-center' mcp"]}),
        (True, {"command": "bash", "args": ["-c", "command-center $OPTIONS mcp"]}),
        (True, {"url": "http://0.0.0.0:8787/mcp"}),
        (True, {"url": "http://[::]:8787/mcp"}),
        (True, {"url": "http://[::ffff:127.0.0.1]:8787/mcp"}),
        (True, {"url": "http://127.1:8787/mcp"}),
        (True, {"url": "http://[fd00:0::0001]:8787/mcp"}),
        (True, {"command": "python", "args": ["-mcommand_center.http", "mcp"]}),
        (True, {"command": "uvx", "args": ["command-center@1.0", "mcp"]}),
        (True, {"command": "pipx", "args": ["run", "command_center[tui]==1.0", "mcp"]}),
        (True, {"command": "command-center.cmd", "args": ["mcp"]}),
        (True, {"command": r"C:\Bin\Command-Center.EXE", "args": ["mcp"]}),
        (True, {"command": "uv", "args": ["run", "--project", "/command-center", OWN, "mcp"]}),
        # Of programs that are handed these words, any may start them.
        (True, {"command": "firejail", "args": ["--", "command-center", "mcp"]}),
        (False, {"url": "http://127.0.0.1:3845/mcp"}),
        (False, {"url": "http://127.0.0.1:8787/other"}),
        (False, {"url": "http://127.0.0.1:nine/mcp"}),
        (False, {"url": "https://elsewhere.example.org/mcp"}),
        (False, {"command": "npx", "args": ["/src/command-center/tools", "mcp"]}),
        (False, {"command": "command-center", "args": ["ls"]}),
        (False, {"command": "uv", "args": ["run", "--project", "/command-center", "x", "mcp"]}),
        (False, {"command": "uvx", "args": ["--with", "command-center", "x", "--y", "mcp"]}),
        (False, {"command": "command-centers", "args": ["mcp"]}),
        (False, {"url": "http://127.0.0.1.example.org:8787/mcp"}),
        (False, {"url": "http://[::ffff:10.0.0.1]:8787/mcp"}),
        (False, {"command": None, "args": "mcp"}),
    ],
)
def test_a_server_is_known_by_what_it_starts_or_asks(
    leads_here: object, settings: dict[str, Any]
) -> None:
    assert leads_here == ConfiguredServer.of("any", settings).leads_to(URLS)
    assert ConfiguredServer.of("command_center", settings).leads_to(URLS)


def test_its_own_name_turns_off_each_of_its_servers_and_any_name_only_what_codex_has() -> None:
    layers: list[dict[str, Any]] = [
        {"config": {"mcp_servers": {"mine": {"url": f"{URLS[0]}/mcp"}}}},
        {"config": {"mcp_servers": {"mine": {"url": "http://a/mcp"}, "docs": {"command": "x"}}}},
        {"config": {}},
        {},
    ]
    servers = servers_in(layers)  # the strongest layer says where `mine` is
    assert {"mine", "docs"} == {server.name for server in servers}
    assert ("mine",) == switched_off(["command_center"], servers, URLS)
    assert ("docs",) == switched_off(["docs", "command_center"], servers, ())
    assert () == switched_off(["of-another-machine"], servers, URLS)
