"""The requests of Codex that wait for an answer on the connection of now.

Their number is bounded over all threads; each is answered once. Codex asks again what is open when
a thread is joined, under the same id, and that is the same request.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import attrs

from command_center.actors.codex import protocol
from command_center.actors.codex.errors import RequestGone

MAX_OPEN: Final = 1000
"""Requests of Codex that may be open on one connection, over all threads."""


@attrs.define(eq=False)
class OpenRequest:
    """One request; its `name` is unique over all connections."""

    id: protocol.RequestId
    name: str
    thread_id: str
    method: str
    params: dict[str, Any]
    answered: bool = False


class OpenRequests:
    """All that are open, those included whose answer Codex has not confirmed."""

    def __init__(self) -> None:
        """Begin with none."""
        self._open: dict[protocol.RequestId, OpenRequest] = {}

    def __iter__(self) -> Iterator[OpenRequest]:
        """Go through all of them, the oldest first."""
        return iter(list(self._open.values()))

    @property
    def unanswered(self) -> list[OpenRequest]:
        """Return those that wait for an answer."""
        return [request for request in self._open.values() if not request.answered]

    def add(
        self, request: protocol.ServerRequest, thread_id: str, connection: str
    ) -> OpenRequest | None:
        """Keep what Codex asks and return it; None where too much is open already."""
        known = self._open.get(request.id)
        if known is None or (known.answered and known.params != request.params):
            if len(self._open) >= MAX_OPEN and not self._forget_answered():
                return None
            name = f"{connection}:{request.id}"
            known = OpenRequest(request.id, name, thread_id, request.method, request.params)
            self._open[request.id] = known
        return known

    def take(self, name: str) -> OpenRequest:
        """Take one to answer it, once.

        Raises:
            RequestGone: it is not open, or has been taken.
        """
        for request in self._open.values():
            if request.name == name and not request.answered:
                request.answered = True
                return request
        raise RequestGone(name)

    def resolve(self, id_: object) -> OpenRequest | None:
        """Forget the one that Codex says is resolved, and return it; None where none is known."""
        return self._open.pop(id_, None) if isinstance(id_, int | str) else None

    def clear(self) -> None:
        """Forget all: their connection is lost."""
        self._open.clear()

    def _forget_answered(self) -> bool:
        answered = [id_ for id_, request in self._open.items() if request.answered]
        for id_ in answered:
            del self._open[id_]
        return bool(answered)
