"""The messages by which something is said to a session, whatever its state, and their answer."""

from __future__ import annotations

from typing import Literal

import msgspec

from command_center.actors.contracts.fields import Prompt
from command_center.actors.contracts.uploads import Attachments
from command_center.actors.rules.lengths import Name
from command_center.runtime import Request
from command_center.store import Followup, Session


class NewMessage(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Something that a person says to a session.

    Attributes:
        how: `steer` for the turn that runs alone, `followup` for once it has ended; `auto` steers
            where that can be, and else follows up. In a session that has ended, it is said at once.
    """

    message: Prompt
    attachments: Attachments = ()
    how: Literal["auto", "steer", "followup"] = "auto"
    requested_by: Name = "api"


class Said(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A message that was taken, and the way in which it is said.

    Attributes:
        how: `steer` where the running turn has it, `followup` where it waits for a turn to end,
            `continue` where a session was made that says it.
        session: the one that has it, that it waits for, or that says it.
        turn_id: the turn that has it.
        followup: what waits.
    """

    how: Literal["steer", "followup", "continue"]
    session: Session
    turn_id: str | None = None
    followup: Followup | None = None

    @property
    def is_blocked(self) -> bool:
        """Return whether the session that says it waits for an approval."""
        return self.how == "continue" and self.session.status == "blocked"


class SayNow(msgspec.Struct, Request[Said | None], frozen=True):
    """Say something to the turn that runs; the answer is None where none can be told anything.

    What Codex refuses is a follow-up, unless it was to be said to this turn alone.
    """

    wanted: NewMessage


class SayNext(msgspec.Struct, Request[Said], frozen=True):
    """Say something once the session's turn has ended; at once where it has."""

    session_id: int
    wanted: NewMessage
