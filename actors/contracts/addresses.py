"""The addresses of the actors, each with the messages that are taken there."""

from __future__ import annotations

from typing import Final, TypeAlias

from command_center.actors.contracts.approvals import (
    CreateApproval,
    DeadlinesPassed,
    ExtendApproval,
    RemoveRule,
    ResolveApproval,
)
from command_center.actors.contracts.automations import (
    Arm,
    CreateAutomation,
    DeleteAutomation,
    Deliver,
    Due,
    FollowEvents,
    MakeHook,
    PatchAutomation,
    Reload,
    RemoveHook,
    RunAutomation,
)
from command_center.actors.contracts.comments import (
    ChangeComment,
    CreateComment,
    PlaceComments,
    SendComments,
    SteerComments,
)
from command_center.actors.contracts.devices import (
    CreateDevice,
    OfferPairing,
    PatchDevice,
    RedeemCode,
    RevokeDevice,
)
from command_center.actors.contracts.files import FindFiles, SeeFiles
from command_center.actors.contracts.inbox import MarkInbox
from command_center.actors.contracts.issues import ListIssues, LookForIssues, TakeIssue
from command_center.actors.contracts.landing import (
    AskForMessage,
    CommitWork,
    DiscardWork,
    MarkConflicts,
    MarkViewed,
    ResolveConflicts,
    RestoreWork,
    SeeChanges,
    SeePatch,
    SeePicture,
)
from command_center.actors.contracts.leases import ReassignRun
from command_center.actors.contracts.messages import SayNext, SayNow
from command_center.actors.contracts.notify import PatchNotifyTarget, SendNotification
from command_center.actors.contracts.passkeys import (
    AskChallenge,
    ConfirmDecision,
    KeepPasskey,
    RemovePasskey,
    UsePasskey,
)
from command_center.actors.contracts.prompts import DeletePrompt, ListPrompts, SavePrompt
from command_center.actors.contracts.pull_requests import (
    CallOffMerge,
    FollowPullRequests,
    KeepDelivery,
    MergePullRequest,
    OpenPullRequest,
    ReadPullRequest,
)
from command_center.actors.contracts.pushes import CarryOutPushes, PushWork
from command_center.actors.contracts.repositories import (
    CloneRepository,
    CreateRepository,
    DeleteRepository,
    GatherFacts,
    InspectRepository,
    PatchRepository,
    ProvideClone,
    ScanRepository,
)
from command_center.actors.contracts.reviews import QuoteFindings, ReviewWork
from command_center.actors.contracts.sessions import (
    ApprovalSettled,
    ChangeGoal,
    ChooseHost,
    ClearGoal,
    GrantSlot,
    LabelSession,
    PatchSession,
    RequestSlot,
    SessionCommitted,
    SlotsChanged,
    SteerSession,
    StopSession,
    ThreadsReleased,
    TurnLeft,
)
from command_center.actors.contracts.snapshots import KeepSnapshot, ListSnapshots, RewindWork
from command_center.actors.contracts.spending import ChangeSpending
from command_center.actors.contracts.tasks import (
    ChangeFollowup,
    CheckPolicy,
    CreateSession,
    CreateTask,
    EnsureSession,
    PatchTask,
    PromptThread,
    QueueFollowup,
    RunTask,
)
from command_center.actors.contracts.turns import FindRunningTurns, InterruptTurn, TurnLost
from command_center.actors.contracts.usage_limits import LimitOver
from command_center.actors.contracts.webhooks import (
    CreateWebhook,
    DeleteWebhook,
    PatchWebhook,
    ReplayWebhook,
    ResendDelivery,
    TestWebhook,
)
from command_center.actors.contracts.webpush import (
    PatchSubscription,
    SpendCapability,
    Subscribe,
    TestPush,
    Unsubscribe,
)
from command_center.actors.contracts.worktrees import (
    CleanWorktrees,
    CreateWorktree,
    DiffWorktree,
    FindBounds,
    FindCheckout,
    FindFolder,
    ListWorktrees,
    MergeWorktree,
    PrepareWorkplace,
    PruneWorktrees,
    RemakeWorktree,
    RemoveWorktree,
    SeeConfiguration,
    TidyWorktrees,
)
from command_center.runtime import Address

ApprovalsMessage: TypeAlias = (
    CreateApproval | ResolveApproval | ExtendApproval | RemoveRule | MarkInbox | DeadlinesPassed
)
APPROVALS: Address[ApprovalsMessage] = Address("/approvals")

DevicesMessage: TypeAlias = (
    CreateDevice
    | PatchDevice
    | RevokeDevice
    | OfferPairing
    | RedeemCode
    | AskChallenge
    | KeepPasskey
    | UsePasskey
    | ConfirmDecision
    | RemovePasskey
)
DEVICES: Address[DevicesMessage] = Address("/devices")

