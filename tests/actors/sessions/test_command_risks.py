"""Risks of a command: each is named, and one that cannot be read says so."""

from __future__ import annotations

import time
from typing import Any

import pytest

from command_center.actors.rules.questions import ApprovalRequest
from command_center.actors.sessions.command_risks import (
    MOST_RISKS,
    SECONDS,
    command_risks,
    with_risks,
)
from command_center.store.records import Risk

FOLDER = "/srv/project"


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("pytest -q tests", []),
        ("make && cat README.md > out.txt 2>/dev/null", []),
        (f"ls {FOLDER}/src", []),
        ("grep -r '/api/' src; sed -n '/a/p' x", []),
        ("rm -rf build", [("deletes", "rm -rf build")]),
        ("find . -name '*.pyc' -delete", [("deletes", "find . -name *.pyc -delete")]),
        ("sudo -n rm x", [("deletes", "rm x")]),
        ("git checkout -- .", [("deletes", "git checkout -- .")]),
        ("git checkout .", [("deletes", "git checkout .")]),
        ("git checkout -b fix; mv a b", []),
        ("mv -f a b", [("deletes", "mv -f a b")]),
        ("pip install requests", [("network", "pip install requests")]),
        ("FOO=1 env A=b npm ci", [("network", "npm ci")]),
        ("git fetch", [("network", "git fetch")]),
        ("make test/https://x", [("network", "make test/https://x")]),
        ("cat x | sudo bash -s -- y", [("pipes_into_shell", "cat x | sudo bash -s -- y")]),
        ("cat x | python3 script.py", []),
        (
            'eval "$(cat x)"',
            [("pipes_into_shell", "eval $(cat x)"), ("unreadable", "$(cat x)")],
        ),
        ("bash -c 'rm x'", [("deletes", "rm x")]),
        ("echo made > /srv/x", [("outside_folder", "/srv/x")]),
        ("cat ../x", [("outside_folder", "../x")]),
        ("ls $HOME/x", [("outside_folder", "$HOME/x")]),
        (f"ls {FOLDER}-other", [("outside_folder", f"{FOLDER}-other")]),
        ("cat .env.example .env", [("secrets", ".env")]),
        ("tool -d @.ssh/id_ed25519", [("secrets", ".ssh/id_ed25519")]),
        ("if then", [("unreadable", "not all of it is a shell's grammar")]),
    ],
)
def test_what_is_risky_in_a_command_is_named_with_its_words(
    script: str, found: list[tuple[str, str]]
) -> None:
    assert found == [(risk.kind, risk.words) for risk in command_risks(script, FOLDER)]


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        *(
            (script, "deletes")
            for script in (
                *("r''m -rf x", '"r"m x', "\\rm x", "/bin/rm x", "busybox rm x", "eval rm x"),
                *("bash -lc 'rm x'", "bash -ec 'rm x'", "sudo -u root rm x", "su -c 'rm x'"),
                *("env -S 'rm x'", "env -S'rm x'", "nice -n 5 rm x", "timeout 5s rm x"),
                *("ls | xargs -0 -n 1 rm -f", "find . -exec rm {} +", "trap 'rm x' EXIT"),
                *("> a", ": > a", ">| a", "cmd /c del x", "f() { rm x; }; f", "git restore ."),
                "bash -c \"sh -c 'rm x'\"",
            )
        ),
        *(
            (script, "unreadable")
            for script in (
                *("$X -rf y", "$(echo rm) x", "`echo rm` x", "$'rm' x", "/bin/r? x", "rm\u200b x"),
                *("\uff52m x", "alias ls=rm", "git -c alias.a='!rm' a", 'sh -c "$X"'),
                *("python -c 'x'", "perl -pe 'x'", "pwsh -enc cm0=", "cmd /c $X"),
                'sh -c "sh -c \'sh -c \\"sh -c x\\"\'"',
            )
        ),
        *(
            (script, "pipes_into_shell")
            for script in (
                *("bash <<E\nrm x\nE", "cat <<E | bash\nrm x\nE", "bash <<< 'rm x'"),
                *("python - <<'E'\nx\nE", "echo cm0= | base64 -d | sudo -n sh", "bash <(curl x)"),
            )
        ),
    ],
)
def test_a_command_that_hides_what_it_does_has_a_risk_all_the_same(script: str, kind: str) -> None:
    assert kind in {risk.kind for risk in command_risks(script, FOLDER)}


@pytest.mark.parametrize(
    "script",
    ["xargs grep -n rm", "cat x > y 2>/dev/null", "uv run pytest -c x", "[ -f x ] && ./gradlew"],
)
def test_what_hides_nothing_has_no_risk(script: str) -> None:
    assert [] == list(command_risks(script, FOLDER))


def test_risks_beyond_those_that_are_shown_are_told_of() -> None:
    script = ";".join(f"rm x{n}" for n in range(MOST_RISKS + 1))
    risks = with_risks(ApprovalRequest("command", "", {"script": script}, "t", None, "i")).risks
    assert MOST_RISKS == len(risks)
    assert Risk("unreadable", "more risks than are shown here") == risks[-1]


@pytest.mark.parametrize(
    "script", ["a|" * 4000, "${" * 4000, "<<E\n" * 2600, "x " * 9000, "find -exec " * 800]
)
def test_a_command_that_is_written_to_be_slow_is_given_up_soon_and_says_so(script: str) -> None:
    begun = time.thread_time()
    assert "unreadable" in {risk.kind for risk in command_risks(script, FOLDER)}
    assert 20 * SECONDS > time.thread_time() - begun


def test_a_reader_that_is_not_there_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ImportError

    monkeypatch.setattr("command_center.actors.sessions.command_risks._parser", missing)
    found = Risk("unreadable", "its reader is not installed")
    assert [found] == list(command_risks("rm x", FOLDER))


@pytest.mark.parametrize(
    ("kind", "details", "found"),
    [
        ("command", {"script": "make", "network": {"host": "x.y"}}, [Risk("network", "x.y")]),
        ("permissions", {"network": True}, [Risk("network", "full access")]),
        (
            "file_change",
            {"files": [{"path": "a.py", "change": "delete"}, {"path": ".env", "change": "add"}]},
            [Risk("deletes", "a.py"), Risk("secrets", ".env")],
        ),
    ],
)
def test_other_questions_have_risks_too(
    kind: str, details: dict[str, Any], found: list[Risk]
) -> None:
    asked = ApprovalRequest(kind, "", details, "thread", None, "item")
    assert tuple(found) == with_risks(asked).risks
