"""Actors and messages that the runtime's tests share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import trio

from command_center.runtime import (
    Actor,
    Backoff,
    ChildSpec,
    Context,
    Deferred,
    Down,
    ExitKind,
    Intensity,
    Refusal,
    Request,
    Restart,
    Strategy,
    SupervisorSpec,
    handles,
)

AT_ONCE = Backoff(initial=0.0, jitter=0.0)


class NoSuchThing(Refusal):
    pass


class Boom(Exception):
    pass


@attrs.frozen
class Echo(Request[str]):
    text: str


@attrs.frozen
class Note:
    text: str


@attrs.frozen
class Crash:
    pass


@attrs.frozen
class AskedCrash(Request[None]):
    pass


@attrs.frozen
class Refuse(Request[None]):
    pass


@attrs.frozen
class Unknown(Request[int]):
    pass


@attrs.frozen
class Hold(Request[str]):
    """Keeps the actor busy until `gate` is set; `taken` is set when the handler runs."""

    taken: trio.Event = attrs.field(factory=trio.Event)
    gate: trio.Event = attrs.field(factory=trio.Event)


@attrs.frozen
class Leave:
    kind: ExitKind = ExitKind.NORMAL


@attrs.frozen
class Run:
    """Runs any coroutine function with the actor's context, inside the handler."""

    work: Callable[[Context], object]


@attrs.frozen
class Later(Request[str]):
    pass


@attrs.frozen
class Settle:
    text: str


@attrs.frozen
class Forward(Request[str]):
    """Has the actor at `path` answer `request` in the probe's stead."""

    path: str
    request: Request[Any]


class Probe(Actor):
    """Does what it is told, and writes down what happens to it."""

    def __init__(self, log: list[str] | None = None, name: str = "") -> None:
        self.log: list[str] = [] if log is None else log
        self.name = name
        self.notes: list[str] = []
        self.owed: list[Deferred[str]] = []

    def write(self, word: str) -> None:
        self.log.append(f"{self.name} {word}".strip())

    async def on_start(self) -> None:
        self.write("start")

    async def on_stop(self) -> None:
        self.write("stop")

    @handles(Echo)
    async def echo(self, message: Echo) -> str:
        self.write(message.text)
        return message.text

    @handles(Note)
    def note(self, message: Note) -> None:
        self.write(message.text)

    @handles(Crash)
    async def crash(self, _message: Crash) -> None:
        raise Boom

    @handles(AskedCrash)
    async def asked_crash(self, _message: AskedCrash) -> None:
        raise Boom

    @handles(Refuse)
    async def refuse(self, _message: Refuse) -> None:
        raise NoSuchThing

    @handles(Hold)
    async def hold(self, message: Hold) -> str:
        message.taken.set()
        await message.gate.wait()
        return "released"

    @handles(Leave)
    async def leave(self, message: Leave) -> None:
        self.ctx.stop(message.kind)

    @handles(Run)
    async def run(self, message: Run) -> None:
        result = message.work(self.ctx)
        if isinstance(result, trio.Event):
            await result.wait()

    @handles(Later)
    async def later(self, _message: Later) -> Deferred[str]:
        reply: Deferred[str] = self.ctx.defer()
        self.owed.append(reply)
        return reply

    @handles(Forward)
    async def forward(self, message: Forward) -> Deferred[str]:
        return self.ctx.forward(self.ctx.lookup(message.path), message.request)

    @handles(Settle)
    async def settle(self, message: Settle) -> None:
        for reply in self.owed:
            reply.send(message.text)

    @handles(Down)
    async def down(self, message: Down) -> None:
        self.write(f"down {message.path} {message.reason}")


class FailsToStart(Actor):
    """Raises in `on_start` as long as `failures` holds anything; counts the attempts in `log`."""

    def __init__(self, failures: list[Exception], log: list[str], name: str = "") -> None:
        self.failures = failures
        self.log = log
        self.name = name

    async def on_start(self) -> None:
        self.log.append(f"{self.name} start".strip())
        if self.failures:
            raise self.failures.pop(0)


def probe(
    id_: str,
    log: list[str] | None = None,
    *,
    restart: Restart = Restart.PERMANENT,
    shutdown: float = 5.0,
    mailbox: int = 1000,
) -> ChildSpec:
    """Return the spec of a probe that writes to `log` under its id."""
    return ChildSpec(
        id_, lambda: Probe(log, id_), restart=restart, shutdown=shutdown, mailbox=mailbox
    )


def tree(
    *children: ChildSpec | SupervisorSpec,
    strategy: Strategy = Strategy.ONE_FOR_ONE,
    intensity: Intensity = Intensity(3, 10.0),  # noqa: B008 - frozen
    backoff: Backoff = AT_ONCE,
    quarantine: bool = False,
) -> SupervisorSpec:
    """Return a root over `children` that restarts at once."""
    return SupervisorSpec(
        "",
        children,
        strategy=strategy,
        intensity=intensity,
        backoff=backoff,
        quarantine=quarantine,
    )


def branch(
    id_: str,
    children: Sequence[ChildSpec | SupervisorSpec],
    *,
    strategy: Strategy = Strategy.ONE_FOR_ONE,
    intensity: Intensity = Intensity(3, 10.0),  # noqa: B008 - frozen
    restart: Restart = Restart.PERMANENT,
    quarantine: bool = False,
) -> SupervisorSpec:
    """Return a supervisor below the root that restarts at once."""
    return SupervisorSpec(
        id_,
        children,
        strategy=strategy,
        intensity=intensity,
        restart=restart,
        backoff=AT_ONCE,
        quarantine=quarantine,
    )
