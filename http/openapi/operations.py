"""The one table of operations: what each route takes, answers and refuses.

`document` makes OpenAPI of it, and a test compares it with the app's routes and with
docs/api.md. An answer's type is the very struct that the route encodes, or the shape of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import attrs

from command_center.actors.approvals.actor import ApprovalCounts
from command_center.actors.codex.messages import BridgeHealth
from command_center.actors.contracts.approvals import CreateApproval, Extension, Resolution
from command_center.actors.contracts.automations import (
    AutomationChanges,
    CreateAutomation,
    HandRun,
    RunByHand,
)
from command_center.actors.contracts.repositories import (
    CreateRepository,
    Inspection,
    InspectRepository,
    RepositoryChanges,
    RepositoryDeleted,
)
from command_center.actors.contracts.sessions import (
    SessionChanges,
    SteerReceipt,
    SteerSession,
    StopSession,
)
from command_center.actors.contracts.tasks import (
    CreateTask,
    FollowupText,
    RunOutcome,
    TaskChanges,
    ThreadPrompt,
)
from command_center.actors.contracts.worktrees import (
    MergeRequest,
    WorktreeCreated,
    WorktreeRequest,
    WorktreeState,
)
from command_center.actors.git.diffs import Diff
from command_center.actors.git.facts import WorktreeEntry
from command_center.actors.git.merging import MergeResult
from command_center.actors.ledger.templates import Template
from command_center.actors.operator.actions import Order
from command_center.actors.rules.policy import PolicyResult, RunInput
from command_center.http.routes.approvals import ApprovalsQuery
from command_center.http.routes.automations import (
    AutomationsQuery,
    DeleteQuery,
    PreviewQuery,
    RunsQuery,
)
from command_center.http.routes.codex import ThreadsQuery
from command_center.http.routes.events import EventsQuery, StreamQuery
from command_center.http.routes.followups import CancellationQuery, FollowupsQuery
from command_center.http.routes.repos import DiffQuery, RemovalQuery, Requester, RequesterQuery
from command_center.http.routes.runtime import ActorQuery
from command_center.http.routes.search import SearchQuery
from command_center.http.routes.sessions import ItemsQuery, SessionsQuery
from command_center.http.routes.tasks import TasksQuery
from command_center.http.routes.telemetry import Summary, SummaryQuery
from command_center.http.wire.codec import PageQuery
from command_center.http.wire.responses import (
    ActorShown,
    Health,
    Preview,
    SessionDiff,
    SessionPlan,
    SessionStopped,
    Tree,
)
from command_center.store import (
    Approval,
    Automation,
    AutomationRun,
    Event,
    Followup,
    Item,
    Page,
    Repository,
    Session,
    Task,
)
from command_center.store.search import Found


@attrs.frozen
class Text:
    """An answer that is no JSON, by its content type."""

    content_type: str


NOTHING: Final = Text("")
"""An answer without a body."""
SENT_EVENTS: Final = Text("text/event-stream")
"""A stream of events."""


@attrs.frozen
class Operation:
    """One route and method.

    Attributes:
        id: its name, in camelCase, unique.
        rule: the path as the router has it.
        answers: what comes with each status that is no failure.
        refuses: statuses beyond those that every route of its kind may give.
    """

    id: str
    method: str
    rule: str
    summary: str
    tag: str
    answers: Mapping[int, Any]
    body: type | None = None
    query: type | None = None
    refuses: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """As the documentation names it: `GET /api/repos/<id:repository_id>`."""
        return f"{self.method} {self.rule}"


def _op(
    tag: str,
    name: str,
    summary: str,
    *refuses: int,
    id: str,  # noqa: A002 - what OpenAPI calls it
    ok: Any = None,
    made: Any = None,
    blocked: Any = None,
    body: type | None = None,
    query: type | None = None,
) -> Operation:
    method, rule = name.split(" ", 1)
    answers = {200: ok, 201: made, 202: blocked}
    if ok is None and made is None:
        answers = {204: NOTHING}
    return Operation(
        id=id,
        method=method,
        rule=rule,
        summary=summary,
        tag=tag,
        answers=MappingProxyType({s: kind for s, kind in answers.items() if kind is not None}),
        body=body,
        query=query,
        refuses=refuses,
    )


_REPO = "/api/repos/<id:repository_id>"
_TASK = "/api/tasks/<id:task_id>"
_SESSION = "/api/sessions/<id:session_id>"
_APPROVAL = "/api/approvals/<id:approval_id>"
_AUTOMATION = "/api/automations/<id:automation_id>"
_FOLLOWUP = "/api/followups/<id:followup_id>"
_ACTOR = "/api/runtime/actors/<path:name>"

OPERATIONS: Final = (
    _op("Health", "GET /health", "Whether the server can do its work", id="health", ok=Health),
    _op(
        "Health",
        "GET /metrics",
        "The numbers for Prometheus",
        id="metrics",
        ok=Text("text/plain"),
    ),
    _op(
        "Repositories",
        "GET /api/repos",
        "The repositories",
        id="listRepositories",
        query=PageQuery,
        ok=Page[Repository],
    ),
    _op(
        "Repositories",
        "POST /api/repos",
        "Register a repository",
        409,
        id="createRepository",
        body=CreateRepository,
        made=Repository,
    ),
    _op(
        "Repositories",
        "POST /api/repos/inspect",
        "Look at a folder, and save nothing",
        id="inspectFolder",
        body=InspectRepository,
        ok=Inspection,
    ),
    _op("Repositories", f"GET {_REPO}", "A repository", id="getRepository", ok=Repository),
    _op(
        "Repositories",
        f"PATCH {_REPO}",
        "Change a repository",
        409,
        id="patchRepository",
        body=RepositoryChanges,
        ok=Repository,
    ),
    _op(
        "Repositories",
        f"DELETE {_REPO}",
        "Forget a repository and what was done in it",
        409,
        id="deleteRepository",
        query=RequesterQuery,
        ok=RepositoryDeleted,
    ),
    _op(
        "Repositories",
        f"POST {_REPO}/scan",
        "Ask git anew",
        409,
        id="scanRepository",
        body=Requester,
        ok=Repository,
    ),
    _op(
        "Worktrees",
        f"GET {_REPO}/worktrees",
        "A repository's worktrees",
        409,
        id="listWorktrees",
        query=PageQuery,
        ok=Page[WorktreeState],
    ),
    _op(
        "Worktrees",
        f"POST {_REPO}/worktrees",
        "Make a worktree",
        409,
        id="createWorktree",
        body=WorktreeRequest,
        made=WorktreeCreated,
    ),
    _op(
        "Worktrees",
        f"DELETE {_REPO}/worktrees",
        "Remove a worktree",
        409,
        id="removeWorktree",
        query=RemovalQuery,
        ok=WorktreeEntry,
    ),
    _op(
        "Worktrees",
        f"GET {_REPO}/worktrees/diff",
        "What a worktree changed",
        409,
        id="diffWorktree",
        query=DiffQuery,
        ok=Diff,
    ),
    _op(
        "Worktrees",
        f"POST {_REPO}/worktrees/merge",
        "Merge a worktree's branch into the main checkout's",
        409,
        id="mergeWorktree",
        body=MergeRequest,
        ok=MergeResult,
    ),
    _op(
        "Worktrees",
        f"POST {_REPO}/worktrees/prune",
        "Let git forget worktrees whose folders are gone",
        409,
        id="pruneWorktrees",
        body=Requester,
        ok=Page[WorktreeEntry],
    ),
    _op(
        "Worktrees",
        f"POST {_REPO}/worktrees/clean",
        "Remove worktrees that nobody needs",
        409,
        id="cleanWorktrees",
        body=Requester,
        ok=Page[WorktreeEntry],
    ),
    _op("Tasks", "GET /api/tasks", "The tasks", id="listTasks", query=TasksQuery, ok=Page[Task]),
    _op(
        "Tasks",
        "POST /api/tasks",
        "Make a task",
        404,
        409,
        id="createTask",
        body=CreateTask,
        made=Task,
    ),
    _op("Tasks", f"GET {_TASK}", "A task", id="getTask", ok=Task),
    _op(
        "Tasks",
        f"PATCH {_TASK}",
        "Change a task",
        409,
        id="patchTask",
        body=TaskChanges,
        ok=Task,
    ),
    _op(
        "Tasks",
        f"POST {_TASK}/run",
        "Run a task",
        409,
        id="runTask",
        body=RunInput,
        made=RunOutcome,
        blocked=RunOutcome,
    ),
    _op(
        "Tasks",
        f"POST {_TASK}/policy-check",
        "What policy would say of a run",
        409,
        id="checkPolicy",
        body=RunInput,
        ok=PolicyResult,
    ),
    _op(
        "Tasks",
        f"POST {_TASK}/sessions",
        "Make a session that waits to be told to run",
        409,
        id="createSession",
        body=RunInput,
        made=Session,
    ),
    _op(
        "Tasks",
        f"GET {_TASK}/sessions",
        "A task's sessions",
        id="listTaskSessions",
        query=PageQuery,
        ok=Page[Session],
    ),
    _op(
        "Tasks",
        f"GET {_TASK}/events",
        "A task's events",
        id="listTaskEvents",
        query=EventsQuery,
        ok=Page[Event],
    ),
    _op(
        "Sessions",
        "GET /api/sessions",
        "The sessions",
        id="listSessions",
        query=SessionsQuery,
        ok=Page[Session],
    ),
    _op("Sessions", f"GET {_SESSION}", "A session", id="getSession", ok=Session),
    _op(
        "Sessions",
        f"PATCH {_SESSION}",
        "Start or stop a session",
        409,
        id="patchSession",
        body=SessionChanges,
        ok=Session,
    ),
    _op(
        "Sessions",
        f"POST {_SESSION}/stop",
        "Stop a session",
        409,
        id="stopSession",
        body=StopSession,
        ok=SessionStopped,
    ),
    _op(
        "Sessions",
        f"POST {_SESSION}/steer",
        "Say something to the running turn",
        409,
        id="steerSession",
        body=SteerSession,
        ok=SteerReceipt,
    ),
    _op(
        "Sessions",
        f"GET {_SESSION}/events",
        "A session's events",
        id="listSessionEvents",
        query=EventsQuery,
        ok=Page[Event],
    ),
    _op(
        "Sessions",
        f"GET {_SESSION}/items",
        "A session's transcript",
        id="listItems",
        query=ItemsQuery,
        ok=Page[Item],
    ),
    _op("Sessions", f"GET {_SESSION}/plan", "A session's plan", id="getPlan", ok=SessionPlan),
    _op("Sessions", f"GET {_SESSION}/diff", "A session's diff", id="getDiff", ok=SessionDiff),
    _op(
        "Follow-ups",
        f"GET {_SESSION}/followups",
        "The follow-ups of a session's task",
        id="listFollowups",
        query=FollowupsQuery,
        ok=Page[Followup],
    ),
    _op(
        "Follow-ups",
        f"POST {_SESSION}/followups",
        "Say something when the turn has ended",
        409,
        id="queueFollowup",
        body=FollowupText,
        made=Followup,
    ),
    _op("Follow-ups", f"GET {_FOLLOWUP}", "A follow-up", id="getFollowup", ok=Followup),
    _op(
        "Follow-ups",
        f"PATCH {_FOLLOWUP}",
        "Say something else instead",
        409,
        id="changeFollowup",
        body=FollowupText,
        ok=Followup,
    ),
    _op(
        "Follow-ups",
        f"DELETE {_FOLLOWUP}",
        "Take a follow-up back",
        409,
        id="cancelFollowup",
        query=CancellationQuery,
        ok=Followup,
    ),
    _op(
        "Approvals",
        "GET /api/approvals",
        "The approvals",
        id="listApprovals",
        query=ApprovalsQuery,
        ok=Page[Approval],
    ),
    _op(
        "Approvals",
        "POST /api/approvals",
        "Ask a person",
        404,
        id="createApproval",
        body=CreateApproval,
        made=Approval,
    ),
    _op(
        "Approvals",
        "GET /api/approvals/counts",
        "How many approvals there are",
        id="countApprovals",
        ok=ApprovalCounts,
    ),
    _op("Approvals", f"GET {_APPROVAL}", "An approval", id="getApproval", ok=Approval),
    _op(
        "Approvals",
        f"POST {_APPROVAL}/extend",
        "Put off the deadline of an approval",
        409,
        id="extendApproval",
        body=Extension,
        ok=Approval,
    ),
    _op(
        "Approvals",
        f"POST {_APPROVAL}/resolve",
        "Decide on an approval",
        409,
        id="resolveApproval",
        body=Resolution,
        ok=Approval,
    ),
    _op(
        "Automations",
        "GET /api/automations",
        "The automations",
        id="listAutomations",
        query=AutomationsQuery,
        ok=Page[Automation],
    ),
    _op(
        "Automations",
        "POST /api/automations",
        "Make an automation",
        404,
        409,
        id="createAutomation",
        body=CreateAutomation,
        made=Automation,
    ),
    _op("Automations", f"GET {_AUTOMATION}", "An automation", id="getAutomation", ok=Automation),
    _op(
        "Automations",
        f"PATCH {_AUTOMATION}",
        "Change an automation",
        409,
        id="patchAutomation",
        body=AutomationChanges,
        ok=Automation,
    ),
    _op(
        "Automations",
        f"DELETE {_AUTOMATION}",
        "Take an automation away",
        409,
        id="deleteAutomation",
        query=DeleteQuery,
        ok=Automation,
    ),
    _op(
        "Automations",
        f"POST {_AUTOMATION}/run",
        "Run an automation now",
        409,
        id="runAutomation",
        body=RunByHand,
        made=HandRun,
        blocked=HandRun,
    ),
    _op(
        "Automations",
        f"GET {_AUTOMATION}/runs",
        "What became of an automation's due times",
        id="listAutomationRuns",
        query=RunsQuery,
        ok=Page[AutomationRun],
    ),
    _op(
        "Automations",
        "GET /api/automations/templates",
        "Automations to begin from",
        id="listTemplates",
        query=PageQuery,
        ok=Page[Template],
    ),
    _op(
        "Automations",
        "GET /api/automations/preview",
        "The next due times of a schedule",
        id="previewSchedule",
        query=PreviewQuery,
        ok=Preview,
    ),
    _op(
        "Codex",
        "GET /api/codex/bridge/health",
        "The bridge's health",
        id="bridgeHealth",
        ok=BridgeHealth,
    ),
    _op(
        "Codex",
        "GET /api/codex/threads/loaded",
        "The threads that the app-server has in memory",
        409,
        id="listLoadedThreads",
        query=PageQuery,
        ok=Page[str],
    ),
    _op(
        "Codex",
        "GET /api/codex/threads",
        "The threads that Codex has stored",
        409,
        id="listThreads",
        query=ThreadsQuery,
        ok=Page[Any],
    ),
    _op(
        "Codex",
        "GET /api/codex/models",
        "The models that Codex offers",
        409,
        id="listModels",
        query=PageQuery,
        ok=Page[Any],
    ),
    _op(
        "Codex",
        "POST /api/codex/threads/<thread_id>/prompt",
        "Start a turn in a thread",
        404,
        409,
        id="promptThread",
        body=ThreadPrompt,
        made=RunOutcome,
        blocked=RunOutcome,
    ),
    _op(
        "Events",
        "GET /api/events",
        "The durable log",
        id="listEvents",
        query=EventsQuery,
        ok=Page[Event],
    ),
    _op(
        "Events",
        "GET /api/events/stream",
        "History after an event, then what happens, as server-sent events",
        426,
        id="streamEvents",
        query=StreamQuery,
        ok=SENT_EVENTS,
    ),
    _op(
        "Search",
        "GET /api/search",
        "What was said and done in sessions, by its words",
        id="search",
        query=SearchQuery,
        ok=Page[Found],
    ),
    _op(
        "Telemetry",
        "GET /api/telemetry/summary",
        "The numbers of the last hours or days",
        404,
        id="summary",
        query=SummaryQuery,
        ok=Summary,
    ),
    _op("Runtime", "GET /api/runtime", "The tree of actors", id="getTree", ok=Tree),
    _op(
        "Runtime",
        "GET /api/runtime/actors/<actor:name>",
        "An actor",
        404,
        id="getActor",
        query=ActorQuery,
        ok=ActorShown,
    ),
    *(
        _op(
            "Runtime",
            f"POST {_ACTOR}/{action}",
            summary,
            404,
            409,
            id=f"{action}Actor",
            body=Order,
            ok=ActorShown,
        )
        for action, summary in (
            ("suspend", "Let an actor take no more messages"),
            ("resume", "Let an actor go on"),
            ("drain", "Let an actor finish its messages and stop"),
            ("restart", "Begin a new life of an actor"),
            ("stop", "Stop an actor"),
        )
    ),
    _op(
        "Telegram",
        "POST /api/telegram/webhook",
        "For Telegram alone: an update",
        404,
        id="receiveUpdate",
        body=dict,
        ok=NOTHING,
    ),
    _op("Signing in", "POST /api/signin", "A cookie in place of the token", id="signIn"),
    _op("Signing in", "POST /api/signout", "End the cookie", id="signOut"),
)
"""Every operation, in the order of the documentation."""
