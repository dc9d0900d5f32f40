"""The bot's words on records, whatever is in them: all that matters is there, and it fits."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.channels.notices import MergeCalledOff, PullRequestTold
from command_center.actors.telegram.approval_wording import (
    approval_keyboard,
    approval_text,
    details_text,
    outcome_text,
    warning_text,
    with_outcome,
)
from command_center.actors.telegram.buttons import Resolve
from command_center.actors.telegram.markup import LONGEST, Text, length_of, text, to_plain
from command_center.actors.telegram.outgoing import Button, label_of
from command_center.actors.telegram.wording import (
    Where,
    diff_head,
    diff_summary,
    diff_text,
    pull_request_text,
    session_text,
)
from command_center.store import Approval, Session
from command_center.store.records import ApprovalKind, ApprovalStatus, Risk, SessionStatus

AT = "2026-01-15T12:00:00.000Z"
SOMETHING = st.text(max_size=6000) | st.none() | st.integers() | st.lists(st.text(), max_size=3)
DETAILS = st.dictionaries(
    st.sampled_from(
        ["command", "script", "cwd", "reason", "diff", "prompt", "sandbox", "message", "other"]
    ),
    SOMETHING,
)
WHERE = Where()


def approval(**fields: Any) -> Approval:
    wanted: dict[str, Any] = {
        "id": 7,
        "created_at": AT,
        "updated_at": AT,
        "title": "Run: make",
        "requested_by": "codex",
        "expires_at": "2030-01-01T10:30:00.000Z",
    }
    return Approval(**(wanted | fields))


def session(**fields: Any) -> Session:
    wanted: dict[str, Any] = {
        "id": 12,
        "created_at": AT,
        "updated_at": AT,
        "task_id": 1,
        "repository_id": 1,
        "runner": "stub",
        "sandbox": "read-only",
        "cwd": "/",
        "prompt": "Fix it",
        "requested_by": "test",
        "correlation_id": "c",
    }
    return Session(**(wanted | fields))


def fits(said: Text) -> bool:
    return 0 < length_of(said) <= LONGEST


@given(st.sampled_from(get_args(ApprovalKind)), st.text(max_size=500), DETAILS)
def test_every_approval_fits_into_one_message(
    kind: ApprovalKind, title: str, details: dict[str, Any]
) -> None:
    asked = approval(kind=kind, title=title or "x", details=details)
    said = approval_text(asked, WHERE)
    assert fits(said)
    assert "Decide before" in to_plain(said)
    assert fits(details_text(asked))
    assert fits(warning_text(asked, WHERE))
    assert fits(with_outcome(said, outcome_text(asked, WHERE)))
    assert all(1 <= len(label_of(b)) <= 60 for row in approval_keyboard(asked) for b in row)


@given(
    st.sampled_from(get_args(SessionStatus)),
    st.text(max_size=9000),
    st.text(max_size=9000),
    st.text(max_size=9000),
)
def test_every_session_fits_into_one_message(
    status: SessionStatus, prompt: str, last_message: str, diff: str
) -> None:
    ended = session(
        status=status, prompt=prompt, last_message=last_message, diff=diff, exit_reason=prompt
    )
    assert fits(session_text(ended, WHERE))
    assert fits(diff_text(ended) or diff_head(ended))


def test_a_command_is_asked_for_with_what_where_why_and_until_when() -> None:
    said = to_plain(
        approval_text(
            approval(
                kind="command",
                details={"script": "rm -rf build", "cwd": "/code", "reason": "It is stale."},
            ),
            WHERE,
        )
    )
    for part in ("Run: make", "rm -rf build", "in /code", "Why: It is stale.", "01 Jan 10:30"):
        assert part in said


def test_what_is_risky_in_a_command_is_said() -> None:
    found = [Risk("deletes", "rm -rf build"), Risk("unreadable", "$it")]
    said = to_plain(approval_text(approval(kind="command", risks=found), WHERE))
    assert "Deletes: rm -rf build" in said
    assert "Could not be read: $it" in said


def test_what_is_more_than_the_run_got_is_said_where_it_is_decided() -> None:
    details = {"script": "git push", "beyondRun": ["This session may not use the network."]}
    said = to_plain(approval_text(approval(kind="command", details=details), WHERE))
    assert "Beyond what its run may do: This session may not use the network." in said
    assert "sub-agent" not in said


def test_the_call_of_a_tool_is_asked_for_with_its_arguments() -> None:
    details = {"message": "Run it?", "arguments": {"id": 7, "why": "It is\u202e old."}}
    asked = approval(kind="elicitation", details=details)
    said = to_plain(approval_text(asked, WHERE))
    assert '"id": 7' in said
    assert '"why": "It is\\u202e old."' in said
    buttons = [b.action for row in approval_keyboard(asked) for b in row]
    assert Resolve(7, "approved", "session") not in buttons
    lasting = approval(kind="elicitation", details={**details, "forSession": True})
    buttons = [b.action for row in approval_keyboard(lasting) for b in row]
    assert Resolve(7, "approved", "session") in buttons


def test_that_a_sub_agent_asks_is_said() -> None:
    details = {"script": "make", "subAgent": True}
    said = to_plain(approval_text(approval(kind="command", details=details), WHERE))
    assert "A sub-agent of the session asks." in said
    named = {**details, "agentId": 3, "agent": "/tests"}
    said = to_plain(approval_text(approval(kind="command", details=named), WHERE))
    assert "The sub-agent /tests asks." in said


def test_a_manual_approval_may_have_details_of_any_shape() -> None:
    said = approval_text(approval(kind="manual", details={"beyondRun": 7, "files": 8}), WHERE)
    assert "beyondRun: 7" in to_plain(said)


def test_a_change_of_files_shows_its_diff_and_size() -> None:
    diff = "--- x.py\n+++ x.py\n@@ -1 +1 @@\n-a\n+b\n"
    asked = approval(kind="file_change", details={"files": [{"path": "x.py"}], "diff": diff})
    said = to_plain(approval_text(asked, WHERE))
    assert "1 file changed, +1 -1" in said
    assert "-a\n+b" in said


def test_a_set_up_shows_its_script_and_the_files_to_copy_and_can_be_left_out() -> None:
    details = {
        "files": [{"path": ".worktreeinclude", "isNew": True}],
        "included": [".env", "key.pem"],
        "includedCount": 2,
        "diff": "--- a/.worktreeinclude\n+++ b/.worktreeinclude\n@@ -0,0 +1 @@\n+.env\n",
    }
    asked = approval(kind="setup", title="Set up worktrees?", details=details)
    said = to_plain(approval_text(asked, WHERE))
    assert ".env, key.pem" in said
    assert "+.env" in said
    labels = [label_of(button) for row in approval_keyboard(asked) for button in row]
    assert {"✅ Set up so", "❌ Leave them out"} <= set(labels)


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("command", {"script": "rm \u202e#txt"}),
        ("command", {"script": "ls", "cwd": "/rm \u202e#txt"}),
        ("file_change", {"files": [{"path": "rm \u202e#txt"}]}),
        ("file_change", {"diff": "+rm \u202e#txt\n"}),
        ("permissions", {"write": ["rm \u202e#txt"]}),
    ],
)
def test_what_turns_the_writing_round_is_spelled_out_in_what_is_decided(
    kind: ApprovalKind, details: dict[str, Any]
) -> None:
    said = to_plain(approval_text(approval(kind=kind, details=details), WHERE))
    assert "rm \\u202e#txt" in said
    assert "\u202e" not in said


def test_a_run_shows_what_it_would_be_given() -> None:
    details = {"sandbox": "danger-full-access", "allowNetwork": True, "prompt": "Deploy"}
    said = to_plain(approval_text(approval(kind="run", details=details), WHERE))
    assert "Sandbox danger-full-access, with network" in said
    assert "“Deploy”" in said


@pytest.mark.parametrize("status", get_args(ApprovalStatus))
def test_every_outcome_has_words(status: ApprovalStatus) -> None:
    settled = approval(status=status, resolved_by="web", resolution_note="So it is.")
    assert to_plain(outcome_text(settled, WHERE))


def test_a_summary_counts_files_and_lines() -> None:
    heads = ("diff --git a/new b/new\n", "diff --git a/old b/old\n")
    for new, old in (heads, ("", "")):
        diff = (
            f"{new}--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+x\n"
            f"{old}--- a/old\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-y\n-z\n"
        )
        assert "2 files changed, +1 -2" == diff_summary(diff)


def test_a_line_that_looks_like_the_head_of_a_file_is_counted_as_a_line() -> None:
    diff = (
        "--- a/q.sql\n+++ b/q.sql\n@@ -1,2 +1,2 @@\n--- was\n+++ is\n same\n@@ -9 +9,2 @@\n q\n+r\n"
    )
    assert "1 file changed, +2 -1" == diff_summary(diff)


def test_a_secret_of_several_lines_that_is_one_now_does_not_hide_the_next_file() -> None:
    diff = (
        "--- /dev/null\n+++ k\n@@ -0,0 +1,27 @@\n+[redacted]\n--- x\n+++ x\n@@ -1 +1 @@\n-a\n+b\n"
    )
    assert "2 files changed, +2 -1" == diff_summary(diff)


def test_a_file_that_was_only_renamed_counts_too() -> None:
    diff = "diff --git a/old b/new\nsimilarity index 100%\nrename from old\nrename to new\n"
    assert "1 file changed, +0 -0" == diff_summary(diff)


def test_a_button_says_something_and_not_too_much() -> None:
    action = Resolve(1, "approved")
    assert "…" == label_of(Button(" \n ", action))
    assert "a b" == label_of(Button("a\n b", action))
    assert 60 >= len(label_of(Button("x" * 500, action)))


def test_an_outcome_stands_below_what_was_asked_however_long_that_was() -> None:
    outcome = outcome_text(approval(status="approved", resolved_by="web"), WHERE)
    said = with_outcome(text("x" * 5000), outcome)
    assert fits(said)
    assert to_plain(said).endswith("Approved by web")


def test_news_of_a_pull_request_name_the_checks_and_what_is_done() -> None:
    told = PullRequestTold(
        session(),
        "https://example.org/pull/1",
        ["The check 'tests' fails"] * 30,
        2,
        goes_on=False,
        reason="It has led to 3 turns already.",
    )
    said = to_plain(pull_request_text(told, WHERE))
    for words in ("'tests' fails", "2 reviews", "3 turns already", "https://example.org/pull/1"):
        assert words in said
    assert length_of(pull_request_text(told, WHERE)) <= LONGEST


def test_a_merge_that_was_called_off_says_why() -> None:
    told = MergeCalledOff(session(), "https://example.org/pull/1", "It has new commits.")
    said = to_plain(pull_request_text(told, WHERE))
    for words in ("Not merged", "It has new commits.", "https://example.org/pull/1"):
        assert words in said


def test_a_push_shows_where_it_goes_and_the_first_of_its_commits() -> None:
    commits = [{"sha": str(n), "author": "a", "subject": f"Commit {n}"} for n in range(20)]
    details = {
        "address": "https://example.org/a.git",
        "branchName": "work",
        "force": "with-lease",
        "commits": commits,
        "commitCount": 25,
    }
    said = to_plain(approval_text(approval(kind="push", details=details), WHERE))
    for words in ("https://example.org/a.git", "work", "replaces", "Commit 9", "and 15 more"):
        assert words in said
    assert "Commit 10" not in said
