"""The bridge: the actor that holds the one connection to a Codex app-server.

It keeps a connection up for as long as it lives: when one is lost every open request fails at
once, the attached actors are told, and the next attempt follows after a backoff. It subscribes
to nothing by itself; whoever is attached to a thread resumes it when told `BridgeConnected`.
"""

from __future__ import annotations

from typing import Any

import structlog
import trio

from command_center.actors.codex import protocol, requests
from command_center.actors.codex.approvals import why_not
from command_center.actors.codex.connection import Connection, RefusedRequest
from command_center.actors.codex.connector import Connector
from command_center.actors.codex.errors import (
    AnswerMisread,
    AnswerTooLong,
    CodexError,
    CodexTimeout,
    ThreadElsewhere,
)
from command_center.actors.codex.kept_threads import KEEP_SECONDS, LOOKS
from command_center.actors.codex.messages import (
    AnswerRequest,
    Attach,
    Call,
    Detach,
    KeptLong,
    LoadedThread,
    NameConnection,
    ReachWriter,
    Rejoin,
)
from command_center.actors.codex.ports import Codex
from command_center.actors.codex.routing import AnyInbox, Routes
from command_center.actors.codex.settings import Transport
from command_center.actors.codex.shapes import ANSWERS, problem_of
from command_center.actors.codex.versions import RANGE, Support
from command_center.actors.contracts.bridges import (
    AppServer,
    BridgeHealth,
    BridgeStatus,
    CheckVersion,
    ExplainAbsence,
    ProbeHealth,
    Watch,
)
from command_center.actors.rules.errors import TooBusy
from command_center.runtime import Actor, Deferred, Down, Refusal, handles

log = structlog.get_logger(__name__)

MAX_CALLS = 1000
"""Calls that may be under way at once."""

