"""A chat room: it tells every member what one says, and learns of those who are gone.

Prints::

    Ada heard: Bob says hello
    Cleo heard: Bob says hello
    Bob has left; Ada, Cleo stay
"""

from __future__ import annotations

from typing import TypeAlias

import attrs
import trio

from command_center.runtime import (
    Actor,
    ActorRef,
    Address,
    ChildSpec,
    Down,
    Request,
    Restart,
    SupervisorSpec,
    handles,
    open_system,
)


@attrs.frozen
class Heard:
    by: str
    text: str


@attrs.frozen
class Told(Request[list[str]]):
    """Return what was heard so far."""


@attrs.frozen
class Join(Request[None]):
    name: str
    member: ActorRef[PersonMessage]


@attrs.frozen
class Say:
    by: str
    text: str


@attrs.frozen
class Members(Request[list[str]]):
    pass


PersonMessage: TypeAlias = Heard | Told
RoomMessage: TypeAlias = Join | Say | Members | Down
ROOM: Address[RoomMessage] = Address("/room")


class Room(Actor):
    def __init__(self) -> None:
        self.members: dict[str, ActorRef[PersonMessage]] = {}

    @handles(Join)
    def join(self, message: Join) -> None:
        self.members[message.name] = message.member
        self.ctx.monitor(message.member)

    @handles(Say)
    async def say(self, message: Say) -> None:
        for name, member in self.members.items():
            if name != message.by:
                await member.tell(Heard(message.by, message.text))

    @handles(Members)
    def list_members(self, _message: Members) -> list[str]:
        return sorted(self.members)

    @handles(Down)
    def forget(self, message: Down) -> None:
        self.members = {
            name: member for name, member in self.members.items() if member.path != message.path
        }


class Person(Actor):
    def __init__(self, name: str) -> None:
        self.name = name
        self.heard: list[str] = []

    async def on_start(self) -> None:
        await self.ctx.lookup(ROOM).ask(Join(self.name, self.ctx.ref))

    @handles(Heard)
    def hear(self, message: Heard) -> None:
        self.heard.append(f"{message.by} says {message.text}")

    @handles(Told)
    def tell(self, _message: Told) -> list[str]:
        return self.heard


def person(name: str) -> ChildSpec:
    """Return the spec of somebody who is there once."""
    return ChildSpec(name.lower(), lambda: Person(name), restart=Restart.TEMPORARY)


SPEC = SupervisorSpec("", [ChildSpec("room", Room), SupervisorSpec("people")])


async def main() -> None:
    async with open_system(SPEC) as system:
        room = system.lookup(ROOM)
        for name in ("Ada", "Bob", "Cleo"):
            await system.start_child("/people", person(name))
        await room.tell(Say("Bob", "hello"))
        for name in await room.ask(Members()):
            person_at: Address[PersonMessage] = Address(f"/people/{name.lower()}")
            for line in await system.lookup(person_at).ask(Told()):
                print(f"{name} heard: {line}")
        await system.drain("/people/bob", reason="goes home")
        print(f"Bob has left; {', '.join(await room.ask(Members()))} stay")


if __name__ == "__main__":
    trio.run(main)
