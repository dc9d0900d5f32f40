"""A `fileChange` item's changes as one unified diff, to be read by a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def unified_diff(changes: Sequence[Mapping[str, Any]]) -> str:
    """Join the changes; Codex gives the bare content of added and deleted files, else hunks."""
    return "".join(_one(change) for change in changes)


def is_change(change: object) -> bool:
    """Return whether it has the members that are read here; a later Codex may tell of others."""
    match change:
        case {"path": str(), "kind": {"type": str()}, "diff": str()}:
            return True
        case _:
            return False


def _one(change: Mapping[str, Any]) -> str:
    path, kind, text = str(change["path"]), change["kind"], str(change["diff"])
    target = kind.get("move_path") or path
    match kind["type"]:
        case "add":
            return f"--- /dev/null\n+++ {path}\n{_whole(text, '+')}"
        case "delete":
            return f"--- {path}\n+++ /dev/null\n{_whole(text, '-')}"
        case _:
            body = text if text.endswith("\n") or not text else f"{text}\n"
            return f"--- {path}\n+++ {target}\n{body}"


def _whole(text: str, sign: str) -> str:
    lines = text.splitlines()
    if not lines:
        return ""
    span = f"1,{len(lines)}" if len(lines) > 1 else "1"
    head = f"@@ -0,0 +{span} @@" if sign == "+" else f"@@ -{span} +0,0 @@"
    end = "" if text.endswith("\n") else "\\ No newline at end of file\n"
    return head + "\n" + "".join(f"{sign}{line}\n" for line in lines) + end
