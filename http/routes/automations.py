"""/api/automations: schedules, their next times, and what became of their runs."""

from __future__ import annotations

from typing import Annotated

import msgspec
from quart import request
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import SCHEDULER
from command_center.actors.contracts.automations import (
    AutomationChanges,
    AutomationPayload,
    CreateAutomation,
    DeleteAutomation,
    HandRun,
    PatchAutomation,
    RunAutomation,
    RunByHand,
)
from command_center.actors.contracts.fields import ScheduleExpr
from command_center.actors.ledger.automations import existing, read_schedule, read_zone
from command_center.actors.ledger.templates import TEMPLATES, Template
from command_center.actors.rules.lengths import Name
from command_center.actors.rules.schedule import upcoming
from command_center.http.wire.caller import caller_of
from command_center.http.wire.codec import PageQuery, cut_page
from command_center.http.wire.etags import condition
from command_center.http.wire.operation import Api
from command_center.http.wire.responses import DueTime, Preview, run_status
from command_center.store import (
    Automation,
    AutomationOutcome,
    AutomationRun,
    AutomationTrigger,
    Page,
    automation_runs,
    automations,
    to_timestamp,
)

api = Api[Center]("Automations", fields={(Automation, "payload"): AutomationPayload})


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
    """A schedule that is not saved.

    Attributes:
        timezone: an IANA name; the server's, if left out.
        count: how many due times to give.
    """

    schedule_expr: ScheduleExpr
    timezone: Name | None = None
    count: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5


class DeleteQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The person who takes an automation away."""

    requested_by: Name = "api"


@api.operation("GET", "/api/automations")
async def list_automations(center: Center, query: AutomationsQuery) -> Page[Automation]:
    """List the automations, the newest first."""
    return await center.storage.read_long(
        lambda db: automations.page(
            db,
            {**query.filters(), "deleted_at": None},
            limit=query.limit,
            cursor=query.cursor,
            newest_first=True,
        )
    )


@api.operation(
    "POST", "/api/automations", answers=201, refuses=(404, 409), location="/api/automations/{id}"
)
async def create_automation(center: Center, body: CreateAutomation) -> Automation:
    """Make an automation."""
    return await center.ask(SCHEDULER, body)


@api.operation("GET", "/api/automations/<id:automation_id>")
async def get_automation(center: Center, automation_id: int) -> Automation:
    """Show an automation."""
    return await center.storage.read(lambda db: existing(db, automation_id))


@api.operation("PATCH", "/api/automations/<id:automation_id>", refuses=(409,))
async def patch_automation(
    center: Center, automation_id: int, body: AutomationChanges
) -> Automation:
    """Change an automation."""
    seen = condition(request, lambda db: existing(db, automation_id))
    asks_no_more = body.payload is not msgspec.UNSET and not body.payload.approval_required
    caller = caller_of(request.scope)

    def may(db: Database) -> None:
        """Let nobody do away with an approval who may not approve."""
        seen(db)
        if asks_no_more and existing(db, automation_id).payload.get("approvalRequired"):
            caller.check("approve")

    return await center.ask(SCHEDULER, PatchAutomation(automation_id, body, may))


@api.operation("DELETE", "/api/automations/<id:automation_id>", refuses=(409,))
async def delete_automation(center: Center, automation_id: int, query: DeleteQuery) -> Automation:
    """Take an automation away."""
    seen = condition(request, lambda db: existing(db, automation_id))
    return await center.ask(SCHEDULER, DeleteAutomation(automation_id, query.requested_by, seen))


@api.operation(
    "POST",
    "/api/automations/<id:automation_id>/run",
    answers=(201, 202),
    status=run_status,
    refuses=(409,),
    location="/api/sessions/{session.id}",
)
async def run_automation(center: Center, automation_id: int, body: RunByHand) -> HandRun:
    """Run an automation now."""
    return await center.ask(SCHEDULER, RunAutomation(automation_id, body.requested_by))


@api.operation("GET", "/api/automations/<id:automation_id>/runs")
async def list_automation_runs(
    center: Center, automation_id: int, query: RunsQuery
) -> Page[AutomationRun]:
    """List what became of an automation's due times, the newest first."""

    def read(db: Database) -> Page[AutomationRun]:
        existing(db, automation_id)
        return automation_runs.page(
            db,
            {**query.filters(), "automation_id": automation_id},
            limit=query.limit,
            cursor=query.cursor,
            newest_first=True,
        )

    return await center.storage.read_long(read)


@api.operation("GET", "/api/automations/templates")
async def list_templates(center: Center, query: PageQuery) -> Page[Template]:
    """List automations to begin from."""
    del center
    return cut_page([*TEMPLATES.values()], query, "templates")


@api.operation("GET", "/api/automations/preview")
async def preview_schedule(center: Center, query: PreviewQuery) -> Preview:
    """Show the next due times of a schedule."""
    zone = read_zone(query.timezone, center.automations.terms)
    schedule = read_schedule(query.schedule_expr)
    times = upcoming(schedule, zone, center.automations.clock.now(), query.count)
    return Preview(
        schedule_expr=query.schedule_expr,
        timezone=zone.key,
        items=[
            DueTime(at=to_timestamp(due), local=due.astimezone(zone).isoformat()) for due in times
        ],
    )
