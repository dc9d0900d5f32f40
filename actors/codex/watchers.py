"""The watchers of the connection: told that there is one, or none, and what Codex warns of.

A watcher that comes late is told what it missed, and nobody is told a thing twice.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from command_center.actors.codex.inbox import Inbox
from command_center.actors.codex.messages import (
    CodexNotification,
    WatcherMessage,
)
from command_center.actors.codex.vocabulary import Unknown
from command_center.actors.codex.warnings import CodexWarning
from command_center.actors.contracts.bridges import (
    BridgeConnected,
    BridgeUnknown,
    BridgeUnreachable,
    BridgeWarned,
)
from command_center.runtime import ActorRef

MAX_WARNINGS: Final = 100
"""Warnings that are remembered, so that none is told twice, and that wait for a watcher."""


class Watchers:
    """The watchers of one bridge, by the paths of their actors."""

    def __init__(self) -> None:
        """Begin with none."""
        self._inboxes: dict[str, Inbox[WatcherMessage]] = {}
        self._wanted: dict[str, frozenset[str]] = {}
        """The notifications that each wants to be told of, by its path."""
        self._missing: BridgeUnreachable | None = None
        """The lack of a connection that nobody has been told yet."""
        self._is_known_missing = False
        self._warnings: list[BridgeWarned | BridgeUnknown] = []
        """Those that nobody has been told yet."""
        self._warned: OrderedDict[tuple[str, str], None] = OrderedDict()

    @property
    def inboxes(self) -> list[Inbox[WatcherMessage]]:
        """Return their inboxes."""
        return list(self._inboxes.values())

    def find(self, path: str) -> Inbox[WatcherMessage] | None:
        """Return the inbox of the actor at a path, if it watches."""
        return self._inboxes.get(path)

    def add(
        self,
        ref: ActorRef[WatcherMessage],
        greeting: BridgeConnected | None,
        notifications: frozenset[str],
    ) -> Inbox[WatcherMessage]:
        """Tell `ref` from now on, and what nobody was told; a former watch of it is over."""
        inbox = self._inboxes[ref.path] = Inbox("", ref, ref.tell)
        self._wanted[ref.path] = notifications
        if greeting is not None:
            inbox.tell(greeting)
        self._tell_missing()
        self._tell_warnings()
        return inbox

    def forget(self, path: str) -> None:
        """Tell the actor at a path no more."""
        self._inboxes.pop(path, None)
        self._wanted.pop(path, None)

    def connected(self) -> None:
        """Take note that there is a connection: what was not told of its lack is over."""
        self._missing = None
        self._is_known_missing = False

    def lost(self) -> None:
        """Take note that all are told that it is lost."""
        self._is_known_missing = True

    def unreachable(self, reason: str) -> None:
        """Tell that an attempt to connect has failed, unless it is known already."""
        if not self._is_known_missing:
            self._is_known_missing = True
            self._missing = BridgeUnreachable(reason)
            self._tell_missing()

    def warn(self, warning: CodexWarning) -> None:
        """Tell of what concerns no one thread, each thing once."""
        said = (warning.kind, warning.message)
        if said in self._warned:
            return
        self._warned[said] = None
        if len(self._warned) > MAX_WARNINGS:
            self._warned.popitem(last=False)
        self._warnings.append(BridgeWarned(warning.kind, warning.message, warning.details))
        self._tell_warnings()

    def meet(self, unknown: Unknown) -> None:
        """Tell of something that is new, which is the first of its name."""
        self._warnings.append(BridgeUnknown(unknown.kind, unknown.name, unknown.body))
        self._tell_warnings()

    def tell_notification(self, notification: CodexNotification, size: int) -> None:
        """Tell it to those that want it."""
        for path, wanted in self._wanted.items():
            if notification.method in wanted:
                self._inboxes[path].notify(notification, size)

    def _tell_missing(self) -> None:
        if self._missing is not None and self._inboxes:
            for inbox in self._inboxes.values():
                inbox.tell(self._missing)
            self._missing = None

    def _tell_warnings(self) -> None:
        if self._inboxes:
            for warning in self._warnings:
                for inbox in self._inboxes.values():
                    inbox.tell(warning)
            self._warnings.clear()
        del self._warnings[:-MAX_WARNINGS]
