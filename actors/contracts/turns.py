"""The messages about turns: what a session's runner reports of them, and what is asked of them.

The runner works in the nursery of the session's actor, and reports back this way.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from command_center.runtime import Request
from command_center.store import Session
from command_center.store.records import AgentStatus


class ThreadOpened(msgspec.Struct, frozen=True):
    """Codex has the thread, with this model if it says so. Committed before any prompt is sent."""

    thread_id: str
    model: str | None = None


class TurnOpened(msgspec.Struct, frozen=True):
    """Codex has begun the turn."""

    turn_id: str


class AgentSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A sub-agent works, or has worked, for the session; what is not told of it is None.

    Attributes:
        is_new: whether it was started just now, so that all that its thread used is the session's.
        status: how its newest turn stands.
    """

    thread_id: str
    parent_thread_id: str
    path: str | None = None
    name: str | None = None
    model: str | None = None
    prompt: str | None = None
    is_new: bool = False
    status: AgentStatus | None = None


class AgentItemSeen(msgspec.Struct, frozen=True):
    """A finished item of a sub-agent was found in its thread."""

    thread_id: str
    item: ItemSeen


class AgentsListed(msgspec.Struct, frozen=True):
    """Codex has these threads of sub-agents; the session's others work no more."""

    threads: frozenset[str]


class Observation(msgspec.Struct, frozen=True):
    """A report of a turn that leaves the session in its status."""


class OutputDelta(Observation, frozen=True):
    """A piece of a message as it is written: live only, the whole item follows."""

    item_id: str
    delta: str
    stream: Literal["message", "command", "reasoning"] = "message"


class ItemSeen(Observation, frozen=True):
    """An item of the turn began or ended; `body` is Codex's own item."""

    turn_id: str
    item_id: str
    type: str
    completed: bool
    body: dict[str, Any]


class TurnEnded(msgspec.Struct, frozen=True):
    """The turn is over: its outcome, and why where it was not `completed`.

    `is_limited` says that it failed since a limit of the agent's account is reached.
    """

    outcome: Literal["completed", "failed", "interrupted"]
    reason: str | None = None
    turn_id: str | None = None
    is_limited: bool = False


class LaunchFailed(msgspec.Struct, frozen=True):
    """The runner could not begin the turn."""

    reason: str


class LaunchDelayed(msgspec.Struct, frozen=True):
    """The turn has not begun yet; `reason` says what for, as people are told."""

    reason: str


class TurnSilent(msgspec.Struct, frozen=True):
    """Nothing was heard of the turn for `seconds`; `count` is how often that was told."""

    seconds: float
    count: int


class InterruptTurn(msgspec.Struct, frozen=True):
    """Tell the agent at once to end the session's turn; its actor may wait for the disk."""

    session: Session


class FindRunningTurns(msgspec.Struct, Request[list[str]], frozen=True):
    """Ask in which folders turns run now, or commands that they left; some may be listed twice.

    It matters not who began them. A folder may only be deleted where none runs, and Command Center
    need not know of each.
    """


class GoalTold(msgspec.Struct, frozen=True):
    """The thread's goal as Codex has it, or None where there is none any more.

    A goal that the session wants is `given` when Codex has answered; what is told before is of
    another one.
    """

    goal: dict[str, Any] | None
    given: bool = False


class SettingsTold(msgspec.Struct, frozen=True):
    """The settings of the thread's next turns, as the session or another client has set them."""

    settings: dict[str, Any]


class ThreadIdle(msgspec.Struct, frozen=True):
    """No turn runs in the session's thread; the end of its own is told just after, if it ran."""


class TurnDoubted(msgspec.Struct, frozen=True):
    """The thread has been idle for a while, and the end of that turn was not heard by then."""

    turn_id: str | None


class TurnLoosened(msgspec.Struct, frozen=True):
    """The turn may do more than its session may; `reason` says what, and by whom."""

    reason: str


class NoFurtherTurn(msgspec.Struct, frozen=True):
    """Codex has begun no turn for the goal in the time since that turn."""

    turn_id: str | None


class PlanChanged(Observation, frozen=True):
    """The turn's plan, whole."""

    plan: dict[str, Any]


class DiffChanged(Observation, frozen=True):
    """All that the turn has changed so far, as one unified diff."""

    diff: str


class UsageChanged(Observation, frozen=True):
    """Tokens used by the whole thread: absolute totals, never to be summed."""

    usage: dict[str, Any]


class ThreadNews(msgspec.Struct, frozen=True):
    """Something is told of a thread, in the words of the session's runner, which reads it.

    `thread_id` may be a sub-agent's; then `parent_id` is the thread that started it.
    """

    thread_id: str
    told: object
    parent_id: str | None = None


