"""The environment of an agent's processes: what they inherit, and what they must not see."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

OWNER = "COMMAND_CENTER_OWNER"
"""Marks every process that a Command Center has started: with its life and its state folder."""

CHILD = "COMMAND_CENTER_CHILD"
"""Marks a child, and all that it starts, with what no other child has."""

THREAD = "CODEX_THREAD_ID"
"""Variable in which Codex tells each command the id of its thread."""

HOME = "CODEX_HOME"
"""Names Codex's own folder."""

_PREFIXES = ("CC_", "TELEGRAM")
_PARTS = ("BOT_TOKEN",)


def agent_environment(
    environment: Mapping[str, str],
    *,
    secrets: Sequence[str] = (),
    state_folder: Path | None = None,
    life: str | None = None,
) -> dict[str, str]:
    """Return the environment without Command Center's own settings and bot tokens.

    Left out is every variable named `CC_…` or `TELEGRAM…` or that names a bot token, in any
    case of letters, and every variable whose value holds one of `secrets`. With a
    `state_folder` the mark of the `life` is added, of this process unless given. The thread that
    this process is a command of is left out too.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if not _is_ours(name.upper()) and not any(s and s in value for s in secrets)
    }
    kept.pop(OWNER, None)
    kept.pop(CHILD, None)
    kept.pop(THREAD, None)
    if kept.get(HOME):  # which may be relative to the folder of this process
        kept[HOME] = str(Path(kept[HOME]).absolute())
    if state_folder is not None:
        kept[OWNER] = f"{life or current_life()}:{state_folder.absolute()}"
    return kept


def current_life() -> str:
    """Name this process, other than any former one: by its id and the time at which it started."""
    return f"{os.getpid()}-{psutil.Process().create_time()}"


def life_of(environment: Mapping[str, str], state_folder: Path) -> str | None:
    """Return the life of the folder that started a process with this environment, or None."""
    life, _, folder = environment.get(OWNER, "").partition(":")
    return life if folder == str(state_folder.absolute()) else None


def _is_ours(name: str) -> bool:
    return name.startswith(_PREFIXES) or any(part in name for part in _PARTS)
