"""A server that is killed at a chosen step of an act by which work lands, or is discarded.

Given the folder of a rig, the act, its session (or what was discarded) and a step, it does the act
and is killed before that step. Each git command is one, each taking over of what that wrote, and
each transaction. A step is named by its number, or by the git command or `write` for the first
transaction. Without such a step it prints how many there were.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import trio

from command_center.actors.core.storage import Storage
from command_center.actors.hosts.local.git.process import GitProgram
from command_center.actors.hosts.local.git.shadow import Shadow
from tests.actors.repositories.landing_acts import ACTS
from tests.actors.repositories.rig import open_rig


class Steps:
    """Counts the steps of an act, and ends the process before one as `kill -9` does."""

    def __init__(self, last: str) -> None:
        self.last = last
        self.done = 0
        self.counting = False

    def next(self, name: str) -> None:
        if not self.counting:
            return
        if self.last in {name, str(self.done)} and sys.platform != "win32":
            os.kill(os.getpid(), signal.SIGKILL)
        self.done += 1

    def before_git(self, work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def run(*arguments: Any, **named: Any) -> Any:
            self.next(arguments[2])
            return await work(*arguments, **named)

        return run

    def before(self, work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def run(*arguments: Any, **named: Any) -> Any:
            self.next(work.__name__)
            return await work(*arguments, **named)

        return run

    def before_blocking(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            self.next(work.__name__)
            return work(*arguments, **named)

        return run


async def main(*arguments: str) -> None:
    folder, act, subject, last = arguments
    steps = Steps(last)
    GitProgram.run = steps.before_git(GitProgram.run)  # type: ignore[method-assign,assignment]
    Shadow.bring_back = steps.before_blocking(Shadow.bring_back)  # type: ignore[method-assign]
    Storage.write = steps.before(Storage.write)  # type: ignore[method-assign,assignment]
    async with open_rig(Path(folder)) as rig:
        steps.counting = True
        await ACTS[act](rig, int(subject))
        steps.counting = False
    sys.stdout.write(f"{steps.done}\n")


if __name__ == "__main__":
    trio.run(main, *sys.argv[1:])