class Question(msgspec.Struct, frozen=True):
    """The agent asks something and waits for an answer; the session's runner reads it and answers.

    `request_id` is unique over all connections. Asked again on another connection, a question has
    another one. `thread_id` may be a sub-agent's. `turn_id` is the turn that asks, and `item_id`
    the item that it asks about, if there is one.
    """

    thread_id: str
    request_id: str
    turn_id: str | None
    item_id: str | None
    asked: dict[str, Any]


class QuestionClosed(msgspec.Struct, frozen=True):
    """A question is no longer open: it was answered from here, or in another way."""

    request_id: str


class QuestionRefused(msgspec.Struct, frozen=True):
    """The agent asked what nobody here understands, and was refused; `method` is its own word."""

    method: str


class ConnectionLost(msgspec.Struct, frozen=True):
    """The connection to the agent is lost; what it tells until `ConnectionBack` is missed.

    `ends_turns` says that the agent has ended with it, and so have its turns.
    """

    reason: str
    ends_turns: bool = False


class ConnectionBack(msgspec.Struct, frozen=True):
    """There is a connection to the agent, on which the thread is not joined yet."""


class NewsDropped(msgspec.Struct, frozen=True):
    """Too much was told of the thread: some of it is lost, and what counts can be read again."""


class SubAgentWorks(msgspec.Struct, frozen=True):
    """A sub-agent told something that is not kept, and so it works."""


class JoiningThread(msgspec.Struct, frozen=True):
    """The thread is about to be joined: what Codex waits for is asked again after this."""


class NothingAsked(msgspec.Struct, frozen=True):
    """Codex, as it was joined, waited for nobody's answer; what it asked since stays open."""


class AnswerDelivered(msgspec.Struct, frozen=True):
    """Codex has the answer to an approval."""

    approval_id: int


class Warned(Observation, frozen=True):
    """Something went wrong that the turn survives; `kind` is the notification that said so."""

    message: str
    kind: str
    will_retry: bool = False
    info: Any = None
    details: str | None = None


class CommandLet(Observation, frozen=True):
    """A command begins that rules of the agent's user let out of the sandbox, each as it reads."""

    item_id: str
    command: str
    rules: tuple[str, ...]


class ToolLet(Observation, frozen=True):
    """A tool of an MCP server is called, and nobody is asked: a setting of its user says so."""

    item_id: str
    server: str
    tool: str
    setting: str


class CommandOutside(Observation, frozen=True):
    """A command begins in a folder outside of those that the session works in."""

    item_id: str
    command: str
    cwd: str


class ModelAsked(Observation, frozen=True):
    """Codex begins to ask a model what it would otherwise ask a person."""


class ModelDecided(Observation, frozen=True):
    """A model of Codex decided what Codex would otherwise have asked a person."""

    item_id: str | None
    decision: str
    rationale: str | None
    risk: str | None
    authorization: str | None
    action: dict[str, Any]


class HookAnswered(Observation, frozen=True):
    """A hook of Codex's user ran before a person is asked, and did not fail.

    Without `denied` it approved the item, unless a person is asked about that all the same.
    """

    item_id: str
    hook: str
    denied: bool
    rationale: str | None


class ModelTold(msgspec.Struct, frozen=True):
    """Codex says which model the thread uses."""

    model: str


class TurnLost(msgspec.Struct, frozen=True):
    """The turn is not followed any more: it is gone, unless it is left to run on."""

    reason: str
    leaves_turn: bool = False


class SetUpTold(msgspec.Struct, frozen=True):
    """A set-up script began, said something, or ended."""

    fact: ItemSeen | OutputDelta


Fact: TypeAlias = (
    TurnOpened
    | ItemSeen
    | OutputDelta
    | PlanChanged
    | DiffChanged
    | UsageChanged
    | Warned
    | CommandLet
    | ToolLet
    | CommandOutside
    | ModelAsked
    | ModelDecided
    | HookAnswered
    | TurnEnded
    | TurnLoosened
    | ThreadIdle
    | GoalTold
    | SettingsTold
)
"""A fact that a runner reads in what is told of a turn."""

RunnerReport: TypeAlias = (
    ThreadOpened
    | SetUpTold
    | JoiningThread
    | ModelTold
    | LaunchDelayed
    | LaunchFailed
    | TurnOpened
    | ThreadNews
    | Question
    | QuestionClosed
    | QuestionRefused
    | ConnectionLost
    | ConnectionBack
    | NewsDropped
    | SubAgentWorks
    | ItemSeen
    | OutputDelta
    | AgentSeen
    | AgentItemSeen
    | AgentsListed
    | NothingAsked
    | AnswerDelivered
    | GoalTold
    | TurnEnded
    | TurnLost
)
"""The reports of a runner to its session's actor."""
