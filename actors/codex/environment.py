"""What the processes of an agent inherit from the environment, and what they must not see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

OWNER = "COMMAND_CENTER_OWNER"
"""Marks every process that a Command Center has started with the data folder that it serves."""

_PREFIXES = ("CC_", "TELEGRAM")
_PARTS = ("BOT_TOKEN",)


def agent_environment(
    environment: Mapping[str, str], *, secrets: Sequence[str] = (), owner: str = ""
) -> dict[str, str]:
    """The environment without Command Center's own settings and bot tokens.

    Left out is every variable named `CC_…` or `TELEGRAM…` or that names a bot token, in any
    case of letters, and every variable whose value holds one of `secrets`.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if not _is_ours(name.upper()) and not any(s and s in value for s in secrets)
    }
    kept.pop(OWNER, None)
    if owner:
        kept[OWNER] = owner
    return kept


def _is_ours(name: str) -> bool:
    return name.startswith(_PREFIXES) or any(part in name for part in _PARTS)
