"""Long texts, whole: what agents said beyond what rows, lists and events show of it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.rules.errors import NotFound
from command_center.actors.rules.lengths import Name
from command_center.http.routes.sessions import PieceQuery
from command_center.http.wire.operation import Api
from command_center.http.wire.responses import LongText
from command_center.store import Table, agents, approvals, events, items, sessions
from command_center.store.long_texts.whole_values import TextPiece

api = Api[Center]("Long texts")


class SessionTextQuery(PieceQuery, frozen=True, kw_only=True):
    """A field of a session, and the piece of it."""

    field: Literal["diff", "lastMessage", "result", "plan", "goal", "exitReason"]


class AgentTextQuery(PieceQuery, frozen=True, kw_only=True):
    """A field of a sub-agent, and the piece of it."""

    field: Literal["diff", "lastMessage", "prompt"]


class ApprovalTextQuery(PieceQuery, frozen=True, kw_only=True):
    """A field of an approval, and the piece of it."""

    field: Literal["details", "title", "codexRequest"]


class ItemTextQuery(PieceQuery, frozen=True, kw_only=True):
    """An item of a transcript, and the piece of its body.

    Attributes:
        item_id: Codex's id of it.
    """

    item_id: Name
    field: Literal["body"] = "body"


class EventTextQuery(PieceQuery, frozen=True, kw_only=True):
    """The data of an event, and the piece of it."""

    field: Literal["data"] = "data"


@api.operation("GET", "/api/sessions/<id:session_id>/text")
async def get_session_text(center: Center, session_id: int, query: SessionTextQuery) -> LongText:
    """Show the whole of a session's field, piece by piece."""
    return await center.storage.read_long(
        lambda db: _piece(db, sessions, session_id, query.field, query.cursor)
    )


@api.operation("GET", "/api/sessions/<id:session_id>/items/text")
async def get_item_text(center: Center, session_id: int, query: ItemTextQuery) -> LongText:
    """Show the whole of an item of a transcript as JSON, piece by piece."""

    def read(db: Database) -> LongText:
        sessions.require(db, session_id)
        where: dict[str, str | int] = {"session_id": session_id, "item_id": query.item_id}
        found = items.find(db, where, newest_first=True)
        if found is None:
            raise NotFound("Item", query.item_id)
        return _piece(db, items, found.id, query.field, query.cursor)

    return await center.storage.read_long(read)


@api.operation("GET", "/api/agents/<id:agent_id>/text")
async def get_agent_text(center: Center, agent_id: int, query: AgentTextQuery) -> LongText:
    """Show the whole of a sub-agent's field, piece by piece."""
    return await center.storage.read_long(
        lambda db: _piece(db, agents, agent_id, query.field, query.cursor)
    )


@api.operation("GET", "/api/approvals/<id:approval_id>/text")
async def get_approval_text(center: Center, approval_id: int, query: ApprovalTextQuery) -> LongText:
    """Show the whole of an approval's field, piece by piece."""
    return await center.storage.read_long(
        lambda db: _piece(db, approvals, approval_id, query.field, query.cursor)
    )


@api.operation("GET", "/api/events/<id:event_id>/text")
async def get_event_text(center: Center, event_id: int, query: EventTextQuery) -> LongText:
    """Show the whole of an event's data as JSON, piece by piece."""
    found = await center.storage.read_long(lambda db: events.piece(db, event_id, query.cursor))
    return _shown(query.field, found)


def _piece(db: Database, table: Table[Any], id_: int, field: str, cursor: str | None) -> LongText:
    name = next(f.name for f in msgspec.structs.fields(table.record) if f.encode_name == field)
    return _shown(field, table.piece(db, id_, name, cursor))


def _shown(field: str, found: TextPiece) -> LongText:
    return LongText(field=field, text=found.text, bytes=found.size, next_cursor=found.next_cursor)
