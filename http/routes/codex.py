"""/api/codex: Codex's own threads and models, through the bridge, and the health of the bridge."""

from __future__ import annotations

from typing import Annotated

import attrs
import msgspec
from quart import Blueprint, Response, request

from command_center.actors.center import Center
from command_center.actors.codex import requests
from command_center.actors.codex.messages import BRIDGE, Call, ProbeHealth
from command_center.actors.contracts.tasks import PromptThread, ThreadPrompt
from command_center.actors.tasks.threads import ask_codex, needs_app_server
from command_center.http.wire.codec import (
    PageQuery,
    decode_body,
    decode_query,
    json_response,
    page_response,
    refuse_query,
)

LOOK_SECONDS = 10.0
"""How long Codex may take for a list that somebody waits to see."""


class ThreadsQuery(PageQuery, frozen=True, kw_only=True, rename="camel"):
    """The query of the stored threads; the cursor is Codex's own.

    Attributes:
        query: what the thread's title or preview is to hold.
        limit: the most items to give; Codex may give fewer.
    """

    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 20
    query: str | None = None


def routes(center: Center) -> Blueprint:
    """The routes; all but the health need the app-server runner."""
    api = Blueprint("codex", __name__)

    async def list_of(call: Call) -> Response:
        if center.settings.runner != "app-server":
            raise needs_app_server(center.settings.runner)
        bridge = center.system.lookup(BRIDGE)
        answer = await ask_codex(bridge, attrs.evolve(call, timeout=LOOK_SECONDS))
        return page_response(answer["data"], answer.get("nextCursor"))

    @api.get("/api/codex/bridge/health")
    async def bridge_health() -> Response:
        refuse_query(request)
        return json_response(await center.ask(BRIDGE, ProbeHealth()))

    @api.get("/api/codex/threads/loaded")
    async def loaded_threads() -> Response:
        query = decode_query(request, PageQuery)
        return await list_of(requests.threads_loaded(cursor=query.cursor, limit=query.limit))

    @api.get("/api/codex/threads")
    async def stored_threads() -> Response:
        query = decode_query(request, ThreadsQuery)
        return await list_of(
            requests.threads_stored(query=query.query, cursor=query.cursor, limit=query.limit)
        )

    @api.get("/api/codex/models")
    async def models() -> Response:
        query = decode_query(request, PageQuery)
        return await list_of(requests.models_list(cursor=query.cursor, limit=query.limit))

    @api.post("/api/codex/threads/<thread_id>/prompt")
    async def prompt_thread(thread_id: str) -> Response:
        wanted = await decode_body(request, ThreadPrompt)
        outcome = await center.ask("/tasks", PromptThread(thread_id, wanted))
        return json_response(outcome, 202 if outcome.blocked else 201)

    return api
