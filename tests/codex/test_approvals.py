"""Codex's five questions: shown completely, answered in Codex's own shapes."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.codex.approvals import (
    COMMAND,
    ELICITATION,
    FILE_CHANGE,
    MAX_DIFF,
    PERMISSIONS,
    USER_INPUT,
    Decision,
    answer_to,
    describe_request,
    script_of,
    why_not,
)
from command_center.actors.rules.answers import check_answers, without_secrets
from command_center.actors.rules.errors import Invalid
from tests.codex.schemas import check, check_server_request

TURN = {"threadId": "t", "turnId": "u", "itemId": "i"}

COMMAND_PARAMS = {
    **TURN,
    "kind": "command",
    "startedAtMs": 1,
    "environmentId": "local",
    "reason": "May I?",
    "command": "/bin/bash -lc 'git push origin main'",
    "cwd": "/work",
    "commandActions": [{"type": "unknown", "command": "git push origin main"}],
    "proposedExecpolicyAmendment": ["git", "push"],
    "availableDecisions": ["accept", "cancel"],
}
FILE_PARAMS = {**TURN, "startedAtMs": 1, "reason": "Needs a file.", "grantRoot": None}
PERMISSION_PARAMS = {
    **TURN,
    "startedAtMs": 1,
    "cwd": "/work",
    "reason": "To install packages.",
    "permissions": {
        "network": {"enabled": True},
        "fileSystem": {
            "read": ["/etc"],
            "write": None,
            "entries": [
                {"access": "write", "path": {"type": "path", "path": "/cache"}},
                {"access": "write", "path": {"type": "special", "value": {"kind": "tmpdir"}}},
            ],
        },
    },
}
INPUT_PARAMS = {
    **TURN,
    "isBlocking": True,
    "questions": [
        {
            "id": "db",
            "header": "Database",
            "question": "Which database?",
            "options": [
                {"label": "SQLite", "description": "One file."},
                {"label": "Postgres", "description": "A server."},
            ],
        },
        {"id": "key", "header": "Key", "question": "Which key?", "isSecret": True},
    ],
}
FORM_PARAMS = {
    "threadId": "t",
    "turnId": None,
    "serverName": "tracker",
    "mode": "form",
    "message": "Which project?",
    "_meta": {"persist": ["session", "always"]},
    "requestedSchema": {
        "type": "object",
        "properties": {
            "project": {"type": "string", "enum": ["a", "b"]},
            "count": {"type": "integer"},
            "urgent": {"type": "boolean", "default": False},
            "labels": {
                "type": "array",
                "items": {"type": "string", "enum": ["bug", "docs", "test"]},
                "maxItems": 2,
            },
            "teams": {
                "type": "array",
                "items": {
                    "anyOf": [{"const": "t1", "title": "Core"}, {"const": "t2", "title": "Web"}]
                },
            },
            "state": {
                "type": "string",
                "description": "Where it stands.",
                "oneOf": [{"const": "s1", "title": "To do"}, {"const": "s2", "title": "Done"}],
            },
            "size": {"type": "string", "enum": ["s", "l"], "enumNames": ["Small", "Large"]},
        },
        "required": ["project", "urgent"],
    },
}
TOOL_PARAMS = {
    "threadId": "t",
    "turnId": "u",
    "serverName": "tracker",
    "mode": "form",
    "message": 'Allow the tracker MCP server to run tool "delete_ticket"?',
    "_meta": {
        "codex_approval_kind": "mcp_tool_call",
        "persist": ["session", "always"],
        "tool_title": "Delete a ticket",
        "tool_description": "Deletes a ticket for ever.",
        "tool_params": {"id": 7, "why": "It is old."},
        "tool_params_display": [{"name": "id", "value": 7, "display_name": "Ticket"}],
    },
    "requestedSchema": {"type": "object", "properties": {}},
}
URL_PARAMS = {
    "threadId": "t",
    "turnId": "u",
    "serverName": "tracker",
    "mode": "url",
    "message": "Log in.",
    "url": "https://example.com/login",
    "elicitationId": "e",
}
QUESTIONS = [
    (COMMAND, COMMAND_PARAMS, "CommandExecutionRequestApprovalResponse", {}),
    (FILE_CHANGE, FILE_PARAMS, "FileChangeRequestApprovalResponse", {}),
    (PERMISSIONS, PERMISSION_PARAMS, "PermissionsRequestApprovalResponse", {}),
    (
        USER_INPUT,
        INPUT_PARAMS,
        "ToolRequestUserInputResponse",
        {"db": "SQLite", "key": ["abc"]},
    ),
    (
        ELICITATION,
        FORM_PARAMS,
        "McpServerElicitationRequestResponse",
        {"project": "a", "count": 3, "labels": ["bug", "docs"], "teams": ["t2"], "state": "s1"},
    ),
    (ELICITATION, URL_PARAMS, "McpServerElicitationRequestResponse", {}),
    (ELICITATION, TOOL_PARAMS, "McpServerElicitationRequestResponse", {}),
]


@pytest.mark.usefixtures("codex_binary")
@pytest.mark.parametrize(("method", "params", "response", "answers"), QUESTIONS)
def test_every_decision_on_every_question_fits_the_schema_of_the_installed_codex(
    method: str, params: dict[str, Any], response: str, answers: dict[str, Any]
) -> None:
    check_server_request(method, params)
    assert why_not(method, params) is None
    for approved in (True, False):
        for for_session in (True, False):
            decision = Decision(approved, for_session, answers if approved else {})
            check(response, answer_to(method, params, decision))


@pytest.mark.parametrize("method", [COMMAND, FILE_CHANGE])
def test_the_scope_of_a_review_is_codexs_own_decision(method: str) -> None:
    params = COMMAND_PARAMS if method == COMMAND else FILE_PARAMS
    assert answer_to(method, params, Decision(approved=True)) == {"decision": "accept"}
    assert answer_to(method, params, Decision(approved=True, for_session=True)) == {
        "decision": "acceptForSession"
    }
    assert answer_to(method, params, Decision(approved=False, for_session=True)) == {
        "decision": "decline"
    }


def test_a_command_is_shown_with_all_that_is_needed_to_decide() -> None:
    shown = describe_request(COMMAND, COMMAND_PARAMS)
    assert shown.kind == "command"
    assert shown.title == "Run: git push origin main"
    assert (shown.thread_id, shown.turn_id, shown.item_id) == ("t", "u", "i")
    assert shown.details == {
        "command": "/bin/bash -lc 'git push origin main'",
        "script": "git push origin main",
        "cwd": "/work",
        "reason": "May I?",
        "commandKind": "command",
        "proposedRule": ["git", "push"],
        "environmentId": "local",
    }


def test_a_wish_for_the_network_names_the_host() -> None:
    network = {"host": "pypi.org", "protocol": "https"}
    shown = describe_request(COMMAND, {**COMMAND_PARAMS, "networkApprovalContext": network})
    assert shown.title == "Allow network access to pypi.org (https)"
    assert shown.details["network"] == network


def test_callbacks_of_one_item_are_told_apart() -> None:
    first = describe_request(COMMAND, {**COMMAND_PARAMS, "approvalId": "a"})
    second = describe_request(COMMAND, {**COMMAND_PARAMS, "approvalId": "b"})
    assert first.item_id != second.item_id


def test_a_file_change_is_shown_with_its_diff() -> None:
    changes: list[Mapping[str, Any]] = [
        {"path": "/srv/new.txt", "kind": {"type": "add"}, "diff": "one\ntwo\n"},
        {"path": "/srv/old.txt", "kind": {"type": "delete"}, "diff": "gone"},
        {
            "path": "/srv/a.txt",
            "kind": {"type": "update", "move_path": "/srv/b.txt"},
            "diff": "@@ -1 +1 @@\n-x\n+y\n",
        },
    ]
    shown = describe_request(FILE_CHANGE, FILE_PARAMS, changes)
    assert shown.title == "Change 3 files: /srv/new.txt, /srv/old.txt, /srv/a.txt"
    assert shown.details["files"] == [
        {"path": "/srv/new.txt", "change": "add"},
        {"path": "/srv/old.txt", "change": "delete"},
        {"path": "/srv/a.txt", "change": "update"},
    ]
    assert shown.details["diff"] == (
        "--- /dev/null\n+++ /srv/new.txt\n@@ -0,0 +1,2 @@\n+one\n+two\n"
        "--- /srv/old.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n\\ No newline at end of file\n"
        "--- /srv/a.txt\n+++ /srv/b.txt\n@@ -1 +1 @@\n-x\n+y\n"
    )


def test_a_diff_that_is_too_long_is_cut_and_says_so() -> None:
    change = {"path": "/w/a", "kind": {"type": "add"}, "diff": "x" * (MAX_DIFF + 1)}
    details = describe_request(FILE_CHANGE, FILE_PARAMS, [change]).details
    assert len(details["diff"]) == MAX_DIFF
    assert details["diffCut"] is True


def test_a_change_that_cannot_be_read_is_left_out() -> None:
    changes: list[Any] = [{}, {"path": "/a", "kind": "add", "diff": ""}, None]
    shown = describe_request(FILE_CHANGE, FILE_PARAMS, changes)
    assert shown.title == "Change files"
    assert "files" not in shown.details


def test_a_character_that_turns_the_writing_round_is_spelled_out_in_the_title() -> None:
    shown = describe_request(COMMAND, {**COMMAND_PARAMS, "command": "ls \u202egnp.sh\x07"})
    assert shown.title == "Run: ls \\u202egnp.sh\\u0007"


def test_permissions_are_shown_by_what_they_open_and_granted_as_they_were_asked_for() -> None:
    shown = describe_request(PERMISSIONS, PERMISSION_PARAMS)
    assert shown.title == "Grant network access and writing and reading"
    assert shown.details["network"] is True
    assert shown.details["read"] == ["/etc"]
    assert shown.details["write"] == ["/cache", "<tmpdir>"]
    granted = answer_to(PERMISSIONS, PERMISSION_PARAMS, Decision(approved=True, for_session=True))
    assert granted == {"permissions": PERMISSION_PARAMS["permissions"], "scope": "session"}
    rejected = answer_to(PERMISSIONS, PERMISSION_PARAMS, Decision(approved=False))
    assert rejected == {"permissions": {}, "scope": "turn"}


def test_questions_are_shown_with_their_options_and_answered_by_id() -> None:
    shown = describe_request(USER_INPUT, INPUT_PARAMS)
    assert shown.title == "Which database? (and 1 more)"
    assert [question["freeText"] for question in shown.details["questions"]] == [False, True]
    decision = Decision(approved=True, answers={"db": "SQLite", "key": ["a", "b"]})
    assert answer_to(USER_INPUT, INPUT_PARAMS, decision) == {
        "answers": {"db": {"answers": ["SQLite"]}, "key": {"answers": ["a", "b"]}}
    }


def test_answers_to_secret_questions_are_not_to_be_stored() -> None:
    answers = {"db": "SQLite", "key": "hunter2"}
    shown = describe_request(USER_INPUT, INPUT_PARAMS)
    assert without_secrets(shown.kind, shown.details, answers) == {
        "db": "SQLite",
        "key": "[secret]",
    }


@pytest.mark.parametrize(
    ("method", "params", "answers", "field"),
    [
        (USER_INPUT, INPUT_PARAMS, {"db": "SQLite"}, "answers.key"),
        (USER_INPUT, INPUT_PARAMS, {"db": "Oracle", "key": "k"}, "answers.db"),
        (USER_INPUT, INPUT_PARAMS, {"db": [], "key": "k"}, "answers.db"),
        (USER_INPUT, INPUT_PARAMS, {"db": 1, "key": "k"}, "answers.db"),
        (USER_INPUT, INPUT_PARAMS, {"db": "SQLite", "key": "k", "x": "y"}, "answers.x"),
        (ELICITATION, FORM_PARAMS, {}, "answers.project"),
        (ELICITATION, FORM_PARAMS, {"project": "c"}, "answers.project"),
        (ELICITATION, FORM_PARAMS, {"project": "a", "count": True}, "answers.count"),
        (ELICITATION, FORM_PARAMS, {"project": "a", "other": 1}, "answers.other"),
        (ELICITATION, FORM_PARAMS, {"project": "a", "labels": "bug"}, "answers.labels"),
        (ELICITATION, FORM_PARAMS, {"project": "a", "labels": ["new"]}, "answers.labels"),
        (ELICITATION, FORM_PARAMS, {"project": "a", "labels": ["bug"] * 3}, "answers.labels"),
        (ELICITATION, FORM_PARAMS, {"project": "a", "teams": ["Core"]}, "answers.teams"),
        (ELICITATION, FORM_PARAMS, {"project": "a", "state": "Done"}, "answers.state"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_with_its_field(
    method: str, params: dict[str, Any], answers: dict[str, Any], field: str
) -> None:
    shown = describe_request(method, params)
    with pytest.raises(Invalid) as caught:
        check_answers(shown.kind, shown.details, answers)
    assert [detail["path"] for detail in caught.value.details] == [field]
    with pytest.raises(Invalid):
        answer_to(method, params, Decision(approved=True, answers=answers))


def test_the_call_of_a_tool_is_shown_with_its_arguments() -> None:
    details = describe_request(ELICITATION, TOOL_PARAMS).details
    assert ("mcp_tool_call", "Delete a ticket") == (details["approvalOf"], details["tool"])
    assert "Deletes a ticket for ever." == details["toolDescription"]
    assert {"id": 7, "why": "It is old."} == details["arguments"]
    assert details["forSession"] is True


def test_arguments_that_codex_names_only_to_show_them_are_shown() -> None:
    meta = {"tool_params_display": [{"name": "id", "value": 7, "display_name": "Ticket"}, 3]}
    details = describe_request(ELICITATION, {**TOOL_PARAMS, "_meta": meta}).details
    assert {"Ticket": 7} == details["arguments"]
    assert "forSession" not in details


def test_an_elicitation_has_an_id_that_is_the_same_when_it_comes_again() -> None:
    again = describe_request(ELICITATION, {**FORM_PARAMS, "turnId": "u"})
    first = describe_request(ELICITATION, FORM_PARAMS)
    other = describe_request(ELICITATION, {**FORM_PARAMS, "message": "Which other?"})
    assert again.item_id == first.item_id != other.item_id


def test_an_elicitation_is_remembered_for_the_session_only_where_that_is_offered() -> None:
    decision = Decision(approved=True, for_session=True, answers={"project": "a"})
    assert answer_to(ELICITATION, FORM_PARAMS, decision)["_meta"] == {"persist": "session"}
    without = {key: value for key, value in FORM_PARAMS.items() if key != "_meta"}
    assert "_meta" not in answer_to(ELICITATION, without, decision)


@pytest.mark.parametrize(
    ("command", "script"),
    [
        ("/bin/bash -lc 'echo one; exit 3'", "echo one; exit 3"),
        ("bash -c ls", "ls"),
        ("git status", "git status"),
        ("python -c 'print(1)'", "python -c 'print(1)'"),
        ("echo 'unbalanced", "echo 'unbalanced"),
        ("", ""),
    ],
)
def test_the_script_of_a_shell_command_is_shown_bare(command: str, script: str) -> None:
    assert script_of(command) == script


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
members = st.sampled_from(
    sorted({*COMMAND_PARAMS, *PERMISSION_PARAMS, *INPUT_PARAMS, *FORM_PARAMS, *URL_PARAMS})
)


@given(
    question=st.sampled_from([(method, params) for method, params, _, _ in QUESTIONS]),
    changed=st.dictionaries(members, json_values, max_size=3),
    removed=st.sets(members, max_size=2),
)
def test_whatever_codex_asks_is_refused_or_can_be_shown(
    question: tuple[str, dict[str, Any]], changed: dict[str, Any], removed: set[str]
) -> None:
    method, params = question
    asked = {key: value for key, value in {**params, **changed}.items() if key not in removed}
    if why_not(method, asked) is None:
        shown = describe_request(method, asked)
        assert len(shown.title) <= 120
        answer_to(method, asked, Decision(approved=False))
