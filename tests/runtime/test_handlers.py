"""Handlers that take a message only in some states of their actor."""

from __future__ import annotations

import msgspec
import pytest

from command_center.runtime import (
    Actor,
    ActorRef,
    ChildSpec,
    Deferred,
    Refusal,
    Request,
    SupervisorSpec,
    UnhandledMessage,
    handles,
    open_system,
)

OPEN = frozenset({"open"})
CLOSED = frozenset({"closed"})


class Push(msgspec.Struct, frozen=True):
    pass


class Enter(msgspec.Struct, Request[str], frozen=True):
    name: str


class Look(msgspec.Struct, Request[str], frozen=True):
    pass


class PushAndLook(msgspec.Struct, Request[str], frozen=True):
    pass


class Stray(msgspec.Struct, frozen=True):
    pass


class Locked(Refusal):
    pass


class Door(Actor):
    states = OPEN | CLOSED

    def __init__(self) -> None:
        self.is_open = False
        self.pushed = 0

    @property
    def state(self) -> str:
        return "open" if self.is_open else "closed"

    @handles(Push, when=CLOSED)
    def opened(self, _message: Push) -> None:
        self.pushed += 1
        self.is_open = True

    @handles(Enter, when=OPEN, otherwise=lambda door: Locked(f"Push {2 - door.pushed} more."))
    def enter(self, message: Enter) -> str:
        return f"Welcome, {message.name}."

    @handles(Look, when=OPEN)
    async def look_in(self, _message: Look) -> Deferred[str]:
        reply: Deferred[str] = self.ctx.defer()
        reply.send("a room")
        return reply

    @handles(Look, when=CLOSED)
    def look_at(self, _message: Look) -> str:
        return "wood"

    @handles(PushAndLook)
    async def push_and_look(self, _message: PushAndLook) -> str:
        await self.handle_now(Push())
        await self.handle_now(Push())
        return f"{self.state} after {self.pushed}"


SPEC = SupervisorSpec("", [ChildSpec("door", Door)])


async def test_a_request_in_a_state_that_does_not_take_it_is_refused_in_its_own_words() -> None:
    async with open_system(SPEC) as system:
        ref: ActorRef[object] = system.lookup("/door")
        with pytest.raises(Locked, match="Push 2 more"):
            await ref.ask(Enter("Ada"))
        await ref.tell(Push())
        assert "Welcome, Ada." == await ref.ask(Enter("Ada"))


async def test_what_is_told_in_a_state_that_does_not_take_it_is_passed_over_and_counted() -> None:
    async with open_system(SPEC) as system:
        ref = system.lookup("/door")
        for _ in range(3):
            await ref.tell(Push())
        assert "open after 1" == await ref.ask(PushAndLook())
        assert 0 == len(system.dead_letters)


async def test_each_state_may_have_its_own_handler_of_a_message() -> None:
    async with open_system(SPEC) as system:
        ref = system.lookup("/door")
        assert "wood" == await ref.ask(Look())
        await ref.tell(Push())
        assert "a room" == await ref.ask(Look())


async def test_a_message_that_is_handled_in_place_goes_by_the_state_of_then() -> None:
    async with open_system(SPEC) as system:
        assert "open after 1" == await system.lookup("/door").ask(PushAndLook())


async def test_what_has_no_handler_cannot_be_handled_in_place() -> None:
    door = Door()
    async with open_system(SupervisorSpec("", [ChildSpec("door", lambda: door)])) as system:
        system.lookup("/door")
        with pytest.raises(UnhandledMessage, match="no handler for Stray"):
            await door.handle_now(Stray())


def test_a_state_that_the_actor_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Typo\.push: Typo has no state ajar"):

        class Typo(Door):
            @handles(Push, when={"ajar"})
            def push(self, _message: Push) -> None: ...


def test_two_handlers_for_one_message_in_one_state_are_refused() -> None:
    with pytest.raises(TypeError, match=r"a second handler for .*Push.* when open"):

        class Confused(Door):
            @handles(Push, when=OPEN | CLOSED)
            def one(self, _message: Push) -> None: ...

            @handles(Push, when=OPEN)
            def two(self, _message: Push) -> None: ...


def test_a_handler_for_every_state_beside_one_for_some_is_refused() -> None:
    with pytest.raises(TypeError, match="a second handler"):

        class Confused(Door):
            @handles(Push, when=OPEN)
            def one(self, _message: Push) -> None: ...

            @handles(Push)
            def two(self, _message: Push) -> None: ...


def test_a_request_that_some_state_refuses_without_words_is_refused() -> None:
    with pytest.raises(TypeError, match="nothing says how it is refused when closed"):

        class Mute(Door):
            @handles(Enter, when=OPEN)
            def only(self, message: Enter) -> str:
                return message.name


class Greets(Actor):
    @handles(Look)
    async def look(self, _message: Look) -> str:
        return "first"


class Enters:
    @handles(Enter)
    def enter(self, message: Enter) -> str:
        return f"in, {message.name}"


async def answer(actor: type[Actor], message: Request[str]) -> str:
    answers: list[str] = []
    async with open_system(SupervisorSpec("", [ChildSpec("a", actor)])) as system:
        answers.append(await system.lookup("/a").ask(message))
    return answers[0]


async def test_handlers_of_every_base_class_are_inherited() -> None:
    class Both(Greets, Enters):
        pass

    assert "first" == await answer(Both, Look())
    assert "in, Ann" == await answer(Both, Enter("Ann"))


async def test_a_method_that_overrides_a_handler_is_the_handler() -> None:
    class Other(Greets):
        def look(self, _message: Look) -> str:  # type: ignore[override]
            return "second"

    class Third(Other):
        pass

    assert "second" == await answer(Other, Look())
    assert "second" == await answer(Third, Look())
    assert "first" == await answer(Greets, Look())


async def test_one_that_overrides_it_for_another_message_handles_the_other_alone() -> None:
    class Other(Greets):
        @handles(Enter)
        def look(self, message: Enter) -> str:  # type: ignore[override]
            return f"in, {message.name}"

    assert "in, Ann" == await answer(Other, Enter("Ann"))
    with pytest.raises(UnhandledMessage):
        await answer(Other, Look())


class General(msgspec.Struct, Request[str], frozen=True):
    pass


class Special(General, frozen=True):
    pass


class MoreSpecial(Special, frozen=True):
    pass


async def test_a_handler_that_a_base_class_has_found_hides_none_of_a_subclass() -> None:
    class Base(Actor):
        @handles(General)
        def general(self, _message: General) -> str:
            return "general"

    assert "general" == await answer(Base, MoreSpecial())

    class Sub(Base):
        @handles(Special)
        def special(self, _message: Special) -> str:
            return "special"

    assert "special" == await answer(Sub, MoreSpecial())
    assert "general" == await answer(Sub, General())
