"""/api/sessions/…: what a session has changed, seen, committed or discarded."""

from __future__ import annotations

from typing import Annotated

import msgspec
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import COMMIT_MESSAGES, REPOSITORIES, TASKS
from command_center.actors.contracts.landing import (
    AskForMessage,
    Changes,
    CommitRequest,
    CommitWork,
    ConflictsRequest,
    DiscardRequest,
    DiscardWork,
    MarkViewed,
    MessageRequest,
    ProposedMessage,
    ResolveConflicts,
    Resolving,
    Restored,
    RestoreRequest,
    RestoreWork,
    SeeChanges,
    SeePatch,
    SeePicture,
    ViewedFiles,
)
from command_center.actors.contracts.worktrees import (
    MergeOptions,
    MergeRequest,
    MergeWorktree,
)
from command_center.actors.git.changes import Against
from command_center.actors.git.committing import Committed
from command_center.actors.git.merging import MergeResult
from command_center.actors.git.patches import CONTEXT, PageCursor, Patch
from command_center.actors.git.pictures import Picture, PictureSide
from command_center.actors.repositories.actor import GIT_SECONDS
from command_center.actors.rules.commit_messages import propose_message
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.lengths import PathText
from command_center.http.wire.codec import Cursor, PageQuery, cut_page
from command_center.http.wire.leaving import while_client_stays
from command_center.http.wire.operation import Api
from command_center.store import (
    DiscardedWork,
    InvalidCursor,
    Page,
    discarded,
    repositories,
    sessions,
    tasks,
)

api = Api[Center]("Landing")


