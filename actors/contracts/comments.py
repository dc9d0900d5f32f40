"""The messages about comments on what a session has changed, and their answers."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from command_center.actors.contracts.fields import NOT_BLANK
from command_center.actors.rules.lengths import NOTE_LENGTH, Name, PathText
from command_center.actors.rules.preconditions import Condition, always
from command_center.runtime import Request
from command_center.store import Comment, Followup, Session
from command_center.store.records import CommentSide

MOST_OPEN = 100
"""Comments of a task that may be open at a time, so that one message has room for them."""

Line = Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]

Remark = Annotated[
    str, msgspec.Meta(max_length=NOTE_LENGTH, extra_json_schema={"pattern": NOT_BLANK})
]
"""A text that says something, as long as a note."""


class NewComment(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A remark on lines of a file that a session has changed.

    Attributes:
        side: whether the lines are those before the change, or after it.
        line: the first of the lines, from 1 on.
        end_line: the last of them; the same, if left out.
    """

    path: PathText
    side: CommentSide = "after"
    line: Line
    end_line: Line | None = None
    text: Remark
    requested_by: Name = "api"


class CreateComment(msgspec.Struct, Request[Comment], frozen=True):
    """Keep a remark, with the lines that it speaks of."""

    session_id: int
    wanted: NewComment


class PlacedComment(Comment, frozen=True, kw_only=True, rename="camel"):
    """A comment, and the place of its lines in the file now.

    Attributes:
        is_outdated: the lines are not there any more, or not once; null where that was not looked
            at, as of comments on many files.
        current_line: the first of them now; null where they are not there.
    """

    is_outdated: bool | None = None
    current_line: int | None = None


class PlaceComments(msgspec.Struct, Request[list[PlacedComment]], frozen=True):
    """Say where the lines of comments are now, in the folder of a session."""

    session_id: int
    comments: list[Comment]


class CommentText(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The text of a comment."""

    text: Remark
    requested_by: Name = "api"


class ChangeComment(msgspec.Struct, Request[Comment], frozen=True):
    """Say something else, or with no text take it back, as long as it was not sent."""

    comment_id: int
    text: str | None
    requested_by: Name = "api"
    condition: Condition = always


class SentComments(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The comments that were sent, and what they became.

    Attributes:
        followup: what is said when the turn has ended; null where it is said at once.
        session: the session that is told, or during which the follow-up waits.
        comments: those that were sent.
    """

    followup: Followup | None = None
    session: Session
    comments: list[Comment]


class SendRequest(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The way in which comments are sent: to the running turn, or once it has ended."""

    how: Literal["followup", "steer"] = "followup"
    requested_by: Name = "api"


class SendComments(msgspec.Struct, Request[SentComments], frozen=True):
    """Make one follow-up of all open comments of a session's task; its next turn, if none runs."""

    session_id: int
    requested_by: Name = "api"


class SteerComments(msgspec.Struct, Request[SentComments], frozen=True):
    """Say all open comments to the turn that is running, as one message."""

    requested_by: Name = "api"
