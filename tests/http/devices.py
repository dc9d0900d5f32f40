"""A server with the token of CC_API_TOKEN, and devices that use it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx

from command_center.actors.center import Center
from command_center.http.app import create_app
from command_center.http.middleware.gate import Policy
from command_center.http.transport.listen import BoundAddress
from tests.actors.automations.rig import Rig, opened
from tests.http.guarded import BEARER, KEY, TOKEN
from tests.http.live import served


@attrs.frozen
class Server:
    """A server, asked by who has the token of CC_API_TOKEN."""

    rig: Rig
    address: BoundAddress
    root: httpx.AsyncClient

    @property
    def center(self) -> Center:
        """Return the center that is served."""
        return self.rig.center

    async def device(self, *scopes: str, **fields: Any) -> dict[str, Any]:
        """Make a device, which has its token."""
        wanted = {"name": "Phone", "scopes": scopes, **fields}
        answer = await self.root.post("/api/devices", json=wanted)
        assert 201 == answer.status_code, answer.text
        made: dict[str, Any] = answer.json()
        return made

    @asynccontextmanager
    async def client(self, device: Mapping[str, Any]) -> AsyncIterator[httpx.AsyncClient]:
        """Ask as a device."""
        headers = bearer(device)
        async with httpx.AsyncClient(
            base_url=self.address.url, headers=headers, timeout=30
        ) as http:
            yield http

    async def events(self, *types: str) -> list[Any]:
        """Return the events of these types."""
        found = await self.root.get("/api/events", params={"type": types, "limit": 500})
        items: list[Any] = found.json()["items"]
        return items


def bearer(device: Mapping[str, Any]) -> dict[str, str]:
    """Return the header that a device sends."""
    return {"Authorization": f"Bearer {device['token']}"}


@asynccontextmanager
async def server(
    folder: Path, *, token: str | None = TOKEN, urls: Sequence[str] = (), **settings: Any
) -> AsyncIterator[Server]:
    """Serve a center on the database in `folder`."""
    policy = Policy(token=token, sign_in_key=KEY)
    async with (
        opened(folder, **settings) as rig,
        served(create_app(rig.center, policy, lambda: urls)) as address,
        httpx.AsyncClient(base_url=address.url, headers=BEARER, timeout=30) as root,
    ):
        yield Server(rig, address, root)