class ChangesQuery(
    PageQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The query of the list of changed files.

    Attributes:
        against: counted from where the branch began, from its last commit, or from the last look.
    """

    against: Against = "base"


class PatchQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The file, and how its changes are shown.

    Attributes:
        previous_path: where the file was, if it was moved.
        against: what the changes are counted from.
        context: lines around each change.
        ignore_space: changes of white space count as none.
        cursor: the `nextCursor` of the page before.
    """

    path: PathText
    previous_path: PathText | None = None
    against: Against = "base"
    context: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = CONTEXT
    ignore_space: bool = False
    cursor: Cursor | None = None


class PictureQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The picture; `side` is `before` the change or `after` it."""

    path: PathText
    side: PictureSide = "after"


@api.operation("GET", "/api/sessions/<id:session_id>/changes", refuses=(409,))
async def list_changes(center: Center, session_id: int, query: ChangesQuery) -> Changes:
    """List the files that a session has changed."""
    message = SeeChanges(session_id, query.against)
    found = await while_client_stays(center.ask(REPOSITORIES, message, timeout=GIT_SECONDS))
    page = cut_page(found.items, query, f"changes of {session_id}")
    return msgspec.structs.replace(found, items=page.items, next_cursor=page.next_cursor)


@api.operation("GET", "/api/sessions/<id:session_id>/changes/patch", refuses=(409,))
async def show_patch(center: Center, session_id: int, query: PatchQuery) -> Patch:
    """Show what a session has changed in a file, page by page."""
    cursor = None
    if query.cursor is not None:
        cursor = PageCursor.read(query.cursor)
        if cursor is None:
            raise InvalidCursor(query.cursor)
    message = SeePatch(
        session_id,
        query.path,
        query.previous_path,
        against=query.against,
        context=query.context,
        ignores_space=query.ignore_space,
        cursor=cursor,
    )
    return await while_client_stays(center.ask(REPOSITORIES, message, timeout=GIT_SECONDS))


@api.operation("GET", "/api/sessions/<id:session_id>/changes/picture", refuses=(409,))
async def show_picture(center: Center, session_id: int, query: PictureQuery) -> Picture:
    """Show a picture that a session has changed, as it was or as it is."""
    message = SeePicture(session_id, query.path, query.side)
    return await while_client_stays(center.ask(REPOSITORIES, message, timeout=GIT_SECONDS))


@api.operation("POST", "/api/sessions/<id:session_id>/changes/viewed", refuses=(409,))
async def mark_viewed(center: Center, session_id: int, body: ViewedFiles) -> ViewedFiles:
    """Keep that somebody looked at changed files, as they are now."""
    return await center.ask(REPOSITORIES, MarkViewed(session_id, body), timeout=GIT_SECONDS)


@api.operation("GET", "/api/sessions/<id:session_id>/commit-message")
async def propose_commit_message(center: Center, session_id: int) -> ProposedMessage:
    """Propose the message of a commit, from the task's title and what its agent said last."""

    def read(db: Database) -> ProposedMessage:
        session = sessions.get(db, session_id)
        title = tasks.get(db, session.task_id).title
        message = propose_message(title, session.last_message, session.cwd)
        return ProposedMessage(message=message, by="turn")

    return await center.storage.read(read)


@api.operation(
    "POST",
    "/api/sessions/<id:session_id>/commit-message",
    refuses=(409,),
    scope="land",
    is_done_once=False,
)
async def ask_for_commit_message(
    center: Center, session_id: int, body: MessageRequest
) -> ProposedMessage:
    """Have Codex write the message of a commit; nothing is committed."""
    message = AskForMessage(session_id, body)
    return await center.ask(COMMIT_MESSAGES, message, timeout=GIT_SECONDS)


@api.operation(
    "POST",
    "/api/sessions/<id:session_id>/commit",
    answers=201,
    refuses=(409,),
    scope="land",
)
async def commit_session(center: Center, session_id: int, body: CommitRequest) -> Committed:
    """Commit what an ended session left in its folder."""
    return await center.ask(REPOSITORIES, CommitWork(session_id, body), timeout=GIT_SECONDS)


@api.operation("POST", "/api/sessions/<id:session_id>/merge", refuses=(409,), scope="land")
async def merge_session(center: Center, session_id: int, body: MergeOptions) -> MergeResult:
    """Merge the branch of a session's worktree into the main checkout's, or into another."""
    session = await center.storage.read(lambda db: sessions.get(db, session_id))
    if session.worktree_path is None:
        raise Conflict(f"Session {session_id} has no worktree: its branch is not one to merge.")
    wanted = MergeRequest(path=session.worktree_path, **msgspec.structs.asdict(body))
    message = MergeWorktree(session.repository_id, wanted, session_id)
    return await center.ask(REPOSITORIES, message, timeout=GIT_SECONDS)


@api.operation(
    "POST",
    "/api/sessions/<id:session_id>/resolve-conflicts",
    answers=201,
    refuses=(409,),
    scope="land",
)
async def resolve_conflicts(center: Center, session_id: int, body: ConflictsRequest) -> Resolving:
    """Have Codex resolve what conflicts with a base, which is merged into the session's branch."""
    return await center.ask(TASKS, ResolveConflicts(session_id, body), timeout=GIT_SECONDS)


@api.operation(
    "POST",
    "/api/sessions/<id:session_id>/discard",
    answers=201,
    refuses=(409,),
    location="/api/discarded/{id}",
    scope="land",
)
async def discard_work(center: Center, session_id: int, body: DiscardRequest) -> DiscardedWork:
    """Take away what an ended session left in its worktree, and keep it for 30 days."""
    return await center.ask(REPOSITORIES, DiscardWork(session_id, body), timeout=GIT_SECONDS)


@api.operation("GET", "/api/repos/<id:repository_id>/discarded")
async def list_discarded(
    center: Center, repository_id: int, query: PageQuery
) -> Page[DiscardedWork]:
    """List what was discarded of the work in a repository, the newest first."""

    def read(db: Database) -> Page[DiscardedWork]:
        repositories.require(db, repository_id)
        where = {"repository_id": repository_id}
        return discarded.page(db, where, limit=query.limit, cursor=query.cursor, newest_first=True)

    return await center.storage.read_long(read)


@api.operation("GET", "/api/discarded/<id:discarded_id>")
async def get_discarded(center: Center, discarded_id: int) -> DiscardedWork:
    """Show work that was discarded."""
    return await center.storage.read(lambda db: discarded.get(db, discarded_id))


@api.operation(
    "POST",
    "/api/discarded/<id:discarded_id>/restore",
    refuses=(409,),
    scope="land",
)
async def restore_discarded(center: Center, discarded_id: int, body: RestoreRequest) -> Restored:
    """Bring discarded work back on a branch of its own."""
    return await center.ask(REPOSITORIES, RestoreWork(discarded_id, body), timeout=GIT_SECONDS)
