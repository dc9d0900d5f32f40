"""Hints that Codex asks for more than the session was allowed, as far as the request shows it.

Nothing is held here. Codex's sandbox holds it, and a person is asked; this tells that person that
agreeing gives the session something its run did not get. A command can hide what it does, so a
request without such a word is no promise.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

import attrs

from command_center.actors.git.ports import PROGRAM
from command_center.actors.rules.questions import ApprovalRequest
from command_center.store import Session

COMMITTING = frozenset(
    {"am", "cherry-pick", "commit", "commit-tree", "merge", "pull", "rebase", "revert"}
)
"""The commands of git that make commits."""

REACHING_OUT = frozenset({"clone", "fetch", "ls-remote", "pull", "push", "submodule"})
"""The commands of git that use the network."""

TAKES_VALUE = frozenset({"-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path"})
"""Options of git itself whose value is the next word."""


def with_limits(session: Session, wanted: ApprovalRequest) -> ApprovalRequest:
    """Return the request, with `beyondRun` in its details where it asks for more than the run got.

    `beyondRun` lists sentences such as “This session may not commit.”
    """
    said = list(_beyond(session, wanted))
    if not said:
        return wanted
    return attrs.evolve(wanted, details={**wanted.details, "beyondRun": said})


def git_commands(script: str) -> list[str]:
    """List the commands of git that a shell's script names, wherever in it they stand."""
    try:
        lexer = shlex.shlex(script, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:
        words = script.split()
    found = []
    for place, word in enumerate(words):
        if word.replace("\\", "/").rpartition("/")[2].removesuffix(".exe") == PROGRAM:
            command = _command_after(words[place + 1 :])
            if command is not None:
                found.append(command)
        elif " " in word and PROGRAM in word:
            found += git_commands(word)  # the script of a shell within the shell
    return found


def _command_after(words: Sequence[str]) -> str | None:
    rest = iter(words)
    for word in rest:
        if word in TAKES_VALUE:
            next(rest, None)
        elif not word.startswith("-"):
            return word
    return None


def _beyond(session: Session, wanted: ApprovalRequest) -> Iterator[str]:
    details = wanted.details
    commands = set(git_commands(str(details.get("script") or "")))
    if not session.allow_commit and commands & COMMITTING:
        yield "This session may not commit."
    if not session.allow_network and (commands & REACHING_OUT or details.get("network")):
        yield "This session may not use the network."
    if session.sandbox == "read-only" and (
        wanted.kind == "file_change" or details.get("write") or commands & COMMITTING
    ):
        yield "This session may not write."
