"""A bridge in an actor system, and an actor that keeps what it is told, for the tests of both."""

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

import attrs
import trio

from command_center.actors.codex.bridge import Bridge
from command_center.actors.codex.messages import (
    Attach,
    Call,
    CodexNotification,
    CodexServerRequest,
)
from command_center.actors.codex.routing import Routes
from command_center.actors.codex.settings import BridgeSettings, Deadlines
from command_center.actors.hosts.local.codex.codex import LocalCodex
from command_center.runtime import (
    Actor,
    ActorRef,
    Backoff,
    ChildSpec,
    SupervisorSpec,
    System,
    handles,
)
from command_center.runtime import open_system as open_actor_system
from tests.codex.fake_app_server import COMMAND

SOON = Deadlines(
    handshake=10,
    quiet=60,
    probe=5,
    close=0.3,
    reconnect=Backoff(initial=0.01, cap=0.05, jitter=0.5),
    overload=Backoff(initial=0.02, cap=0.02, jitter=0.5),
)
"""Deadlines for tests: generous where a slow machine matters, short where a test waits."""


class Listener(Actor):
    """Keeps what it is told."""

    def __init__(self, told: trio.MemorySendChannel[object]) -> None:
        self._told = told

    @handles(object)
    async def keep(self, message: object) -> None:
        await self._told.send(message)


@attrs.frozen
class Bridged:
    """A running system with `/bridge` and `/session`, the latter a `Listener`."""

    system: System
    routes: Routes
    told: trio.MemoryReceiveChannel[object]

    @property
    def bridge(self) -> ActorRef[Any]:
        return self.system.lookup("/bridge")

    @property
    def session(self) -> ActorRef[Any]:
        return self.system.lookup("/session")

    async def call(self, method: str, params: Mapping[str, Any], seconds: float = 30) -> Any:
        call = Call(method, params, timeout=seconds)
        return await self.bridge.ask(call, timeout=seconds + 10)

    async def begin(self, cwd: Path, **params: object) -> str:
        """Start a thread and attach `/session` to it; answers its id."""
        start = {"cwd": str(cwd), "sandbox": "workspace-write", "approvalPolicy": "on-request"}
        result = await self.call("thread/start", {**start, **params})
        thread_id = str(result["thread"]["id"])
        await self.bridge.ask(Attach(thread_id, self.session))
        return thread_id

    async def prompt(self, thread_id: str, text: str) -> str:
        """Start a turn; answers its id."""
        result = await self.call(
            "turn/start", {"threadId": thread_id, "input": [{"type": "text", "text": text}]}
        )
        return str(result["turn"]["id"])

    async def until(self, wanted: Callable[[Any], bool], seconds: float = 30) -> list[Any]:
        """Return what is told, up to and with the first that is wanted."""
        seen: list[Any] = []
        with trio.fail_after(seconds):
            while True:
                seen.append(await self.told.receive())
                if wanted(seen[-1]):
                    return seen

    async def until_told(self, method: str) -> list[Any]:
        return await self.until(lambda m: isinstance(m, CodexNotification) and m.method == method)

    async def until_asked(self) -> CodexServerRequest:
        seen = await self.until(lambda m: isinstance(m, CodexServerRequest))
        request = seen[-1]
        assert isinstance(request, CodexServerRequest)
        return request


class open_bridge(AbstractAsyncContextManager[Bridged]):  # noqa: N801 - reads as a function
    """A bridge with these settings, for as long as the block lasts."""

    def __init__(
        self, settings: BridgeSettings, *, mailbox: int = 1000, buffer: int = 10_000
    ) -> None:
        self._routes = Routes()
        send, receive = trio.open_memory_channel[object](buffer)
        routes = self._routes
        self._receive = receive
        self._opening = open_actor_system(
            SupervisorSpec(
                id="",
                children=[
                    ChildSpec("bridge", lambda: Bridge(LocalCodex(settings), routes), shutdown=15),
                    ChildSpec("session", lambda: Listener(send), mailbox=mailbox),
                ],
            )
        )

    async def __aenter__(self) -> Bridged:
        return Bridged(await self._opening.__aenter__(), self._routes, self._receive)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._opening.__aexit__(kind, error, traceback)


def faked(*behaviours: str, deadlines: Deadlines = SOON, **settings: Any) -> BridgeSettings:
    """Settings that reach the fake app-server."""
    return BridgeSettings(command=(*COMMAND, *behaviours), deadlines=deadlines, **settings)


def real(binary: Path, home: Path, **settings: Any) -> BridgeSettings:
    """Settings that spawn the real Codex."""
    environment = {**os.environ, "CODEX_HOME": str(home)}
    given = {"environment": environment, "deadlines": SOON, **settings}
    return BridgeSettings(command=str(binary), **given)
