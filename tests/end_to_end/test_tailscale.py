"""A server to which Tailscale leads: as long as it lives, and after it was killed."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx
import psutil
import pytest
import trio

from command_center.actors.hosts.local.codex.orphans import is_alive
from command_center.http.transport.listen import bind
from command_center.http.wire.problems import AddressUnavailable
from tests.end_to_end.server import Server
from tests.tailscale import NAME, fake_tailscale

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="The stand-in is a script.")

TOKEN = "a-token-that-nobody-guesses"


def answer(
    server: Server, host: str, *, token: bool = True, client: str = "100.64.0.9"
) -> httpx.Response:
    """Ask as Tailscale does, which tells the name that was opened, and for whom."""
    headers = {"Host": host, "X-Forwarded-For": client, "X-Forwarded-Proto": "https"}
    if token:
        headers["Authorization"] = f"Bearer {TOKEN}"
    return httpx.get(f"{server.url}/api/addresses", headers=headers, trust_env=False)


def has_ipv6() -> bool:
    """Say whether the machine has the other loopback, which is asked from another address."""
    try:
        bind("::1", 0).close()
    except AddressUnavailable:
        return False
    return True


def runs(pid: int) -> bool:
    """Say whether a process is at work; one that nobody has waited for yet is not."""
    try:
        return is_alive(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False


async def test_it_leads_here_for_as_long_as_the_server_lives(tmp_path: Path) -> None:
    async with fake_tailscale(tmp_path) as fake:
        settings = {
            "CC_CODEX_RUNNER_MODE": "stub",
            "CC_API_TOKEN": TOKEN,
            "CC_TAILSCALE": "serve",
            "CC_HOST": "::1" if has_ipv6() else "127.0.0.1",
            "PATH": fake.path,
        }
        server = Server(tmp_path / "data", settings)
        try:
            await trio.to_thread.run_sync(server.start)
            first = await fake.served()
            assert (["serve", "--yes", "--https=443", server.url], []) == (
                first.given,
                first.settings,
            )
            told = answer(server, NAME)
            assert (200, f"https://{NAME}") == (told.status_code, told.json()["items"][0]["url"])
            assert 421 == answer(server, "other.tail1234.ts.net").status_code
            assert 401 == answer(server, NAME, token=False).status_code
            # It is believed when it says for whom it asks: what it says has to be an address.
            assert 400 == answer(server, NAME, client="nobody").status_code

            psutil.Process(first.pid).kill()
            second = await fake.served()
            assert first.pid != second.pid

            await trio.to_thread.run_sync(server.kill)
            assert runs(second.pid)
            await trio.to_thread.run_sync(server.start)
            third = await fake.served()
            assert server.url == third.given[3]
            assert not runs(second.pid)
            assert 0 == await trio.to_thread.run_sync(server.stop)
            assert not runs(third.pid)
        finally:
            await trio.to_thread.run_sync(server.end)
