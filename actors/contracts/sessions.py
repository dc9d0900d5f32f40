"""The messages that a session's actor takes.

The first group comes from people, through any interface; the second from other actors. What the
session's own runner reports is in `turns`.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from command_center.actors.contracts.fields import Prompt, Title
from command_center.actors.contracts.uploads import Attachments
from command_center.actors.contracts.worktrees import Prepared, SeenConfiguration
from command_center.actors.rules.lengths import Name, Note
from command_center.actors.rules.preconditions import Condition, always
from command_center.runtime import ActorRef, Request
from command_center.store import Approval, Session


class StopSession(
    msgspec.Struct,
    Request[Session],
    frozen=True,
    kw_only=True,
    rename="camel",
    forbid_unknown_fields=True,
):
    """End the session; the answer is the session as it ended. Asking again changes nothing."""

    reason: Note | None = None
    requested_by: Name = "api"


class SteerReceipt(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Codex took the message into the turn that is running."""

    session: Session
    turn_id: str
    status: Literal["acknowledged"] = "acknowledged"


class SteerSession(
    msgspec.Struct,
    Request[SteerReceipt],
    frozen=True,
    kw_only=True,
    rename="camel",
    forbid_unknown_fields=True,
):
    """Say something to the turn that is running, without ending it."""

    message: Prompt
    attachments: Attachments = ()
    requested_by: Name = "api"


class SessionChanges(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Move the session: `running` starts it through policy, `stopped` stops it."""

    status: Literal["running", "queued", "stopped"]
    requested_by: Name = "api"


class PatchSession(msgspec.Struct, Request[Session], frozen=True):
    """Move the session."""

    changes: SessionChanges
    condition: Condition = always

    @property
    def stop(self) -> StopSession | None:
        """Return the stop that this is, if it is one."""
        is_stop = self.changes.status == "stopped"
        return StopSession(requested_by=self.changes.requested_by) if is_stop else None


class SessionLabel(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Name a session, archive it once it has ended, or bring it back; what is left out stays."""

    title: Title | msgspec.UnsetType = msgspec.UNSET
    archived: bool | msgspec.UnsetType = msgspec.UNSET
    requested_by: Name = "api"


class LabelSession(msgspec.Struct, Request[Session], frozen=True):
    """Name a session, or archive it. Nothing of its run depends on that."""

    label: SessionLabel
    condition: Condition = always


class GoalChanges(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Change a session's goal. A field that is left out stays as it is.

    `paused` lets the turn that runs be the last one.
    """

    objective: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)] | None = None
    token_budget: Annotated[int, msgspec.Meta(ge=1)] | None = None
    status: Literal["active", "paused"] | None = None
    requested_by: Name = "api"


class ChangeGoal(msgspec.Struct, Request[Session], frozen=True):
    """Change the goal that a live session pursues."""

    changes: GoalChanges


class ClearGoal(msgspec.Struct, Request[Session], frozen=True):
    """Take the goal away that a live session pursues: the turn that runs is the last one."""

    requested_by: Name = "api"


class GrantSlot(msgspec.Struct, frozen=True):
    """The session's turn has come: it may begin."""


class RequestSlot(msgspec.Struct, frozen=True):
    """The session is queued and its actor `ref` wants to begin."""

    session_id: int
    ref: ActorRef[GrantSlot]


class SlotsChanged(msgspec.Struct, frozen=True):
    """Look again who may begin."""


class SessionCommitted(msgspec.Struct, frozen=True):
    """A session was committed by somebody else: it needs its actor."""

    session_id: int


class ApprovalSettled(msgspec.Struct, frozen=True):
    """One of the session's approvals was settled; the store has it already."""

    approval: Approval


class WorkplaceReady(msgspec.Struct, frozen=True):
    """The folder that the session works in is there; the session says which.

    `configuration` are the files there that a person may have to trust, if there are any. What
    `prepared` leaves undecided, a person decides first.
    """

    prepared: Prepared
    configuration: SeenConfiguration | None = None


class SetUpEnded(msgspec.Struct, frozen=True):
    """The set-up of the session's worktree is over; `reason` says why it failed, if it did."""

    reason: str | None


class SaveDrafts(msgspec.Struct, frozen=True):
    """Keep what was said so far of messages that are not complete."""


class StopDeadline(msgspec.Struct, frozen=True):
    """The turn was interrupted and has not ended in time."""


class AbandonTurn(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Wait no longer for a turn that may still run, though its session has ended."""

    requested_by: Name = "api"


class ChooseHost(msgspec.Struct, frozen=True):
    """Choose anew on which host a queued session works: nothing begins on the one that it has."""


class TurnLeft(msgspec.Struct, frozen=True):
    """A session has ended, and its turn may run on."""


class ThreadsReleased(msgspec.Struct, frozen=True):
    """A repository was deleted, and something may go on in the threads of its sessions."""
