"""The rules of Codex's user that let commands out of the sandbox, without anybody being asked.

An app-server has no way to leave its user's rules out, so what they let through is told of. Rules
are Starlark, of which `prefix_rule(pattern=[…], decision=…)` is Python, too; `allow` is assumed.
A command leaves the sandbox where each of its parts begins as an allowing rule says. What is said
here of a command is a likeness of how Codex reads it, not a limit.

Source: `codex execpolicy check`, and `codex-rs/core/src/exec_policy.rs`.
"""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

CONNECTORS: Final = frozenset({"&&", "||", ";", "|"})
SHELLS: Final = frozenset({"bash", "zsh", "sh"})


class AllowRule(msgspec.Struct, frozen=True):
    """Commands that begin with one of the words of each place, in order."""

    pattern: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        """Write it as its words, with a bar between those of one place."""
        return " ".join("|".join(words) for words in self.pattern)

    def matches(self, words: Sequence[str]) -> bool:
        """Say whether a command of these words begins so."""
        places = zip(words, self.pattern, strict=False)
        return len(words) >= len(self.pattern) and all(word in place for word, place in places)


def read_rules(text: str) -> Iterator[AllowRule]:
    """Read the allowing rules of a file; what is no plain call of `prefix_rule` is left out."""
    try:
        parsed = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(parsed):
        match node:
            case ast.Call(func=ast.Name(id="prefix_rule"), keywords=keywords):
                try:
                    given = {one.arg: ast.literal_eval(one.value) for one in keywords}
                    wanted = given.get("decision", "allow"), given.get("pattern")
                except ValueError:
                    continue
                match wanted:
                    case "allow", [_, *_] as pattern:
                        yield AllowRule(tuple(map(_place, pattern)))


def _place(words: object) -> tuple[str, ...]:
    return tuple(map(str, words)) if isinstance(words, list | tuple) else (str(words),)


def allowing(rules: Sequence[AllowRule], command: str) -> list[AllowRule]:
    """Find the rules that let a command line out of the sandbox; none, if it stays in it."""
    try:
        words = shlex.split(command)
    except ValueError:
        return []
    whole = _first(rules, words)
    if whole is not None:
        return [whole]
    parts = list(_parts(words))
    found = [rule for part in parts if (rule := _first(rules, part)) is not None]
    return list(dict.fromkeys(found)) if parts and len(found) == len(parts) else []


def _first(rules: Sequence[AllowRule], words: Sequence[str]) -> AllowRule | None:
    return next((rule for rule in rules if rule.matches(words)), None)


def _parts(words: Sequence[str]) -> Iterator[list[str]]:
    """Return the plain commands of a shell's script; none where it holds anything but those."""
    match words:
        case [shell, "-c" | "-lc", script] if shell.rpartition("/")[2] in SHELLS:
            lexer = shlex.shlex(script, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
        case _:
            return
    parts: list[list[str]] = [[]]
    try:
        for word in lexer:
            if word in CONNECTORS:
                parts.append([])
            elif set(word) <= set("();<>|&") or set("$`") & set(word):
                return
            else:
                parts[-1].append(word)
    except ValueError:
        return
    yield from (part for part in parts if part)
