"""A client that may make two calls at once, and one more each tenth of a second.

Who asks waits for the answer alone: the actor keeps requests back until it may make the call, and a
timer brings the leave. What a call takes is no wait of the actor either.

Prints::

    5 answers: A B C D E
    they took 0.3 seconds
"""

from __future__ import annotations

from collections import deque

import attrs
import trio

from command_center.runtime import (
    Actor,
    Address,
    ChildSpec,
    Deferred,
    Request,
    SupervisorSpec,
    handles,
    open_system,
)

AT_ONCE = 2
SECONDS = 0.1


@attrs.frozen
class Fetch(Request[str]):
    word: str


@attrs.frozen
class _Leave:
    """One more call may be made."""


class Client(Actor):
    def __init__(self) -> None:
        self.free = AT_ONCE
        self.waiting: deque[tuple[Fetch, Deferred[str]]] = deque()

    async def on_start(self) -> None:
        self.ctx.send_every(SECONDS, _Leave())

    @handles(Fetch)
    def fetch(self, message: Fetch) -> Deferred[str]:
        reply: Deferred[str] = self.ctx.defer()
        self.waiting.append((message, reply))
        self.begin_calls()
        return reply

    @handles(_Leave)
    def allow(self, _message: _Leave) -> None:
        self.free = min(AT_ONCE, self.free + 1)
        self.begin_calls()

    def begin_calls(self) -> None:
        while self.free and self.waiting:
            self.free -= 1
            self.ctx.start_task(self.call, *self.waiting.popleft())

    async def call(self, message: Fetch, reply: Deferred[str]) -> None:
        await trio.sleep(0.001)  # here a program would use the network
        reply.send(message.word.upper())


CLIENT: Address[Fetch] = Address("/client")


async def main() -> None:
    async with open_system(SupervisorSpec("", [ChildSpec("client", Client)])) as system:
        client = system.lookup(CLIENT)
        began = trio.current_time()
        sent = [client.send_request(Fetch(word)) for word in "abcde"]
        answers = [await request.wait() for request in sent]
        print(f"{len(answers)} answers: {' '.join(answers)}")
        print(f"they took {trio.current_time() - began:.1f} seconds")


if __name__ == "__main__":
    trio.run(main)
