"""Rules allow what a person has seen, and nobody smuggles anything past one."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.questions import ApprovalRequest
from command_center.actors.rules.standing_rules import (
    OFFER,
    check_wanted,
    covers,
    is_too_broad,
    offer_in,
    plain_words,
    with_offer,
)
from command_center.store import Rule, Session

SESSION = Session(
    id=1,
    created_at="",
    updated_at="",
    task_id=1,
    repository_id=1,
    runner="app-server",
    sandbox="workspace-write",
    allow_network=False,
    allow_commit=False,
    cwd="/srv/project",
    prompt="Do it.",
    requested_by="ada",
    correlation_id="c",
)
BASH = "/bin/bash"
PYTEST = Rule(
    id=1,
    created_at="",
    updated_at="",
    repository_id=1,
    kind="command",
    words=["pytest"],
    is_exact=False,
    sandbox="workspace-write",
    allow_network=False,
    allow_commit=False,
    requested_by="ada",
)


def asks(script: str, proposed: list[str] | None = None, **more: Any) -> ApprovalRequest:
    details = {
        "command": shlex.join(["/bin/bash", "-lc", script]),
        "commandKind": "command",
        "cwd": "/srv/project",
        "proposedRule": proposed,
        **more,
    }
    return ApprovalRequest(
        kind="command", title="May I?", details=details, thread_id="t", turn_id="u", item_id="i"
    )


def is_covered(wanted: ApprovalRequest, rule: Rule = PYTEST, session: Session = SESSION) -> bool:
    return covers(rule, session, with_offer(session, wanted).details)


def with_words(*words: str, is_exact: bool) -> Rule:
    return Rule(**{**fields_of(PYTEST), "words": list(words), "is_exact": is_exact})


def fields_of(record: Rule | Session) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__struct_fields__}


def test_a_rule_covers_what_begins_with_its_words_and_an_exact_one_no_more() -> None:
    assert is_covered(asks("pytest"))
    assert is_covered(asks("pytest -q 'tests/a b.py'"))
    exact = with_words("pytest", "-q", is_exact=True)
    assert is_covered(asks("pytest  -q"), exact)
    assert not is_covered(asks("pytest -q -x"), exact)
    assert not is_covered(asks("pytest"), exact)
    assert not is_covered(asks("pytest-other"))


@pytest.mark.parametrize(
    "script",
    [
        "pytest; rm -rf /",
        "pytest;rm",
        "pytest && rm x",
        "pytest || rm x",
        "pytest & rm x",
        "pytest | tee x",
        "pytest\nrm x",
        "pytest\r\nrm x",
        "pytest $(rm x)",
        "pytest `rm x`",
        'pytest "$(rm x)"',
        'pytest "`rm x`"',
        'pytest "$HOME"',
        "pytest $HOME",
        "pytest ${IFS}x",
        "pytest > /etc/passwd",
        "pytest < x",
        "pytest <(rm x)",
        "pytest <<EOF\nrm\nEOF",
        "pytest *",
        "pytest ?",
        "pytest [a]",
        "pytest {a,b}",
        "pytest ~/x",
        "pytest $'a\\x27'",
        "pytest \\; rm x",
        "pytest 'a\nb'",
        "pytest # rm",
        "pytest !x",
        "pytest 'open",
        "PATH=/evil pytest",
        "LD_PRELOAD=/evil.so pytest",
        "pytest=1",
        "(pytest)",
        "{ pytest; }",
        "if pytest; then rm x; fi",
        "pytest \u202egpj.exe",
        "pytest\u00a0-q",
        "pytest\u2028rm x",
        "pytest\x00",
        "\\pytest",
        "./pytest",
        "/elsewhere/pytest",
        "eval pytest",
        "",
        " ",
    ],
)
def test_nothing_but_one_plain_command_is_covered(script: str) -> None:
    assert not is_covered(asks(script))


@pytest.mark.parametrize(
    "command",
    [
        "pytest",
        "pytest; rm x",
        "/elsewhere/bash -lc pytest",
        "bash -lc pytest",
        "./bash -lc pytest",
        "/bin/bash -lic pytest",
        "/bin/bash -l -c pytest",
        "/bin/bash -lc pytest evil",
        "/bin/bash -c",
        "/bin/fish -lc pytest",
        "/bin/bash -lc pytest; rm x",
        "/bin/bash -lc 'pytest' && rm x",
        "/usr/bin/env pytest",
        "powershell.exe -Command pytest",
        "/bin/bash -lc " + shlex.quote("pytest " + "a" * 3000),
        "",
    ],
)
def test_only_what_a_shell_of_the_system_runs_is_covered(command: str) -> None:
    assert not is_covered(asks("x", command=command))


@pytest.mark.parametrize(
    "more",
    [
        {"cwd": "/elsewhere"},
        {"cwd": "/"},
        {"cwd": "/srv/project/below"},
        {"cwd": "/srv/project/../elsewhere"},
        {"cwd": "/srv/project-not"},
        {"cwd": None},
        {"commandKind": "writeStdin"},
        {"additionalPermissions": {"network": {"enabled": True}}},
        {"beyondRun": ["This session may not commit."]},
        {"environmentId": "elsewhere"},
        {"network": {"host": "example.org", "protocol": "https"}},
    ],
)
def test_what_asks_for_more_than_to_run_it_there_is_asked_about(more: dict[str, Any]) -> None:
    assert is_covered(asks("pytest"))
    assert not is_covered(asks("pytest", **more))


def test_no_other_kind_of_question_has_an_offer() -> None:
    for kind in ("file_change", "permissions", "elicitation", "user_input"):
        wanted = attrs.evolve(asks("pytest"), kind=kind)
        assert OFFER not in with_offer(SESSION, wanted).details


@pytest.mark.parametrize(
    ("rule_may", "session_may", "is_enough"),
    [
        ({}, {"sandbox": "read-only"}, False),
        ({"sandbox": "read-only"}, {"sandbox": "read-only"}, True),
        ({"sandbox": "read-only"}, {}, True),
        ({"allow_network": True}, {}, False),
        ({"allow_network": True}, {"allow_network": True}, True),
        ({"allow_commit": True}, {}, False),
        ({"allow_commit": True}, {"allow_commit": True, "allow_network": True}, True),
    ],
)
def test_a_tighter_run_gets_nothing_that_was_agreed_to_in_a_looser_one(
    rule_may: dict[str, Any], session_may: dict[str, Any], *, is_enough: bool
) -> None:
    rule = Rule(**{**fields_of(PYTEST), **rule_may})
    assert is_enough == is_covered(
        asks("pytest"), rule, Session(**{**fields_of(SESSION), **session_may})
    )


def test_a_rule_made_in_a_folder_holds_there() -> None:
    rule = Rule(**{**fields_of(PYTEST), "folder": "packages/a"})
    assert is_covered(asks("pytest", cwd="/srv/project/packages/a"), rule)
    assert not is_covered(asks("pytest"), rule)
    assert not is_covered(asks("pytest", cwd="/srv/project/packages/b"), rule)


@pytest.mark.parametrize(
    ("words", "is_broad"),
    [
        (["pytest"], False),
        (["make", "test"], False),
        (["git"], True),
        (["git", "push"], False),
        (["git", "-c"], True),
        (["git", "config"], True),
        (["python3.12", "-m", "pytest"], True),
        (["/usr/bin/python3", "x.py"], True),
        (["bash", "-c", "x"], True),
        (["sudo", "pytest"], True),
        (["env", "A=1"], True),
        (["rm", "-rf", "build"], True),
        (["uv"], True),
        (["uv", "run"], True),
        (["uv", "run", "python"], True),
        (["uv", "run", "--with"], True),
        (["uv", "run", "pytest"], False),
        (["npm", "exec", "npx"], True),
        (["npm", "test"], False),
        (["PYTHON.EXE"], True),
    ],
)
def test_the_beginning_of_a_rule_may_not_let_everything_through(
    words: list[str], *, is_broad: bool
) -> None:
    assert is_broad == is_too_broad(words)


def test_no_more_is_allowed_than_the_approval_offers() -> None:
    wanted = with_offer(SESSION, asks("git push origin main", ["git"]))
    offer = offer_in(wanted.details)
    assert offer is not None
    assert (("git", "push", "origin", "main"), 2) == (offer.words, offer.fewest)
    check_wanted(offer, ["git", "push"], None, exact=False)
    check_wanted(offer, offer.words, None, exact=True)
    check_wanted(offer, offer.words, None, exact=False)
    for words, exact in (
        (["git"], False),
        ([], False),
        ([], True),
        (["git", "push"], True),
        (["git", "pull"], False),
        ([*offer.words, "x"], False),
    ):
        with pytest.raises(Conflict):
            check_wanted(offer, words, None, exact=exact)
    with pytest.raises(Conflict):
        check_wanted(offer, offer.words, "example.org", exact=True)
    with pytest.raises(Conflict):
        check_wanted(None, ["git", "push"], None, exact=False)


@pytest.mark.parametrize("proposed", [None, [], ["git"], ["pytest", "other"]])
def test_without_a_beginning_that_codex_proposes_only_the_very_command_is_offered(
    proposed: list[str] | None,
) -> None:
    offer = offer_in(with_offer(SESSION, asks("pytest -q", proposed)).details)
    assert offer is not None
    assert offer.fewest is None
    with pytest.raises(Conflict, match="the very command"):
        check_wanted(offer, ["pytest"], None, exact=False)


def test_a_host_is_offered_where_codex_proposes_it_and_no_other_is_covered() -> None:
    network = {"host": "example.org", "protocol": "https"}
    proposed = [{"host": "example.org", "action": "allow"}]
    session = Session(
        **{
            name: getattr(SESSION, name)
            for name in SESSION.__struct_fields__
            if name != "allow_network"
        },
        allow_network=True,
    )
    fields = {**fields_of(PYTEST), "kind": "network", "words": [], **network}
    rule = Rule(**fields)
    asked = asks("x", command=None, network=network, proposedNetworkRules=proposed)
    assert is_covered(asked, rule, session)
    assert not is_covered(asked, PYTEST, session)
    for other in (
        {"host": "evil.example.org", "protocol": "https"},
        {"host": "example.org", "protocol": "socks5Tcp"},
    ):
        denied = [{"host": other["host"], "action": "allow"}]
        assert not is_covered(
            asks("x", command=None, network=other, proposedNetworkRules=denied), rule, session
        )
    refused = [{"host": "example.org", "action": "deny"}]
    wanted = asks("x", command=None, network=network, proposedNetworkRules=refused)
    assert OFFER not in with_offer(session, wanted).details


PIECES = (
    *"abc-./:,%@+= ''\"\"\\$`!#~;&|<>(){}[]*?\n\t",
    "a b",
    "'a;b'",
    '"a|b"',
    '"a$b"',
    "$(a)",
    "é",
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_the_words_of_a_plain_command_are_those_that_bash_reads(tail: str) -> None:
    words = plain_words(shlex.join([BASH, "-c", f"pytest {tail}"]))
    if words is not None:
        with tempfile.TemporaryDirectory() as folder:
            script = f"printf '%s\\0' pytest {tail}"
            said = subprocess.run(
                [BASH, "-c", script], cwd=folder, capture_output=True, check=False
            )
            assert [] == [*Path(folder).iterdir()]
        assert words == tuple(said.stdout.decode().split("\0")[:-1])
