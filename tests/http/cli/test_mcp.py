"""`command-center mcp` as a client starts it, over pipes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import trio

from tests.http.devices import Server, server
from tests.http.guarded import TOKEN

BREAKS = "one\u2028two\u2029three\u0085four"
TASK = {"repositoryId": 1, "title": "Look", "prompt": BREAKS}


@attrs.define
class Agent:
    """Speak to the command that was started."""

    process: trio.Process
    _rest: bytes = b""
    _lines: deque[bytes] = attrs.field(factory=deque)

    async def send(self, *messages: object) -> None:
        """Send messages, and bytes as they are, each as a line."""
        assert self.process.stdin is not None
        lines = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in messages]
        await self.process.stdin.send_all(b"".join(line + b"\n" for line in lines))

    async def told(self) -> Any:
        """Return the next message."""
        assert self.process.stdout is not None
        while not self._lines:
            piece = await self.process.stdout.receive_some()
            assert piece, "it has ended"
            *lines, self._rest = (self._rest + piece).split(b"\n")
            self._lines.extend(lines)
        return json.loads(self._lines.popleft())


def request(number: int, method: str, **params: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def wait(number: int, session_id: int, **arguments: object) -> dict[str, object]:
    arguments = {"sessionId": session_id, "timeoutSeconds": 600, **arguments}
    meta = {"progressToken": number}
    return request(number, "tools/call", name="wait_for_session", arguments=arguments, _meta=meta)


def alone(message: dict[str, Any]) -> dict[str, Any]:
    """Return a request as the newest revision has it, which begins no session."""
    envelope = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = message["params"]
    return {**message, "params": {**params, "_meta": params["_meta"] | envelope}}


async def watchers(at: Server) -> str:
    """Return how many watch the events, as the metrics tell it."""
    text = (await at.root.get("/metrics")).text
    (told,) = (line for line in text.splitlines() if line.startswith("cc_event_subscribers "))
    return told


@asynccontextmanager
async def started(url: str, **environment: str) -> AsyncIterator[Agent]:
    """Start the command, with a session; it is killed if it has not ended."""
    process = await trio.lowlevel.open_process(
        [sys.executable, "-m", "command_center.http", "mcp", "--server", url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "CC_TOKEN": TOKEN, **environment},
    )
    agent = Agent(process)
    try:
        told = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "a"}}
        await agent.send(
            request(0, "initialize", **told),
            {"jsonrpc": "2.0", "method": "notifications/initialized"},
        )
        assert "command-center" == (await agent.told())["result"]["serverInfo"]["name"]
        yield agent
    finally:
        with trio.CancelScope(shield=True):
            if process.poll() is None:
                process.kill()
            await process.wait()


async def test_it_hands_on_what_agents_say_and_ends_with_them(tmp_path: Path) -> None:
    async with server(tmp_path) as at, trio.open_nursery() as nursery:
        asked_of_proxy: list[object] = []

        async def note(stream: trio.SocketStream) -> None:
            asked_of_proxy.append(await stream.receive_some())
            await stream.aclose()

        (proxy,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, note, [proxy])
        address = "http://{}:{}".format(*proxy.socket.getsockname())
        await at.root.post("/api/tasks", json=TASK)
        await at.root.post("/api/tasks/1/sessions", json={"sandbox": "read-only"})
        proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), address)
        async with started(at.address.url, **proxies, NO_PROXY="", no_proxy="") as agent:
            assert [] == asked_of_proxy
            # What no server understands is answered as well.
            await agent.send(b"{bad", b"[]", request(1, "ping") | {"id": None}, b"\xff")
            told = [await agent.told() for _ in range(4)]
            assert [-32700, -32600, -32600, -32700] == [one["error"]["code"] for one in told]
            assert {None} == {one["id"] for one in told}
            # What is a line break to others is a letter within an answer.
            await agent.send(wait(2, 1, timeoutSeconds=0))
            assert "notifications/progress" == (await agent.told())["method"]
            answer = (await agent.told())["result"]["structuredContent"]
            assert (False, BREAKS) == (answer["ended"], answer["session"]["prompt"])
            # Each is cancelled in the same breath, and no cancellation is lost.
            before = await watchers(at)
            for number in range(100, 120):
                cancel = {"requestId": number}
                await agent.send(
                    alone(wait(number, 1)) if number % 2 else wait(number, 1),
                    {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancel},
                )
            with trio.fail_after(20):
                began = {(await agent.told())["params"]["progressToken"] for _ in range(20)}
                assert {*range(100, 120)} == began
                while before != await watchers(at):
                    pass
            # As many as may stand, and some that are refused.
            await agent.send(*(wait(number, 1) for number in range(200, 220)))
            await agent.send(*(alone(wait(number, 1)) for number in range(220, 240)))
            await agent.send(request(3, "ping"))
            while (await agent.told()).get("id") != 3:
                pass
            await agent.send(request(4, "ping"))
            assert agent.process.stdin is not None
            await agent.process.stdin.aclose()
            with trio.fail_after(20):  # the waits would last for ten minutes
                while (await agent.told()).get("id") != 4:
                    pass
                assert 0 == await agent.process.wait()
            assert [] == asked_of_proxy
        nursery.cancel_scope.cancel()
