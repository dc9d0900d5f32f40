"""`/extensions/…`: shows what extends a host's Codex, and switches what Codex lets a client switch.

All of it is Codex's own: its configuration is written by Codex alone, and nothing is kept here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, TypeVar

import attrs
import structlog

from command_center.actors.codex import requests
from command_center.actors.codex.accounts import typed
from command_center.actors.codex.extensions import (
    SIGN_IN_ENDED,
    hooks_from,
    plugins_from,
    problems_in,
    profiles_from,
    servers_from,
    skills_from,
)
from command_center.actors.codex.mcp_servers import servers_in
from command_center.actors.codex.messages import Call, CodexNotification, codex_on
from command_center.actors.contracts.events.extensions import (
    ServerSignedIn,
    ServerSignInBegun,
    ServerSignInFailed,
    SkillSwitched,
)
from command_center.actors.contracts.extensions import (
    BeginServerSignIn,
    Extensions,
    ListExtensions,
    ListServers,
    McpServer,
    ServerSignIn,
    SkillState,
    SwitchSkill,
)
from command_center.actors.core.storage import Storage
from command_center.actors.rules.errors import Conflict, NotFound, Unavailable
from command_center.actors.rules.lengths import NAME_LENGTH
from command_center.actors.sessions.runners.codex.threads import ask_codex
from command_center.actors.sessions.runners.codex.user_rules import read_layers
from command_center.actors.sessions.runners.codex.watcher import BridgeWatcher
from command_center.runtime import ActorNotFound, Deferred, Refusal, handles
from command_center.store import EventData, Page, Transaction, redact

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

T = TypeVar("T")

LOOK_SECONDS: Final = 10.0
"""Seconds that Codex may take to answer, since somebody waits to see it."""

START_SECONDS: Final = 60.0
"""Seconds that Codex may take to start its MCP servers, which it does to ask what they offer."""

WORDLESS: Final = "Codex did not say why."


class CodexExtensions(BridgeWatcher):
    """Asks one host's Codex, and keeps, as events, what was signed in and switched."""

    def __init__(self, storage: Storage, host: str, own_urls: Collection[str] = ()) -> None:
        """Write to `storage`; what is shown is that of the Codex of `host`.

        `own_urls` are the addresses of Command Center, which a server of Codex's may lead to.
        """
        self._storage = storage
        self._own_urls = own_urls
        self._host = host
        self._bridge = codex_on(host)

    async def on_start(self) -> None:
        """Ask to be told, and go on being told through every life of the bridge."""
        self.ctx.start_task(self.watch, self._host, SIGN_IN_ENDED)

    @handles(ListServers)
    def list_servers(self, message: ListServers) -> Deferred[Page[McpServer]]:
        """Answer once Codex has asked its servers."""
        return self.ctx.answer_later(self._list_servers, message)

    @handles(ListExtensions)
    def list_extensions(self, message: ListExtensions) -> Deferred[Extensions]:
        """Answer with what can be read, and with what cannot."""
        return self.ctx.answer_later(self._list_extensions, message)

    @handles(BeginServerSignIn)
    def begin(self, message: BeginServerSignIn) -> Deferred[ServerSignIn]:
        """Answer with the page to open.

        Raises:
            NotFound: no server has so long a name.
        """
        if len(message.server) > NAME_LENGTH:
            raise NotFound("MCP server", f"{message.server[:NAME_LENGTH]}…")
        return self.ctx.answer_later(self._begin, message)

    @handles(SwitchSkill)
    def switch(self, message: SwitchSkill) -> Deferred[SkillState]:
        """Answer once Codex has written it down."""
        return self.ctx.answer_later(self._switch, message)

    @handles(CodexNotification)
    async def told(self, message: CodexNotification) -> None:
        """Keep how an attempt to sign a server in has ended."""
        server, error = str(message.params.get("name")), message.params.get("error")
        told: EventData = (
            ServerSignedIn(host=self._host, server=server)
            if message.params.get("success") is True
            else ServerSignInFailed(host=self._host, server=server, reason=str(error or WORDLESS))
        )
        await self._tell(told, self._bridge)

    async def _list_servers(self, message: ListServers) -> Page[McpServer]:
        call = requests.servers_list(cursor=message.cursor, limit=message.limit)
        answer = await self._ask(call, START_SECONDS)
        layers = await read_layers(lambda call: self._ask(call, LOOK_SECONDS))
        own = {one.name for one in servers_in(layers) if one.leads_to(self._own_urls)}
        return Page(items=servers_from(answer, own), next_cursor=answer.get("nextCursor"))

    async def _list_extensions(self, message: ListExtensions) -> Extensions:
        problems: list[str] = []

        async def read(call: Call, of: Callable[[Mapping[str, Any]], list[T]]) -> list[T]:
            try:
                answer = await self._ask(call, LOOK_SECONDS)
            except Conflict as error:  # an older Codex does not know it
                problems.append(str(redact(f"{call.method}: {error}")))
                return []
            problems.extend(problems_in(answer))
            return of(answer)

        return Extensions(
            host=self._host,
            skills=await read(requests.skills_list(message.cwd), skills_from),
            plugins=await read(requests.plugins_installed(message.cwd), plugins_from),
            hooks=await read(requests.hooks_list(message.cwd), hooks_from),
            profiles=await read(requests.profiles_list(message.cwd), profiles_from),
            problems=problems,
        )

    async def _begin(self, message: BeginServerSignIn) -> ServerSignIn:
        server = message.server
        await self._tell(ServerSignInBegun(host=self._host, server=server), message.requested_by)
        try:
            answer = await self._ask(requests.server_sign_in(server), START_SECONDS)
            page = typed(answer.get("authorizationUrl"), str)
            if page is None:
                raise Conflict(f"Codex names no page that signs {server} in: do it in a terminal.")
        except Refusal as error:
            failed = ServerSignInFailed(host=self._host, server=server, reason=str(error))
            await self._tell(failed, self._bridge)
            raise
        return ServerSignIn(host=self._host, server=server, authorization_url=page)

    async def _switch(self, message: SwitchSkill) -> SkillState:
        wanted = message.wanted
        answer = await self._ask(
            requests.skill_switch(wanted.path, is_enabled=wanted.is_enabled), LOOK_SECONDS
        )
        state = SkillState(path=wanted.path, is_enabled=answer.get("effectiveEnabled") is True)
        told = SkillSwitched(host=self._host, path=state.path, is_enabled=state.is_enabled)
        await self._tell(told, wanted.requested_by)
        return state

    async def _ask(self, call: Call, seconds: float) -> dict[str, Any]:
        try:
            bridge = self.ctx.lookup(self._bridge)
        except ActorNotFound as error:
            raise Unavailable(str(error)) from error
        return await ask_codex(bridge, attrs.evolve(call, timeout=seconds))

    async def _tell(self, event: EventData, actor: str) -> None:
        def record(tx: Transaction) -> None:
            tx.emit(event, actor=actor)

        await self._storage.write(record)
