"""From one connection to many threads: who is told what, in order, and never without bound.

All threads share one stream, so reading can't wait for a slow session. Each attached thread has
an inbox instead. While its session is busy, what can be joined is joined without loss: texts that
grow the same item, and values of which only the newest counts. When an inbox is full all the
same, its notifications are dropped and the session is told how many, so that it can read the
thread's turns again; open requests are kept apart and are never dropped.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict, deque
from typing import Any

import attrs
import trio

from command_center.actors.codex import protocol
from command_center.actors.codex.errors import RequestGone
from command_center.actors.codex.lineage import Lineage, started_agents
from command_center.actors.codex.messages import (
    AppServer,
    BridgeConnected,
    BridgeLost,
    BridgeUnreachable,
    BridgeWarned,
    CodexAgentHeard,
    CodexLagged,
    CodexNotification,
    CodexRequestRefused,
    CodexRequestResolved,
    CodexServerRequest,
)
from command_center.actors.codex.warnings import WARNINGS, CodexWarning, warning_of
from command_center.runtime import ActorRef

MAX_QUEUED = 2000
"""Messages that may wait for one attached actor."""

MAX_QUEUED_BYTES = 32 * 1024 * 1024
"""Bytes, as Codex sent them, that may wait for one attached actor."""

MAX_OPEN = 1000
"""Requests of Codex that may be open on one connection, over all threads."""

_MAX_WARNINGS = 100
_MAX_EARLY = 10
_STATUS = "thread/status/changed"
_NEWEST_COUNTS = frozenset(
    {"turn/diff/updated", "turn/plan/updated", "thread/tokenUsage/updated", _STATUS}
)
_GROWS = frozenset(
    {
        "item/agentMessage/delta",
        "item/commandExecution/outputDelta",
        "item/plan/delta",
        "item/reasoning/summaryTextDelta",
        "item/reasoning/textDelta",
    }
)
_TOLD_OF_AGENTS = _GROWS | {
    *("turn/started", "turn/completed", "item/started", "item/completed", "error"),
    *("thread/tokenUsage/updated", "turn/diff/updated"),
}


@attrs.define(eq=False)
class _Entry:
    message: Any
    size: int = 0
    pieces: list[str] | None = None


class Inbox:
    """What waits to be told to the actor that is attached to a thread."""

    def __init__(self, thread_id: str, ref: ActorRef[Any]) -> None:
        """Begin empty."""
        self.thread_id = thread_id
        self.ref = ref
        self.told: set[str] = set()
        """Ids of the open requests that this attachment was told of."""
        self.dropped = 0
        self._entries: deque[_Entry] = deque()
        self._bytes = 0
        self._lag: _Entry | None = None
        self._wake = trio.Event()
        self._leaving: object | None = None

    def __len__(self) -> int:
        """How many messages wait."""
        return len(self._entries)

    def tell(self, message: object) -> None:
        """Queue what must not be lost; its number is bounded by who calls."""
        self._append(_Entry(message))

    def tell_if_room(self, message: object) -> None:
        """Queue what may be left out when too much waits."""
        if len(self._entries) < MAX_QUEUED:
            self._append(_Entry(message))

    def tell_if_empty(self, message: object) -> None:
        """Queue what says no more than anything else that waits would."""
        if not self._entries:
            self._append(_Entry(message))

    def notify(self, notification: CodexNotification, size: int) -> None:
        """Queue a notification, joined to the one before it where nothing is lost by that."""
        last = self._entries[-1] if self._entries else None
        if last is not None and self._joined(last, notification, size):
            return
        if len(self._entries) >= MAX_QUEUED or self._bytes + size > MAX_QUEUED_BYTES:
            self._drop_notifications()
        self._append(_Entry(notification, size))

    def forget_requests(self) -> None:
        """Take back the requests that wait, to be told anew."""
        self.told.clear()
        kept = (e for e in self._entries if not isinstance(e.message, CodexServerRequest))
        self._entries = deque(kept)

    async def first(self) -> object:
        """The message that is next, when there is one; the same until it is `sent`."""
        while self._leaving is None:
            if self._entries:
                self._leaving = self._take()
            else:
                if self._wake.is_set():
                    self._wake = trio.Event()
                await self._wake.wait()
        return self._leaving

    def sent(self) -> None:
        """The first message has reached the actor."""
        self._leaving = None

    def _take(self) -> object:
        entry = self._entries.popleft()
        self._bytes -= entry.size
        if entry is self._lag:
            self._lag = None
        if entry.pieces is not None:
            params = {**entry.message.params, "delta": "".join(entry.pieces)}
            return attrs.evolve(entry.message, params=params)
        message: object = entry.message
        return message

    def _append(self, entry: _Entry) -> None:
        self._entries.append(entry)
        self._bytes += entry.size
        self._wake.set()

    def _joined(self, last: _Entry, notification: CodexNotification, size: int) -> bool:
        before = last.message
        if not isinstance(before, CodexNotification) or before.method != notification.method:
            return False
        if before.thread_id != notification.thread_id:
            return False
        if notification.method in _NEWEST_COUNTS:
            self._bytes += size - last.size
            last.message, last.size = notification, size
            return True
        same = all(
            before.params.get(key) == notification.params.get(key)
            for key in ("turnId", "itemId", "summaryIndex", "contentIndex")
        )
        first, more = before.params.get("delta"), notification.params.get("delta")
        if not (
            notification.method in _GROWS
            and same
            and isinstance(first, str)
            and isinstance(more, str)
            and self._bytes + size <= MAX_QUEUED_BYTES
        ):
            return False
        if last.pieces is None:
            last.pieces = [first]
        last.pieces.append(more)
        last.size += size
        self._bytes += size
        return True

    def _drop_notifications(self) -> None:
        kept = [e for e in self._entries if not isinstance(e.message, CodexNotification)]
        dropped = len(self._entries) - len(kept)
        self.dropped += dropped
        if self._lag is None:
            self._lag = _Entry(CodexLagged(self.thread_id, dropped))
            kept.insert(0, self._lag)
        else:
            total = self._lag.message.dropped + dropped
            self._lag.message = CodexLagged(self.thread_id, total)
        self._entries = deque(kept)
        self._bytes = sum(entry.size for entry in kept)


@attrs.define(eq=False)
class OpenRequest:
    """A request of Codex on the connection of now."""

    id: protocol.RequestId
    name: str
    thread_id: str
    method: str
    params: dict[str, Any]
    answered: bool = False


class Routes:
    """Who is attached to which thread, and which requests of Codex are open.

    The attachments belong to no connection, and to no life of the bridge: give the same routes
    to each life, and sessions need not attach again after a crash of the bridge.
    """

    def __init__(self) -> None:
        """Begin with nobody attached."""
        self._inboxes: dict[str, Inbox] = {}
        self._watchers: dict[str, Inbox] = {}
        self._told_statuses: set[str] = set()
        """The paths of the watchers that want to be told of every thread's status."""
        self._open: dict[protocol.RequestId, OpenRequest] = {}
        self._lineage = Lineage()
        self._connection = ""
        self._greeting: BridgeConnected | None = None
        self._missing: BridgeUnreachable | None = None
        """What nobody has been told yet."""
        self._is_known_missing = False
        self._warnings: list[BridgeWarned] = []
        """Those that nobody has been told yet."""
        self._warned: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._early: OrderedDict[str, list[CodexNotification]] = OrderedDict()
        """What threads were warned of before somebody was attached."""
        self.unrouted = 0
        """Notifications of threads that nobody is attached to."""

    @property
    def inboxes(self) -> list[Inbox]:
        """Those of all attachments and watchers."""
        return [*self._inboxes.values(), *self._watchers.values()]

    @property
    def attached(self) -> int:
        """To how many threads somebody is attached."""
        return len(self._inboxes)

    @property
    def open_requests(self) -> list[OpenRequest]:
        """Those that wait for an answer."""
        return [request for request in self._open.values() if not request.answered]

    def attach(self, thread_id: str, ref: ActorRef[Any]) -> Inbox:
        """Attach, and offer the thread's open requests, also those that were told before.

        An actor that attaches again keeps what waits for it. What waited for another is gone.
        """
        inbox = self._inboxes.get(thread_id)
        if inbox is not None and inbox.ref.path == ref.path:
            inbox.ref = ref
            inbox.forget_requests()
        else:
            inbox = self._inboxes[thread_id] = Inbox(thread_id, ref)
        for warning in self._early.pop(thread_id, ()):
            inbox.tell_if_room(warning)
        self._lineage.known(thread_id)  # what was held of it is read with its turns
        self._settle()
        return inbox

    def adopt(self, thread_id: str, parent: str) -> None:
        """Tell and ask what a thread tells and asks, also before this, of its parent's attachment.

        Where nobody is attached to that either, its own parent is looked for.
        """
        for notification, size in self._lineage.adopt(thread_id, parent):
            self._route(notification, thread_id, size)
        self._settle()

    def disown(self, thread_id: str) -> None:
        """Take the thread, which no other one started, for another client's."""
        self.unrouted += self._lineage.disown(thread_id)
        self._settle()

    def take_unknown(self) -> list[str]:
        """Give the threads of which something is held, and whose parents are to be looked up."""
        return self._lineage.take_unknown()

    def _settle(self) -> None:
        """Offer again what is open, and route again what was held."""
        for request in self._open.values():
            self._offer(request)
        for thread_id, held in self._lineage.release():
            for notification, size in held:
                self._route(notification, thread_id, size)

    def attachment(self, thread_id: str) -> Inbox | None:
        """That of the thread, if there is one."""
        return self._inboxes.get(thread_id)

    def detach(self, thread_id: str, ref: ActorRef[Any]) -> Inbox | None:
        """Detach, if it is `ref` who is attached; answers its inbox then."""
        inbox = self._inboxes.get(thread_id)
        if inbox is None or inbox.ref.path != ref.path:
            return None
        return self._inboxes.pop(thread_id)

    def watcher(self, ref: ActorRef[Any]) -> Inbox | None:
        """That of the actor, if it watches."""
        return self._watchers.get(ref.path)

    def watch(self, ref: ActorRef[Any], *, statuses: bool = False) -> Inbox:
        """Tell `ref` of the connection itself; a former watch of it is over."""
        inbox = self._watchers[ref.path] = Inbox("", ref)
        self._told_statuses.discard(ref.path)
        if statuses:
            self._told_statuses.add(ref.path)
        if self._greeting is not None:
            inbox.tell(self._greeting)
        self._tell_missing()
        self._tell_warnings()
        return inbox

    def forget(self, path: str) -> list[Inbox]:
        """Drop everything that goes to the actor at a path; answers what went there."""
        gone = [inbox for inbox in self.inboxes if inbox.ref.path == path]
        for inbox in gone:
            self._inboxes.pop(inbox.thread_id, None)
        self._watchers.pop(path, None)
        self._told_statuses.discard(path)
        return gone

    def connected(
        self,
        server_version: str | None,
        process_id: int | None,
        app_server: AppServer = AppServer.JOINED,
    ) -> None:
        """A connection begins; tell everyone."""
        self._forget_connection()
        self._missing = None
        self._is_known_missing = False
        self._connection = secrets.token_hex(4)
        self._greeting = BridgeConnected(server_version, process_id, app_server)
        for inbox in self.inboxes:
            inbox.tell(self._greeting)

    def lost(self, reason: str) -> None:
        """The connection is lost, and with it every open request; tell everyone, if any was."""
        if not self._connection:
            return
        greeting = self._greeting
        ends_turns = greeting is not None and greeting.app_server is AppServer.SPAWNED
        self._forget_connection()
        self._is_known_missing = True
        for inbox in self.inboxes:
            inbox.tell(BridgeLost(reason, ends_turns))

    def unreachable(self, reason: str) -> None:
        """An attempt to connect has failed; tell who watches, unless they know of it already."""
        if not self._is_known_missing:
            self._is_known_missing = True
            self._missing = BridgeUnreachable(reason)
            self._tell_missing()

    def _tell_missing(self) -> None:
        if self._missing is not None and self._watchers:
            for inbox in self._watchers.values():
                inbox.tell(self._missing)
            self._missing = None

    def warn(self, warning: CodexWarning) -> None:
        """Tell who watches of what concerns no one thread, each thing once."""
        said = (warning.kind, warning.message)
        if said in self._warned:
            return
        self._warned[said] = None
        if len(self._warned) > _MAX_WARNINGS:
            self._warned.popitem(last=False)
        self._warnings.append(BridgeWarned(warning.kind, warning.message, warning.details))
        self._tell_warnings()

    def _tell_warnings(self) -> None:
        if self._watchers:
            for warning in self._warnings:
                for inbox in self._watchers.values():
                    inbox.tell(warning)
            self._warnings.clear()
        del self._warnings[:-_MAX_WARNINGS]

    def notification(self, notification: protocol.Notification, size: int) -> None:
        """Route what Codex told."""
        params = notification.params
        thread_id = protocol.thread_of(params)
        if notification.method == "serverRequest/resolved":
            self._resolved(params.get("requestId"))
            return
        if thread_id is None:
            warning = warning_of(notification.method, params)
            if warning is not None:
                self.warn(warning)
            return
        if notification.method == _STATUS:
            self._tell_status(CodexNotification(thread_id, _STATUS, params), size)
        if notification.method == "thread/started":
            self._remember_parent(thread_id, params)
        elif notification.method in {"item/started", "item/completed"}:
            self._remember_agents(thread_id, params)
        self._route(notification, thread_id, size)

    def _tell_status(self, notification: CodexNotification, size: int) -> None:
        for path in self._told_statuses:
            self._watchers[path].notify(notification, size)

    def _route(self, notification: protocol.Notification, thread_id: str, size: int) -> None:
        """Tell the thread's attachment, or that of the thread that a sub-agent works for."""
        method, params = notification.method, notification.params
        inbox = self._owner_of(thread_id)
        if inbox is None:
            self._hold(notification, thread_id, size)
        elif inbox.thread_id == thread_id:
            inbox.notify(CodexNotification(thread_id, method, params), size)
        elif method in _TOLD_OF_AGENTS:
            parent = self._lineage.parent_of(thread_id)
            inbox.notify(CodexNotification(thread_id, method, params, parent), size)
        else:
            inbox.tell_if_empty(CodexAgentHeard(inbox.thread_id))

    def _hold(self, notification: protocol.Notification, thread_id: str, size: int) -> None:
        """Keep it until it is known whose the thread is, if anybody here could be its owner."""
        is_told = notification.method in _TOLD_OF_AGENTS and bool(self._inboxes)
        if not (
            is_told
            and self._lineage.seek(thread_id)
            and self._lineage.hold(thread_id, notification, size)
        ):
            self.unrouted += 1
            if notification.method in WARNINGS:
                self._keep_early(
                    CodexNotification(thread_id, notification.method, notification.params)
                )

    def _keep_early(self, warning: CodexNotification) -> None:
        """Keep what a thread is warned of as it begins, before anybody can be attached to it."""
        kept = self._early.setdefault(warning.thread_id, [])
        kept.append(warning)
        del kept[:-_MAX_EARLY]
        if len(self._early) > _MAX_EARLY:
            self._early.popitem(last=False)

    def request(self, request: protocol.ServerRequest, thread_id: str) -> bool:
        """Keep and route what Codex asks; answers False if too much is open already.

        Codex asks again what is open when a thread is resumed; an attachment is told once.
        """
        known = self._open.get(request.id)
        if known is None or (known.answered and known.params != request.params):
            if len(self._open) >= MAX_OPEN and not self._forget_answered():
                return False
            name = f"{self._connection}:{request.id}"
            known = OpenRequest(request.id, name, thread_id, request.method, request.params)
            self._open[request.id] = known
        self._offer(known)
        if self._inboxes and self._owner_of(thread_id) is None:
            self._lineage.seek(thread_id)
        return True

    def refused(self, request: protocol.ServerRequest, thread_id: str) -> None:
        """Tell the attached actor of a request that was refused on its behalf."""
        inbox = self._owner_of(thread_id)
        if inbox is not None:
            inbox.tell_if_room(CodexRequestRefused(thread_id, request.method, request.params))

    def take(self, name: str) -> OpenRequest:
        """Take a request to answer it, once; raises `RequestGone`."""
        for request in self._open.values():
            if request.name == name and not request.answered:
                request.answered = True
                return request
        raise RequestGone(name)

    def _offer(self, request: OpenRequest) -> None:
        inbox = self._owner_of(request.thread_id)
        if inbox is None or request.answered or request.name in inbox.told:
            return
        inbox.told.add(request.name)
        inbox.tell(
            CodexServerRequest(request.thread_id, request.name, request.method, request.params)
        )

    def _resolved(self, id_: object) -> None:
        request = self._open.pop(id_, None) if isinstance(id_, int | str) else None
        if request is None:
            return
        inbox = self._owner_of(request.thread_id)
        if inbox is not None and request.name in inbox.told:
            inbox.told.discard(request.name)
            inbox.tell(CodexRequestResolved(request.thread_id, request.name, request.answered))

    def _owner_of(self, thread_id: str) -> Inbox | None:
        """The attachment of the thread, or of the nearest thread that it was started from."""
        ancestors = (self._inboxes.get(at) for at in self._lineage.ancestors(thread_id))
        return next((inbox for inbox in ancestors if inbox is not None), None)

    def _remember_parent(self, thread_id: str, params: dict[str, Any]) -> None:
        thread = params.get("thread")
        parent = thread.get("parentThreadId") if isinstance(thread, dict) else None
        if isinstance(parent, str):
            self.adopt(thread_id, parent)

    def _remember_agents(self, thread_id: str, params: dict[str, Any]) -> None:
        """Codex tells of a sub-agent's thread in the item of its parent that has started it."""
        item = params.get("item")
        for agent in started_agents(item) if isinstance(item, dict) else ():
            if agent != thread_id and self._lineage.parent_of(agent) is None:
                self.adopt(agent, thread_id)

    def _forget_answered(self) -> bool:
        answered = [id_ for id_, request in self._open.items() if request.answered]
        for id_ in answered:
            del self._open[id_]
        return bool(answered)

    def _forget_connection(self) -> None:
        self._open.clear()
        self._lineage.forget_connection()
        self._connection = ""
        self._greeting = None
        for inbox in self._inboxes.values():
            inbox.told.clear()
