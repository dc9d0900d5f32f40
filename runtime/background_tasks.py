"""The tasks that run beside the handlers of one life, and end with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Protocol

import trio


class Starter(Protocol):
    """The part of the system that background tasks use."""

    def start_soon(self, work: Callable[..., Awaitable[object]], *args: Any, name: str) -> None:
        """Start a task of the tree."""


class BackgroundTasks:
    """Tasks in the system's nursery, each with a scope of its own.

    `failed` is told of what leaves one by an exception.
    """

    __slots__ = ("_all_ended", "_failed", "_starter", "_tasks", "path")

    def __init__(
        self, path: str, starter: Starter, failed: Callable[[BaseException], None]
    ) -> None:
        self.path = path
        """The path of the actor whose tasks they are."""
        self._starter = starter
        self._failed = failed
        self._tasks: dict[trio.CancelScope, trio.lowlevel.Task | None] = {}
        self._all_ended: trio.Event | None = None

    def __len__(self) -> int:
        return len(self._tasks)

    def __iter__(self) -> Iterator[trio.lowlevel.Task]:
        """Iterate over those that run already."""
        return iter([task for task in self._tasks.values() if task is not None])

    def start(
        self, work: Callable[..., Awaitable[object]], args: tuple[Any, ...], name: str
    ) -> trio.CancelScope:
        """Start a task and return the scope that cancels it; while they end, it is cancelled."""
        scope = trio.CancelScope()
        self._tasks[scope] = None
        if self._all_ended is not None:
            scope.cancel()
        self._starter.start_soon(self.run, scope, work, args, name=f"{self.path} {name}")
        return scope

    def cancel(self) -> None:
        """Cancel all of them."""
        for scope in self._tasks:
            scope.cancel()

    async def end(self) -> None:
        """Cancel all of them and wait, whatever it takes, until they have ended or are given up."""
        self._all_ended = trio.Event()
        self.cancel()
        with trio.CancelScope(shield=True):
            await self._all_ended.wait()

    def give_up(self) -> None:
        """Let nobody wait for them any more."""
        if self._all_ended is not None:
            self._all_ended.set()

    @trio.lowlevel.enable_ki_protection
    async def run(
        self,
        scope: trio.CancelScope,
        work: Callable[..., Awaitable[object]],
        args: tuple[Any, ...],
    ) -> None:
        """Be one of them; `start` starts it."""
        self._tasks[scope] = trio.lowlevel.current_task()
        try:
            with scope:
                await work(*args)
        except BaseException as error:  # noqa: BLE001 - a crash of a background task is the actor's
            self._failed(error)
        finally:
            del self._tasks[scope]
            if not self._tasks and self._all_ended is not None:
                self._all_ended.set()
