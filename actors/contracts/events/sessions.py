"""Events of sessions. Those that are only live are sent to who watches, and never stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from command_center.store import EventData, event_type
from command_center.store.records import AgentStatus, CommentSide, SessionStatus


class SessionCreated(EventData, frozen=True, kw_only=True, tag="session.created"):
    """A session was made; it waits to be told to run."""

    type: str
    runner: str
    sandbox: str
    host: str | UnsetType = UNSET
    cwd: str
    origin: str
    previous_session_id: int | None
    attempt: int
    begin_after: str | None


class SessionPlaced(EventData, frozen=True, kw_only=True, tag="session.placed"):
    """Its host was chosen: the one that has its repository and fits what its run asks for."""

    host: str
    placement: dict[str, Any] | str
    reason: str


class SessionMoved(EventData, frozen=True, kw_only=True):
    """A session took another status: the one that it left, and the one that it has."""

    from_: SessionStatus
    to: SessionStatus


class SessionQueued(SessionMoved, frozen=True, kw_only=True, tag="session.queued"):
    """It waits for its turn.

    `writingSessionId`, where it is there, is the session that writes in its folder.
    """

    writing_session_id: int | UnsetType = UNSET


class SessionWaitingLimit(SessionMoved, frozen=True, kw_only=True, tag="session.waiting_limit"):
    """It waits until a limit of the agent's account resets; `until` is null while nobody knows."""

    until: str | None


class SessionStarting(SessionMoved, frozen=True, kw_only=True, tag="session.starting"):
    """Its runner prepares it."""


class SessionStarted(SessionMoved, frozen=True, kw_only=True, tag="session.started"):
    """Its turn has begun."""

    codex_ref: str
    runner: str
    model: str | None


class SessionWaiting(SessionMoved, frozen=True, kw_only=True, tag="session.waiting_approval"):
    """Codex waits for a person's answer."""

    approval_id: int


class SessionResumed(SessionMoved, frozen=True, kw_only=True, tag="session.resumed"):
    """It goes on after an answer."""

    approval_id: int
    decision: str


class SessionEnded(SessionMoved, frozen=True, kw_only=True):
    """A session ended: why, and the tokens that its thread had used."""

    exit_reason: str | None
    token_usage: dict[str, Any] | None


class SessionCompleted(SessionEnded, frozen=True, kw_only=True, tag="session.completed"):
    """The turn ended by itself."""


class SessionFailed(SessionEnded, frozen=True, kw_only=True, tag="session.failed"):
    """It could not be done; `exitReason` says why."""


class SessionHalted(SessionEnded, frozen=True, kw_only=True, tag="session.stopped"):
    """It was stopped."""


class SessionInterrupted(SessionEnded, frozen=True, kw_only=True, tag="session.interrupted"):
    """The server or Codex went away under it."""


class SessionBlocked(EventData, frozen=True, kw_only=True, tag="session.blocked"):
    """It waits for an approval that policy demands: `reasons` are the policy's codes.

    With `final` it has ended so, since the approval was refused; `exitReason` says how.
    """

    from_: SessionStatus | UnsetType = UNSET
    to: SessionStatus | UnsetType = UNSET
    reasons: list[str] | UnsetType = UNSET
    exit_reason: str | UnsetType = UNSET
    final: bool | UnsetType = UNSET


class ConfigurationWeighed(EventData, frozen=True, kw_only=True, tag="session.codex_config"):
    """It was found whether its run obeys the repository's own configuration of Codex.

    `digest` names the content of the files, and is null where they could not be read; `reason` says
    why they are `obeyed`, or not.
    """

    obeyed: bool
    digest: str | None
    reason: str


class SessionItem(EventData, frozen=True, kw_only=True, tag="session.item"):
    """An item of the transcript is finished; of `agentId`, where it is a sub-agent's."""

    turn_id: str
    item_id: str
    type: str
    item: dict[str, Any]
    agent_id: int | UnsetType = UNSET


