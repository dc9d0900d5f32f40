"""The bridge: the actor that holds the one connection to a Codex app-server.

It keeps a connection up for as long as it lives: when one is lost every open request fails at
once, the attached actors are told, and the next attempt follows after a backoff. It subscribes
to nothing by itself; whoever is attached to a thread resumes it when told `BridgeConnected`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from importlib.metadata import version
from typing import Any

import structlog
import trio

from command_center.actors.codex import protocol, requests
from command_center.actors.codex.active_turns import has_turns
from command_center.actors.codex.approvals import why_not
from command_center.actors.codex.connection import Connection, RefusedRequest
from command_center.actors.codex.errors import (
    BridgeUnavailable,
    CodexError,
    CodexTimeout,
    ThreadElsewhere,
    UnsupportedCodex,
    WireClosed,
)
from command_center.actors.codex.messages import (
    AnswerRequest,
    AppServer,
    Attach,
    BridgeHealth,
    BridgeStatus,
    Call,
    CheckVersion,
    Detach,
    ProbeHealth,
    ReachWriter,
    Watch,
)
from command_center.actors.codex.ports import Codex, Lease, Way
from command_center.actors.codex.routing import AnyInbox, Routes
from command_center.actors.codex.settings import Transport
from command_center.actors.codex.versions import Support
from command_center.actors.codex.warnings import CodexWarning
from command_center.actors.rules.errors import TooBusy
from command_center.runtime import Actor, Deferred, Down, Refusal, handles

log = structlog.get_logger(__name__)

MAX_CALLS = 1000
"""Calls that may be under way at once."""

_CALM_SECONDS = 60.0
"""A connection that lived so long resets the backoff."""

_CHANGE_SECONDS = 2.0
"""Between two looks whether a better app-server can be had."""

_CHANGED_SECONDS = 10.0
"""Seconds that a change to another app-server may take, where somebody waits for it."""

_LEAVE_SECONDS = 1.5
"""Seconds that an app-server may take to say whether turns run in it, when it is to be left."""


_CLOSE_IT = (
    "Close it there (a terminal, the Codex app, or `codex exec`), and prompt it again. If it was "
    "closed before, wait: Codex keeps a closed thread for half an hour."
)
_BUSY = (
    "It is in the app-server of a terminal or of the Codex app. Command Center joins that one when "
    "none of its own sessions is at work. Prompt it again then, or close it there."
)
_WHOSE = {
    AppServer.JOINED: "It was joined.",
    AppServer.DETACHED: "It is Command Center's own, and outlives it.",
    AppServer.SPAWNED: "It was spawned, and ends with Command Center.",
}


class Bridge(Actor):
    """One connection to the Codex of a host, shared by every session that runs on it.

    Give every life the same `routes`, so that attachments outlive a crash. Its shutdown needs up
    to `deadlines.close` and some eight seconds, for an app-server that does not end by itself.
    """

    def __init__(self, codex: Codex, routes: Routes | None = None) -> None:
        """Connect when started."""
        self._codex = codex
        self._settings = codex.settings
        self._routes = Routes() if routes is None else routes
        self._pumps: dict[AnyInbox, trio.CancelScope] = {}
        self._connection: Connection | None = None
        self._process_id: int | None = None
        self._way: Way | None = None
        self._lease: Lease | None = None
        self._is_unneeded = False
        self._left_for: str | None = None
        self._change = trio.Event()
        """Set to look at once whether a better app-server can be had."""
        self._changed = trio.Event()
        """Set when there is another connection than now."""
        self._attempt_ended = trio.Event()
        self._connecting = True
        self._why = "The bridge is still connecting to Codex."
        self._retry_at = 0.0
        self._calls = 0
        self._connections = 0
        self._keeper: trio.CancelScope | None = None
        self._kept = trio.Event()

    async def on_start(self) -> None:
        """Begin to connect, without waiting for it."""
        self._routes.lost("The bridge to Codex was restarted.")
        for inbox in self._routes.inboxes:
            self._pump(inbox)
        if self._settings.disabled is not None:
            self._why = self._settings.disabled
            self._connecting = False
        self._keeper = self.ctx.start_task(self._keep_connected)

    async def on_stop(self) -> None:
        """Close the connection and end the child behind it, and a detached one without turns."""
        if self._is_detached:
            with trio.move_on_after(_LEAVE_SECONDS):
                self._is_unneeded = not await self._has_turns()
        if self._keeper is not None:
            self._keeper.cancel()
        await self._kept.wait()

    def describe(self) -> dict[str, object]:
        """Return what an inspection shows of the connection."""
        connection = self._connection
        return {
            "transport": self._settings.transport.value,
            "command": self._settings.described,
            "connected": connection is not None,
            "diagnostic": None if connection is not None else self._why,
            "processId": self._process_id,
            "appServer": None if self._way is None else self._way.app_server.value,
            "why": None if self._way is None else self._way.reason,
            "serverVersion": None if connection is None else connection.server_version,
            "connections": self._connections,
            "calls": self._calls,
            "attachedThreads": self._routes.attached,
            "openRequests": len(self._routes.open_requests),
            "received": 0 if connection is None else connection.received,
            "garbage": 0 if connection is None else connection.garbage,
            "unroutedNotifications": self._routes.unrouted,
            "droppedNotifications": sum(inbox.dropped for inbox in self._routes.inboxes),
        }

    @handles(Call)
    def call(self, message: Call) -> Deferred[dict[str, Any]]:
        """Send it on and answer when Codex does."""
        if self._calls >= MAX_CALLS:
            raise TooBusy(f"{MAX_CALLS} requests to Codex are under way.")
        return self.ctx.answer_later(self._perform, message)

    @handles(Attach)
    def attach(self, message: Attach) -> None:
        """Route the thread to its new attachment."""
        for agent, parent in message.agents:
            self._routes.adopt(agent, parent)
        before = self._routes.attachment(message.thread_id)
        inbox = self._routes.attach(message.thread_id, message.ref)
        if before is not None and before is not inbox:
            self._unpump(before)
        self._pump(inbox)

    @handles(Detach)
    def detach(self, message: Detach) -> None:
        """Stop routing the thread, and hearing of it."""
        inbox = self._routes.detach(message.thread_id, message.ref)
        if inbox is None:
            return
        self._unpump(inbox)
        if self._connection is not None:
            # In order: whoever attaches next resumes the thread, and is to stay subscribed.
            leave = requests.thread_unsubscribe(message.thread_id)
            self._connection.call_soon(leave.method, leave.params)

    @handles(Watch)
    def watch(self, message: Watch) -> None:
        """Tell of the connection itself."""
        before = self._routes.watcher(message.ref)
        if before is not None:
            self._unpump(before)
        self._pump(self._routes.watch(message.ref, statuses=message.statuses))

    @handles(Down)
    def down(self, message: Down) -> None:
        """Forget the attachments of an actor that is dead."""
        for inbox in self._routes.forget(message.path):
            self._unpump(inbox)

    @handles(AnswerRequest)
    def answer(self, message: AnswerRequest) -> Deferred[None]:
        """Write the answer, once."""
        connection = self._connected()
        request = self._routes.take(message.request_id)
        if message.result is not None:
            return self.ctx.answer_later(connection.answer, request.id, message.result)
        error = message.error or "It was refused."
        return self.ctx.answer_later(connection.refuse, request.id, protocol.REFUSED, error)

    @handles(CheckVersion)
    def check_version(self, message: CheckVersion) -> None:
        """Let a Codex that can be used pass, and one that is not connected yet."""
        del message
        if self._connection is not None:
            self._connected()

    @handles(ReachWriter)
    def reach_writer(self, message: ReachWriter) -> Deferred[None]:
        """Answer when whoever writes the thread, if anybody does, is connected."""
        return self.ctx.answer_later(self._reach_writer, message.thread_id)

    @handles(ProbeHealth)
    def probe_health(self, message: ProbeHealth) -> Deferred[BridgeHealth]:
        """Ask Codex whether it is there."""
        del message
        return self.ctx.answer_later(self._probe)

    # Calls

    async def _perform(self, call: Call) -> dict[str, Any]:
        self._calls += 1
        try:
            deadline = trio.current_time() + call.timeout
            connection = await self._connected_by(deadline)
            return await self._call_until(connection, call, deadline)
        finally:
            self._calls -= 1

    async def _call_until(
        self, connection: Connection, call: Call, deadline: float
    ) -> dict[str, Any]:
        overload = self._settings.deadlines.overload
        attempt = 0
        while True:
            left = max(0.0, deadline - trio.current_time())
            try:
                result = await connection.call(call.method, call.params, left)
            except CodexTimeout:
                raise CodexTimeout(call.method, call.timeout) from None
            except CodexError as error:
                # An overloaded Codex has not looked at the request, so it may be sent again.
                if error.code != protocol.OVERLOADED:
                    raise
                attempt += 1
                wait = overload.delay(attempt)
                if trio.current_time() + 2 * wait >= deadline:
                    raise TooBusy("Codex is overloaded.", retry_after=wait) from None
                await trio.sleep(wait)
                continue
            if not isinstance(result, dict):
                raise CodexError(call.method, 0, "it answered with no JSON object", result)
            return result

    async def _connected_by(self, deadline: float) -> Connection:
        if self._connection is None and self._connecting:
            with trio.CancelScope(deadline=deadline):
                await self._attempt_ended.wait()
        return self._connected()

    def _connected(self) -> Connection:
        if self._connection is None:
            wait = max(0.0, self._retry_at - trio.current_time())
            raise BridgeUnavailable(self._why, retry_after=wait or None)
        if self._connection.support.problem is not None:
            raise UnsupportedCodex(self._connection.support.problem)
        return self._connection

    async def _probe(self) -> BridgeHealth:
        if self._settings.disabled is not None:
            return self._health(BridgeStatus.DISABLED, self._settings.disabled)
        deadline = trio.current_time() + self._settings.deadlines.probe
        try:
            connection = await self._connected_by(deadline)
            loaded = await connection.probe()
        except Refusal as refusal:
            return self._health(BridgeStatus.UNAVAILABLE, str(refusal))
        which = connection.server_version or "of an unknown version"
        threads = "1 thread is" if loaded == 1 else f"{loaded} threads are"
        said = [f"Codex {which} answers; {threads} loaded.", *self._said_of_way()]
        return self._health(BridgeStatus.CONNECTED, " ".join(said))

    def _said_of_way(self) -> list[str]:
        way = self._way
        if way is None or self._settings.transport is not Transport.AUTO:
            return []
        said = [_WHOSE[way.app_server], way.reason]
        if way.outdated is not None:
            said.append(f"{way.outdated} It is replaced when no turn runs.")
        return said

    def _health(self, status: BridgeStatus, message: str) -> BridgeHealth:
        connection = self._connection
        support = Support() if connection is None else connection.support
        return BridgeHealth(
            status=status,
            command=self._settings.described,
            transport=self._settings.transport.value,
            message=message,
            version=None if connection is None else connection.server_version,
            warning=support.problem or support.notice,
            app_server=None if self._way is None else self._way.app_server,
        )

    async def _reach_writer(self, thread_id: str) -> None:
        if not await self._is_written_elsewhere(thread_id):
            return
        if self._is_detached and await self._codex.listens_for_terminals():
            if not await self._is_idle():
                raise ThreadElsewhere(thread_id, _BUSY)
            changed = self._changed
            self._change.set()
            with trio.move_on_after(_CHANGED_SECONDS):
                await changed.wait()
            if not await self._is_written_elsewhere(thread_id):
                return
        raise ThreadElsewhere(thread_id, _CLOSE_IT)

    async def _is_written_elsewhere(self, thread_id: str) -> bool:
        seconds = self._settings.deadlines.probe
        connection = await self._connected_by(trio.current_time() + seconds)
        home = connection.codex_home
        if home is None or not await self._codex.is_written(home, thread_id):
            return False
        read = requests.thread_read(thread_id)
        thread = (await connection.call(read.method, read.params, seconds))["thread"]
        return (thread.get("status") or {}).get("type") == "notLoaded"

    # The connection

    async def _keep_connected(self) -> None:
        try:
            self._lease = await self._codex.take_over()
            failures = 0
            while self._settings.disabled is None:
                began = trio.current_time()
                known, self._why = self._why, await self._connect_once()
                if self._left_for is not None:
                    log.info("codex.left", reason=self._left_for)
                    failures, pause = 0, 0.0
                else:
                    lived = trio.current_time() - began
                    failures = 1 if lived >= _CALM_SECONDS else failures + 1
                    pause = self._settings.deadlines.reconnect.delay(failures)
                    # What is so for hours is said once, and then to those who look closer.
                    tell = log.debug if failures > 1 and self._why == known else log.warning
                    tell("codex.unavailable", reason=self._why, retry_in=round(pause, 3))
                self._retry_at = trio.current_time() + pause
                await trio.sleep(pause)
                self._attempt_ended = trio.Event()
                self._connecting = True
        finally:
            with trio.CancelScope(shield=True):
                await self._leave()
            self._kept.set()

    async def _leave(self) -> None:
        """End the app-server of our own if it is not needed, else leave it to its keeper."""
        if self._is_unneeded:
            await self._codex.end_own()
        if self._lease is not None:
            self._lease.release()

    @property
    def _is_detached(self) -> bool:
        return self._way is not None and self._way.app_server is AppServer.DETACHED

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
            self._process_id = wire.process_id
            connection = Connection(wire, self, self._settings.deadlines)
            nursery.start_soon(connection.run)
            try:
                await connection.handshake(version("command-center"))
            except WireClosed as error:
                return error.reason
            self._connection, self._way = connection, way
            changed, self._changed = self._changed, trio.Event()
            changed.set()
            self._connections += 1
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
            if await self._codex.listens_for_terminals():
                better = "Another app-server listens on Codex's control socket, and is joined."
            if better is not None and await self._is_idle():
                self._left_for = better
                await self._codex.end_own()
                return better

    async def _is_idle(self) -> bool:
        """Return whether nobody here is at work with Codex, and nobody else has a turn in it."""
        try:
            return not self._routes.attached and not self._calls and not await self._has_turns()
        except Refusal:
            return False

    async def _has_turns(self) -> bool:
        connection = self._connection
        if connection is None:
            return True

        async def ask(call: Call) -> dict[str, Any]:
            answer: dict[str, Any] = await connection.call(
                call.method, call.params, self._settings.deadlines.probe
            )
            return answer

        return await has_turns(ask)

    def _disconnected(self) -> None:
        self._connection = None
        self._process_id = None
        self._way = None

    def _end_attempt(self) -> None:
        self._connecting = False
        self._attempt_ended.set()

    # What Codex says

    def on_notification(self, notification: protocol.Notification, size: int) -> None:
        """Route it to whoever is attached to its thread."""
        self._routes.notification(notification, size)
        self._look_up_parents()

    def on_request(self, request: protocol.ServerRequest) -> RefusedRequest | None:
        """Route it, or refuse what nobody here can answer."""
        thread_id = protocol.thread_of(request.params)
        problem = why_not(request.method, request.params)
        if thread_id is None or problem is not None:
            log.warning("codex.request_refused", method=request.method, problem=problem)
            if thread_id is not None:
                self._routes.refused(request, thread_id)
            return RefusedRequest(protocol.METHOD_NOT_FOUND, problem or "It names no thread.")
        if not self._routes.request(request, thread_id):
            log.warning("codex.too_many_requests", method=request.method)
            return RefusedRequest(protocol.REFUSED, "Too many requests are open.")
        self._look_up_parents()
        return None

    def _look_up_parents(self) -> None:
        """Find out whose the threads are that nobody knows and that tell or ask something."""
        for thread_id in self._routes.take_unknown():
            self.ctx.start_task(self._look_up_parent, thread_id)

    async def _look_up_parent(self, thread_id: str) -> None:
        parent: object = None
        try:
            parent = (await self._perform(requests.thread_read(thread_id)))["thread"].get(
                "parentThreadId"
            )
        except (Refusal, LookupError, TypeError, AttributeError) as error:
            log.warning("codex.parent.unknown", thread=thread_id, reason=str(error))
        if isinstance(parent, str) and parent != thread_id:
            self._routes.adopt(thread_id, parent)
        else:
            self._routes.disown(thread_id)
        self._look_up_parents()

    # The attached

    def _pump(self, inbox: AnyInbox) -> None:
        if inbox not in self._pumps:
            self._pumps[inbox] = self.ctx.start_task(inbox.pump, name=f"pump for {inbox.ref.path}")
        self.ctx.monitor(inbox.ref)

    def _unpump(self, inbox: AnyInbox) -> None:
        scope = self._pumps.pop(inbox, None)
        if scope is not None:
            scope.cancel()
