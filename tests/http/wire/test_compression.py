"""Large answers are compressed for clients that take that, and are the same."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from command_center.http.app import create_app
from command_center.http.middleware.gate import Policy
from command_center.http.wire.compression import LARGEST_AT_ONCE, SMALLEST
from tests.actors.automations.rig import opened
from tests.http.live import client_of

PLAIN = {"Accept-Encoding": "identity"}
SMALL = {"Accept-Encoding": "gzip"}


@asynccontextmanager
async def api(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with opened(folder) as rig, client_of(create_app(rig.center, Policy())) as http:
        yield http


async def made(http: httpx.AsyncClient, length: int) -> str:
    """The path of a new task, whose prompt is so long."""
    prompt = "".join(f"{number} apples, " for number in range(length))[:length]
    answer = await http.post(
        "/api/tasks", json={"repositoryId": 1, "title": "a", "prompt": prompt}, headers=SMALL
    )
    assert "content-encoding" not in answer.headers
    return f"/api/tasks/{answer.json()['id']}"


async def raw(
    http: httpx.AsyncClient, path: str, headers: dict[str, str], method: str = "GET"
) -> tuple[httpx.Response, bytes]:
    """The answer, and its body as it came."""
    async with http.stream(method, path, headers=headers) as answer:
        return answer, b"".join([part async for part in answer.aiter_raw()])


@pytest.mark.parametrize("length", [SMALLEST, 2 * LARGEST_AT_ONCE])
async def test_a_large_answer_is_compressed_for_who_takes_it(tmp_path: Path, length: int) -> None:
    async with api(tmp_path) as http:
        path = await made(http, length)
        small, sent = await raw(http, path, SMALL)
        plain, body = await raw(http, path, PLAIN)
        head, nothing = await raw(http, path, SMALL, "HEAD")
    assert body == gzip.decompress(sent)
    assert len(sent) < len(body) / 2
    assert ("gzip", None) == (
        small.headers["Content-Encoding"],
        plain.headers.get("Content-Encoding"),
    )
    assert "Accept-Encoding" == small.headers["Vary"] == plain.headers["Vary"]
    assert str(len(sent)) == small.headers["Content-Length"]
    assert b"" == nothing
    for name in ("Content-Encoding", "Content-Length", "Content-Type", "ETag", "Vary"):
        assert small.headers[name] == head.headers[name]


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "gzip"),
        ("br, gzip;q=0.1", "gzip"),
        ("GZIP", "gzip"),
        ("*", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=0, *", None),
        ("*;q=0", None),
        ("identity, gzip;q=0.5", None),
        ("br", None),
        ("", None),
    ],
)
async def test_who_would_rather_have_it_as_it_is_gets_it_so(
    tmp_path: Path, accepted: str, coding: str | None
) -> None:
    async with api(tmp_path) as http:
        path = await made(http, SMALLEST)
        answer, _ = await raw(http, path, {"Accept-Encoding": accepted})
        without = http.build_request("GET", path)
        del without.headers["Accept-Encoding"]
        assert "Content-Encoding" not in (await http.send(without)).headers
    assert coding == answer.headers.get("Content-Encoding")


async def test_a_small_answer_is_sent_as_it_is(tmp_path: Path) -> None:
    async with api(tmp_path) as http:
        answer, _ = await raw(http, await made(http, 100), SMALL)
    assert not {"Content-Encoding", "Vary"} & {name.title() for name in answer.headers}


async def test_what_is_large_and_compressed_is_not_sent_again_and_changed_only_as_seen(
    tmp_path: Path,
) -> None:
    async with api(tmp_path) as http:
        path = await made(http, SMALLEST)
        tags = [(await http.get(path, headers=taken)).headers["ETag"] for taken in (SMALL, PLAIN)]
        assert tags[0] != tags[1]  # other bytes
        for tag, taken in zip(tags, (SMALL, PLAIN), strict=True):
            again, body = await raw(http, path, {**taken, "If-None-Match": tag})
            assert (304, b"", tag) == (again.status_code, body, again.headers["ETag"])
            assert "Accept-Encoding" == again.headers["Vary"]
            assert "Content-Encoding" not in again.headers
        for number in range(2):
            tag = (await http.get(path, headers=(SMALL, PLAIN)[number])).headers["ETag"]
            answers = [
                await http.patch(path, json={"title": title}, headers={"If-Match": tag})
                for title in (f"first {number}", "late")
            ]
            assert [200, 412] == [answer.status_code for answer in answers]


async def test_documents_are_compressed_and_streams_are_not(tmp_path: Path) -> None:
    async with api(tmp_path) as http:
        for path in ("/openapi.json", "/docs/openapi.html"):
            assert "gzip" == (await http.get(path)).headers["Content-Encoding"]
        for _ in range(2):
            await made(http, SMALLEST)
        taken = {**SMALL, "Accept": "text/event-stream"}
        async with http.stream("GET", "/api/events/stream?after=0", headers=taken) as answer:
            assert "text/event-stream" == answer.headers["Content-Type"]
            assert "Content-Encoding" not in answer.headers
