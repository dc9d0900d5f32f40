"""An actor's class finds the handler of a message."""

from __future__ import annotations

from typing import Any, assert_type

import msgspec
import pytest

from command_center.runtime import (
    Actor,
    ActorRef,
    ChildSpec,
    Deferred,
    Request,
    SupervisorSpec,
    handles,
    open_system,
)


class Receipt(msgspec.Struct, frozen=True):
    number: int


class Order(msgspec.Struct, Request[Receipt], frozen=True):
    number: int


class Animal(msgspec.Struct, Request[str]):
    pass


class Dog(Animal):
    pass


class Poodle(Dog):
    pass


class Zoo(Actor):
    @handles(Order)
    async def order(self, message: Order) -> Receipt:
        return Receipt(message.number)

    @handles(Animal)
    async def animal(self, _message: Animal) -> str:
        return "animal"

    @handles(Dog)
    def dog(self, _message: Dog) -> str:
        return "dog"


class PettingZoo(Zoo):
    @handles(Animal)
    async def gentle(self, _message: Animal) -> Deferred[str]:
        reply: Deferred[str] = self.ctx.defer()
        reply.send("gentle")
        return reply


def spec(*children: ChildSpec) -> SupervisorSpec:
    return SupervisorSpec("", children)


async def test_the_reply_of_a_request_is_known_by_its_type() -> None:
    async with open_system(spec(ChildSpec("zoo", Zoo))) as system:
        ref: ActorRef[Any] = system.lookup("/zoo")
        receipt = await ref.ask(Order(7))
        assert_type(receipt, Receipt)
        assert receipt == Receipt(7)


async def test_the_nearest_class_of_a_message_decides() -> None:
    async with open_system(spec(ChildSpec("zoo", Zoo))) as system:
        ref = system.lookup("/zoo")
        assert [await ref.ask(Animal()), await ref.ask(Dog()), await ref.ask(Poodle())] == [
            "animal",
            "dog",
            "dog",
        ]


async def test_a_subclass_inherits_and_replaces_handlers() -> None:
    async with open_system(spec(ChildSpec("zoo", PettingZoo))) as system:
        ref = system.lookup("/zoo")
        assert [await ref.ask(Animal()), await ref.ask(Dog())] == ["gentle", "dog"]


def test_two_handlers_for_one_message_in_a_class_are_refused() -> None:
    with pytest.raises(TypeError, match="a second handler"):

        class Confused(Actor):
            @handles(Dog)
            def one(self, _message: Dog) -> str:
                return ""

            @handles(Dog)
            def two(self, _message: Dog) -> str:
                return ""
