"""A program under supervision: when it ends unasked it is started again, and never outlives us.

Prints::

    process 1 says hello
    it was killed
    process 2 says hello
    all have ended
"""

from __future__ import annotations

import subprocess
import sys
from typing import TypeAlias

import attrs
import trio

from command_center.runtime import (
    Actor,
    Address,
    Backoff,
    ChildSpec,
    Request,
    Restarted,
    Signal,
    SupervisorSpec,
    handles,
    open_system,
)

PROGRAM = "print('hello', flush=True); import sys; sys.stdin.read()"

started: list[trio.Process] = []


class ProcessEnded(Exception):
    """The program ended, though nobody stopped it."""


@attrs.frozen
class Greeting(Request[str]):
    """The first line that the program prints."""


@attrs.frozen
class Kill:
    pass


ProgramMessage: TypeAlias = Greeting | Kill
PROGRAM_AT: Address[ProgramMessage] = Address("/program")


class Program(Actor):
    """Has one process in each of its lives."""

    process: trio.Process
    is_stopping = False

    async def on_start(self) -> None:
        self.process = await trio.lowlevel.open_process(
            [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        started.append(self.process)
        self.ctx.start_task(self.watch)

    async def watch(self) -> None:
        """Crash when the process ends, so that the supervisor decides."""
        await self.process.wait()
        if not self.is_stopping:
            raise ProcessEnded

    async def on_stop(self) -> None:
        """End the process, if that is not why this life ends, and let go of its pipes."""
        self.is_stopping = True
        self.process.kill()
        await self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                await pipe.aclose()

    @handles(Greeting)
    async def greet(self, _message: Greeting) -> str:
        assert self.process.stdout is not None
        said = await self.process.stdout.receive_some()
        return said.decode().strip()

    @handles(Kill)
    def kill(self, _message: Kill) -> None:
        self.process.kill()


SPEC = SupervisorSpec("", [ChildSpec("program", Program)], backoff=Backoff(initial=0.01))


async def main() -> None:
    started.clear()
    restarted = trio.Event()

    def observe(signal: Signal) -> None:
        if isinstance(signal, Restarted):
            restarted.set()

    async with open_system(SPEC, on_signal=observe) as system:
        program = system.lookup(PROGRAM_AT)
        print("process 1 says", await program.ask(Greeting()))
        await program.tell(Kill())
        await restarted.wait()
        print("it was killed")
        print("process 2 says", await program.ask(Greeting()))
    left = [process.pid for process in started if process.returncode is None]
    print(f"left: {left}" if left else "all have ended")


if __name__ == "__main__":
    trio.run(main)
