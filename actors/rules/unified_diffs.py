"""Unified diffs of texts, to be read by a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import unified_diff as hunks_of


def added(path: str, text: str) -> str:
    """Show a file that is new."""
    return f"--- /dev/null\n+++ {path}\n{_whole(text, '+')}"


def deleted(path: str, text: str) -> str:
    """Show a file that is gone; `text` is what it held."""
    return f"--- {path}\n+++ /dev/null\n{_whole(text, '-')}"


def changed(path: str, hunks: str, *, target: str | None = None) -> str:
    """Show what changed in a file, which may have become another one, `target`."""
    end = "" if hunks.endswith("\n") or not hunks else "\n"
    return f"--- {path}\n+++ {target or path}\n{hunks}{end}"


def diff_of(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Show what differs between two sets of files, whose texts are given by their paths."""
    return "".join(
        change
        for path in sorted(before.keys() | now.keys())
        for change in _change(path, before.get(path), now.get(path))
    )


def _change(path: str, before: str | None, now: str | None) -> Iterator[str]:
    if before == now:
        return
    if now is None:
        yield deleted(path, before or "")
    elif before is None:
        yield added(path, now)
    else:
        yield changed(path, _hunks(before, now))


def _hunks(before: str, now: str) -> str:
    old, new = before.splitlines(), now.splitlines()
    if old == new:
        return "@@ -1 +1 @@\n The lines are the same, and end in another way.\n"
    hunks = [*hunks_of(old, new, lineterm="")][2:]
    return "\n".join(hunks) + "\n"


def _whole(text: str, sign: str) -> str:
    lines = text.splitlines()
    if not lines:
        return ""
    span = f"1,{len(lines)}" if len(lines) > 1 else "1"
    head = f"@@ -0,0 +{span} @@" if sign == "+" else f"@@ -{span} +0,0 @@"
    end = "" if text.endswith("\n") else "\\ No newline at end of file\n"
    return head + "\n" + "".join(f"{sign}{line}\n" for line in lines) + end
