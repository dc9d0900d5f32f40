"""A session's document, sent piece by piece: read in a thread, made into text in another.

A document ends where its transcript comes to its bound. What came of the session is told always.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Final, Literal, Protocol, TypeAlias

from command_center.actors.center import Center
from command_center.http.sharing import markdown, page
from command_center.http.sharing.blocks import Block, OwnRemark
from command_center.http.sharing.story import Opened, Teller, diff_of, items_after
from command_center.http.wire.codec import aside
from command_center.store import Item, sessions

DocumentForm: TypeAlias = Literal["markdown", "html"]
"""The form of a document."""


class _Form(Protocol):
    """A module that writes blocks."""

    def head(self) -> str: ...

    def tail(self) -> str: ...

    def written(self, block: Block, /) -> str: ...


FORMS: Final[dict[DocumentForm, _Form]] = {"markdown": markdown, "html": page}
CONTENT_TYPES: Final[dict[DocumentForm, str]] = {"markdown": "text/markdown", "html": "text/html"}
SUFFIXES: Final[dict[DocumentForm, str]] = {"markdown": "md", "html": "html"}

LONGEST: Final = 16 << 20
"""Bytes of a document after which its transcript is cut."""


class SessionDocument:
    """The document of a session, as the source of an answer's body."""

    def __init__(
        self, center: Center, told: Opened, form: DocumentForm, *, longest: int = LONGEST
    ) -> None:
        """Read nothing before it is asked for."""
        self._center = center
        self._told = told
        self._form = FORMS[form]
        self._teller = Teller(center.storage.secrets)
        self._left = longest
        self._cursor: str | None = None
        self._stage: Literal["beginning", "transcript", "ending", "over"] = "beginning"

    def begin(self, stack: ExitStack) -> None:
        """Do nothing: no piece holds anything until the next one."""

    async def next(self) -> bytes:
        """Return the next piece.

        Raises:
            StopAsyncIteration: there is none any more.
        """
        match self._stage:
            case "beginning":
                self._stage = "transcript"
                return await aside(self._beginning)
            case "transcript":
                return await self._transcript()
            case "ending":
                self._stage = "over"
                return await self._ending()
            case _:
                raise StopAsyncIteration

    def _beginning(self) -> bytes:
        return self._form.head().encode() + self._written(self._teller.beginning(self._told))

    async def _transcript(self) -> bytes:
        session_id, cursor = self._told.session.id, self._cursor
        found, names = await self._center.storage.read_long(
            lambda db: items_after(db, session_id, cursor)
        )
        self._cursor = found.next_cursor
        piece = await aside(self._items, found.items, names)
        if found.damaged:
            ids = ", ".join(map(str, found.damaged))
            piece += self._written([OwnRemark(f"Entries are damaged and left out: {ids}.")])
        self._left -= len(piece)
        if self._cursor is not None and self._left < 0:
            piece += self._written([OwnRemark("The transcript is longer, and cut here.")])
            self._cursor = None
        if self._cursor is None:
            self._stage = "ending"
        return piece

    def _items(self, found: list[Item], names: Mapping[int, str]) -> bytes:
        return b"".join(self._written(self._teller.item(item, names)) for item in found)

    async def _ending(self) -> bytes:
        session_id = self._told.session.id
        session, (diff, is_cut) = await self._center.storage.read_long(
            lambda db: (sessions.get(db, session_id), diff_of(db, session_id))
        )
        blocks = self._teller.ending(session, diff, is_cut=is_cut)
        return await aside(lambda: self._written(blocks) + self._form.tail().encode())

    def _written(self, blocks: Iterable[Block]) -> bytes:
        return "".join(map(self._form.written, blocks)).encode()
