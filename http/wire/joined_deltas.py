"""Deltas of one item, joined: fewer and larger events for who does not need each word at once.

A client asks for them by `coalesce`, in milliseconds. A delta then waits so long for those that
follow it. Whatever is no delta is not held up, and takes along what waits before it, so that the
order of a session's events stays. Joined are deltas of one item between which nothing else of their
session was told. Their event is that of the last of them, with all their text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from command_center.actors.contracts.events.sessions import DeltaShown
from command_center.actors.core.events import Published
from command_center.store import StoredEvent, event_type

DELTA = event_type(DeltaShown)


def is_delta(event: StoredEvent) -> bool:
    """Return True for a piece of a message or of a command's output."""
    return event.type == DELTA


def joined(batch: Iterable[Published]) -> list[Published]:
    """Return the events with the deltas of an item as one, in the place of the first of them.

    One that was shortened is left as it is, since its text has a gap.
    """
    given: list[Published | _Run] = []
    runs: dict[int | None, _Run] = {}
    for published in batch:
        event = published.event
        piece = _decoder.decode(event.body) if is_delta(event) else None
        run = runs.get(event.session_id)
        if piece is None or piece.shortened:
            runs.pop(event.session_id, None)
            given.append(published)
        elif run is not None and run.goes_on_with(piece.data):
            run.add(published, piece.data)
        else:
            run = runs[event.session_id] = _Run(published, piece.data)
            given.append(run)
    return [one.published() if isinstance(one, _Run) else one for one in given]


class _Data(msgspec.Struct, frozen=True, rename="camel"):
    item_id: str
    delta: str
    stream: str
    agent_id: int | UnsetType = UNSET


class _Piece(msgspec.Struct, frozen=True):
    data: _Data
    shortened: bool = False


class _Run:
    """Deltas of one item that follow each other."""

    def __init__(self, first: Published, data: _Data) -> None:
        self._last = first
        self._item = (data.item_id, data.stream, data.agent_id)
        self._texts = [data.delta]

    def goes_on_with(self, data: _Data) -> bool:
        return (data.item_id, data.stream, data.agent_id) == self._item

    def add(self, published: Published, data: _Data) -> None:
        self._last = published
        self._texts.append(data.delta)

    def published(self) -> Published:
        if len(self._texts) == 1:
            return self._last
        event = self._last.event
        wire: dict[str, Any] = msgspec.json.decode(event.body)
        wire["data"]["delta"] = "".join(self._texts)
        return Published(msgspec.structs.replace(event, body=msgspec.json.encode(wire)))


_decoder = msgspec.json.Decoder(_Piece)
