"""The bonds of one life: links, monitors and groups, all of which end with it."""

from __future__ import annotations

from typing import Any, Protocol

import attrs

from command_center.runtime.groups import Groups
from command_center.runtime.mailbox import Mailbox
from command_center.runtime.monitors import Down
from command_center.runtime.ports import Watched
from command_center.runtime.ref import ActorRef, LinkedLife, Target
from command_center.runtime.signals import Exit


class GroupKeeper(Protocol):
    """The part of the system that bonds use."""

    groups: Groups


class Bound(Protocol):
    """The place of the life whose bonds they are."""

    path: str
    mailbox: Mailbox
    ref: ActorRef[Any]

    @property
    def system(self) -> GroupKeeper:
        """Return the system that it is part of."""

    def notice(self, message: object) -> None:
        """Put a message of the runtime itself."""


class Bonds:
    """The links, monitors and groups of one life."""

    __slots__ = ("_groups", "_life", "_place", "_watched", "partners")

    def __init__(self, place: Bound, life: LinkedLife) -> None:
        self._place = place
        self._life = life
        self._watched: set[Watched] = set()
        self._groups: set[str] = set()
        self.partners: set[LinkedLife] = set()

    def link(self, target: Target) -> None:
        """Crash when the other's current life crashes, and the other way round."""
        other = target.life
        if other is self._life:
            return
        if other is None or other.has_ended:
            self._life.partner_crashed(target.path, None)
            return
        self.partners.add(other)
        other.bonds().partners.add(self._life)

    def unlink(self, target: Target) -> None:
        """Share its fate no longer with the other's current life."""
        other = target.life
        if other is not None and not other.has_ended:
            self.partners.discard(other)
            other.bonds().partners.discard(self._life)

    def monitor(self, target: Watched) -> None:
        """Be told of the other's death."""
        self._watched.add(target)
        target.add_monitor(self)

    def demonitor(self, target: Watched) -> None:
        """Be told of it no longer."""
        self._watched.discard(target)
        target.remove_monitor(self)

    def notice(self, down: Down, target: Watched) -> None:
        """Be told of a death."""
        self._watched.discard(target)
        self._place.notice(attrs.evolve(down, to=self._life))

    def join(self, group: str) -> None:
        """Be a member of a group."""
        self._groups.add(group)
        self._place.system.groups.join(group, self._place.ref)

    def leave(self, group: str) -> None:
        """Be a member no longer."""
        self._groups.discard(group)
        self._place.system.groups.leave(group, self._place.ref)

    def end(self, end: Exit) -> None:
        """End all of them; tell the partners, and withdraw the notices that were not taken."""
        for partner in tuple(self.partners):
            partner.bonds().partners.discard(self._life)
            if end.is_failure:
                partner.partner_crashed(self._place.path, end.error)
        self.partners.clear()
        for group in self._groups:
            self._place.system.groups.leave(group, self._place.ref)
        for place in self._watched:
            place.remove_monitor(self)
        life = self._life
        self._place.mailbox.withdraw(lambda message: type(message) is Down and message.to is life)
