"""The class that an actor is written as, and the handlers of its messages."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar, overload

from command_center.runtime.context import Context
from command_center.runtime.messages import Request
from command_center.runtime.reply import Deferred

ActorT = TypeVar("ActorT")
MessageT = TypeVar("MessageT")
NoticeT = TypeVar("NoticeT")
Reply = TypeVar("Reply")

_MARK = "handles_message"


class _Answers(Protocol[Reply]):
    """Take a handler that returns the reply, now or deferred, and give it back unchanged."""

    @overload
    def __call__(
        self, handler: Callable[[ActorT, MessageT], Coroutine[Any, Any, Deferred[Reply]]], /
    ) -> Callable[[ActorT, MessageT], Coroutine[Any, Any, Deferred[Reply]]]: ...
    @overload
    def __call__(
        self,
        handler: Callable[[ActorT, MessageT], Coroutine[Any, Any, Reply | Deferred[Reply]]],
        /,
    ) -> Callable[[ActorT, MessageT], Coroutine[Any, Any, Reply | Deferred[Reply]]]: ...
    @overload
    def __call__(
        self, handler: Callable[[ActorT, MessageT], Reply | Deferred[Reply]], /
    ) -> Callable[[ActorT, MessageT], Reply | Deferred[Reply]]: ...


class _Notices(Protocol[NoticeT]):
    """Take a handler of a message without an answer, and give it back unchanged."""

    @overload
    def __call__(
        self, handler: Callable[[ActorT, NoticeT], Coroutine[Any, Any, None]], /
    ) -> Callable[[ActorT, NoticeT], Coroutine[Any, Any, None]]: ...
    @overload
    def __call__(
        self, handler: Callable[[ActorT, NoticeT], None], /
    ) -> Callable[[ActorT, NoticeT], None]: ...


@overload
def handles(  # type: ignore[overload-overlap]  # a request is also an object; it comes first
    message_type: type[Request[Reply]],
) -> _Answers[Reply]: ...
@overload
def handles(message_type: type[MessageT]) -> _Notices[MessageT]: ...
def handles(message_type: type[Any]) -> Callable[[Any], Any]:
    """Mark a method as the handler of messages of this type and of its subclasses.

    The nearest class in the message's method resolution order decides. The method takes the
    message and returns the reply; it may be a plain function if it has nothing to await.
    """

    def mark(handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        handler.__dict__[_MARK] = message_type
        return handler

    return mark


class Handler(NamedTuple):
    """A handler of an actor class; `is_async` if calling it gives a coroutine."""

    call: Callable[[Any, Any], Any]
    is_async: bool


class Actor:
    """One thing that has state and handles one message at a time.

    `ctx` is set before `on_start`. A handler must not wait for something long: long work runs as
    a background task (`ctx.start_task`) and reports back as a message, or settles a deferred
    reply. Everything here runs on the one trio thread, and is cancelled when the actor must end.
    """

    __slots__ = ("__weakref__", "ctx")

    ctx: Context
    handlers: ClassVar[dict[type, Handler]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        table = dict(cls.handlers)
        own: set[type] = set()
        for name, value in vars(cls).items():
            marks = getattr(value, "__dict__", {})
            if _MARK not in marks:
                continue
            message_type = marks[_MARK]
            if message_type in own:
                raise TypeError(f"{cls.__name__}.{name}: a second handler for {message_type}")
            own.add(message_type)
            table[message_type] = Handler(value, inspect.iscoroutinefunction(value))
        cls.handlers = table

    async def on_start(self) -> None:
        """Load state. The actor takes no message before this returns; raising is a failed start."""

    async def on_stop(self) -> None:
        """Clean up, at every end of a life whose `on_start` returned, a crash included.

        Runs shielded from cancellation but within the child's shutdown deadline. Background
        tasks still run; they are cancelled when it returns.
        """

    def describe(self) -> Mapping[str, object]:
        """Return what an inspection shows of this actor: JSON-able, cheap, without waiting."""
        return {}


def find_handler(table: dict[type, Handler], message_type: type) -> Handler | None:
    """Look a handler up by the message's ancestors, and remember it in the table."""
    for ancestor in message_type.__mro__:
        handler = table.get(ancestor)
        if handler is not None:
            table[message_type] = handler
            return handler
    return None
