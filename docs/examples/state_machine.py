"""A door with a lock, whose states say which messages are taken when.

Prints::

    push: the door is locked
    code 1234: wrong
    code 4711: open
    push: you are in
    after a second: the door is locked
"""

from __future__ import annotations

from typing import TypeAlias

import attrs
import trio

from command_center.runtime import (
    Actor,
    Address,
    ChildSpec,
    Refusal,
    Request,
    SupervisorSpec,
    handles,
    open_system,
)

OPEN_SECONDS = 0.5


class Locked(Refusal):
    """The door is locked."""

    def __str__(self) -> str:
        return "the door is locked"


@attrs.frozen
class Enter(Request[str]):
    code: str


@attrs.frozen
class Push(Request[str]):
    pass


@attrs.frozen
class _Close:
    pass


DoorMessage: TypeAlias = Enter | Push
DOOR: Address[DoorMessage] = Address("/door")


class Door(Actor):
    """Locked until the code is entered, and then open for a while.

    The class is the table of it: no handler asks for the state, and what is left open is an error
    when the class is made.
    """

    states = frozenset({"locked", "open"})

    def __init__(self, code: str) -> None:
        self.code = code
        self.is_open = False

    @property
    def state(self) -> str:
        return "open" if self.is_open else "locked"

    @handles(Enter)
    def enter(self, message: Enter) -> str:
        if message.code != self.code:
            return "wrong"
        self.is_open = True
        self.ctx.send_after(OPEN_SECONDS, _Close())
        return "open"

    @handles(Push, when={"open"}, otherwise=lambda _door: Locked())
    def push(self, _message: Push) -> str:
        return "you are in"

    @handles(_Close, when={"open"})
    def close(self, _message: _Close) -> None:
        self.is_open = False


async def main() -> None:
    spec = SupervisorSpec("", [ChildSpec("door", lambda: Door("4711"))])
    async with open_system(spec) as system:
        door = system.lookup(DOOR)

        async def push() -> str:
            try:
                return await door.ask(Push())
            except Locked as locked:
                return str(locked)

        print("push:", await push())
        for code in ("1234", "4711"):
            print(f"code {code}:", await door.ask(Enter(code)))
        print("push:", await push())
        await trio.sleep(2 * OPEN_SECONDS)
        print("after a second:", await push())


if __name__ == "__main__":
    trio.run(main)
