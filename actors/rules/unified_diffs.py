"""Unified diffs of texts, to be read by a person; and read again, file by file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff as hunks_of
from typing import Final

import attrs

_HUNK: Final = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_PLACES: Final = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_NAMES: Final = re.compile(r'diff --git "?a/(.*?)"? "?b/(.*?)"?')


@attrs.frozen(kw_only=True)
class FileDiff:
    """A diff's part about one file; `previous` is the path before, None for a new file."""

    path: str
    previous: str | None
    is_deleted: bool
    is_binary: bool
    additions: int
    deletions: int
    text: str


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


def split_diff(text: str) -> list[FileDiff]:
    """Read a diff file by file, in its order; what belongs to no file is left out."""
    parts: list[list[str]] = []
    left = [0, 0]  # lines that the hunk still has, by its head
    is_named = False  # by "diff --git", and no "--- " came since
    for line in text.splitlines(keepends=True):
        if parts and any(left) and line[:1] in {"+", "-", " ", "\n"}:
            left[0] -= line[0] != "+" and left[0] > 0
            left[1] -= line[0] != "-" and left[1] > 0
        elif line.startswith("diff --git ") or (line.startswith("--- ") and not is_named):
            parts.append([])
            left = [0, 0]
            is_named = line.startswith("diff")
        elif line.startswith("--- "):
            is_named = False
        elif (hunk := _HUNK.match(line)) is not None:
            left = [int(count or 1) for count in hunk.groups()]
        if parts:
            parts[-1].append(line)
    return [found for part in parts for found in _read(part)]


def lines_of(text: str) -> tuple[dict[int, str], dict[int, str]]:
    """Return the lines that a file's diff shows, by their numbers: before the change, and after."""
    before: dict[int, str] = {}
    after: dict[int, str] = {}
    old = new = old_left = new_left = 0
    for line in text.splitlines():
        if not (old_left or new_left):
            if (hunk := _PLACES.match(line)) is not None:
                old, new = int(hunk[1]), int(hunk[3])
                old_left, new_left = int(hunk[2] or 1), int(hunk[4] or 1)
            continue
        if line.startswith("\\"):
            continue
        if not line.startswith("+"):
            before[old] = line[1:]
            old, old_left = old + 1, max(0, old_left - 1)
        if not line.startswith("-"):
            after[new] = line[1:]
            new, new_left = new + 1, max(0, new_left - 1)
    return before, after


def _read(lines: Sequence[str]) -> Iterator[FileDiff]:
    """Read the part of one file; nothing where it has no name."""
    before: str | None = None
    after: str | None = None
    hunks = next((at for at, line in enumerate(lines) if line.startswith("@@")), len(lines))
    for line in lines[:hunks]:
        text = line.rstrip("\n")
        if (named := _NAMES.fullmatch(text)) is not None:
            before, after = named.groups()
        elif text.startswith("new file mode"):
            before = None
        elif text.startswith("deleted file mode"):
            after = None
        elif text.startswith("--- "):
            before = _plain(text[4:])
        elif text.startswith("+++ "):
            after = _plain(text[4:])
    path = after or before
    if path is not None:
        body = [line for line in lines[hunks:] if not line.startswith("@@")]
        yield FileDiff(
            path=path,
            previous=before,
            is_deleted=after is None,
            is_binary=any(line.startswith("Binary files ") for line in lines[:hunks]),
            additions=sum(line.startswith("+") for line in body),
            deletions=sum(line.startswith("-") for line in body),
            text="".join(lines),
        )


def _plain(name: str) -> str | None:
    name = name.rstrip("\t")
    if name == "/dev/null":
        return None
    return re.sub(r'^"?[ab]/|"$', "", name)