class ItemCutOff(SessionItem, frozen=True, kw_only=True, tag="session.item.cut_off"):
    """Nobody heard how an item of the transcript ended, nor will: `item` is what is known of it."""


class AgentTold(EventData, frozen=True, kw_only=True):
    """A sub-agent of a session: what it is, and by which other one it was started."""

    agent_id: int
    parent_id: int | None
    thread_id: str
    path: str | None
    name: str | None
    model: str | None


class AgentStarted(AgentTold, frozen=True, kw_only=True, tag="session.agent.started"):
    """A sub-agent began to work for the session, or was given more to do."""

    prompt: str | None


class AgentEnded(AgentTold, frozen=True, kw_only=True, tag="session.agent.ended"):
    """A sub-agent has done what it was told, or was interrupted, or failed."""

    status: AgentStatus
    last_message: str | None


class LeftCommand(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A command that goes on; its item is told of when it has ended."""

    item_id: str
    command: str


class CommandsLeft(EventData, frozen=True, kw_only=True, tag="session.commands.left"):
    """The turn completed while `commands` of it go on in the background."""

    commands: list[LeftCommand]


class SessionResult(EventData, frozen=True, kw_only=True, tag="session.result"):
    """Its review or report is there."""

    result: Any


class SessionWarning(EventData, frozen=True, kw_only=True, tag="session.warning"):
    """Codex warns of something that the turn survives; `kind` is its notification's name.

    With `willRetry` it tries again what has failed, such as a request without a network.
    """

    message: str
    kind: str | UnsetType = UNSET
    will_retry: bool | UnsetType | None = UNSET
    info: Any = UNSET
    details: str | UnsetType | None = UNSET
    agent_id: int | UnsetType = UNSET


class AutoReviewed(EventData, frozen=True, kw_only=True, tag="session.auto_review"):
    """A model of Codex decided what Codex would otherwise have asked a person, and says why.

    `decision` is `approved`, `denied`, `timedOut` or `aborted`; `action` is what was asked for,
    such as a command, for the item `itemId`. `risk` and `authorization` are how the model rated it.
    With `hook` it was a hook of Codex's user, set in that file, and Codex tells no `action`. Then
    it is `unknown` if the turn was lost before it was seen whether the hook approved it or left it
    to a person.
    """

    item_id: str | None
    decision: str
    rationale: str | None
    risk: str | None
    authorization: str | None
    action: dict[str, Any]
    hook: str | UnsetType = UNSET
    agent_id: int | UnsetType = UNSET


class CommandUnasked(EventData, frozen=True, kw_only=True, tag="session.command.unasked"):
    """A command may run outside of the sandbox, and nobody is asked: its user's `rules` allow it.

    Those are rules of Codex in its user's folder, which an app-server always follows.
    """

    item_id: str
    command: str
    rules: list[str]
    agent_id: int | UnsetType = UNSET


class ToolUnasked(EventData, frozen=True, kw_only=True, tag="session.tool.unasked"):
    """A tool of an MCP server is called, and nobody is asked: `setting` of Codex's user says so."""

    item_id: str
    server: str
    tool: str
    setting: str
    agent_id: int | UnsetType = UNSET


class CommandRunElsewhere(EventData, frozen=True, kw_only=True, tag="session.command.elsewhere"):
    """Somebody runs a command by hand in another client of Codex, in the session's thread.

    It runs as that user, without a sandbox, and nobody is asked.
    """

    item_id: str
    command: str
    agent_id: int | UnsetType = UNSET


class CommandBegunOutside(EventData, frozen=True, kw_only=True, tag="session.command.outside"):
    """A command begins in a folder, `cwd`, outside of the session's.

    The sandbox lets it read there. It may write there only if another client of Codex has changed
    the folders of the running turn, which Codex 0.169 tells nobody.
    """

    item_id: str
    command: str
    cwd: str
    agent_id: int | UnsetType = UNSET


class SessionStalled(EventData, frozen=True, kw_only=True, tag="session.stalled"):
    """Nothing was heard of the turn for `CC_STALL_SECONDS`; Codex is asked for it."""

    silent_seconds: float


class RequestRefused(EventData, frozen=True, kw_only=True, tag="session.request.refused"):
    """Codex asked for something that is not understood here."""

    method: str


class CommentAdded(EventData, frozen=True, kw_only=True, tag="session.comment.added"):
    """Somebody, or the review `reviewSessionId`, commented on lines of the session's work."""

    comment_id: int
    path: str
    side: CommentSide
    line: int
    end_line: int
    text: str
    review_session_id: int | None = None


class CommentChanged(EventData, frozen=True, kw_only=True, tag="session.comment.changed"):
    """The comment says something else."""

    comment_id: int
    text: str


class CommentCancelled(EventData, frozen=True, kw_only=True, tag="session.comment.cancelled"):
    """The comment was taken back."""

    comment_id: int
    text: str


class CommentsSent(EventData, frozen=True, kw_only=True, tag="session.comments.sent"):
    """Comments were sent, all as one message."""

    comment_ids: list[int]
    how: Literal["followup", "steer"]


class CommentsReopened(EventData, frozen=True, kw_only=True, tag="session.comments.reopened"):
    """The turn did not hear comments that were sent to it; they are open again."""

    comment_ids: list[int]


class FollowupQueued(EventData, frozen=True, kw_only=True, tag="session.followup.queued"):
    """Something is to be said when the turn has ended."""

    followup_id: int
    message: str
    attachments: list[dict[str, Any]] | UnsetType = UNSET


class FollowupChanged(EventData, frozen=True, kw_only=True, tag="session.followup.changed"):
    """Something else is to be said."""

    followup_id: int
    message: str


class FollowupCancelled(EventData, frozen=True, kw_only=True, tag="session.followup.cancelled"):
    """It was taken back."""

    followup_id: int
    message: str


class SequelRefused(EventData, frozen=True, kw_only=True, tag="session.sequel.refused"):
    """A retry or follow-up may not run; `reason` says why."""

    origin: str
    reason: str


class SteerRequested(EventData, frozen=True, kw_only=True, tag="session.steer.requested"):
    """Somebody wants to tell the running turn something."""

    message: str
    turn_id: str | None
    attachments: list[dict[str, Any]] | UnsetType = UNSET


class SteerAcknowledged(EventData, frozen=True, kw_only=True, tag="session.steer.acknowledged"):
    """Codex has taken it."""

    turn_id: str


class SteerRejected(EventData, frozen=True, kw_only=True, tag="session.steer.rejected"):
    """Codex has not; `reason` says why."""

    reason: str


class StopRequested(EventData, frozen=True, kw_only=True, tag="session.stop.requested"):
    """Somebody wants the session to end."""

    reason: str | None
    outcome: SessionStatus


class TurnSettled(EventData, frozen=True, kw_only=True, tag="session.turn.settled"):
    """A turn that was given up when its session ended no longer runs.

    `interrupted` says whether it still ran when Codex was reached.
    """

    interrupted: bool


class TurnAbandoned(EventData, frozen=True, kw_only=True, tag="session.turn.abandoned"):
    """A person waits no longer for a turn that may still run on a host that does not come back."""

    host: str


class SessionRenamed(EventData, frozen=True, kw_only=True, tag="session.renamed"):
    """Somebody named it."""

    title: str


class SessionArchived(EventData, frozen=True, kw_only=True, tag="session.archived"):
    """Somebody put it out of the way; all of it is kept."""


class SessionUnarchived(EventData, frozen=True, kw_only=True, tag="session.unarchived"):
    """Somebody brought it back among the others."""


class TurnBegan(EventData, frozen=True, kw_only=True, tag="session.turn.started"):
    """Codex went on by itself for the session's goal; this is its turn of that `number`."""

    turn_id: str
    number: int


class GoalRequested(EventData, frozen=True, kw_only=True, tag="session.goal.requested"):
    """Somebody wants to change the session's goal; what is null stays. `cleared` takes it away."""

    objective: str | None
    token_budget: int | None
    status: str | None
    cleared: bool


class GoalUpdated(EventData, frozen=True, kw_only=True, tag="session.goal.updated"):
    """Codex told of another goal, or of another status of it.

    `status` is `active`, `paused`, `blocked`, `usageLimited`, `budgetLimited` or `complete`.
    """

    objective: str
    status: str
    token_budget: int | None
    tokens_used: int


class GoalCleared(EventData, frozen=True, kw_only=True, tag="session.goal.cleared"):
    """The session has no goal any more."""


class TurnAdopted(EventData, frozen=True, kw_only=True, tag="session.turn.adopted"):
    """A turn that Codex began past Command Center is the session's from now on.

    `cause` is `goal`, `message` (somebody said something to Codex elsewhere), `command` (somebody
    ran one by hand) or `unknown`.
    """

    thread_id: str
    turn_id: str
    cause: Literal["goal", "message", "command", "unknown"]


class TurnFound(EventData, frozen=True, kw_only=True, tag="session.turn.found"):
    """A turn had begun and ended past Command Center before it could be let in or refused.

    Its items tell what it did, and `outcome` how it ended: `completed`, `interrupted` or `failed`.
    One of a sub-agent is told in the session for which that had worked.
    """

    thread_id: str
    turn_id: str
    cause: Literal["goal", "message", "command", "unknown"]
    outcome: str
    agent_id: int | UnsetType = UNSET


class TurnRefused(EventData, frozen=True, kw_only=True, tag="session.turn.refused"):
    """A turn that no session began is interrupted; `reason` says why.

    It is told in the story of the last session of its thread.
    """

    thread_id: str
    turn_id: str
    reason: str


class LiveEventData(EventData, frozen=True, kw_only=True):
    """An event that is only live: sent to who watches now, and never stored."""


class StartDelayed(LiveEventData, frozen=True, kw_only=True, tag="session.start.delayed"):
    """Its turn has not begun yet, and `reason`, its `waitReason`, says why; only live."""

    reason: str


class DeltaShown(LiveEventData, frozen=True, kw_only=True, tag="session.output.delta"):
    """A piece of a message or of a command's output; only live.

    Its end may wait for the next piece, where it could be half a secret.
    """

    item_id: str
    delta: str
    stream: str
    agent_id: int | UnsetType = UNSET


class ItemShown(LiveEventData, frozen=True, kw_only=True, tag="session.item.started"):
    """An item of the transcript began; only live."""

    item: dict[str, Any]
    turn_id: str
    agent_id: int | UnsetType = UNSET


class PlanShown(LiveEventData, frozen=True, kw_only=True, tag="session.plan"):
    """Codex changed its plan; only live."""

    explanation: str | None
    steps: list[dict[str, Any]]


class DiffShown(LiveEventData, frozen=True, kw_only=True, tag="session.diff"):
    """The turn's diff grew to so many bytes; only live."""

    bytes: int
    agent_id: int | UnsetType = UNSET


class UsageShown(LiveEventData, frozen=True, kw_only=True, tag="session.usage"):
    """Tokens used by the whole thread so far, as totals, not to be summed; only live.

    `agents` has those of its sub-agents; the total less `tokenBaseline` is what the session used,
    sub-agents included.
    """

    total: dict[str, Any] | UnsetType = UNSET
    last: dict[str, Any] | UnsetType = UNSET
    model_context_window: int | UnsetType | None = UNSET
    agents: dict[str, Any] | UnsetType = UNSET
    token_baseline: int


def usage_shown(usage: Mapping[str, Any], token_baseline: int) -> UsageShown:
    """Make the event of a session's usage, as the session's row has it."""
    return msgspec.convert(
        {**usage, "tokenBaseline": token_baseline, "event": event_type(UsageShown)}, UsageShown
    )
