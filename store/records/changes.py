"""Changed files as people see them and speak of them, and changes that were set aside."""

from typing import Literal, TypeAlias

from command_center.store.records.record import Record
from command_center.store.timestamps import Timestamp


class DiscardedWork(Record, frozen=True, kw_only=True, rename="camel"):
    """Work that a person discarded, kept as a commit for some time.

    Attributes:
        branch_name: the branch that was checked out; None where none was.
        head_sha: the commit that the work came after.
        sha: the commit that has it, which the ref ``refs/command-center/discarded/<sha>`` keeps.
        files: their number.
        status: ``kept`` before its files are taken back, then ``discarded``; ``expired`` once it is
            kept no longer.
        expires_at: until when it is kept.
    """

    repository_id: int
    session_id: int
    branch_name: str | None = None
    head_sha: str
    sha: str
    files: int
    status: Literal["kept", "discarded", "expired"] = "kept"
    requested_by: str
    expires_at: Timestamp


class Snapshot(Record, frozen=True, kw_only=True, rename="camel"):
    """The state of the files in a worktree, kept as a commit that is on no branch.

    Attributes:
        path: the worktree.
        session_id: the session that worked there.
        turn_id: the turn after which the files were so; None where its agent names none, and of
            what is from before a turn or a rewind.
        moment: ``start`` before anybody worked there, ``turn`` at the end of one, ``left`` before
            files were put back, and ``rewind`` once they were.
        branch_name: the branch that was checked out; None where none was.
        head_sha: its commit then.
        sha: the commit that has the state, which the ref ``refs/command-center/snapshots/<sha>``
            keeps; ``head_sha`` where nothing differed from it.
        files: those that differed from ``head_sha``.
    """

    repository_id: int
    session_id: int
    path: str
    turn_id: str | None = None
    moment: Literal["start", "turn", "left", "rewind"]
    branch_name: str | None = None
    head_sha: str
    sha: str
    files: int


CommentSide: TypeAlias = Literal["before", "after"]


class Comment(Record, frozen=True, kw_only=True, rename="camel"):
    """A remark on lines that a session has changed: of a person, or found by a review.

    Attributes:
        session_id: the session whose changes were looked at.
        side: whether the lines are those of the file before or after the change.
        line: the first one, from 1 on.
        end_line: the last one.
        quote: the lines as they were; empty where they were not read.
        status: ``open`` until it is sent or taken back.
        followup_id: the follow-up that has it, if one does.
        sent_session_id: the session that was told, where that is known already.
        steer_event_id: the event that asked for telling it to the running turn.
        review_session_id: the session whose review found it; None where a person said it.
    """

    task_id: int
    session_id: int
    path: str
    side: CommentSide
    line: int
    end_line: int
    text: str
    quote: str
    status: Literal["open", "sent", "cancelled"] = "open"
    requested_by: str
    followup_id: int | None = None
    sent_session_id: int | None = None
    steer_event_id: int | None = None
    review_session_id: int | None = None


class ViewedFile(Record, frozen=True, kw_only=True, rename="camel"):
    """A changed file that somebody has looked at, among the work of a task.

    Attributes:
        content: what git calls the content that was seen, or a mark of the diff where there was no
            more; empty for a file that was gone, None where the look does not count any more.
    """

    task_id: int
    path: str
    content: str | None
