"""The facts that a session keeps of its turn, read from the notifications of Codex.

Source: the app-server protocol as the binary prints it (`codex app-server generate-json-schema`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from command_center.actors.codex.messages import (
    CodexAgentHeard,
    CodexLagged,
    CodexNotification,
    CodexRequestRefused,
    CodexRequestResolved,
    CodexServerRequest,
    ThreadMessage,
)
from command_center.actors.codex.usage_limits import LIMITED
from command_center.actors.codex.warnings import warning_of
from command_center.actors.contracts.bridges import (
    BridgeConnected,
    BridgeLost,
)
from command_center.actors.contracts.turns import (
    ConnectionBack,
    ConnectionLost,
    DiffChanged,
    Fact,
    GoalTold,
    HookAnswered,
    ItemSeen,
    ModelAsked,
    ModelDecided,
    NewsDropped,
    OutputDelta,
    PlanChanged,
    Question,
    QuestionClosed,
    QuestionRefused,
    RunnerReport,
    SettingsTold,
    SubAgentWorks,
    ThreadIdle,
    ThreadNews,
    TurnEnded,
    TurnOpened,
    UsageChanged,
    Warned,
)
from command_center.store import Session

ABOUT_THREAD = frozenset(
    {
        "turn/started",
        "thread/goal/updated",
        "thread/goal/cleared",
        "thread/settings/updated",
        "thread/status/changed",
    }
)
"""The notifications that tell of the thread, whichever turn they name."""

_DELTAS = {
    "item/agentMessage/delta": "message",
    "item/commandExecution/outputDelta": "command",
    "item/reasoning/summaryTextDelta": "reasoning",
    "item/reasoning/textDelta": "reasoning",
}


MOST_TOKENS: Final = 10**12
"""Tokens that are counted of a thread at the most."""


def facts_of(news: ThreadNews, session: Session, turn_id: str | None) -> Iterable[Fact]:
    """Read the notification of Codex that the news is; see `translate`."""
    if not isinstance(news.told, CodexNotification):
        return ()
    return translate(news.told, turn_id, is_review=session.type == "review_task")


def heard(message: ThreadMessage) -> RunnerReport:
    """Tell what the bridge tells as a session hears it; Codex's own words are left to be read."""
    told: RunnerReport
    match message:
        case CodexNotification():
            told = ThreadNews(message.thread_id, message, message.parent_id)
        case CodexServerRequest():
            told = Question(
                thread_id=message.thread_id,
                request_id=message.request_id,
                turn_id=message.params.get("turnId"),
                item_id=message.params.get("itemId"),
                asked={"method": message.method, "params": message.params},
            )
        case CodexRequestResolved():
            told = QuestionClosed(message.request_id)
        case CodexRequestRefused():
            told = QuestionRefused(message.method)
        case CodexAgentHeard():
            told = SubAgentWorks()
        case CodexLagged():
            told = NewsDropped()
        case BridgeLost():
            told = ConnectionLost(message.reason, message.ends_turns)
        case BridgeConnected():
            told = ConnectionBack()
    return told


def translate(
    notification: CodexNotification, turn_id: str | None, *, is_review: bool = False
) -> Iterator[Fact]:
    """Turn one notification into facts; of another turn of the same thread, into nothing.

    Args:
        notification: as Codex sent it. An unknown method is no fact.
        turn_id: the session's turn, or None while it isn't known yet.
        is_review: whether the turn is a review, which begins a turn of its own inside of it.
    """
    params = notification.params
    turn = params.get("turn") if isinstance(params.get("turn"), Mapping) else None
    named = turn_named(turn, is_review=is_review) if turn else params.get("turnId")
    about_turn = notification.method not in ABOUT_THREAD
    if not (about_turn and _is_another(named, turn_id)):
        yield from _facts(notification, turn, str(named))


