"""An actor that is told of the connections to Codex, and of some of what Codex tells everybody."""

from __future__ import annotations

import structlog

from command_center.actors.codex.messages import CodexLagged, codex_on
from command_center.actors.contracts.bridges import (
    BridgeConnected,
    BridgeLost,
    BridgeUnknown,
    BridgeUnreachable,
    BridgeWarned,
    Watch,
)
from command_center.runtime import Actor, ActorNotFound, handles

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class BridgeWatcher(Actor):
    """Hears all news of a bridge, and does nothing about it: a subclass overrides what it acts on.

    News of a connection come through every life of the bridge.
    """

    async def watch(self, host: str, *notifications: str) -> None:
        """Ask the bridge of a host for its news, and for these notifications of Codex.

        A host without a bridge has none to tell. To be run as a task: the bridge may have no room.
        """
        try:
            bridge = self.ctx.lookup(codex_on(host))
            await bridge.tell(Watch(self.ctx.ref, frozenset(notifications)))
        except ActorNotFound:
            log.info("codex.without_bridge", host=host)

    @handles(BridgeConnected)
    def connected(self, _message: BridgeConnected) -> None:
        """Hear that there is a connection."""

    @handles(BridgeLost)
    def lost(self, _message: BridgeLost) -> None:
        """Hear that it is lost; the next one is told of."""

    @handles(BridgeUnreachable)
    def unreachable(self, _message: BridgeUnreachable) -> None:
        """Hear that there has been none so far."""

    @handles(BridgeWarned)
    def warned(self, _message: BridgeWarned) -> None:
        """Hear what Codex warns of."""

    @handles(BridgeUnknown)
    def unknown(self, _message: BridgeUnknown) -> None:
        """Hear of something that is new in what Codex tells or asks."""

    @handles(CodexLagged)
    def lagged(self, _message: CodexLagged) -> None:
        """Hear that some notifications are missed."""
