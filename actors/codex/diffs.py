"""A `fileChange` item's changes as one unified diff, to be read by a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from command_center.actors.rules.unified_diffs import added, changed, deleted


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
    match kind["type"]:
        case "add":
            return added(path, text)
        case "delete":
            return deleted(path, text)
        case _:
            return changed(path, text, target=kind.get("move_path"))
