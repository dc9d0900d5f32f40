"""/api/codex: what extends a host's Codex: MCP servers, skills, plugins, hooks, profiles."""

from __future__ import annotations

from typing import TypeVar

from command_center.actors.center import Center
from command_center.actors.contracts.extensions import (
    BeginServerSignIn,
    Extensions,
    ExtensionsMessage,
    ListExtensions,
    ListServers,
    McpServer,
    ServerOrder,
    ServerSignIn,
    SkillState,
    SkillSwitch,
    SwitchSkill,
    extensions_on,
)
from command_center.http.routes.codex import CodexPageQuery, HostQuery, reachable_codex
from command_center.http.wire.operation import Api
from command_center.runtime import Asked
from command_center.store import Page, repositories

R = TypeVar("R")

api = Api[Center]("Codex")

ANSWER_SECONDS = 100.0
"""Seconds that an answer may take for which Codex starts MCP servers."""


class ExtensionsQuery(HostQuery, frozen=True, kw_only=True, rename="camel"):
    """The query of what extends Codex.

    Attributes:
        repository_id: the repository in whose folder is looked, on its own host.
    """

    repository_id: int | None = None


@api.operation("GET", "/api/codex/mcp-servers", refuses=(404, 409), scope="work")
async def list_mcp_servers(center: Center, query: CodexPageQuery) -> Page[McpServer]:
    """List the MCP servers of Codex's user, with their tools; Codex starts them for that."""
    return await _ask(center, query.host, ListServers(query.cursor, query.limit))


@api.operation(
    "POST",
    "/api/codex/mcp-servers/<server>/sign-ins",
    answers=201,
    refuses=(404, 409),
    scope="admin",
    is_done_once=False,
)
async def begin_server_sign_in(center: Center, server: str, body: ServerOrder) -> ServerSignIn:
    """Begin to sign an MCP server in, by a page that is opened on Codex's own machine."""
    return await _ask(center, body.host, BeginServerSignIn(server, body.requested_by))


@api.operation("GET", "/api/codex/extensions", refuses=(404, 409))
async def list_extensions(center: Center, query: ExtensionsQuery) -> Extensions:
    """List the skills, plugins, hooks and permission profiles of Codex, with what they run."""
    host, cwd, repository_id = query.host, None, query.repository_id
    if repository_id is not None:
        repository = await center.storage.read(lambda db: repositories.get(db, repository_id))
        host, cwd = repository.host, repository.local_path
    return await _ask(center, host, ListExtensions(cwd))


@api.operation("PATCH", "/api/codex/skills", refuses=(404, 409), scope="admin")
async def switch_skill(center: Center, body: SkillSwitch) -> SkillState:
    """Have a skill followed from now on, or no more, in all that Codex does."""
    return await _ask(center, body.host, SwitchSkill(body))


async def _ask(center: Center, host: str, message: Asked[ExtensionsMessage, R]) -> R:
    reachable_codex(center, host)
    return await center.ask(extensions_on(host), message, timeout=ANSWER_SECONDS)
