"""/api/inbox: what people have dismissed, or put off, of what needs them."""

from __future__ import annotations

from datetime import UTC, datetime

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import APPROVALS
from command_center.actors.contracts.inbox import InboxMarks, MarkInbox, NewMarks
from command_center.actors.ledger.inbox import marks_at
from command_center.http.wire.operation import Api
from command_center.store import to_timestamp

api = Api[Center]("Approvals")


@api.operation("GET", "/api/inbox/marks")
async def list_inbox_marks(center: Center) -> InboxMarks:
    """List what stands in nobody's inbox now: what was dismissed, and what is put off."""
    now = to_timestamp(datetime.now(UTC))
    return InboxMarks(items=await center.storage.read(lambda db: marks_at(db, now)))


@api.operation("PUT", "/api/inbox/marks", refuses=(404, 409), scope="approve")
async def mark_inbox(center: Center, body: NewMarks) -> InboxMarks:
    """Dismiss things, or put them off; all marks that hold are the answer."""
    return await center.ask(APPROVALS, MarkInbox(body))
