"""`/bridge-watch/…`: tells, as events, when the connection to Codex begins and when it is lost.

That there is none from the start is told once. Further attempts that fail are no events: the
bridge's health says why they do.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from command_center.actors.contracts.bridges import (
    BridgeConnected,
    BridgeLost,
    BridgeUnknown,
    BridgeUnreachable,
    BridgeWarned,
    Watch,
    bridge_of,
)
from command_center.actors.contracts.events.operator import (
    BridgeFound,
    BridgeGone,
    BridgeMissing,
    BridgeUnknownMet,
    BridgeWarning,
)
from command_center.actors.core.storage import Storage
from command_center.runtime import Actor, ActorNotFound, handles
from command_center.store import EventData, Transaction


class BridgeWatch(Actor):
    """Keeps what becomes of the connection to one host's Codex."""

    def __init__(self, storage: Storage, host: str, *, transport: str) -> None:
        """Write to `storage`; events name the `transport`, and the host's bridge as their actor."""
        self._storage = storage
        self._bridge = bridge_of(host)
        self._transport = transport
        self._connections = 0

    async def on_start(self) -> None:
        """Ask to be told, and go on being told through every life of the bridge."""
        self.ctx.start_task(self._watch)

    def describe(self) -> Mapping[str, object]:
        """Show how many connections there were since the start."""
        return {"connections": self._connections}

    async def _watch(self) -> None:
        # A bridge that was stopped for good has no connection to tell of.
        with contextlib.suppress(ActorNotFound):
            await self.ctx.lookup(self._bridge).tell(Watch(self.ctx.ref))

    @handles(BridgeConnected)
    async def connected(self, message: BridgeConnected) -> None:
        """Codex can be reached."""
        self._connections += 1
        await self._tell(
            BridgeFound(
                transport=self._transport,
                server_version=message.server_version,
                process_id=message.process_id,
                app_server=message.app_server,
            )
        )

    @handles(BridgeLost)
    async def lost(self, message: BridgeLost) -> None:
        """Codex can't be reached any more."""
        await self._tell(BridgeGone(transport=self._transport, reason=message.reason))

    @handles(BridgeUnreachable)
    async def unreachable(self, message: BridgeUnreachable) -> None:
        """Codex could not be reached yet."""
        await self._tell(BridgeMissing(transport=self._transport, reason=message.reason))

    @handles(BridgeWarned)
    async def warned(self, message: BridgeWarned) -> None:
        """Codex warns of something, such as its configuration."""
        await self._tell(
            BridgeWarning(
                transport=self._transport,
                kind=message.kind,
                message=message.message,
                details=message.details,
            )
        )

    @handles(BridgeUnknown)
    async def unknown(self, message: BridgeUnknown) -> None:
        """Codex tells or asks something that is new."""
        await self._tell(
            BridgeUnknownMet(kind=message.kind, name=message.name, body=dict(message.body))
        )

    async def _tell(self, event: EventData) -> None:
        def record(tx: Transaction) -> None:
            tx.emit(event, actor=self._bridge)

        await self._storage.write(record)
