"""From one connection to many threads: who is told what, in order, and never without bound.

All threads share one stream, so reading can't wait for a slow session. Each attached thread has an
inbox instead, whose actor is told as fast as it takes it.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Final, Never, TypeAlias, TypeVar

from command_center.actors.codex import protocol
from command_center.actors.codex.inbox import GROWS, STATUS, Inbox
from command_center.actors.codex.kept_threads import KeptThreads
from command_center.actors.codex.lineage import Lineage, started_agents
from command_center.actors.codex.messages import (
    CodexAgentHeard,
    CodexNotification,
    CodexRequestRefused,
    CodexRequestResolved,
    CodexServerRequest,
    ThreadMessage,
    WatcherMessage,
    as_it_is,
)
from command_center.actors.codex.open_requests import OpenRequest, OpenRequests
from command_center.actors.codex.vocabulary import Unknown, Unknowns
from command_center.actors.codex.warnings import WARNINGS, CodexWarning, warning_of
from command_center.actors.codex.watchers import Watchers
from command_center.actors.contracts.bridges import (
    AppServer,
    BridgeConnected,
    BridgeLost,
)
from command_center.runtime import ActorRef

M = TypeVar("M")

AnyInbox: TypeAlias = Inbox[ThreadMessage] | Inbox[WatcherMessage]
"""The inbox of somebody who is attached to a thread, or watches the connection."""

MAX_EARLY: Final = 10
"""Threads whose early warnings are kept, and warnings that are kept of each."""

TOLD_OF_AGENTS: Final = (
    GROWS
    | WARNINGS
    | {
        *("turn/started", "turn/completed", "item/started", "item/completed", "error"),
        *("thread/tokenUsage/updated", "turn/diff/updated"),
        *("item/autoApprovalReview/completed", "hook/completed", "thread/settings/updated"),
    }
)
"""The notifications of a sub-agent's thread that are told to whom it works for."""


