"""The files of Codex's user, as Codex itself reads them out: also those of another machine."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import Any, Final

import attrs
import structlog
import trio

from command_center.actors.codex import requests
from command_center.actors.codex.allow_rules import AllowRule, read_rules
from command_center.actors.codex.errors import CodexError
from command_center.actors.codex.pages import Ask
from command_center.actors.rules.errors import Conflict
from command_center.actors.sessions.runners.codex.read_ahead import ReadAhead

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

MOST_FILES: Final = 50
"""Files of rules that are looked at in one folder."""

LOADED: Final = ("hooks.json", "AGENTS.")
"""The beginnings of the names of files beside a configuration with which Codex loads a thread."""

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


@attrs.frozen
class UserFiles:
    """The texts of the files that Codex loads a thread with, by their paths."""

    rules: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    others: Mapping[str, str] = attrs.field(factory=dict, repr=False)

    @cached_property
    def allowing(self) -> tuple[AllowRule, ...]:
        """Return the rules that let commands out of the sandbox."""
        return tuple(rule for text in self.rules.values() for rule in read_rules(text))


async def read_user_files(ask: Ask, layers: Sequence[dict[str, Any]]) -> UserFiles:
    """Ask Codex for the rules beside these layers, and what else it loads from there.

    The folders are asked for at once.

    Raises what `ask` raises, but for Codex's own refusals.
    """
    rules: dict[str, str] = {}
    others: dict[str, str] = {}
    folders = list(dict.fromkeys(filter(None, map(_folder_of, layers))))
    listings = {
        path: ReadAhead(partial(_paths_in, ask, path))
        for folder in folders
        for path in (folder / "rules", folder)
    }
    async with trio.open_nursery() as nursery:
        for listing in listings.values():
            nursery.start_soon(listing.begin)
    for folder in folders:
        for path in await listings[folder / "rules"].get():
            if path.suffix == ".rules" and len(rules) < MOST_FILES:
                rules[str(path)] = await _text_of(ask, str(path))
        for path in await listings[folder].get():
            if path.name.startswith(LOADED):
                others[str(path)] = await _text_of(ask, str(path))
    return UserFiles(rules, others)


def _folder_of(layer: Any) -> PurePath | None:
    """Return the folder of a layer's configuration."""
    match layer:
        case {"name": {"type": kind, "file": str(file)}} if kind in LAYERS:
            path = PureWindowsPath(file) if "\\" in file else PurePosixPath(file)
            return path.parent
        case _:
            return None


async def _paths_in(ask: Ask, folder: PurePath) -> list[PurePath]:
    try:
        entries = (await ask(requests.directory_read(str(folder)))).get("entries") or []
    except CodexError:  # there is none
        return []
    names = sorted(str(entry.get("fileName")) for entry in entries if entry.get("isFile"))
    return [folder / name for name in names]


async def _text_of(ask: Ask, path: str) -> str:
    try:
        content = (await ask(requests.file_read(path))).get("dataBase64") or ""
        return base64.b64decode(content).decode(errors="replace")
    except (CodexError, binascii.Error) as error:
        log.info("codex.file.unread", path=path, reason=str(error))
        return ""
