"""The MCP servers that `codex exec` would start, as `codex mcp list` names them."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import trio

from command_center.actors.codex.errors import WireClosed
from command_center.actors.codex.mcp_servers import ConfiguredServer
from command_center.actors.codex.ports import Codex
from command_center.actors.rules.errors import Conflict

LIST_SECONDS: Final = 20.0
"""Seconds that Codex may take to read its configuration."""

MOST_BYTES: Final = 4 * 1024 * 1024
"""Bytes of its answer that are read."""


class _Server(msgspec.Struct):
    name: str
    transport: dict[str, Any] = msgspec.field(default_factory=dict)


async def configured_servers(codex: Codex, cwd: str) -> list[ConfiguredServer]:
    """Ask for them.

    Raises:
        Conflict: Codex does not say them, so that none could be left out.
    """
    try:
        with trio.fail_after(LIST_SECONDS):
            said = await _ask(codex, cwd)
        found = msgspec.json.decode(said, type=list[_Server])
        return [ConfiguredServer.of(one.name, one.transport) for one in found]
    except (WireClosed, trio.TooSlowError, msgspec.DecodeError) as error:
        raise Conflict(
            f"Codex does not say which MCP servers it has ({error}), and this repository has some "
            "of them off. See what `codex mcp list --json` says."
        ) from error


async def _ask(codex: Codex, cwd: str) -> bytes:
    said = b""
    async with trio.open_nursery() as nursery:
        child = await codex.start(("mcp", "list", "--json"), nursery, cwd=cwd)
        try:
            await child.stdin.aclose()
            async for piece in child.stdout:
                said += piece
                if len(said) > MOST_BYTES:
                    break
        finally:
            await child.end(0)
        nursery.cancel_scope.cancel()
    return said
