"""Rules: what is always allowed in a repository, as a person said when they approved it."""

from __future__ import annotations

from quart import request
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import APPROVALS
from command_center.actors.contracts.approvals import RemoveRule, RuleRemoval
from command_center.http.routes.repos import RequesterQuery
from command_center.http.wire.codec import PageQuery
from command_center.http.wire.etags import condition
from command_center.http.wire.operation import Api
from command_center.store import Page, Rule, repositories, rules

api = Api[Center]("Approvals")


@api.operation("GET", "/api/repos/<id:repository_id>/rules")
async def list_rules(center: Center, repository_id: int, query: PageQuery) -> Page[Rule]:
    """List what is always allowed in a repository, the newest first."""

    def read(db: Database) -> Page[Rule]:
        repositories.require(db, repository_id)
        where = {"repository_id": repository_id}
        return rules.page(db, where, limit=query.limit, cursor=query.cursor, newest_first=True)

    return await center.storage.read_long(read)


@api.operation("GET", "/api/rules/<id:rule_id>")
async def get_rule(center: Center, rule_id: int) -> Rule:
    """Show what is always allowed by a rule."""
    return await center.storage.read(lambda db: rules.get(db, rule_id))


@api.operation("DELETE", "/api/rules/<id:rule_id>", scope="approve")
async def delete_rule(center: Center, rule_id: int, query: RequesterQuery) -> RuleRemoval:
    """Have what a rule allowed asked about again."""
    seen = condition(request, lambda db: rules.get(db, rule_id))
    return await center.ask(APPROVALS, RemoveRule(rule_id, query.requested_by, seen))