_WRITING_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between two looks for a thread whose file Codex has not written yet."""

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
        self._connector = Connector(
            codex,
            self._routes,
            self,
            is_busy=lambda: bool(self._routes.attached or self._calls),
        )
        self._pumps: dict[AnyInbox, trio.CancelScope] = {}
        self._calls = 0

    async def on_start(self) -> None:
        """Begin to connect, without waiting for it."""
        self._routes.lost("The bridge to Codex was restarted.")
        for inbox in self._routes.inboxes:
            self._pump(inbox)
        self.ctx.start_task(self._connector.run)

    async def on_stop(self) -> None:
        """Close the connection and end the child behind it, and a detached one without turns."""
        await self._connector.close()

    def describe(self) -> dict[str, object]:
        """Return what an inspection shows of the connection."""
        connector = self._connector
        connection, way = connector.connection, connector.way
        return {
            "transport": self._settings.transport.value,
            "command": self._settings.described,
            "connected": connection is not None,
            "diagnostic": None if connection is not None else connector.why,
            "processId": connector.process_id,
            "appServer": None if way is None else way.app_server.value,
            "why": None if way is None else way.reason,
            "serverVersion": None if connection is None else connection.server_version,
            "connections": connector.connections,
            "calls": self._calls,
            "attachedThreads": self._routes.attached,
            "keptThreads": len(self._routes.kept),
            "rejoinedThreads": self._routes.kept.rejoined,
            "openRequests": len(self._routes.open_requests),
            "received": 0 if connection is None else connection.received,
            "garbage": 0 if connection is None else connection.garbage,
            "unroutedNotifications": self._routes.unrouted,
            "unknown": {
                f"{kind} {name}": count
                for (kind, name), count in sorted(self._routes.unknowns.counts.items())
            },
            "droppedNotifications": sum(inbox.dropped for inbox in self._routes.inboxes),
        }

    @handles(Call)
    def call(self, message: Call) -> Deferred[dict[str, Any]]:
        """Send it on and answer when Codex does."""
        if self._calls >= MAX_CALLS:
            raise TooBusy(f"{MAX_CALLS} requests to Codex are under way.")
        if message.method not in LOOKS:
            self._keep_no_longer(message.params.get("threadId"))
        return self.ctx.answer_later(self._perform, message)

    @handles(Attach)
    def attach(self, message: Attach[Any]) -> None:
        """Route the thread to its new attachment."""
        self._keep_no_longer(message.thread_id)
        for agent, parent in message.agents:
            self._routes.adopt(agent, parent)
        self._route_to(message)

    def _route_to(self, message: Attach[Any] | Rejoin[Any]) -> None:
        before = self._routes.attachment(message.thread_id)
        inbox = self._routes.attach(message.thread_id, message.ref, message.read)
        if before is not None and before is not inbox:
            self._unpump(before)
        self._pump(inbox)

    @handles(Rejoin)
    def rejoin(self, message: Rejoin[Any]) -> LoadedThread | None:
        """Route a thread that is kept to who goes on in it; leave one that is kept otherwise."""
        kept = self._routes.kept.take(message.thread_id)
        if kept is None:
            return None
        if kept.settings != message.settings:
            self._unsubscribe(message.thread_id)
            return None
        self._route_to(message)
        self._routes.kept.rejoined += 1
        return kept

    @handles(NameConnection)
    def name_connection(self, _message: NameConnection) -> str:
        """Name the connection as `Routes` does."""
        return self._routes.connection

    @handles(Detach)
    def detach(self, message: Detach) -> None:
        """Stop routing the thread, and hearing of it, unless it is kept for a while."""
        inbox = self._routes.detach(message.thread_id, message.ref)
        if inbox is None:
            return
        self._unpump(inbox)
        if message.loaded is None or len(inbox) or self._connector.connection is None:
            self._unsubscribe(message.thread_id)
            return
        for left in self._routes.kept.keep(message.thread_id, message.loaded):
            self._unsubscribe(left)
        self.ctx.send_after(KEEP_SECONDS, KeptLong(message.thread_id, message.loaded))

    @handles(KeptLong)
    def kept_long(self, message: KeptLong) -> None:
        """Leave a thread that nobody went on in."""
        if self._routes.kept.holds(message.thread_id, message.loaded):
            self._keep_no_longer(message.thread_id)

    def _hear_of(self, thread_id: str | None) -> None:
        """Leave the kept thread in which something happens, or for which a sub-agent works."""
        if thread_id is not None and len(self._routes.kept):
            for at in self._routes.line_of(thread_id):
                self._keep_no_longer(at)

    def _keep_no_longer(self, thread_id: str | None) -> None:
        """Leave a thread, if it is kept: what was known of it may hold no more."""
        if thread_id is not None and self._routes.kept.take(thread_id) is not None:
            self._unsubscribe(thread_id)

    def _unsubscribe(self, thread_id: str) -> None:
        """Hear no more of the thread. In order: whoever resumes it next stays subscribed."""
        if self._connector.connection is not None:
            leave = requests.thread_unsubscribe(thread_id)
            self._connector.connection.call_soon(leave.method, leave.params)

    @handles(Watch)
    def watch(self, message: Watch) -> None:
        """Tell of the connection itself."""
        before = self._routes.watcher(message.ref)
        if before is not None:
            self._unpump(before)
        self._pump(self._routes.watch(message.ref, message.notifications))

    @handles(Down)
    def down(self, message: Down) -> None:
        """Forget the attachments of an actor that is dead."""
        for inbox in self._routes.forget(message.path):
            self._unpump(inbox)

    @handles(AnswerRequest)
    def answer(self, message: AnswerRequest) -> Deferred[None]:
        """Write the answer, once."""
        connection = self._connector.get()
        request = self._routes.take(message.request_id)
        if message.result is not None:
            return self.ctx.answer_later(connection.answer, request.id, message.result)
        error = message.error or "It was refused."
        return self.ctx.answer_later(connection.refuse, request.id, protocol.REFUSED, error)

    @handles(CheckVersion)
    def check_version(self, message: CheckVersion) -> None:
        """Let a Codex that can be used pass, and one that is not connected yet."""
        del message
        if self._connector.connection is not None:
            self._connector.get()

    @handles(ExplainAbsence)
    def explain_absence(self, message: ExplainAbsence) -> str | None:
        """Give the reason of the last attempt, or of the first one that is under way."""
        del message
        return None if self._connector.connection is not None else self._connector.why

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
            connection = await self._connector.get_by(deadline)
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
            except AnswerTooLong:
                raise
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
            shape = ANSWERS.get(call.method)
            problem = None if shape is None else problem_of(shape, result)
            if problem is not None:
                raise AnswerMisread(call.method, problem)
            return result

    async def _probe(self) -> BridgeHealth:
        if self._settings.disabled is not None:
            return self._health(BridgeStatus.DISABLED, self._settings.disabled)
        deadline = trio.current_time() + self._settings.deadlines.probe
        try:
            connection = await self._connector.get_by(deadline)
            loaded = await connection.probe()
        except Refusal as refusal:
            return self._health(BridgeStatus.UNAVAILABLE, str(refusal))
        which = connection.server_version or "of an unknown version"
        threads = "1 thread is" if loaded == 1 else f"{loaded} threads are"
        said = [f"Codex {which} answers; {threads} loaded.", *self._said_of_way()]
        return self._health(BridgeStatus.CONNECTED, " ".join(said))

    def _said_of_way(self) -> list[str]:
        way = self._connector.way
        if way is None or self._settings.transport is not Transport.AUTO:
            return []
        said = [_WHOSE[way.app_server], way.reason]
        if way.outdated is not None:
            said.append(f"{way.outdated} It is replaced when no turn runs.")
        return said

    def _health(self, status: BridgeStatus, message: str) -> BridgeHealth:
        connector = self._connector
        connection = connector.connection
        support = Support() if connection is None else connection.support
        return BridgeHealth(
            status=status,
            command=self._settings.described,
            transport=self._settings.transport.value,
            message=message,
            supported=RANGE,
            version=None if connection is None else connection.server_version,
            warning=support.problem or support.notice,
            app_server=None if connector.way is None else connector.way.app_server,
        )

    async def _reach_writer(self, thread_id: str) -> None:
        if not await self._is_written_elsewhere(thread_id):
            return
        if not await self._connector.change_if_idle():
            raise ThreadElsewhere(thread_id, _BUSY)
        if await self._is_written_elsewhere(thread_id):
            raise ThreadElsewhere(thread_id, _CLOSE_IT)

    async def _is_written_elsewhere(self, thread_id: str) -> bool:
        seconds = self._settings.deadlines.probe
        connection = await self._connector.get_by(trio.current_time() + seconds)
        home = connection.codex_home
        if home is None or not await self._codex.is_written(home, thread_id):
            return False
        read = requests.thread_read(thread_id)
        thread = (await self._perform(Call(read.method, read.params, seconds)))["thread"]
        return (thread.get("status") or {}).get("type") == "notLoaded"

    # What Codex says

    def on_notification(self, notification: protocol.Notification, size: int) -> None:
        """Route it to whoever is attached to its thread."""
        self._hear_of(protocol.thread_of(notification.params))
        self._routes.notification(notification, size)
        self._look_up_parents()

    def on_request(self, request: protocol.ServerRequest) -> RefusedRequest | None:
        """Route it, or refuse what nobody here can answer."""
        thread_id = protocol.thread_of(request.params)
        self._hear_of(thread_id)
        problem = why_not(request.method, request.params)
        if thread_id is None or problem is not None:
            log.warning("codex.request_refused", method=request.method, problem=problem)
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
            thread = (await self._read_spoken(thread_id))["thread"]
            parent = thread.get("parentThreadId")
        except (Refusal, LookupError, TypeError, AttributeError) as error:
            log.warning("codex.parent.unknown", thread=thread_id, reason=str(error))
        if isinstance(parent, str) and parent != thread_id:
            self._routes.adopt(thread_id, parent)
        else:
            self._routes.disown(thread_id)
        self._look_up_parents()

    async def _read_spoken(self, thread_id: str) -> dict[str, Any]:
        """Read a thread that has said something: Codex may be about to write its file."""
        for pause in _WRITING_SECONDS:
            try:
                return await self._perform(requests.thread_read(thread_id))
            except CodexError as error:
                log.info("codex.thread.unread", thread=thread_id, reason=str(error))
                await trio.sleep(pause)
        return await self._perform(requests.thread_read(thread_id))

    # The attached

    def _pump(self, inbox: AnyInbox) -> None:
        if inbox not in self._pumps:
            self._pumps[inbox] = self.ctx.start_task(inbox.pump, name=f"pump for {inbox.ref.path}")
        self.ctx.monitor(inbox.ref)

    def _unpump(self, inbox: AnyInbox) -> None:
        scope = self._pumps.pop(inbox, None)
        if scope is not None:
            scope.cancel()