SubscriptionsMessage: TypeAlias = (
    Subscribe | PatchSubscription | Unsubscribe | TestPush | SpendCapability
)
PUSH_SUBSCRIPTIONS: Address[SubscriptionsMessage] = Address("/webpush/subscriptions")

NotifyMessage: TypeAlias = PatchNotifyTarget | SendNotification
NOTIFY_TARGETS: Address[NotifyMessage] = Address("/notify/targets")

WebhooksMessage: TypeAlias = (
    CreateWebhook | PatchWebhook | DeleteWebhook | ReplayWebhook | TestWebhook | ResendDelivery
)
WEBHOOKS: Address[WebhooksMessage] = Address("/webhooks/registry")

SchedulerMessage: TypeAlias = (
    CreateAutomation
    | PatchAutomation
    | DeleteAutomation
    | RunAutomation
    | MakeHook
    | RemoveHook
    | Deliver
    | Arm
)
SCHEDULER: Address[SchedulerMessage] = Address("/scheduler")

AutomationMessage: TypeAlias = (
    Due | FollowEvents | PatchAutomation | DeleteAutomation | RunAutomation | Reload
)

RepositoriesMessage: TypeAlias = (
    InspectRepository
    | CloneRepository
    | ProvideClone
    | CreateRepository
    | PatchRepository
    | ScanRepository
    | DeleteRepository
    | CreateWorktree
    | ListWorktrees
    | DiffWorktree
    | RemoveWorktree
    | PruneWorktrees
    | CleanWorktrees
    | TidyWorktrees
    | MergeWorktree
    | SeeChanges
    | SeePatch
    | SeePicture
    | SeeFiles
    | FindFiles
    | ListPrompts
    | SavePrompt
    | DeletePrompt
    | MarkViewed
    | CreateComment
    | PlaceComments
    | QuoteFindings
    | CommitWork
    | MarkConflicts
    | DiscardWork
    | RestoreWork
    | KeepSnapshot
    | ListSnapshots
    | RewindWork
    | PushWork
    | CarryOutPushes
    | PrepareWorkplace
    | RemakeWorktree
    | SeeConfiguration
    | FindBounds
    | FindCheckout
    | FindFolder
    | GatherFacts
)
REPOSITORIES: Address[RepositoriesMessage] = Address("/repositories")

PullRequestMessage: TypeAlias = (
    OpenPullRequest
    | ReadPullRequest
    | KeepDelivery
    | MergePullRequest
    | CallOffMerge
    | FollowPullRequests
)
PULL_REQUESTS: Address[PullRequestMessage] = Address("/pull-requests")

IssuesMessage: TypeAlias = ListIssues | TakeIssue | LookForIssues
ISSUES: Address[IssuesMessage] = Address("/issues")

SessionMessage: TypeAlias = (
    StopSession
    | SteerSession
    | SteerComments
    | SayNow
    | PatchSession
    | LabelSession
    | ChangeGoal
    | ClearGoal
    | ChooseHost
    | GrantSlot
    | ApprovalSettled
    | LimitOver
    | TurnLost
)
"""The messages that others have for a session; what its runner reports are more."""

SlotsMessage: TypeAlias = RequestSlot | SlotsChanged
SLOTS: Address[SlotsMessage] = Address("/slots")

COMMIT_MESSAGES: Address[AskForMessage] = Address("/commit-messages")

OrphanedTurnsMessage: TypeAlias = TurnLeft | InterruptTurn


def orphaned_turns_on(host: str) -> Address[OrphanedTurnsMessage]:
    """Return the address of the actor that ends the turns of a host that outlive their sessions."""
    return Address(f"/orphaned-turns/{host}")


TasksMessage: TypeAlias = (
    CreateTask
    | PatchTask
    | CheckPolicy
    | CreateSession
    | RunTask
    | PromptThread
    | ChangeComment
    | SendComments
    | ResolveConflicts
    | ReviewWork
    | QueueFollowup
    | SayNext
    | ChangeFollowup
    | EnsureSession
    | SessionCommitted
    | ChangeSpending
    | ReassignRun
)
TASKS: Address[TasksMessage] = Address("/tasks")


ForeignTurnsMessage: TypeAlias = ThreadsReleased | FindRunningTurns


def foreign_turns_on(host: str) -> Address[ForeignTurnsMessage]:
    """Return the address of the actor that looks for the turns that no session began on a host."""
    return Address(f"/foreign-turns/{host}")


SESSIONS: Final = "/sessions"
"""The path of the supervisor of the sessions' actors."""

AUTOMATIONS: Final = "/automations"
"""The path of the supervisor of the automations' actors."""


def session_at(session_id: int) -> Address[SessionMessage]:
    """Return the address of the actor of a session that has not ended."""
    return Address(f"{SESSIONS}/{session_id}")


def automation_at(automation_id: int) -> Address[AutomationMessage]:
    """Return the address of the actor of an enabled automation."""
    return Address(f"{AUTOMATIONS}/{automation_id}")
