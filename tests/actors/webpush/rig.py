"""A server whose browsers are told by a push service on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import attrs
import httpx
import trio
from sqlite_utils import Database

from command_center.actors.contracts.events.approvals import ApprovalRequested
from command_center.actors.webpush.settings import PushSettings, make_key
from command_center.runtime import Backoff
from command_center.store import Approval, PushMessage, approvals, push_messages
from tests.http.devices import Server, server
from tests.push_service import PushService, push_service

T = TypeVar("T")

KEY = make_key()


@attrs.frozen
class Rig:
    """The parts that a test uses."""

    at: Server
    service: PushService

    async def subscribe(
        self, name: str = "one", http: httpx.AsyncClient | None = None, **wanted: Any
    ) -> dict[str, Any]:
        """Subscribe a browser, of who has the token unless another asks."""
        body = {**self.service.subscription(name), **wanted}
        answer = await (http or self.at.root).post("/api/push/subscriptions", json=body)
        assert 201 == answer.status_code, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def ask(self, title: str = "May I?", **more: Any) -> dict[str, Any]:
        """Let somebody ask for a decision."""
        answer = await self.at.root.post("/api/approvals", json={"title": title, **more})
        assert 201 == answer.status_code, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def ask_as(self, kind: Any, details: Mapping[str, Any], **more: Any) -> Approval:
        """Ask as the agent of a session does."""

        def unit(tx: Any) -> Approval:
            asked = approvals.insert(
                tx,
                kind=kind,
                title="Run it?",
                details=dict(details),
                repository_id=self.at.rig.repository_id,
                requested_by="codex",
                correlation_id=tx.origin,
                **more,
            )
            tx.emit(
                ApprovalRequested(
                    kind=asked.kind,
                    title=asked.title,
                    details=asked.details,
                    expires_at=asked.expires_at,
                ),
                actor="codex",
                approval_id=asked.id,
            )
            return asked

        return await self.at.center.storage.write(unit)

    async def messages(self) -> list[PushMessage]:
        """Return all that was written for browsers."""
        return await self.at.center.storage.read(lambda db: push_messages.every(db, {}))

    async def until(self, query: Callable[[Database], T | None]) -> T:
        """Read until there is something to be read."""
        with trio.fail_after(60):
            while True:
                found = await self.at.center.storage.read(query)
                if found is not None:
                    return found

    async def until_none_waits(self) -> list[PushMessage]:
        """Return all messages, once what came of each is recorded."""

        def query(db: Database) -> list[PushMessage] | None:
            found = push_messages.every(db, {})
            return found if all(message.status != "waiting" for message in found) else None

        return await self.until(query)


def push_settings(**more: Any) -> PushSettings:
    """Settings that allow the loopback, and do not slow a test."""
    wanted: dict[str, Any] = {
        "key": KEY,
        "allows_private": True,
        "timezone": "UTC",
        "backoff": Backoff(initial=0.01, cap=0.05, jitter=0.0),
    }
    return PushSettings(**(wanted | more))


@asynccontextmanager
async def rig(folder: Path, **more: Any) -> AsyncIterator[Rig]:
    """A server with the token of CC_API_TOKEN, and a push service."""
    async with (
        push_service() as service,
        server(folder, webpush=push_settings(**more)) as at,
    ):
        yield Rig(at, service)
