"""`/hosts/NAME/link`: keeps the link to a host up, and tells as events when it comes and goes."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Final

import structlog
import trio

from command_center.actors.codex.errors import WireClosed
from command_center.actors.contracts.events.hosts import HostAway, HostConnected
from command_center.actors.core.storage import Storage
from command_center.actors.hosts.link.channels import Channels, LinkEnded
from command_center.actors.hosts.link.standing import Standing
from command_center.actors.hosts.ssh.client import SshClient, SshFailed
from command_center.runtime import Actor, Backoff
from command_center.store import EventData, Transaction

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

RECONNECT: Final = Backoff(initial=0.5, cap=30.0, jitter=0.5)
CALM_SECONDS: Final = 60.0
"""A link that lived so long resets the backoff."""

_END_SECONDS: Final = 2.0


class SshLink(Actor):
    """Holds one link at a time; what is asked of the host meanwhile is refused at once."""

    def __init__(self, storage: Storage, client: SshClient, standing: Standing) -> None:
        """Reach the host by `client`, and say in `standing` how that stands."""
        self._storage = storage
        self._client = client
        self._standing = standing
        self._links = 0
        self._told: str | None = None

    async def on_start(self) -> None:
        """Begin to connect, without waiting for it."""
        self.ctx.start_task(self._keep)

    def describe(self) -> Mapping[str, object]:
        """Show whether there is a link, and why not."""
        is_up = self._standing.link is not None
        return {"connected": is_up, "links": self._links} | (
            {} if is_up else {"reason": self._standing.reason}
        )

    async def _keep(self) -> None:
        failures = 0
        while True:
            began = trio.current_time()
            try:
                reason = await self._hold()
            finally:
                self._standing.lost("Its link was restarted.")
            self._standing.lost(reason)
            await self._tell_away(reason)
            failures = 1 if trio.current_time() - began >= CALM_SECONDS else failures + 1
            await trio.sleep(RECONNECT.delay(failures))

    async def _hold(self) -> str:
        """Hold one link until it is over; answers why."""
        reasons: list[str] = []
        async with trio.open_nursery() as nursery:
            try:
                link, child = await self._client.open(nursery)
            except (SshFailed, WireClosed) as failed:
                nursery.cancel_scope.cancel()
                return failed.reason
            except OSError as error:  # such as a disk that is full
                nursery.cancel_scope.cancel()
                return f"Its link cannot be made here: {error.strerror or error}."
            try:
                nursery.start_soon(self._greet, link)
                await link.run()
            except LinkEnded as ended:
                reasons.append(ended.reason)
            finally:
                self._standing.lost("Its link was lost.")
                await child.end(_END_SECONDS)
            nursery.cancel_scope.cancel()
        return " ".join([*reasons, child.last_words()]).strip()

    async def _greet(self, link: Channels) -> None:
        """Use a link once the other end has said that it is there."""
        with contextlib.suppress(LinkEnded):
            await link.until_greeted()
            self._links += 1
            self._standing.connected(link)
            self._told = None
            await self._tell(HostConnected(name=self._standing.name))

    async def _tell_away(self, reason: str) -> None:
        if self._told is None:
            log.warning("host.away", host=self._standing.name, reason=reason)
            await self._tell(HostAway(name=self._standing.name, reason=reason))
        self._told = reason

    async def _tell(self, event: EventData) -> None:
        def record(tx: Transaction) -> None:
            tx.emit(event, actor=self.ctx.path)

        await self._storage.write(record)
