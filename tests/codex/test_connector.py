"""A connection that is lost while something else is asked of its host costs no more than that."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn, cast

import attrs
import pytest
import trio

from command_center.actors.codex.connection import Listener
from command_center.actors.codex.connector import Connector
from command_center.actors.codex.errors import WireClosed
from command_center.actors.codex.ports import Codex, Way
from command_center.actors.codex.routing import Routes
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.codex.versions import UNKNOWN_METHOD
from command_center.actors.contracts.bridges import AppServer
from command_center.actors.git.errors import GitFailed
from command_center.actors.hosts.link.calling import FarCalls, FarCodex
from command_center.actors.rules.errors import Conflict, Unavailable
from tests.codex.fake_app_server import METHODS


@attrs.define(eq=False)
class PlayedWire:
    """An app-server that introduces itself, and is cut when the test says so."""

    ends_behind: str | None = None
    process_id: int | None = None
    answers: list[bytes] = attrs.field(factory=list)
    is_cut: bool = False
    _come: trio.Event = attrs.field(factory=trio.Event)

    async def send(self, message: bytes) -> None:
        asked = json.loads(message)
        if "id" not in asked:
            return
        known: dict[str, dict[str, Any]] = {
            "initialize": {"result": {"userAgent": "fake/0.163.0 (test)"}},
            "thread/loaded/list": {"result": {"data": [], "nextCursor": None}},
        }
        names = ", ".join(f"`{name}`" for name in METHODS)
        problem = f"Invalid request: unknown variant `x`, expected one of {names}"
        told = known.get(asked["method"], {"error": {"code": -32600, "message": problem}})
        self.answers.append(json.dumps({"id": asked["id"], **told}).encode())
        self.is_cut = asked["method"] == self.ends_behind or self.is_cut
        self._come.set()

    async def receive(self) -> bytes:
        while not self.answers:
            if self.is_cut:
                raise WireClosed("The link was cut.")
            self._come = trio.Event()
            await self._come.wait()
        return self.answers.pop(0)

    def cut(self) -> None:
        self.is_cut = True
        self._come.set()

    async def aclose(self) -> None:
        self.cut()


@attrs.define(eq=False)
class PlayedCodex:
    """The Codex of a host whose first link is cut with something in hand."""

    wires: list[PlayedWire]
    look: Callable[[PlayedWire], bool] = lambda _: False
    outdated: str | None = None
    settings: BridgeSettings = attrs.field(factory=BridgeSettings)
    used: list[PlayedWire] = attrs.field(factory=list)

    async def connect(self, nursery: trio.Nursery) -> Way:
        del nursery
        self.used.append(self.wires.pop(0) if self.wires else PlayedWire())
        return Way(self.used[-1], AppServer.DETACHED, "It stands in.", self.outdated)

    async def take_over(self) -> None:
        return None

    async def listens_for_terminals(self) -> bool:
        return self.look(self.used[-1])

    async def end_own(self) -> None:
        self.used[-1].cut()
        self.outdated = None
        raise Unavailable("Host box is away.")


def lose(wire: PlayedWire) -> bool:
    wire.cut()
    raise Unavailable("Host box is away.")


@pytest.mark.parametrize(
    "codex",
    [
        PlayedCodex([], look=lose),
        PlayedCodex([PlayedWire(ends_behind=UNKNOWN_METHOD)]),
        PlayedCodex([], outdated="It is too old."),
    ],
    ids=["while_it_looks_for_another", "behind_its_last_answer", "while_it_is_ended"],
)
async def test_a_link_that_is_cut_with_a_call_in_hand_is_made_again(
    codex: PlayedCodex, autojump_clock: trio.testing.MockClock
) -> None:
    del autojump_clock
    connector = Connector(
        cast("Codex", codex), Routes(), cast("Listener", None), is_busy=lambda: False
    )
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connector.run)
            while len(codex.used) < 2:  # noqa: ASYNC110 - it is made without a word
                await trio.sleep(0.1)
            await connector.close()


@pytest.mark.parametrize("error", [Conflict("No."), GitFailed("init", 1, "No."), ValueError("No.")])
async def test_whatever_a_host_says_as_it_is_to_connect_is_why_it_did_not(
    error: Exception,
) -> None:
    class Refusing:
        def opened(self, *_: object) -> NoReturn:
            raise error

    codex = FarCodex(cast("FarCalls", Refusing()), BridgeSettings())
    async with trio.open_nursery() as nursery:
        with pytest.raises(WireClosed, match="No"):
            await codex.connect(nursery)
        with pytest.raises(WireClosed, match="No"):
            await codex.start(("--version",), nursery, cwd="/")
