"""The rules of Codex's user, as Codex itself reads them out: also those of another machine."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Final

import structlog

from command_center.actors.codex import requests
from command_center.actors.codex.allow_rules import AllowRule, read_rules
from command_center.actors.codex.errors import CodexError
from command_center.actors.codex.pages import Ask
from command_center.actors.rules.errors import Conflict

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

MOST_FILES: Final = 50
"""Files of rules that are looked at in one folder."""

LAYERS: Final = frozenset({"user", "system"})
"""The layers whose rules count besides those of a project, which count only if it is trusted."""


async def read_layers(ask: Ask) -> list[dict[str, Any]]:
    """Ask Codex which files it reads its settings from, and for what stands in them.

    Return none if its version cannot say.

    Raises what `ask` raises, but for Codex's own refusals.
    """
    try:
        return (await ask(requests.config_read())).get("layers") or []
    except (CodexError, Conflict) as error:
        log.info("codex.layers.unknown", reason=str(error))
        return []


async def read_user_rules(ask: Ask, layers: Sequence[dict[str, Any]]) -> tuple[AllowRule, ...]:
    """Ask Codex for the rules beside these layers that let commands out of the sandbox.

    Raises what `ask` raises, but for Codex's own refusals.
    """
    found: list[AllowRule] = []
    for folder in dict.fromkeys(filter(None, map(_folder_of, layers))):
        for path in await _paths_in(ask, folder):
            found += read_rules(await _text_of(ask, path))
    return tuple(found)


def _folder_of(layer: Any) -> str | None:
    """Return the folder of a layer's rules: it lies beside its configuration."""
    match layer:
        case {"name": {"type": kind, "file": str(file)}} if kind in LAYERS:
            path = PureWindowsPath(file) if "\\" in file else PurePosixPath(file)
            return str(path.parent / "rules")
        case _:
            return None


async def _paths_in(ask: Ask, folder: str) -> list[str]:
    try:
        entries = (await ask(requests.directory_read(folder))).get("entries") or []
    except CodexError:  # there is none
        return []
    place = PureWindowsPath(folder) if "\\" in folder else PurePosixPath(folder)
    names = sorted(str(entry.get("fileName")) for entry in entries if entry.get("isFile"))
    return [str(place / name) for name in names if name.endswith(".rules")][:MOST_FILES]


async def _text_of(ask: Ask, path: str) -> str:
    try:
        content = (await ask(requests.file_read(path))).get("dataBase64") or ""
        return base64.b64decode(content).decode(errors="replace")
    except (CodexError, binascii.Error) as error:
        log.info("codex.rules.unread", path=path, reason=str(error))
        return ""
