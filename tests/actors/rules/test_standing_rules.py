"""Rules allow what a person has seen, and nobody smuggles anything past one."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.questions import ApprovalRequest
from command_center.actors.rules.standing_rules import (
    OFFER,
    RuleOffer,
    check_wanted,
    covers,
    offer_in,
    plain_words,
    runner_length,
    with_offer,
)
from command_center.store import Rule, Session
from tests.actors.rules.made_sessions import a_session

SESSION = a_session(cwd="/srv/project", allow_network=False, allow_commit=False)
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
    assert is_covered(asks("pytest tests 'tests/a b.py'"))
    exact = with_words("pytest", "-q", is_exact=True)
    assert is_covered(asks("pytest  -q"), exact)
    assert not is_covered(asks("pytest -q -x"), exact)
    assert not is_covered(asks("pytest"), exact)
    assert not is_covered(asks("pytest -q"))
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
        {"environmentId": {"id": "local"}},
        {"environmentId": ["local"]},
        {"commandKind": ["command"]},
        {"grantRoot": "/srv"},
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
    ("words", "length"),
    [
        (["pytest"], 1),
        (["pytest", "tests/a b.py::test_c[1-d]"], 1),
        (["python3", "-m", "pytest", "tests"], 3),
        (["uv", "run", "pytest"], 3),
        (["uv", "run", "ruff", "check", "."], 4),
        (["npm", "test"], 2),
        (["npm", "run", "lint", "src/a.ts"], 3),
        (["cargo", "clippy"], 2),
        (["go", "test", "./..."], 2),
        (["vitest", "run"], 2),
        ([], None),
        (["git", "push"], None),
        (["npm", "run"], None),
        (["npm", "run", "deploy"], None),
        (["npm", "exec", "pytest"], None),
        (["uv", "run"], None),
        (["uv", "run", "python"], None),
        (["make", "test"], None),
        (["ruff", "format", "a.py"], None),
        (["./pytest"], None),
        (["/usr/bin/pytest"], None),
        (["PYTEST"], None),
        (["pytest", "-q"], None),
        (["pytest", "-p", "evil"], None),
        (["pytest", "--"], None),
        (["pytest", "@evil"], None),
        (["pytest", "a=b"], None),
        (["pytest", "/elsewhere/evil.py"], None),
        (["pytest", "tests/../../evil.py"], None),
        (["pytest", ".."], None),
        (["npm", "test", "$(evil)"], None),
        (["npm", "test", "`evil`"], None),
        (["npm", "test", "a;evil"], None),
        (["npm", "test", ""], None),
        (["cargo", "test", "+evil"], None),
    ],
)
def test_only_a_runner_with_the_names_of_what_it_is_to_run_is_one(
    words: list[str], length: int | None
) -> None:
    assert length == runner_length(words)


@pytest.mark.parametrize(
    ("begins", "script"),
    [
        ("git log", "git log --output=/elsewhere/.bashrc -1"),
        ("git fetch", "git fetch --upload-pack=./evil origin"),
        ("git push", "git push --receive-pack=./evil origin"),
        ("git submodule", "git submodule foreach ./evil"),
        ("git config", "git config core.fsmonitor ./evil"),
        ("rg", "rg --pre ./evil.sh x"),
        ("make", "make --eval=x:;./evil"),
        ("make test", "make test publish"),
        ("pipenv run", "pipenv run bash -c ./evil"),
        ("cargo test", "cargo test --config 'build.rustc-wrapper=\"./evil\"'"),
        ("cargo test", "cargo test --config evil.toml"),
        ("go test", "go test -exec ./evil ./..."),
        ("go vet", "go vet -vettool=./evil"),
        ("pytest", "pytest -p evil"),
        ("pytest", "pytest --junitxml=/elsewhere/.bashrc"),
        ("pytest", "pytest -o cache_dir=/elsewhere"),
        ("pytest -p", "pytest -p evil"),
        ("mypy", "mypy @/elsewhere/words"),
        ("eslint", "eslint -o /elsewhere/.bashrc ."),
        ("sort", "sort -o /elsewhere/.bashrc x"),
        ("nodejs", "nodejs -e evil"),
        ("noglob", "noglob rm -rf /x"),
        ("-", "- rm -rf /x"),
        ("npm run", "npm run evil"),
        ("npm", "npm --prefix /elsewhere test"),
    ],
)
def test_no_beginning_lets_another_program_run_or_a_file_be_written(
    begins: str, script: str
) -> None:
    beginning = shlex.split(begins)
    wanted = with_offer(SESSION, asks(script, beginning))
    offer = offer_in(wanted.details)
    assert offer is None or offer.fewest is None
    assert not covers(with_words(*beginning, is_exact=False), SESSION, wanted.details)


def test_no_more_is_allowed_than_the_approval_offers() -> None:
    wanted = with_offer(SESSION, asks("cargo test a b", ["cargo"]))
    offer = offer_in(wanted.details)
    assert offer is not None
    assert (("cargo", "test", "a", "b"), 2) == (offer.words, offer.fewest)
    check_wanted(offer, ["cargo", "test"], None, exact=False)
    check_wanted(offer, offer.words, None, exact=True)
    check_wanted(offer, offer.words, None, exact=False)
    for words, exact in (
        (["cargo"], False),
        ([], False),
        ([], True),
        (["cargo", "test"], True),
        (["cargo", "check"], False),
        ([*offer.words, "x"], False),
    ):
        with pytest.raises(Conflict):
            check_wanted(offer, words, None, exact=exact)
    with pytest.raises(Conflict):
        check_wanted(offer, offer.words, "example.org", exact=True)
    broad = RuleOffer(kind="command", words=("git", "push", "origin"), fewest=2)
    with pytest.raises(Conflict, match="the very command"):
        check_wanted(broad, ["git", "push"], None, exact=False)
    with pytest.raises(Conflict, match="2 words"):
        check_wanted(msgspec.structs.replace(offer, fewest=1), ["cargo"], None, exact=False)


@pytest.mark.parametrize(
    "proposed",
    [None, [], ["git"], ["pytest", "other"], 5, "pytest", {"pytest": 1}, [["pytest"]], [5]],
)
def test_without_a_beginning_that_codex_proposes_only_the_very_command_is_offered(
    proposed: Any,
) -> None:
    offer = offer_in(with_offer(SESSION, asks("pytest tests", proposed)).details)
    assert offer is not None
    assert offer.fewest is None
    with pytest.raises(Conflict, match="the very command"):
        check_wanted(offer, ["pytest"], None, exact=False)


def test_a_host_is_offered_where_codex_proposes_it_and_no_other_is_covered() -> None:
    network = {"host": "example.org", "protocol": "https"}
    proposed = [{"host": "example.org", "action": "allow"}]
    session = Session(**{**fields_of(SESSION), "allow_network": True})
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
    for odd in ([{"host": "example.org", "action": "deny"}], 7, {"host": "example.org"}, None):
        wanted = asks("x", command=None, network=network, proposedNetworkRules=odd)
        assert OFFER not in with_offer(session, wanted).details
    for more in (
        {"commandKind": "writeStdin"},
        {"additionalPermissions": {"fileSystem": {"write": ["/"]}}},
        {"grantRoot": "/srv"},
        {"beyondRun": ["This session may not use the network."]},
    ):
        wanted = asks("x", command=None, network=network, proposedNetworkRules=proposed, **more)
        assert OFFER not in with_offer(session, wanted).details


@pytest.mark.parametrize(
    "more",
    [
        {"additionalPermissions": {"network": {"enabled": True}}},
        {"beyondRun": ["This session may not commit."]},
        {"grantRoot": "/srv"},
    ],
)
def test_what_goes_beyond_the_run_is_covered_by_nothing_whatever_it_offers(
    more: dict[str, Any],
) -> None:
    details = with_offer(SESSION, asks("pytest")).details
    assert covers(PYTEST, SESSION, details)
    assert not covers(PYTEST, SESSION, {**details, **more})


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
