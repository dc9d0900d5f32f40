"""Searches of a tree that does its worst: they end, and nobody else waits for them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from tests.end_to_end.server import Client

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes are POSIX ones")

LONG = 4 * 1024 * 1024
SPARSE = 900 * 1024 * 1024
AT_ONCE = 24
SOON = 8.0
"""Seconds within which others are answered; each of those searches alone may take ten."""


def hostile(folder: Path) -> Path:
    """Make a checkout in which a search for a text takes all the time that it gets."""
    subprocess.run(["git", "init", "--quiet", folder], check=True)  # noqa: S607 - the user's own git
    (folder / "line").write_bytes(b"lorem ipsum " * (LONG // 12))
    with (folder / "sparse").open("wb") as file:
        file.write(b"lorem ipsum " * 1000)
        file.truncate(SPARSE)
    for number in range(3000):
        os.link(folder / ("line", "sparse")[number % 2], folder / f"{number}.txt")
    if sys.platform != "win32":
        os.mkfifo(folder / "pipe")
    return folder


async def until_done(client: Client, repository: int) -> None:
    """Wait until a search has its turn; those before it may have left."""
    path = f"/api/repos/{repository}/files/search?query=pipe"
    while True:
        answer = await client.http.get(path)
        if answer.status_code == httpx.codes.OK:
            return
        await trio.sleep(float(answer.headers["Retry-After"]))


async def test_searches_of_a_hostile_tree_keep_nobody_else_waiting(
    stub_client: Client, tmp_path: Path, repository: Path
) -> None:
    place = (await stub_client.register(hostile(tmp_path / "hostile")))["id"]
    other = (await stub_client.register(repository))["id"]
    path = f"/api/repos/{place}/files/search?searched=text&query=absent"
    refused: list[Any] = []
    crowded = trio.Event()

    async def search() -> None:
        answer = await stub_client.http.get(path, timeout=60)
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            refused.append((answer.json()["error"]["message"], answer.headers["Retry-After"]))
            crowded.set()

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            for _ in range(AT_ONCE):
                nursery.start_soon(search)
            began = time.monotonic()
            await crowded.wait()
            for asked in (
                "/health",
                "/api/tasks",
                f"/api/repos/{other}/files",
                f"/api/repos/{other}/files/search?searched=text&query=hello",
            ):
                assert httpx.codes.OK == (await stub_client.http.get(asked)).status_code
            assert time.monotonic() - began < SOON
            nursery.cancel_scope.cancel()
        with trio.fail_after(SOON):
            await until_done(stub_client, place)
    assert AT_ONCE / 2 <= len(refused)
    message = "8 requests wait for this repository already. Try again in a few seconds."
    assert {(message, "2")} == set(refused)
