"""An origin goes along from message to message, and no further."""

from __future__ import annotations

import msgspec
import trio
import trio.testing

from command_center.runtime import (
    Actor,
    ChildSpec,
    Deferred,
    Request,
    Restart,
    SupervisorSpec,
    handles,
    open_system,
    origin,
    working_for,
)


class Which(msgspec.Struct, Request[str | None], frozen=True):
    """Under which origin is this handled?"""


class WhichLater(msgspec.Struct, Request[str | None], frozen=True):
    """The same, of a task that the handler starts."""


class HandOn(msgspec.Struct, Request[str | None], frozen=True):
    """The same, of the actor that is asked by the one who is asked."""

    path: str


class Note(msgspec.Struct, frozen=True):
    """Keep the origin."""


class TellForNobody(msgspec.Struct, Request[str | None], frozen=True):
    """Tell oneself to note an origin that is none, and answer with the own."""


class Begin(msgspec.Struct, Request[None], frozen=True):
    """Start another such actor."""


class Teller(Actor):
    def __init__(self, noted: list[str | None]) -> None:
        self._noted = noted

    @handles(Which)
    def which(self, _message: Which) -> str | None:
        return origin.get()

    @handles(WhichLater)
    async def which_later(self, _message: WhichLater) -> Deferred[str | None]:
        async def look() -> str | None:
            await trio.lowlevel.checkpoint()
            return origin.get()

        return self.ctx.answer_later(look)

    @handles(HandOn)
    async def hand_on(self, message: HandOn) -> str | None:
        return await self.ctx.lookup(message.path).ask(Which())

    @handles(Note)
    def note(self, _message: Note) -> None:
        self._noted.append(origin.get())

    @handles(TellForNobody)
    async def tell_for_nobody(self, _message: TellForNobody) -> str | None:
        with working_for(None):
            await self.ctx.ref.tell(Note())
        return origin.get()

    @handles(Begin)
    async def begin(self, _message: Begin) -> Deferred[None]:
        spec = ChildSpec("child", lambda: Teller(self._noted), restart=Restart.TEMPORARY)

        async def start() -> None:
            await self.ctx.start_child("/", spec)

        return self.ctx.answer_later(start)


def two(noted: list[str | None], *, mailbox: int = 1000) -> SupervisorSpec:
    """Two such actors."""
    return SupervisorSpec(
        "", [ChildSpec(name, lambda: Teller(noted), mailbox=mailbox) for name in ("one", "two")]
    )


async def test_a_handler_works_for_the_origin_of_whoever_sent_its_message() -> None:
    async with open_system(two([])) as system:
        one = system.lookup("/one")
        origin.set("request 1")
        assert "request 1" == await one.ask(Which())
        assert "request 1" == await one.ask(WhichLater())
        assert "request 1" == await one.ask(HandOn("/two"))
        origin.set(None)
        assert [None] * 3 == [
            await one.ask(Which()),
            await one.ask(WhichLater()),
            await one.ask(HandOn("/two")),
        ]


async def test_each_message_has_its_own_whoever_sent_the_one_before() -> None:
    noted: list[str | None] = []
    names = ["a", None, "b", "b", None, "c"]
    async with open_system(two(noted, mailbox=2)) as system:
        one = system.lookup("/one")

        async def tell(name: str | None) -> None:
            origin.set(name)
            await one.tell(Note())

        system.suspend("/one", reason="so that most of them wait for room")
        async with trio.open_nursery() as nursery:
            for name in names:
                nursery.start_soon(tell, name)
                await trio.testing.wait_all_tasks_blocked()
            system.resume("/one", reason="enough")
        origin.set("d")
        one.try_tell(Note())
        assert "d" == await one.ask(Which())
    assert [*names, "d"] == noted


async def test_a_handler_may_do_a_part_of_its_work_for_something_else() -> None:
    noted: list[str | None] = []
    async with open_system(two(noted)) as system:
        origin.set("request 1")
        assert "request 1" == await system.lookup("/one").ask(TellForNobody())
        assert "request 1" == await system.lookup("/one").ask(Which())
    assert [None] == noted


async def test_what_an_actor_is_not_asked_for_it_does_for_what_it_was_started_for() -> None:
    async with open_system(two([])) as system:
        origin.set("request 1")
        await system.lookup("/one").ask(Begin())
        child = system.lookup("/child")
        origin.set("request 2")
        assert "request 2" == await child.ask(Which())
        origin.set(None)
        assert "request 1" == await child.ask(Which())
        assert await system.lookup("/one").ask(Which()) is None
