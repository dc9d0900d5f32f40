"""Signing servers in, with a Codex that answers otherwise than it should."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

from command_center.actors.contracts.extensions import BeginServerSignIn
from command_center.actors.rules.errors import Conflict, NotFound
from command_center.actors.rules.lengths import NAME_LENGTH
from command_center.actors.sessions.runners.codex.extensions import CodexExtensions
from command_center.runtime import ActorRef, ChildSpec
from command_center.store import events
from tests.actors.rows import Rig, rig
from tests.actors.sessions.live import PlayedBridge, played

SIGN_IN = "mcpServer/oauth/login"


@attrs.frozen
class Extending:
    """The actor under test, and the Codex that the test plays."""

    rig: Rig
    bridge: PlayedBridge
    ref: ActorRef[Any]

    async def told(self) -> list[str]:
        """The types of all events."""
        found, _ = await self.rig.storage.read(lambda db: events.after(db, 0, limit=100))
        return [event.type for event in found]


@asynccontextmanager
async def open_extensions(tmp_path: Path) -> AsyncIterator[Extending]:
    bridge = PlayedBridge()
    async with rig(tmp_path / "store.db", played(bridge)) as found:
        spec = ChildSpec(id="extensions", start=lambda: CodexExtensions(found.storage, "local"))
        yield Extending(found, bridge, await found.system.start_child("/", spec))


@pytest.mark.parametrize("answer", [{}, {"authorizationUrl": None}, {"authorizationUrl": ["x"]}])
async def test_a_sign_in_for_which_no_page_is_named_has_failed_and_says_so(
    tmp_path: Path, answer: dict[str, Any]
) -> None:
    async with open_extensions(tmp_path) as it:
        it.bridge.replies[SIGN_IN] = lambda _: answer
        with pytest.raises(Conflict, match="names no page that signs tracker in"):
            await it.ref.ask(BeginServerSignIn("tracker", "ada"), timeout=10)
        assert ["mcp.sign_in_begun", "mcp.sign_in_failed"] == await it.told()


async def test_no_server_has_a_name_that_nobody_can_read(tmp_path: Path) -> None:
    async with open_extensions(tmp_path) as it:
        with pytest.raises(NotFound):
            await it.ref.ask(BeginServerSignIn("a" * (NAME_LENGTH + 1), "ada"), timeout=10)
        assert SIGN_IN not in it.bridge.methods()
        assert [] == await it.told()
