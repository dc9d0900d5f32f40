"""The connection of a bridge, kept up: made, made again after a backoff, changed for a better one.

One connection is held at a time. It is changed only from our own app-server to a better one, and
only while no turn runs in it. Calls that come meanwhile wait for the other one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.metadata import version
from typing import Any

import structlog
import trio

from command_center.actors.codex.active_turns import has_turns
from command_center.actors.codex.connection import Connection, Listener
from command_center.actors.codex.errors import BridgeUnavailable, UnsupportedCodex, WireClosed
from command_center.actors.codex.messages import Call
from command_center.actors.codex.ports import Codex, Lease, Way
from command_center.actors.codex.routing import Routes
from command_center.actors.codex.warnings import CodexWarning
from command_center.actors.contracts.bridges import (
    AppServer,
)
from command_center.runtime import Refusal

log = structlog.get_logger(__name__)

_CALM_SECONDS = 60.0
"""A connection that lived so long resets the backoff."""

_CHANGE_SECONDS = 2.0
"""Between two looks whether a better app-server can be had."""

_LEAVING_SECONDS = 3.0
"""Seconds that a session that has ended may take to leave, where somebody waits for a change."""

_LOOK_SECONDS = 0.1
"""Between two looks whether those who have no turn any more have left."""

_CHANGED_SECONDS = 10.0
"""Seconds that a change may take, where somebody waits for it."""

_LEAVE_SECONDS = 1.5
"""Seconds that an app-server may take to say whether turns run in it, when it is to be left."""


class Connector:
    """The keeper of one bridge's connection.

    `run` keeps it up until `close`. Everyone in the routes is told when a connection begins and
    when it is lost.

    Attributes:
        connection: the one that is up now, if any.
        way: how that was reached.
        process_id: the process behind it, if that is ours.
        connections: how many there have been.
        why: the reason why there is none.
    """

    def __init__(
        self, codex: Codex, routes: Routes, listener: Listener, *, is_busy: Callable[[], bool]
    ) -> None:
        """Connect `listener` to `codex`; while it `is_busy`, the connection is not changed."""
        self._codex = codex
        self._settings = settings = codex.settings
        self._routes = routes
        self._listener = listener
        self._is_busy = is_busy
        self.connection: Connection | None = None
        self.way: Way | None = None
        self.process_id: int | None = None
        self.connections = 0
        self.why = (
            settings.disabled
            or f"Codex was started and has not answered yet: {settings.described}."
            if settings.url is None
            else f"Codex at {settings.url} has not answered yet."
        )
        self._connecting = settings.disabled is None
        self._attempt_ended = trio.Event()
        self._retry_at = 0.0
        self._lease: Lease | None = None
        self._is_unneeded = False
        self._left_for: str | None = None
        self._change = trio.Event()
        """Set to look at once whether a better app-server can be had."""
        self._changed = trio.Event()
        """Set when there is another connection than now."""
        self._scope = trio.CancelScope()
        self._kept = trio.Event()

    async def get_by(self, deadline: float) -> Connection:
        """Return the connection, once an attempt that is under way has ended; as `get`."""
        if self.connection is None and self._connecting:
            with trio.CancelScope(deadline=deadline):
                await self._attempt_ended.wait()
        return self.get()

    def get(self) -> Connection:
        """Return the connection.

        Raises:
            BridgeUnavailable: there is none now.
            UnsupportedCodex: this Codex cannot be used.
        """
        if self.connection is None:
            wait = max(0.0, self._retry_at - trio.current_time())
            raise BridgeUnavailable(self.why, retry_after=wait or None)
        if self.connection.support.problem is not None:
            raise UnsupportedCodex(self.connection.support.problem)
        return self.connection

    async def change_if_idle(self) -> bool:
        """Change at once from our own app-server to a terminal's, if that can be joined.

        Return False if somebody is at work, so that nothing was changed.
        """
        own, changed = self.connection, self._changed
        if not self.is_detached or not await self._codex.listens_for_terminals():
            return True
        if not await self._becomes_idle(own):
            return False
        self._change.set()
        with trio.move_on_after(_CHANGED_SECONDS):
            await changed.wait()
        return True

    async def close(self) -> None:
        """End the connection and the child behind it, and a detached one without turns."""
        if self.is_detached:
            with trio.move_on_after(_LEAVE_SECONDS):
                self._is_unneeded = not await self._has_turns()
        self._scope.cancel()
        await self._kept.wait()

    async def run(self) -> None:
        """Keep a connection up until `close`."""
        with self._scope:
            await self._keep_connected()

    async def _keep_connected(self) -> None:
        try:
            self._lease = await self._codex.take_over()
            failures = 0
            while self._settings.disabled is None:
                began = trio.current_time()
                known, self.why = self.why, await self._connect_once()
                if self._left_for is not None:
                    log.info("codex.left", reason=self._left_for)
                    failures, pause = 0, 0.0
                else:
                    lived = trio.current_time() - began
                    failures = 1 if lived >= _CALM_SECONDS else failures + 1
                    pause = self._settings.deadlines.reconnect.delay(failures)
                    # What is so for hours is said once, and then to those who look closer.
                    tell = log.debug if failures > 1 and self.why == known else log.warning
                    tell("codex.unavailable", reason=self.why, retry_in=round(pause, 3))
                self._retry_at = trio.current_time() + pause
                await trio.sleep(pause)
                self._begin_attempt()
        finally:
            with trio.CancelScope(shield=True):
                await self._leave()
            self._kept.set()

    async def _leave(self) -> None:
        """End the app-server of our own if it is not needed, else leave it to its keeper."""
        if self._is_unneeded:
            await self._end_own()
        if self._lease is not None:
            self._lease.release()

    @property
    def is_detached(self) -> bool:
        """Return whether it is connected to an app-server of our own that outlives it."""
        return self.way is not None and self.way.app_server is AppServer.DETACHED

    async def _connect_once(self) -> str:
        """Hold one connection until it is lost; answers why."""
        self._left_for = None
        try:
            async with trio.open_nursery() as nursery:
                try:
                    reason = await self._hold(nursery)
                finally:
                    self._disconnected()
                nursery.cancel_scope.cancel()
        finally:
            if self._left_for is None:
                self._end_attempt()
        self._routes.lost(reason)
        self._routes.unreachable(reason)
        return reason

    async def _hold(self, nursery: trio.Nursery) -> str:
        try:
            with trio.fail_after(self._settings.deadlines.handshake):
                way = await self._codex.connect(nursery)
        except WireClosed as error:
            return error.reason
        except trio.TooSlowError:
            return "Codex did not take the connection in time."
        wire = way.wire
        try:
            self.process_id = wire.process_id
            connection = Connection(wire, self._listener, self._settings.deadlines)
            nursery.start_soon(connection.run)
            try:
                await connection.handshake(version("command-center"))
            except WireClosed as error:
                return error.reason
            self.connection, self.way = connection, way
            changed, self._changed = self._changed, trio.Event()
            changed.set()
            self.connections += 1
            whose = way.app_server
            log.info("codex.connected", version=connection.server_version, app_server=whose.value)
            self._routes.connected(connection.server_version, wire.process_id, whose)
            said = connection.support.problem or connection.support.notice
            if said is not None:
                log.warning("codex.version", version=connection.server_version, problem=said)
                self._routes.warn(CodexWarning("version", said))
            self._end_attempt()
            return await self._until_left(connection, way)
        finally:
            self._disconnected()
            await wire.aclose()

    async def _until_left(self, connection: Connection, way: Way) -> str:
        """Wait until the connection is lost, or left for a better one; answers why."""
        reasons: list[str] = []
        async with trio.open_nursery() as nursery:

            async def first(wait: Callable[[], Awaitable[str]]) -> None:
                reasons.append(await wait())
                nursery.cancel_scope.cancel()

            nursery.start_soon(first, connection.until_lost)
            if way.app_server is AppServer.DETACHED:
                nursery.start_soon(first, partial(self._until_replaced, way))
        return self._left_for or reasons[0]

    async def _until_replaced(self, way: Way) -> str:
        """Wait until a better app-server can be had and no turn runs in this one; end this one."""
        while True:
            with trio.move_on_after(_CHANGE_SECONDS):
                await self._change.wait()
            self._change = trio.Event()
            better = way.outdated
            try:
                if await self._codex.listens_for_terminals():
                    better = "Another app-server listens on Codex's control socket, and is joined."
            except Refusal as away:  # that its host is lost is told by the connection itself
                log.info("codex.not_looked_at", reason=str(away))
                continue
            if better is not None and await self._is_idle():
                self._left_for = self.why = better
                self._disconnected()
                self._begin_attempt()
                await self._end_own()
                return better

    async def _end_own(self) -> None:
        """End the app-server of our own; on a host that is lost its keeper does."""
        try:
            await self._codex.end_own()
        except Refusal as away:
            log.warning("codex.not_ended", reason=str(away))

    async def _is_idle(self) -> bool:
        """Return whether nobody here is at work with Codex, and nobody else has a turn in it."""
        try:
            return not (self._is_busy() or await self._has_turns() or self._is_busy())
        except Refusal:
            return False

    async def _becomes_idle(self, own: Connection | None) -> bool:
        """Do as `_is_idle`, but give those who have no turn any more a moment to leave.

        Return True also once `own` is not the connection any more.
        """
        with trio.move_on_after(_LEAVING_SECONDS):
            while self.connection is own:
                with contextlib.suppress(Refusal):  # it is left, or lost, just now
                    if await self._has_turns():
                        return False
                    if not self._is_busy():
                        return True
                await trio.sleep(_LOOK_SECONDS)
            return True
        return False

    async def _has_turns(self) -> bool:
        connection = self.connection
        if connection is None:
            return True

        async def ask(call: Call) -> dict[str, Any]:
            answer: dict[str, Any] = await connection.call(
                call.method, call.params, self._settings.deadlines.probe
            )
            return answer

        return await has_turns(ask)

    def _disconnected(self) -> None:
        self.connection = None
        self.process_id = None
        self.way = None

    def _begin_attempt(self) -> None:
        """Have calls wait for the connection that is made next."""
        if not self._connecting:
            self._attempt_ended = trio.Event()
            self._connecting = True

    def _end_attempt(self) -> None:
        self._connecting = False
        self._attempt_ended.set()
