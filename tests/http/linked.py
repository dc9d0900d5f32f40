"""A server in this process, with the connections of machines that dial out to it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio

from command_center.actors.center import Center, open_center
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.hosts.daemon.dialling import CannotDial, Dialled, dialled
from command_center.actors.hosts.daemon.identity import HostIdentity
from command_center.actors.tree import CenterSettings
from command_center.http.app import create_app
from command_center.http.middleware.gate import Policy
from command_center.store.host_life import HostLife
from tests.actors.rows import make_database
from tests.http.live import NO_AUTHORITIES, served

TOKEN = "the-token-of-the-server"
OWNER = {"Authorization": f"Bearer {TOKEN}"}


@attrs.frozen
class Centre:
    """A server that wants a token, and a client of its owner."""

    center: Center
    client: httpx.AsyncClient
    url: str

    async def add(self, name: str = "box") -> str:
        """A host, by its code."""
        answer = await self.client.post("/api/hosts", json={"name": name}, headers=OWNER)
        assert 201 == answer.status_code, answer.text
        return str(answer.json()["enrolment"]["code"])

    async def enrol(self, code: str) -> httpx.Response:
        """The answer to a machine that brings a code, and nothing else."""
        return await self.client.post("/api/enrolments", json={"code": code})

    async def key(self, name: str = "box") -> str:
        """The key of a new host."""
        return str((await self.enrol(await self.add(name))).json()["key"])

    @asynccontextmanager
    async def link(self, key: str, life: HostLife) -> AsyncIterator[Dialled]:
        """A connection of a machine."""
        identity = HostIdentity(centre=self.url, name="box", key=key)
        async with dialled(identity, life) as connection:
            yield connection

    async def refused(self, key: str, life: HostLife) -> str:
        """The words with which a machine is kept out."""
        with pytest.raises(CannotDial) as refused:
            async with self.link(key, life):
                pass
        return refused.value.reason

    async def told(self, kind: str) -> list[dict[str, Any]]:
        """The data of all events of that type."""
        page = await self.client.get("/api/events", params={"type": kind}, headers=OWNER)
        return [one["data"] for one in page.json()["items"]]

    async def until(self, kind: str, count: int = 1) -> dict[str, Any]:
        """The data of an event, once there are so many of its type."""
        with trio.fail_after(20):
            while len(found := await self.told(kind)) < count:  # noqa: ASYNC110 - in another task
                await trio.sleep(0.02)
        return found[-1]


@asynccontextmanager
async def linked_centre(folder: Path) -> AsyncIterator[Centre]:
    """The server, with its data in the folder."""
    make_database(folder / "center.sqlite3")
    settings = CenterSettings(
        database=folder / "center.sqlite3",
        data_dir=folder,
        runner="stub",
        bridge=BridgeSettings(disabled="It is not used here."),
        max_sessions=4,
        approval_seconds=60,
    )
    async with (
        open_center(settings) as center,
        served(create_app(center, Policy(token=TOKEN))) as address,
        httpx.AsyncClient(base_url=address.url, verify=NO_AUTHORITIES) as client,
    ):
        yield Centre(center, client, address.url)


def life(number: int) -> HostLife:
    """A start of a host's program."""
    return HostLife(number, secrets.token_hex(16))
