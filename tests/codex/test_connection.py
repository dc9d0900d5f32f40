"""A connection tells of an answer that it could not take whoever asked for it, and goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import trio

from command_center.actors.codex import protocol
from command_center.actors.codex.connection import Connection
from command_center.actors.codex.errors import AnswerTooLong, MessageTooLong
from command_center.actors.codex.settings import Deadlines


class ShortWire:
    """Answers each request, but what it is asked for as `long` in too many bytes."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[dict[str, Any]](10)

    async def send(self, data: bytes) -> None:
        request = protocol.decode(data)
        assert isinstance(request, protocol.ServerRequest)
        await self._send.send({"id": request.id, "method": request.method})

    async def receive(self) -> bytes:
        asked: Mapping[str, Any] = await self._receive.receive()
        answer = protocol.encode_result(asked["id"], {"of": asked["method"]})
        if asked["method"] == "long":
            raise MessageTooLong(1000, answer[:100])
        return answer


async def test_an_answer_that_is_too_long_fails_its_request_at_once_and_no_other() -> None:
    connection = Connection(ShortWire(), None, Deadlines())  # type: ignore[arg-type]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection.run)
        with trio.fail_after(30), pytest.raises(AnswerTooLong, match="1000 bytes"):
            await connection.call("long", {}, 60)
        assert {"of": "short"} == await connection.call("short", {}, 5)
        nursery.cancel_scope.cancel()
