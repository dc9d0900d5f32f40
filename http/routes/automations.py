"""/api/automations: schedules, their next times, and what became of their runs."""

from __future__ import annotations

from typing import Annotated

import msgspec
from quart import Blueprint, Response, request
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.contracts.automations import (
    AutomationChanges,
    CreateAutomation,
    DeleteAutomation,
    PatchAutomation,
    RunAutomation,
    RunByHand,
)
from command_center.actors.ledger.automations import existing, read_schedule, read_zone
from command_center.actors.ledger.templates import TEMPLATES
from command_center.actors.rules.schedule import upcoming
from command_center.http.wire.codec import (
    PageQuery,
    cut_page,
    decode_body,
    decode_query,
    json_response,
    page_response,
    refuse_query,
)
from command_center.http.wire.etags import condition
from command_center.store import (
    AutomationOutcome,
    AutomationRun,
    AutomationTrigger,
    Page,
    automation_runs,
    automations,
    to_timestamp,
)


class AutomationsQuery(
    PageQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The query of the list of automations."""

    repository_id: int | None = None
    enabled: bool | None = None


class RunsQuery(PageQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The query of an automation's history."""

    outcome: AutomationOutcome | None = None
    trigger: AutomationTrigger | None = None


class PreviewQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A schedule that somebody thinks of.

    Attributes:
        timezone: an IANA name; the server's, if left out.
        count: how many due times to give.
    """

    schedule_expr: str
    timezone: str | None = None
    count: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5


class DeleteQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Who takes an automation away."""

    requested_by: str = "api"


def routes(center: Center) -> Blueprint:
    """The routes, answered by `/scheduler` and, where nothing changes, from the store."""
    api = Blueprint("automations", __name__)

    @api.get("/api/automations")
    async def list_automations() -> Response:
        query = decode_query(request, AutomationsQuery)
        page = await center.storage.read(
            lambda db: automations.page(
                db,
                {**query.filters(), "deleted_at": None},
                limit=query.limit,
                cursor=query.cursor,
                newest_first=True,
            )
        )
        return page_response(page.items, page.next_cursor)

    @api.post("/api/automations")
    async def create_automation() -> Response:
        message = await decode_body(request, CreateAutomation)
        return json_response(await center.ask("/scheduler", message), 201)

    @api.get("/api/automations/<id:automation_id>")
    async def get_automation(automation_id: int) -> Response:
        refuse_query(request)
        return json_response(await center.storage.read(lambda db: existing(db, automation_id)))

    @api.patch("/api/automations/<id:automation_id>")
    async def patch_automation(automation_id: int) -> Response:
        changes = await decode_body(request, AutomationChanges)
        seen = condition(request, lambda db: existing(db, automation_id))
        return json_response(
            await center.ask("/scheduler", PatchAutomation(automation_id, changes, seen))
        )

    @api.delete("/api/automations/<id:automation_id>")
    async def delete_automation(automation_id: int) -> Response:
        query = decode_query(request, DeleteQuery)
        seen = condition(request, lambda db: existing(db, automation_id))
        message = DeleteAutomation(automation_id, query.requested_by, seen)
        return json_response(await center.ask("/scheduler", message))

    @api.post("/api/automations/<id:automation_id>/run")
    async def run_automation(automation_id: int) -> Response:
        body = await decode_body(request, RunByHand)
        message = RunAutomation(automation_id, body.requested_by)
        outcome = await center.ask("/scheduler", message)
        return json_response(outcome, 202 if outcome.blocked else 201)

    _add_looks(api, center)
    return api


def _add_looks(api: Blueprint, center: Center) -> None:
    """Add what only shows: templates, next times, history."""

    @api.get("/api/automations/templates")
    async def list_templates() -> Response:
        query = decode_query(request, PageQuery)
        return cut_page([*TEMPLATES.values()], query, "templates")

    @api.get("/api/automations/preview")
    async def preview() -> Response:
        query = decode_query(request, PreviewQuery)
        zone = read_zone(query.timezone, center.automations.terms)
        schedule = read_schedule(query.schedule_expr)
        times = upcoming(schedule, zone, center.automations.clock.now(), query.count)
        items = [
            {"at": to_timestamp(due), "local": due.astimezone(zone).isoformat()} for due in times
        ]
        return json_response(
            {"scheduleExpr": query.schedule_expr, "timezone": zone.key, "items": items}
        )

    @api.get("/api/automations/<id:automation_id>/runs")
    async def list_runs(automation_id: int) -> Response:
        query = decode_query(request, RunsQuery)

        def read(db: Database) -> Page[AutomationRun]:
            existing(db, automation_id)
            return automation_runs.page(
                db,
                {**query.filters(), "automation_id": automation_id},
                limit=query.limit,
                cursor=query.cursor,
                newest_first=True,
            )

        page = await center.storage.read(read)
        return page_response(page.items, page.next_cursor)
