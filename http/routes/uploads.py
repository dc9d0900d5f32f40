"""/api/uploads: pictures and texts for Codex, which messages, runs and follow-ups attach."""

from __future__ import annotations

import base64
from typing import Annotated

import msgspec
from quart import request

from command_center.actors.center import Center
from command_center.actors.contracts.uploads import UPLOADS, DeleteUpload, KeepUpload, ReadUpload
from command_center.actors.rules.lengths import NAME_LENGTH, Name
from command_center.http.routes.followups import CancellationQuery
from command_center.http.wire.codec import PageQuery
from command_center.http.wire.operation import Api
from command_center.store import Page, Upload, uploads

api = Api[Center]("Uploads")


class UploadQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The words about a file that is sent.

    Attributes:
        name: what its sender calls it; it decides nothing.
    """

    name: Annotated[str, msgspec.Meta(max_length=NAME_LENGTH)] = ""
    requested_by: Name = "api"


class UploadContent(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An upload; `data` is its content in Base64."""

    id: int
    media_type: str
    data: str


@api.operation(
    "POST",
    "/api/uploads",
    body=bytes,
    answers=201,
    refuses=(409,),
    location="/api/uploads/{id}",
)
async def create_upload(center: Center, query: UploadQuery) -> Upload:
    """Send a picture or a text for Codex."""
    content = await request.get_data(cache=True, as_text=False, parse_form_data=False)
    message = KeepUpload(content=content, name=query.name, requested_by=query.requested_by)
    return await center.ask(UPLOADS, message)


@api.operation("GET", "/api/uploads")
async def list_uploads(center: Center, query: PageQuery) -> Page[Upload]:
    """List what was sent, the newest first."""
    return await center.storage.read_long(
        lambda db: uploads.page(db, {}, limit=query.limit, cursor=query.cursor, newest_first=True)
    )


@api.operation("GET", "/api/uploads/<id:upload_id>")
async def get_upload(center: Center, upload_id: int) -> Upload:
    """Show what is known of an upload."""
    return await center.storage.read(lambda db: uploads.get(db, upload_id))


@api.operation("GET", "/api/uploads/<id:upload_id>/content", refuses=(409,))
async def read_upload(center: Center, upload_id: int) -> UploadContent:
    """Show the content of an upload."""
    upload = await center.storage.read(lambda db: uploads.get(db, upload_id))
    content = await center.ask(UPLOADS, ReadUpload(upload_id))
    data = base64.b64encode(content).decode()
    return UploadContent(id=upload.id, media_type=upload.media_type, data=data)


@api.operation("DELETE", "/api/uploads/<id:upload_id>", refuses=(409,))
async def delete_upload(center: Center, upload_id: int, query: CancellationQuery) -> Upload:
    """Delete an upload that nothing needs any more."""
    return await center.ask(UPLOADS, DeleteUpload(upload_id, query.requested_by))
