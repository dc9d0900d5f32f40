"""Comments on what a session has changed: the lines that they speak of, then and now."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import attrs
import msgspec
from sqlite_utils import Database

from command_center.actors.contracts.comments import (
    CreateComment,
    PlaceComments,
    PlacedComment,
)
from command_center.actors.contracts.reviews import QuoteFindings
from command_center.actors.core.storage import Storage
from command_center.actors.ledger.comments import add_comment, lines_meant
from command_center.actors.ledger.reviews import quote_finding
from command_center.actors.repositories.seen_changes import SeenChanges
from command_center.actors.rules.errors import Conflict, Invalid, NotFound, Unavailable
from command_center.actors.rules.unified_diffs import lines_of
from command_center.runtime import Refusal
from command_center.store import Comment, comments

LONGEST: Final = 200
"""Lines that one comment may speak of."""

QUOTE_LENGTH: Final = 20_000
"""Characters of the lines that one comment may speak of."""

FILES: Final = 30
"""Files that are looked at for the comments of one page."""


@attrs.frozen
class Comments:
    """The work behind the messages; each public method answers one of them."""

    _storage: Storage
    _seeing: SeenChanges

    async def create(self, message: CreateComment) -> Comment:
        """Keep a comment, with the lines as they are now.

        Raises:
            NotFound: there is no such session, or the file has not changed.
            Invalid: the path is not one of the work tree, or the text says nothing.
            Conflict: the lines are not there, are too many, or too many comments are open.
        """
        wanted = message.wanted
        if not wanted.text.strip():
            raise Invalid.field("text", "Expected some text.")
        first, last = lines_meant(wanted)
        if last - first >= LONGEST:
            raise Conflict(f"A comment speaks of at most {LONGEST} lines.")
        before, after = lines_of(await self._seeing.read_file(message.session_id, wanted.path))
        lines = before if wanted.side == "before" else after
        there = [lines[number] for number in range(first, last + 1) if number in lines]
        if len(there) <= last - first:
            raise Conflict(f"{wanted.path} has no such lines {wanted.side} the change.")
        quote = "\n".join(there)
        if len(quote) > QUOTE_LENGTH:
            raise Conflict(f"The lines have more than {QUOTE_LENGTH} characters: name fewer.")
        return await self._storage.write(lambda tx: add_comment(tx, message, quote))

    async def quote(self, message: QuoteFindings) -> None:
        """Keep the lines of a review's comments; of lines that cannot be shown, none are kept."""

        def load(db: Database) -> list[Comment]:
            return comments.every(db, {"review_session_id": message.review_session_id})

        for comment in await self._storage.read(load):
            try:
                text = await self._seeing.read_file(comment.session_id, comment.path)
            except Refusal:
                continue
            after = lines_of(text)[1]
            numbers = range(comment.line, comment.end_line + 1)
            if comment.quote or len(numbers) > LONGEST or not all(one in after for one in numbers):
                continue
            quote = "\n".join(after[number] for number in numbers)[:QUOTE_LENGTH]
            await self._storage.write(partial(quote_finding, comment_id=comment.id, quote=quote))

    async def place(self, message: PlaceComments) -> list[PlacedComment]:
        """Say where the lines of comments are now; of a file that is not there, nowhere."""
        paths = list(dict.fromkeys(comment.path for comment in message.comments))
        sides: dict[str, tuple[dict[int, str], dict[int, str]] | None] = {}
        for path in paths[:FILES]:
            try:
                sides[path] = lines_of(await self._seeing.read_file(message.session_id, path))
            except (Invalid, NotFound):
                sides[path] = ({}, {})
            except (Conflict, Unavailable):
                sides[path] = None
        return [_placed(comment, sides.get(comment.path)) for comment in message.comments]


def _placed(comment: Comment, sides: tuple[dict[int, str], dict[int, str]] | None) -> PlacedComment:
    known = msgspec.structs.asdict(comment)
    if sides is None:
        return PlacedComment(**known)
    lines = sides[comment.side == "after"]
    if not comment.quote:
        here = comment.line if comment.line in lines else None
        return PlacedComment(**known, is_outdated=here is None, current_line=here)
    line = _place_of(comment.quote.split("\n"), lines, comment.line)
    return PlacedComment(**known, is_outdated=line is None, current_line=line)


def _place_of(quote: Sequence[str], lines: dict[int, str], line: int) -> int | None:
    """Return where lines are: where they were, or else where they are once; None if nowhere."""

    def is_at(first: int) -> bool:
        return all(lines.get(first + at) == text for at, text in enumerate(quote))

    if is_at(line):
        return line
    found = [first for first in lines if is_at(first)]
    return found[0] if len(found) == 1 else None
