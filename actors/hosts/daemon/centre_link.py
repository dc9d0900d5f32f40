"""`/link`: keeps the connection to the server, and does over it what the server asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import structlog
import trio

from command_center.actors.hosts.daemon.dialling import CannotDial, Dialled, dialled
from command_center.actors.hosts.daemon.identity import HostFiles, HostIdentity, OlderCentre
from command_center.actors.hosts.link.channels import LinkEnded, refuse_link
from command_center.actors.hosts.link.serving import Served
from command_center.runtime import Actor, Backoff
from command_center.store.host_life import HostLife

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

RECONNECT: Final = Backoff(initial=0.5, cap=30.0, jitter=0.5)
"""Waiting times after a connection that was lost, or cannot be had."""

REFUSED: Final = Backoff(initial=5.0, cap=300.0, jitter=0.5)
"""Waiting times after a refusal that only a person can mend."""

CALM_SECONDS: Final = 60.0
"""A connection that lived so long resets the backoff."""


class CentreLink(Actor):
    """Holds one connection at a time. What was begun over it ends with it; a turn goes on."""

    def __init__(
        self,
        files: HostFiles,
        identity: HostIdentity,
        life: HostLife,
        serve: Callable[[], Served],
    ) -> None:
        """Connect as `life` of the host, and serve by what `serve` makes for each connection."""
        self._files = files
        self._identity = identity
        self._life = life
        self._serve = serve
        self._links = 0
        self._is_up = False
        self._reason = "It was not tried yet."

    async def on_start(self) -> None:
        """Begin to connect."""
        self.ctx.start_task(self._keep)

    def describe(self) -> Mapping[str, object]:
        """Show whether there is a connection, and why not."""
        told = {"connected": self._is_up, "links": self._links, "start": self._life.number}
        return told | ({} if self._is_up else {"reason": self._reason})

    async def _keep(self) -> None:
        failures = 0
        while True:
            began = trio.current_time()
            backoff = RECONNECT
            try:
                reason = await self._hold()
            except CannotDial as failed:
                reason = failed.reason
                backoff = REFUSED if failed.is_lasting else RECONNECT
            if reason != self._reason or self._is_up:
                log.warning("host.away", reason=reason)
            self._is_up, self._reason = False, reason
            failures = 1 if trio.current_time() - began >= CALM_SECONDS else failures + 1
            await trio.sleep(backoff.delay(failures))

    async def _hold(self) -> str:
        """Hold one connection until it is over; answer why. Raises `CannotDial`.

        Each address is tried: of the centres of a cluster one leads, and which one changes.
        """
        *others, last = self._identity.centres
        for centre in others:
            try:
                return await self._hold_at(centre)
            except CannotDial as failed:
                if failed.is_lasting:
                    raise
                log.info("host.not_there", centre=centre, reason=failed.reason)
        return await self._hold_at(last)

    async def _hold_at(self, centre: str) -> str:
        ended: str | CannotDial = ""
        async with dialled(self._identity, self._life, centre) as connection:
            ended = await self._use(connection)
        if isinstance(ended, CannotDial):
            raise ended
        return ended

    async def _use(self, connection: Dialled) -> str | CannotDial:
        """Do what comes over a connection until it is over; return why, or why it is of no use."""
        try:
            await trio.to_thread.run_sync(self._files.check_centre, connection.centre)
        except OlderCentre as refused:
            await refuse_link(connection.stream, str(refused))
            return CannotDial(str(refused), is_lasting=True)
        except OSError as error:  # such as a disk that is full: a copy could not be found out
            return CannotDial(f"The start of its server cannot be kept: {error}.")
        self._links += 1
        self._is_up = True
        log.info("host.connected", host=self._identity.name, centre=self._identity.centre)
        try:
            await self._serve().serve(connection.stream, connection.stream)
        except LinkEnded as ended:
            if ended.is_lasting:
                return CannotDial(ended.reason, is_lasting=True)
            return connection.goodbye or ended.reason
        return "It was closed."
