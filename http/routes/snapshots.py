"""/api/sessions/…/snapshots: what the files of a worktree were, and putting them back."""

from __future__ import annotations

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import REPOSITORIES
from command_center.actors.contracts.snapshots import (
    ListSnapshots,
    RewindRequest,
    RewindWork,
    Rewound,
)
from command_center.actors.repositories.actor import GIT_SECONDS
from command_center.http.wire.codec import PageQuery
from command_center.http.wire.leaving import while_client_stays
from command_center.http.wire.operation import Api
from command_center.store import Page, Snapshot

api = Api[Center]("Landing")


@api.operation("GET", "/api/sessions/<id:session_id>/snapshots")
async def list_snapshots(center: Center, session_id: int, query: PageQuery) -> Page[Snapshot]:
    """List what the files of a session's worktree were, the newest first."""
    message = ListSnapshots(session_id, query.limit, query.cursor)
    return await while_client_stays(center.ask(REPOSITORIES, message, timeout=GIT_SECONDS))


@api.operation("POST", "/api/sessions/<id:session_id>/rewind", refuses=(409,), scope="land")
async def rewind_work(center: Center, session_id: int, body: RewindRequest) -> Rewound:
    """Put the files of an ended session's worktree back to what they were after a turn."""
    return await center.ask(REPOSITORIES, RewindWork(session_id, body), timeout=GIT_SECONDS)
