"""Hints for a person on a request that goes beyond what its session got."""

from __future__ import annotations

import pytest

from command_center.actors.rules.questions import ApprovalRequest
from command_center.actors.sessions.permission_hints import git_commands, with_limits
from command_center.store import Session


@pytest.mark.parametrize(
    ("script", "commands"),
    [
        ("git commit -m x", ["commit"]),
        ("git -C /elsewhere -c user.name=a commit -m 'git push'", ["commit", "push"]),
        ("git add . && git commit -m x; git push origin main", ["add", "commit", "push"]),
        ("/usr/bin/git --no-pager log", ["log"]),
        ("C:\\\\git\\\\git.exe commit", ["commit"]),
        ("bash -c 'git commit -m x'", ["commit"]),
        ("echo digit commit", []),
        ("git --version", []),
        ("git commit -m 'not closed", ["commit"]),
    ],
)
def test_the_commands_of_git_are_found_in_a_script(script: str, commands: list[str]) -> None:
    assert commands == git_commands(script)


def session_with(sandbox: str = "workspace-write", *, network: bool, commit: bool) -> Session:
    return Session(
        id=1,
        created_at="",
        updated_at="",
        task_id=1,
        repository_id=1,
        runner="app-server",
        sandbox=sandbox,  # type: ignore[arg-type]
        allow_network=network,
        allow_commit=commit,
        cwd="/work",
        prompt="Do it.",
        requested_by="ada",
        correlation_id="c",
    )


def asks(kind: str = "command", **details: object) -> ApprovalRequest:
    return ApprovalRequest(
        kind=kind, title="May I?", details=details, thread_id="t", turn_id="u", item_id="i"
    )


def test_a_commit_that_the_run_may_not_make_is_said_to_be_one() -> None:
    commit = asks(script="git add . && git commit -m x")
    told = with_limits(session_with(network=False, commit=False), commit)
    assert ["This session may not commit."] == told.details["beyondRun"]
    assert commit is with_limits(session_with(network=False, commit=True), commit)


def test_the_network_and_writing_are_said_where_the_run_got_neither() -> None:
    session = session_with("read-only", network=False, commit=False)
    push = with_limits(session, asks(script="git push"))
    assert ["This session may not use the network."] == push.details["beyondRun"]
    host = with_limits(session, asks(script="curl x", network={"host": "x"}))
    assert ["This session may not use the network."] == host.details["beyondRun"]
    change = with_limits(session, asks("file_change"))
    assert ["This session may not write."] == change.details["beyondRun"]
    assert "beyondRun" not in with_limits(session, asks(script="ls")).details
