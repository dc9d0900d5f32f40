"""/api/sessions/…/export: a session as one document to share."""

from __future__ import annotations

import msgspec
from quart import Response, request
from quart_trio.wrappers import TrioResponse

from command_center.actors.center import Center
from command_center.http.sharing.page import POLICY
from command_center.http.sharing.story import opened
from command_center.http.sharing.stream import (
    CONTENT_TYPES,
    SUFFIXES,
    DocumentForm,
    SessionDocument,
)
from command_center.http.wire.operation import Api, Text
from command_center.http.wire.streamed import Streamed

api = Api[Center]("Sessions")


class ExportQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The query of a session's document."""

    format: DocumentForm = "markdown"


@api.operation(
    "GET",
    "/api/sessions/<id:session_id>/export",
    answers={200: Text(*CONTENT_TYPES.values())},
    headers={"Content-Disposition": "The name to keep it under."},
)
async def export_session(center: Center, session_id: int, query: ExportQuery) -> Response:
    """Give a session as one document to share, without secrets."""
    told = await center.storage.read(lambda db: opened(db, session_id))
    is_asked = request.method != "HEAD"
    body = Streamed(SessionDocument(center, told, query.format)) if is_asked else b""
    name = f"session-{session_id}.{SUFFIXES[query.format]}"
    response = TrioResponse(
        body,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": f"{POLICY}; sandbox",
        },
        content_type=f"{CONTENT_TYPES[query.format]}; charset=utf-8",
    )
    if not is_asked:
        del response.headers["Content-Length"]
    response.timeout = None
    return response
