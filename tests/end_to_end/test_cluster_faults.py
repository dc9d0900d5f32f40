"""A centre whose network or whose clock fails, as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.end_to_end.clusters import Clustered, clustered
from tests.end_to_end.server import Client, Server, client_of
from tests.end_to_end.test_network_faults import (
    NAME,
    OURS,
    THEIRS,
    Network,
    can_be_had,
    namespace,
)
from tests.nats_servers import ON_LINUX

pytestmark = [ON_LINUX, pytest.mark.chaos, pytest.mark.timeout(600)]

STUB = {"CC_CODEX_RUNNER_MODE": "stub"}
SERVER = (sys.executable, "-m", "command_center.http")

ASK = """
import sys, urllib.error, urllib.request
url, method = sys.argv[1:]
body = b'{"name": "late"}' if method == "PATCH" else None
asked = urllib.request.Request(url, body, method=method)
asked.add_header("Authorization", "Bearer a-token-of-the-test")
asked.add_header("Content-Type", "application/json")
try:
    print(urllib.request.build_opener(type("Stay", (urllib.request.HTTPRedirectHandler,), {
        "redirect_request": lambda *_: None})).open(asked, timeout=30).status)
except urllib.error.HTTPError as error:
    print(error.code)
except OSError as error:
    print(error)
"""
"""Ask a server, from where this runs, and print its status; follow it nowhere."""


@pytest.fixture
def network() -> Iterator[Network]:
    """The other end of a wire."""
    if not can_be_had():
        pytest.skip("needs root, ip netns and iptables")
    with namespace() as made:
        yield made


def asked_there(url: str, method: str = "GET") -> str:
    """Ask a server from its own end of the wire."""
    words = ["ip", "netns", "exec", NAME, sys.executable, "-c", ASK, url, method]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


async def rename(client: Client, repository: Any, name: str) -> None:
    """Write something, and hold that it was acknowledged."""
    await client.patch(f"/api/repos/{repository['id']}", {"name": name})


@pytest.mark.parametrize("ways", [("INPUT",), ("OUTPUT",), ()], ids=["in", "out", "both"])
async def test_a_leader_that_is_cut_off_acknowledges_and_tells_nothing_until_it_follows(
    tmp_path: Path, network: Network, repository: Path, ways: tuple[str, ...]
) -> None:
    def place(number: int, centre: Server) -> None:
        host = THEIRS if number == 0 else OURS
        more = {"CC_HOST": host, "CC_API_TOKEN": "a-token-of-the-test"}
        centre.settings = {**STUB, **centre.settings, **more, "CC_CLUSTER_URL": f"http://{host}"}
        if number == 0:
            centre.program = ("ip", "netns", "exec", NAME, *SERVER)

    with clustered(tmp_path, {}, host=OURS, place=place) as pair:
        far, near = pair.centres
        assert far is await pair.leader()
        await until_standby(pair, near)
        async with client_of(far, token="a-token-of-the-test") as client:
            registered = await client.register(repository, name="first")
            await rename(client, registered, "before")
        path = f"{far.url}/api/repos/{registered['id']}"
        assert "200" == asked_there(f"{far.url}/health")
        network.cut(*ways)
        assert near is await pair.leader(but=far)
        async with client_of(near, token="a-token-of-the-test") as client:
            assert "before" == (await client.get(f"/api/repos/{registered['id']}"))["name"]
            await rename(client, registered, "after")
        for method in ("GET", "PATCH"):
            told = await trio.to_thread.run_sync(asked_there, path, method)
            assert "200" != told, told
        network.mend()
        await until_standby(pair, far)
        async with client_of(near, token="a-token-of-the-test") as client:
            assert "after" == (await client.get(f"/api/repos/{registered['id']}"))["name"]


async def until_standby(pair: Clustered, centre: Server) -> None:
    """Wait until a centre follows."""
    with trio.fail_after(60):
        while (await pair.health(centre) or {}).get("role") != "standby":  # noqa: ASYNC110 - a server says it
            await trio.sleep(0.05)


async def test_clocks_that_jump_change_no_leader_and_lose_nothing(
    tmp_path: Path, repository: Path
) -> None:
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if library is None:
        pytest.skip("libfaketime is not installed")
    offsets = [tmp_path / f"clock-{number}" for number in range(2)]

    def place(number: int, centre: Server) -> None:
        offsets[number].write_text("+0\n")
        centre.program = (
            "env",
            f"LD_PRELOAD={library}",
            f"FAKETIME_TIMESTAMP_FILE={offsets[number]}",
            "FAKETIME_CACHE_DURATION=1",
            "DONT_FAKE_MONOTONIC=1",
            *SERVER,
        )

    with clustered(tmp_path, STUB, place=place) as pair:
        leader = await pair.leader()
        standby = await pair.standby(leader)
        clock = dict(zip(pair.centres, offsets, strict=True))
        async with client_of(leader) as client:
            registered = await client.register(repository)
            for number, (jumping, seconds) in enumerate(
                ((leader, 3600), (leader, -3600), (standby, 86400), (standby, -86400))
            ):
                clock[jumping].write_text(f"{seconds:+d}\n")
                epochs = set()
                for count in range(10):  # longer than a standby waits for a silent leader
                    await rename(client, registered, f"{number}.{count}")
                    epochs.add((await pair.health(leader))["epoch"])
                    await trio.sleep(0.5)
                assert {1} == epochs
                health = await pair.health(standby)
                assert ("standby", 1) == (health["role"], health["epoch"])
        leader.kill()
        assert standby is await pair.leader(but=leader)
        async with client_of(standby) as client:
            kept = await client.get(f"/api/repos/{registered['id']}")
            assert "3.9" == kept["name"]
