"""Commands that the rules of Codex's user let out of the sandbox, as Codex says it."""

import json
import subprocess
from pathlib import Path

import pytest

from command_center.actors.codex.allow_rules import AllowRule, allowing, read_rules

RULES = """
# A comment, as people write them.
prefix_rule(pattern=["touch"])
prefix_rule(
    pattern = ["git", ["push", "fetch"]],
    decision = "allow",
    match = ["git push origin"],
)
prefix_rule(pattern=["rm"], decision="forbidden")
prefix_rule(pattern=["curl"], decision="prompt", justification="It leaves the machine.")
"""


def test_allowing_rules_are_read_and_no_others() -> None:
    assert ["touch", "git push|fetch"] == [str(rule) for rule in read_rules(RULES)]


@pytest.mark.parametrize("text", ["prefix_rule(pattern=[", "prefix_rule(pattern=x)", "(" * 10_000])
def test_what_cannot_be_read_is_left_out(text: str) -> None:
    assert [] == list(read_rules(text))


@pytest.mark.parametrize(
    "words",
    [["touch", "x"], ["git", "push"], ["git", "status"], ["rm", "x"], ["curl", "x"], ["ls"]],
)
def test_codex_allows_what_is_said_to_be_allowed(
    codex_binary: Path, tmp_path: Path, words: list[str]
) -> None:
    path = tmp_path / "default.rules"
    path.write_text(RULES)
    done = subprocess.run(
        [codex_binary, "execpolicy", "check", "--rules", path, "--", *words],
        check=True,
        capture_output=True,
        text=True,
    )
    said = json.loads(done.stdout).get("decision")
    rules = list(read_rules(RULES))
    assert (said == "allow") == any(rule.matches(words) for rule in rules)


@pytest.mark.parametrize(
    ("command", "rules"),
    [
        ("touch x", ["touch"]),
        ("/bin/bash -lc 'touch x'", ["touch"]),
        ("/bin/bash -c 'touch x && git push'", ["touch", "git push|fetch"]),
        ("bash -c 'touch x; touch y'", ["touch"]),
        ("bash -c 'touch x && rm y'", []),
        ("bash -c 'touch x > y'", []),
        ("bash -c 'touch $HOME'", []),
        ("bash -c 'touch `id`'", []),
        ("bash -c '(touch x)'", []),
        ("bash -c 'touch x", []),
        ("python -c 'touch x'", []),
        ("bash -c ''", []),
    ],
)
def test_a_command_leaves_the_sandbox_where_each_of_its_parts_is_allowed(
    command: str, rules: list[str]
) -> None:
    assert rules == [str(rule) for rule in allowing(list(read_rules(RULES)), command)]


def test_a_rule_for_the_shell_lets_all_of_its_scripts_out() -> None:
    shell = AllowRule((("/bin/bash",),))
    assert [shell] == allowing([shell], "/bin/bash -c 'rm -rf / > log'")
