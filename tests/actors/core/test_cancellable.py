"""Calls that break off in the midst of a body: they leave nothing for the garbage collector.

What is left is a warning of trio's, and every warning fails a test.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
import trio

from command_center.actors.channels.errors import Unreachable
from command_center.actors.channels.posting import Poster
from command_center.actors.forges.github import GitHub
from command_center.actors.forges.settings import GitHubSettings
from command_center.actors.rules.errors import Unavailable
from command_center.actors.telegram.api import BotApi, SentFile
from command_center.actors.telegram.errors import BotApiUnreachable
from command_center.actors.telegram.settings import TelegramSettings

LARGE = 8_000_000
"""Bytes that no socket takes at once."""

SECONDS = 0.2

Call = Callable[[str], Awaitable[object]]


async def post(url: str) -> None:
    poster = Poster(allows_private=True, setting="X", call_seconds=SECONDS, connections=1)
    try:
        await poster.post(url, {}, b"x" * LARGE)
    finally:
        await poster.aclose()


async def merge(url: str) -> None:
    github = GitHub(GitHubSettings(token="t", api_base=url, call_seconds=SECONDS))
    try:
        await github.merge("a/b", 1, "x" * LARGE, "squash")
    finally:
        await github.close()


async def upload(url: str) -> None:
    bot = BotApi(
        TelegramSettings(mode="polling", bot_token="1:t", api_base=url, call_seconds=SECONDS)
    )
    try:
        await bot.call("sendDocument", upload=SentFile("document", "a", b"x" * LARGE))
    finally:
        await bot.close()


@asynccontextmanager
async def peer(answer: Callable[[trio.SocketStream], Awaitable[None]]) -> AsyncIterator[str]:
    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_tcp, answer, 0, host="127.0.0.1")
        (listener,) = await nursery.start(serve)
        yield f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()
    gc.collect()


@pytest.mark.parametrize(
    ("call", "failure", "said"),
    [
        (post, Unreachable, "no answer within 0.2 seconds"),
        (merge, Unavailable, "it took longer than 0.2 s"),
        (upload, BotApiUnreachable, "it took too long"),
    ],
)
async def test_a_body_that_nobody_reads_is_left_half_sent(
    call: Call, failure: type[Exception], said: str
) -> None:
    async def read_nothing(_: trio.SocketStream) -> None:
        await trio.sleep_forever()

    async with peer(read_nothing) as url:
        with pytest.raises(failure, match=said):
            await call(url)


async def test_of_an_answer_that_does_not_end_the_beginning_is_read() -> None:
    async def answer_on(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        head = f"HTTP/1.1 410 Gone\r\nRetry-After: 7\r\nContent-Length: {LARGE}\r\n\r\n"
        with suppress(trio.BrokenResourceError):
            await stream.send_all(head.encode() + b"x" * LARGE)

    poster = Poster(allows_private=True, setting="X", call_seconds=30, connections=1)
    async with peer(answer_on) as url:
        answer = await poster.post(url, {}, b"x")
        assert (410, 7.0) == (answer.status, answer.retry_after)
        await poster.aclose()