def bounded_usage(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return a usage with counts that can be added up: of no thread more than `MOST_TOKENS`.

    A host that says what no model could use has nobody's totals overflow.
    """
    counted = {
        part: {
            name: min(max(count, 0), MOST_TOKENS)
            for name, count in told[part].items()
            if type(count) is int
        }
        for part in ("total", "last")
        if isinstance(told.get(part), Mapping)
    }
    return {**{name: told[name] for name in told if name not in {"total", "last"}}, **counted}


def _is_another(named: object, turn_id: str | None) -> bool:
    """Return whether a turn is named that is not the one that is known."""
    return named is not None and turn_id is not None and named != turn_id


def _facts(
    notification: CodexNotification, turn: Mapping[str, Any] | None, turn_id: str
) -> Iterator[Fact]:
    params = notification.params
    match notification.method:
        case method if method in ABOUT_THREAD:
            yield from _of_thread(params, turn_id)
        case "item/started" | "item/completed":
            completed = notification.method == "item/completed"
            yield item_seen(turn_id, params["item"], completed=completed)
        case method if method in _DELTAS:
            yield OutputDelta(
                item_id=str(params["itemId"]),
                delta=str(params["delta"]),
                stream=_DELTAS[method],  # type: ignore[arg-type]
            )
        case "turn/plan/updated":
            yield PlanChanged(
                plan={"explanation": params.get("explanation"), "steps": params.get("plan", [])}
            )
        case "turn/diff/updated":
            yield DiffChanged(diff=str(params["diff"]))
        case "thread/tokenUsage/updated":
            yield UsageChanged(usage=bounded_usage(params["tokenUsage"]))
        case "item/autoApprovalReview/started":
            yield ModelAsked()
        case "item/autoApprovalReview/completed" | "hook/completed":
            yield from _decisions(params)
        case "turn/completed" if turn is not None:
            yield ending(turn, turn_id)
        case _:
            yield from _warnings(notification)


def _of_thread(
    params: Mapping[str, Any], turn_id: str
) -> Iterator[TurnOpened | GoalTold | SettingsTold | ThreadIdle]:
    """Read which turn the thread has, which goal, or what its next turns may do."""
    match params:
        case {"turn": _}:
            yield TurnOpened(turn_id=turn_id)
        case {"threadSettings": settings}:
            yield SettingsTold(settings=dict(settings))
        case {"status": {"type": "idle"}}:
            yield ThreadIdle()
        case {"status": _}:
            pass
        case _:
            goal = params.get("goal")
            yield GoalTold(goal=None if goal is None else dict(goal))


def _warnings(notification: CodexNotification) -> Iterator[Warned]:
    """Read a warning. An error that is not tried again ends the turn, which says so itself."""
    params = notification.params
    warning = warning_of(notification.method, params)
    if warning is not None:
        yield Warned(message=warning.message, kind=warning.kind, details=warning.details)
    elif notification.method == "error" and params.get("willRetry"):
        error = params.get("error") or {}
        yield Warned(
            message=str(error.get("message", "Codex reported an error.")),
            kind="error",
            will_retry=True,
            info=error.get("codexErrorInfo"),
            details=error.get("additionalDetails"),
        )


def _decisions(params: Mapping[str, Any]) -> Iterator[ModelDecided | HookAnswered]:
    """Read what was decided in a person's place."""
    if "run" in params:
        yield from _hook_answers(params["run"])
    else:
        yield _decided(params)


def _decided(params: Mapping[str, Any]) -> ModelDecided:
    """Read how a model decided; the protocol calls the shape of that unstable."""
    review = params.get("review") or {}
    return ModelDecided(
        item_id=params.get("targetItemId"),
        decision=str(review.get("status")),
        rationale=review.get("rationale"),
        risk=review.get("riskLevel"),
        authorization=review.get("userAuthorization"),
        action=dict(params.get("action") or {}),
    )


def _hook_answers(run: Mapping[str, Any]) -> Iterator[HookAnswered]:
    """Read how a hook answered that Codex runs before it asks a person.

    The protocol names what it was asked about in the end of the run's id alone. It does not tell
    an approval from no answer at all.
    """
    if run.get("eventName") == "permissionRequest" and run.get("status") in {
        "completed",
        "blocked",
    }:
        entries = run.get("entries") or ()
        yield HookAnswered(
            item_id=str(run.get("id")).rpartition(":")[2],
            hook=str(run.get("sourcePath")),
            denied=run["status"] == "blocked",
            rationale="\n".join(str(entry.get("text")) for entry in entries) or None,
        )


def turn_named(turn: Mapping[str, Any], *, is_review: bool) -> str:
    """Return the id that all else of the turn carries: inside a review, another turn begins."""
    return str((is_review and turn.get("rootTurnId")) or turn["id"])


def item_seen(turn_id: str, item: Mapping[str, Any], *, completed: bool) -> ItemSeen:
    """Read an item of a turn, as Codex shows it."""
    return ItemSeen(
        turn_id=turn_id,
        item_id=str(item["id"]),
        type=str(item["type"]),
        completed=completed,
        body=dict(item),
    )


def ending(turn: Mapping[str, Any], turn_id: str) -> TurnEnded:
    """Read the outcome of a turn that Codex says is over."""
    error = turn.get("error") or {}
    status = turn.get("status")
    if status == "completed":
        return TurnEnded(outcome="completed", turn_id=turn_id)
    if status == "interrupted":
        return TurnEnded(
            outcome="interrupted", reason="Codex interrupted the turn.", turn_id=turn_id
        )
    return TurnEnded(
        outcome="failed",
        reason=str(error.get("message") or "Codex gave no reason for failing."),
        turn_id=turn_id,
        is_limited=error.get("codexErrorInfo") == LIMITED,
    )
