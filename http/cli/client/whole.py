"""All of what an answer shows shortened: a command is approved by who sees its middle, too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from command_center_client.call import ApiCall
from command_center_client.connection import CommandCenter


def whole(center: CommandCenter, path: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of that path with each shortened field as all of it."""
    told = dict(record)
    for field in record.get("shortened") or ():
        text = _text(center, f"{path}/text", field)
        told[field] = text if isinstance(record[field], str) else json.loads(text)
    return told


def _text(center: CommandCenter, path: str, field: str) -> str:
    pieces: list[str] = []
    cursor: str | None = None
    while not pieces or cursor is not None:
        query = {"field": field, "cursor": cursor}
        piece = center.send(ApiCall[Any]("GET", path, query=query))
        pieces.append(piece["text"])
        cursor = piece["nextCursor"]
    return "".join(pieces)
