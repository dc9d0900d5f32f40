"""Groups: names under which actors are found together, as those of OTP's `pg` are."""

from __future__ import annotations

from typing import Any

from command_center.runtime.ref import ActorRef


class Groups:
    """The members of each group, in the order in which they joined."""

    def __init__(self) -> None:
        self._members: dict[str, dict[ActorRef[Any], None]] = {}

    def join(self, group: str, ref: ActorRef[Any]) -> None:
        """Add a member, unless it is one."""
        self._members.setdefault(group, {})[ref] = None

    def leave(self, group: str, ref: ActorRef[Any]) -> None:
        """Take a member out, if it is one."""
        members = self._members.get(group, {})
        members.pop(ref, None)
        if not members:
            self._members.pop(group, None)

    def members(self, group: str) -> tuple[ActorRef[Any], ...]:
        """Return the members; a group without any is as good as none."""
        return tuple(self._members.get(group, ()))