class Routes:
    """The routes from threads to their attachments, and the open requests of Codex.

    The attachments belong to no connection, and to no life of the bridge: give the same routes
    to each life, and sessions need not attach again after a crash of the bridge.
    """

    def __init__(self) -> None:
        """Begin with nobody attached."""
        self._inboxes: dict[str, Inbox[ThreadMessage]] = {}
        self._watchers = Watchers()
        self._requests = OpenRequests()
        self._lineage = Lineage()
        self._connection = ""
        self._greeting: BridgeConnected | None = None
        self._early: OrderedDict[str, list[CodexNotification]] = OrderedDict()
        """The warnings of threads to which nobody was attached yet."""
        self.unknowns = Unknowns()
        self.kept = KeptThreads()
        self.unrouted = 0
        """Notifications of threads that nobody is attached to."""

    @property
    def inboxes(self) -> list[AnyInbox]:
        """Return the inboxes of all attachments and watchers."""
        return [*self._inboxes.values(), *self._watchers.inboxes]

    @property
    def connection(self) -> str:
        """Return the name of the connection, empty while there is none."""
        return self._connection

    @property
    def attached(self) -> int:
        """Return to how many threads somebody is attached."""
        return len(self._inboxes)

    @property
    def open_requests(self) -> list[OpenRequest]:
        """Return the requests that wait for an answer."""
        return self._requests.unanswered

    def attach(
        self, thread_id: str, ref: ActorRef[M], read: Callable[[ThreadMessage], M] = as_it_is
    ) -> Inbox[ThreadMessage]:
        """Attach, and offer the thread's open requests, also those that were told before.

        An actor that attaches again keeps what waits for it. What waited for another is gone.
        """

        async def tell(message: ThreadMessage) -> None:
            await ref.tell(read(message))

        inbox = self._inboxes.get(thread_id)
        if inbox is not None and inbox.ref.path == ref.path:
            inbox.ref, inbox.hand_on = ref, tell
            inbox.forget_requests()
        else:
            inbox = self._inboxes[thread_id] = Inbox(thread_id, ref, tell)
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
        for request in self._requests:
            self._offer(request)
        for thread_id, held in self._lineage.release():
            for notification, size in held:
                self._route(notification, thread_id, size)

    def attachment(self, thread_id: str) -> Inbox[ThreadMessage] | None:
        """Return the inbox of the thread's attachment, if there is one."""
        return self._inboxes.get(thread_id)

    def detach(self, thread_id: str, ref: ActorRef[Never]) -> Inbox[ThreadMessage] | None:
        """Detach, if it is `ref` who is attached; answers its inbox then."""
        inbox = self._inboxes.get(thread_id)
        if inbox is None or inbox.ref.path != ref.path:
            return None
        return self._inboxes.pop(thread_id)

    def watcher(self, ref: ActorRef[Never]) -> Inbox[WatcherMessage] | None:
        """Return the inbox of the actor, if it watches."""
        return self._watchers.find(ref.path)

    def watch(
        self, ref: ActorRef[WatcherMessage], notifications: frozenset[str] = frozenset()
    ) -> Inbox[WatcherMessage]:
        """Tell `ref` of the connection itself; a former watch of it is over."""
        return self._watchers.add(ref, self._greeting, notifications)

    def forget(self, path: str) -> list[AnyInbox]:
        """Drop everything that goes to the actor at a path; answers what went there."""
        gone = [inbox for inbox in self.inboxes if inbox.ref.path == path]
        for inbox in gone:
            self._inboxes.pop(inbox.thread_id, None)
        self._watchers.forget(path)
        return gone

    def connected(
        self,
        server_version: str | None,
        process_id: int | None,
        app_server: AppServer = AppServer.JOINED,
    ) -> None:
        """Tell everyone that a connection begins."""
        self._forget_connection()
        self._watchers.connected()
        self._connection = secrets.token_hex(4)
        self._greeting = BridgeConnected(server_version, process_id, app_server)
        for inbox in self.inboxes:
            inbox.tell(self._greeting)

    def lost(self, reason: str) -> None:
        """Tell everyone that the connection is lost, and with it every open request, if one was."""
        if not self._connection:
            return
        greeting = self._greeting
        ends_turns = greeting is not None and greeting.app_server is AppServer.SPAWNED
        self._forget_connection()
        self._watchers.lost()
        for inbox in self.inboxes:
            inbox.tell(BridgeLost(reason, ends_turns))

    def unreachable(self, reason: str) -> None:
        """Tell who watches that an attempt to connect has failed, unless they know it already."""
        self._watchers.unreachable(reason)

    def warn(self, warning: CodexWarning) -> None:
        """Tell who watches of what concerns no one thread, each thing once."""
        self._watchers.warn(warning)

    def notification(self, notification: protocol.Notification, size: int) -> None:
        """Route what Codex told."""
        params = notification.params
        thread_id = protocol.thread_of(params)
        self._meet(self.unknowns.in_notification(notification.method, params))
        if notification.method == "serverRequest/resolved":
            self._resolved(params.get("requestId"))
            return
        if thread_id is None:
            warning = warning_of(notification.method, params)
            if warning is not None:
                self.warn(warning)
        if thread_id is None or notification.method == STATUS:
            told = CodexNotification(thread_id or "", notification.method, params)
            self._watchers.tell_notification(told, size)
        if thread_id is None:
            return
        if notification.method == "thread/started":
            self._remember_parent(thread_id, params)
        elif notification.method in {"item/started", "item/completed"}:
            self._remember_agents(thread_id, params)
        self._route(notification, thread_id, size)

    def _route(self, notification: protocol.Notification, thread_id: str, size: int) -> None:
        """Tell the thread's attachment, or that of the thread that a sub-agent works for."""
        method, params = notification.method, notification.params
        inbox = self._owner_of(thread_id)
        if inbox is None:
            self._hold(notification, thread_id, size)
        elif inbox.thread_id == thread_id:
            inbox.notify(CodexNotification(thread_id, method, params), size)
        elif method in TOLD_OF_AGENTS:
            parent = self._lineage.parent_of(thread_id)
            inbox.notify(CodexNotification(thread_id, method, params, parent), size)
        else:
            inbox.tell_if_empty(CodexAgentHeard(inbox.thread_id))

    def _hold(self, notification: protocol.Notification, thread_id: str, size: int) -> None:
        """Keep it until it is known whose the thread is, if anybody here could be its owner."""
        is_told = notification.method in TOLD_OF_AGENTS and bool(self._inboxes)
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
        del kept[:-MAX_EARLY]
        if len(self._early) > MAX_EARLY:
            self._early.popitem(last=False)

    def request(self, request: protocol.ServerRequest, thread_id: str) -> bool:
        """Keep and route what Codex asks; answers False if too much is open already.

        Codex asks again what is open when a thread is resumed; an attachment is told once.
        """
        known = self._requests.add(request, thread_id, self._connection)
        if known is None:
            return False
        self._offer(known)
        if self._inboxes and self._owner_of(thread_id) is None:
            self._lineage.seek(thread_id)
        return True

    def _meet(self, unknown: Unknown | None) -> None:
        """Tell who watches of what is new."""
        if unknown is not None:
            self._watchers.meet(unknown)

    def refused(self, request: protocol.ServerRequest, thread_id: str | None) -> None:
        """Tell of a request that was refused: the attached actor, and who watches if it is new."""
        self._meet(self.unknowns.in_request(request.method, request.params))
        if thread_id is None:
            return
        inbox = self._owner_of(thread_id)
        if inbox is not None:
            inbox.tell_if_room(CodexRequestRefused(thread_id, request.method, request.params))

    def take(self, name: str) -> OpenRequest:
        """Take a request to answer it, once; raises `RequestGone`."""
        return self._requests.take(name)

    def _offer(self, request: OpenRequest) -> None:
        inbox = self._owner_of(request.thread_id)
        if inbox is None or request.answered or request.name in inbox.told:
            return
        inbox.told.add(request.name)
        inbox.tell(
            CodexServerRequest(request.thread_id, request.name, request.method, request.params)
        )

    def _resolved(self, id_: object) -> None:
        request = self._requests.resolve(id_)
        if request is None:
            return
        inbox = self._owner_of(request.thread_id)
        if inbox is not None and request.name in inbox.told:
            inbox.told.discard(request.name)
            inbox.tell(CodexRequestResolved(request.thread_id, request.name, request.answered))

    def line_of(self, thread_id: str) -> Iterable[str]:
        """Give the thread, the one that it was started from, and so on."""
        return self._lineage.ancestors(thread_id)

    def _owner_of(self, thread_id: str) -> Inbox[ThreadMessage] | None:
        """Return the attachment of the thread, or of the nearest one that it was started from."""
        ancestors = (self._inboxes.get(at) for at in self.line_of(thread_id))
        return next((inbox for inbox in ancestors if inbox is not None), None)

    def _remember_parent(self, thread_id: str, params: dict[str, Any]) -> None:
        thread = params.get("thread")
        parent = thread.get("parentThreadId") if isinstance(thread, dict) else None
        if isinstance(parent, str):
            self.adopt(thread_id, parent)

    def _remember_agents(self, thread_id: str, params: dict[str, Any]) -> None:
        """Adopt the threads of sub-agents: Codex tells of them in the item that started them."""
        item = params.get("item")
        for agent in started_agents(item) if isinstance(item, dict) else ():
            if agent != thread_id and self._lineage.parent_of(agent) is None:
                self.adopt(agent, thread_id)

    def _forget_connection(self) -> None:
        self._requests.clear()
        self.kept.clear()
        self._lineage.forget_connection()
        self._connection = ""
        self._greeting = None
        for inbox in self._inboxes.values():
            inbox.told.clear()
