"""The class that an actor is written as."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from command_center.runtime.context import Context
from command_center.runtime.errors import UnhandledMessage
from command_center.runtime.handlers import Handler, collect_handlers, find_handler


class Actor:
    """One thing that has state and handles one message at a time.

    `ctx` is set before `on_start`. A handler must not wait for something long: long work runs as
    a background task (`ctx.start_task`) and reports back as a message, or settles a deferred
    reply. Everything here runs on the one trio thread, and is cancelled when the actor must end.
    """

    __slots__ = ("__weakref__", "ctx")

    ctx: Context
    states: ClassVar[frozenset[str]] = frozenset()
    """The states that handlers may name, for an actor whose `state` is not always the same."""
    handlers: ClassVar[dict[type, Handler]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.handlers = collect_handlers(cls, cls.states)

    @property
    def state(self) -> str:
        """Name the state that the actor is in, one of `states`; it chooses among handlers."""
        return ""

    async def on_start(self) -> None:
        """Load state. The actor takes no message before this returns; raising is a failed start.

        Raise `Ignore` if the actor is not to run: that is no failure.
        """

    async def on_continue(self) -> None:
        """Do what the start need not wait for, after `on_start` and before any message."""

    async def on_stop(self) -> None:
        """Clean up, at every end of a life whose `on_start` returned, a crash included.

        Runs shielded from cancellation but within the child's shutdown deadline. Background
        tasks still run; they are cancelled when it returns.
        """

    def describe(self) -> Mapping[str, object]:
        """Return what an inspection shows of this actor: JSON-able, cheap, without waiting."""
        return {}

    async def handle_now(self, message: object) -> None:
        """Handle a message in place, by the handler of it in the state of now.

        For what a handler finds out that is a message of its own: it goes the way of any other,
        before all that waits.

        Raises:
            UnhandledMessage: there is no handler for it.
            Exception: what the handler raised.
        """
        handler = find_handler(type(self).handlers, type(message))
        if handler is None:
            raise UnhandledMessage(self.ctx.path, type(message).__name__)
        answer = handler.call(self, message)
        if handler.is_async:
            await answer
