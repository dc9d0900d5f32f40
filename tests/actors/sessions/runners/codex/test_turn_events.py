"""Facts that are read from Codex's notifications of a turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from command_center.actors.codex.messages import (
    CodexAgentHeard,
    CodexLagged,
    CodexNotification,
    CodexRequestRefused,
    CodexRequestResolved,
    ThreadMessage,
)
from command_center.actors.contracts.bridges import (
    BridgeConnected,
    BridgeLost,
)
from command_center.actors.contracts.turns import (
    ConnectionBack,
    ConnectionLost,
    Fact,
    GoalTold,
    HookAnswered,
    ItemSeen,
    NewsDropped,
    OutputDelta,
    QuestionClosed,
    QuestionRefused,
    RunnerReport,
    SubAgentWorks,
    TurnEnded,
    TurnOpened,
    UsageChanged,
    Warned,
)
from command_center.actors.sessions.hearing import SIGNS_OF_LIFE
from command_center.actors.sessions.runners.codex.turn_events import (
    MOST_TOKENS,
    ending,
    heard,
    translate,
)


def facts(
    method: str, params: Mapping[str, Any], turn_id: str | None = "u", *, is_review: bool = False
) -> list[Fact]:
    """Return what a notification of thread `t` tells the session whose turn it is."""
    told = {"threadId": "t", **params}
    return list(translate(CodexNotification("t", method, told), turn_id, is_review=is_review))


@pytest.mark.parametrize(
    ("message", "report"),
    [
        (CodexRequestResolved("t", "c1:1", answered_here=False), QuestionClosed("c1:1")),
        (CodexRequestRefused("t", "item/new/request", {}), QuestionRefused("item/new/request")),
        (CodexAgentHeard("t"), SubAgentWorks()),
        (CodexLagged("t", 3), NewsDropped()),
        (
            BridgeLost("Gone.", ends_turns=True),
            ConnectionLost("Gone.", ends_turns=True),
        ),
        (BridgeConnected("0.0.0", 1), ConnectionBack()),
    ],
)
def test_a_session_hears_of_the_connection_in_words_that_are_no_agents(
    message: ThreadMessage, report: RunnerReport
) -> None:
    assert report == heard(message)


def test_another_turn_of_the_thread_is_not_the_sessions() -> None:
    assert not facts("item/agentMessage/delta", {"turnId": "v", "itemId": "i", "delta": "No."})


def test_a_delta_says_what_it_belongs_to() -> None:
    told = {"turnId": "u", "itemId": "i", "delta": "Yes."}
    assert [OutputDelta(item_id="i", delta="Yes.", stream="command")] == facts(
        "item/commandExecution/outputDelta", told
    )


def test_the_turn_inside_of_a_review_is_told_of_as_the_review() -> None:
    turn = {"id": "inner", "rootTurnId": "u", "status": "inProgress"}
    assert [TurnOpened(turn_id="u")] == facts("turn/started", {"turn": turn}, is_review=True)


def test_a_turn_that_codex_goes_on_with_is_told_of_by_its_own_name() -> None:
    turn = {"id": "next", "rootTurnId": "u", "status": "inProgress"}
    assert [TurnOpened(turn_id="next")] == facts("turn/started", {"turn": turn})
    assert not facts("turn/completed", {"turn": {**turn, "status": "completed"}})


def test_a_goal_is_of_the_thread_whichever_turn_it_names() -> None:
    goal = {"objective": "Files", "status": "active"}
    assert [GoalTold(goal=goal)] == facts("thread/goal/updated", {"turnId": "v", "goal": goal})
    assert [GoalTold(goal=None)] == facts("thread/goal/cleared", {})


def test_an_item_keeps_all_that_codex_says_of_it() -> None:
    item = {"id": "i", "type": "agentMessage", "text": "Done.", "new": True}
    assert [
        ItemSeen(turn_id="u", item_id="i", type="agentMessage", completed=True, body=item)
    ] == facts("item/completed", {"turnId": "u", "item": item})


def test_what_is_not_known_is_no_fact() -> None:
    assert not facts("item/somethingNew", {"turnId": "u"})


def test_a_turn_of_an_unknown_outcome_has_failed_and_says_why() -> None:
    assert TurnEnded(outcome="failed", reason="No quota.", turn_id="u") == ending(
        {"status": "new", "error": {"message": "No quota."}}, "u"
    )


def test_what_codex_warns_of_is_a_warning_and_no_sign_of_life() -> None:
    (said,) = facts("warning", {"message": "The disk is full."})
    assert Warned(message="The disk is full.", kind="warning") == said
    assert not isinstance(said, SIGNS_OF_LIFE)
    notice = {"summary": "It goes.", "details": "Use another.", "path": "/etc/codex.toml"}
    (told,) = facts("configWarning", notice)
    details = "Use another. In /etc/codex.toml."
    assert Warned(message="It goes.", kind="configWarning", details=details) == told
    models = {"turnId": "u", "fromModel": "a", "toModel": "b", "reason": "highRisk"}
    (rerouted,) = facts("model/rerouted", models)
    assert isinstance(rerouted, Warned)
    assert "Codex uses the model b instead of a." == rerouted.message


def test_an_error_warns_only_where_it_is_tried_again() -> None:
    error = {"message": "Reconnecting… 1/5", "codexErrorInfo": "other", "additionalDetails": None}
    told = {"turnId": "u", "error": error}
    (said,) = facts("error", {**told, "willRetry": True})
    assert Warned(message="Reconnecting… 1/5", kind="error", will_retry=True, info="other") == said
    assert not isinstance(said, SIGNS_OF_LIFE)
    assert not facts("error", {**told, "willRetry": False})


def hook_run(**changes: object) -> Mapping[str, Any]:
    """A run of a user's hook, as Codex tells that it has ended."""
    run = {
        "id": "permission-request:0:/etc/codex/hooks.json:call_1",
        "eventName": "permissionRequest",
        "sourcePath": "/etc/codex/hooks.json",
        "status": "completed",
        "entries": [],
    }
    return {"turnId": "u", "run": {**run, **changes}}


def test_a_hook_that_runs_before_a_person_is_asked_answers_of_an_item() -> None:
    place = "/etc/codex/hooks.json"
    approved = HookAnswered(item_id="call_1", hook=place, denied=False, rationale=None)
    assert [approved] == facts("hook/completed", hook_run())
    said = [{"kind": "feedback", "text": "Never."}]
    denied = HookAnswered(item_id="call_1", hook=place, denied=True, rationale="Never.")
    assert [denied] == facts("hook/completed", hook_run(status="blocked", entries=said))
    assert not facts("hook/completed", hook_run(status="failed"))
    assert not facts("hook/completed", hook_run(eventName="preToolUse"))


def test_a_host_that_tells_of_more_tokens_than_there_can_be_is_not_taken_at_its_word() -> None:
    told = {"total": {"totalTokens": 2**63 - 1, "inputTokens": -1}, "last": {"totalTokens": "x"}}
    (changed,) = facts("thread/tokenUsage/updated", {"tokenUsage": {**told, "agents": None}})
    assert isinstance(changed, UsageChanged)
    assert {
        "total": {"totalTokens": MOST_TOKENS, "inputTokens": 0},
        "last": {},
        "agents": None,
    } == changed.usage
