"""Everything that is written of comments: each function is one unit of a transaction.

All open comments of a task are sent as one message, and marked in the transaction that keeps that
message: so each is said once, whatever happens in between. What is said to a running turn may be
refused by it; then they are open again.
"""

from __future__ import annotations

from typing import Any, Final

from command_center.actors.contracts.comments import (
    MOST_OPEN,
    CreateComment,
    NewComment,
    SentComments,
)
from command_center.actors.contracts.events.sessions import (
    CommentAdded,
    CommentCancelled,
    CommentChanged,
    CommentsReopened,
    CommentsSent,
)
from command_center.actors.ledger.sessions import tell
from command_center.actors.ledger.successors import say
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.lengths import PROMPT_LENGTH
from command_center.store import Comment, Session, Transaction, comments, sessions

QUOTED: Final = 10
"""Lines of a comment that are quoted in the message."""

QUOTED_LENGTH: Final = 200
"""Characters of each of them."""


def lines_meant(wanted: NewComment) -> tuple[int, int]:
    """Return the first and the last line that a comment speaks of, in whichever order they came."""
    ends = (wanted.line, wanted.end_line or wanted.line)
    return min(ends), max(ends)


def add_comment(tx: Transaction, message: CreateComment, quote: str) -> Comment:
    """Keep a comment with its lines, and tell of it.

    Raises:
        Conflict: too many are open.
    """
    wanted = message.wanted
    session = sessions.get(tx.db, message.session_id)
    if comments.count(tx.db, {"task_id": session.task_id, "status": "open"}) >= MOST_OPEN:
        raise Conflict(f"{MOST_OPEN} comments are open: send them first, or take some back.")
    first, last = lines_meant(wanted)
    return keep_comment(
        tx,
        session,
        path=wanted.path,
        side=wanted.side,
        line=first,
        end_line=last,
        text=wanted.text,
        quote=quote,
        requested_by=wanted.requested_by,
    )


def keep_comment(
    tx: Transaction, session: Session, *, actor: str | None = None, **fields: Any
) -> Comment:
    """Keep a comment on a session's work, and tell of it; `actor` made it, or who asked for it."""
    comment = comments.insert(tx, task_id=session.task_id, session_id=session.id, **fields)
    told = CommentAdded(
        comment_id=comment.id,
        path=comment.path,
        side=comment.side,
        line=comment.line,
        end_line=comment.end_line,
        text=comment.text,
        review_session_id=comment.review_session_id,
    )
    tell(tx, session, told, actor=actor or comment.requested_by)
    return comment


def change_comment(tx: Transaction, comment_id: int, *, text: str | None, actor: str) -> Comment:
    """Change what a comment says, or with no text take it back, until it is sent.

    Raises:
        Conflict: it was sent or taken back.
    """
    comment = comments.get(tx.db, comment_id)
    if comment.status != "open":
        raise Conflict(
            f"Comment {comment.id} is {comment.status} and cannot be changed.",
            currentStatus=comment.status,
        )
    changes: dict[str, Any] = {"status": "cancelled"} if text is None else {"text": text}
    comment = comments.update(tx, comment_id, **changes)
    event = CommentCancelled if text is None else CommentChanged
    told = event(comment_id=comment.id, text=comment.text)
    tell(tx, sessions.get(tx.db, comment.session_id), told, actor=actor)
    return comment


def send_comments(
    tx: Transaction, session_id: int, *, actor: str, approval_seconds: float
) -> SentComments:
    """Make one follow-up of all open comments of a session's task, or its next turn.

    Raises:
        Conflict: none is open, or the task may have no more turns.
        PolicyDenied: the repository forbids the next turn now.
    """
    session = sessions.get(tx.db, session_id)
    waiting = _open(tx, session)
    newest = sessions.find(tx.db, {"task_id": session.task_id}, newest_first=True) or session
    followup, told = say(
        tx, newest, message=_words_of(waiting), actor=actor, approval_seconds=approval_seconds
    )
    sent = [
        comments.update(
            tx,
            comment.id,
            status="sent",
            followup_id=None if followup is None else followup.id,
            sent_session_id=told.id if followup is None else None,
        )
        for comment in waiting
    ]
    ids = [comment.id for comment in sent]
    tell(tx, session, CommentsSent(comment_ids=ids, how="followup"), actor=actor)
    return SentComments(followup=followup, session=told, comments=sent)


def words_of_open(tx: Transaction, session: Session) -> str:
    """Return all open comments of a session's task as one message.

    Raises:
        Conflict: none is open.
    """
    return _words_of(_open(tx, session))


def mark_steered(tx: Transaction, session: Session, event: int, *, actor: str) -> list[Comment]:
    """Mark all open comments as sent to the running turn by the request that the event tells of."""
    sent = [
        comments.update(
            tx, comment.id, status="sent", sent_session_id=session.id, steer_event_id=event
        )
        for comment in _open(tx, session)
    ]
    told = CommentsSent(comment_ids=[comment.id for comment in sent], how="steer")
    tell(tx, session, told, actor=actor, causation_id=event)
    return sent


def reopen_unheard(tx: Transaction, session: Session, event: int) -> None:
    """Open the comments again that were in a request which the turn did not hear."""
    unheard = comments.every(tx.db, {"steer_event_id": event, "status": "sent"})
    if not unheard:
        return
    for comment in unheard:
        comments.update(tx, comment.id, status="open", sent_session_id=None, steer_event_id=None)
    told = CommentsReopened(comment_ids=[comment.id for comment in unheard])
    tell(tx, session, told, causation_id=event)


def _open(tx: Transaction, session: Session) -> list[Comment]:
    found = comments.every(tx.db, {"task_id": session.task_id, "status": "open"})
    if not found:
        raise Conflict("No comment is open.")
    return sorted(found, key=lambda comment: (comment.path, comment.line, comment.id))


def _words_of(waiting: list[Comment]) -> str:
    parts = ["Comments on the changes:"]
    for comment in waiting:
        lines = comment.quote.split("\n") if comment.quote else []
        place = f"line {comment.line}"
        if comment.end_line != comment.line:
            place = f"lines {comment.line}-{comment.end_line}"
        before = " before the change" if comment.side == "before" else ""
        quoted = [f"> {line[:QUOTED_LENGTH]}" for line in lines[:QUOTED]] + ["> …"] * (
            len(lines) > QUOTED
        )
        parts.append("\n".join([f"{comment.path}, {place}{before}:", *quoted, "", comment.text]))
    message = "\n\n".join(parts)
    if len(message) > PROMPT_LENGTH:
        raise Conflict(
            f"The comments are longer than {PROMPT_LENGTH} characters together: shorten some, or "
            "take some back."
        )
    return message
