"""The handlers of an actor's messages: marked in its class, and collected in a table of it.

An actor with states has a table of two dimensions. `when` says in which states a handler takes its
message, as the state functions of OTP's `gen_statem` do, so that the class shows what is taken
when, and no handler asks first. What such a table leaves open is found when the class is made: a
state that there is not, two handlers for one state, a request that is refused without words.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar, overload

import attrs

from command_center.runtime.errors import Refusal
from command_center.runtime.messages import Asked, Request
from command_center.runtime.reply import Deferred

ActorT = TypeVar("ActorT")
MessageT = TypeVar("MessageT")
NoticeT = TypeVar("NoticeT")
Reply = TypeVar("Reply")

Refuse = Callable[[Any], Refusal]
"""Makes the refusal of a request, of the actor that does not take it in its state."""

_MARK = "handles_message"


class _Mark(NamedTuple):
    message_type: type
    when: frozenset[str] | None
    otherwise: Refuse | None


class _Answers(Protocol[MessageT, Reply]):
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
    message_type: type[Asked[MessageT, Reply]],
    *,
    when: Collection[str] | None = None,
    otherwise: Refuse | None = None,
) -> _Answers[MessageT, Reply]: ...
@overload
def handles(
    message_type: type[NoticeT], *, when: Collection[str] | None = None
) -> _Notices[NoticeT]: ...
def handles(
    message_type: type[Any],
    *,
    when: Collection[str] | None = None,
    otherwise: Refuse | None = None,
) -> Callable[[Any], Any]:
    """Mark a method as the handler of messages of this type and of its subclasses.

    The nearest class in the message's method resolution order decides. The method takes the
    message and returns the reply; it may be a plain function if it has nothing to await.

    Args:
        message_type: the class of the messages.
        when: the states of the actor in which the method takes them; None for every state. Each
            state has one handler of a message at most. In a state without one, a message that was
            told is passed over, and a request is refused.
        otherwise: makes that refusal. A request needs it, unless it is handled in every state.
    """

    def mark(handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        states = None if when is None else frozenset(when)
        handler.__dict__[_MARK] = _Mark(message_type, states, otherwise)
        return handler

    return mark


@attrs.frozen
class Handler:
    """A handler of an actor class; `is_async` if calling it gives a coroutine."""

    call: Callable[[Any, Any], Any]
    is_async: bool


def collect_handlers(cls: type, states: frozenset[str]) -> dict[type, Handler]:
    """Return the handlers of a class and of all its bases, by the type of their messages.

    A mark belongs to a method's name: a method that overrides a marked one handles its messages,
    marked or not. Of a message that several classes mark, the nearest class says how it is handled.

    Raises:
        TypeError: the marks contradict each other, or leave open what is done in some state.
    """
    named: set[str] = set()
    marked: dict[type, tuple[type, list[tuple[_Mark, str, Handler]]]] = {}
    for owner in cls.__mro__:
        for name, value in vars(owner).items():
            mark = getattr(value, "__dict__", {}).get(_MARK)
            if mark is None or name in named:
                continue
            named.add(name)
            nearest, marks = marked.setdefault(mark.message_type, (owner, []))
            if nearest is owner:
                method = inspect.getattr_static(cls, name)
                marks.append((mark, name, Handler(method, inspect.iscoroutinefunction(method))))
    return {
        message_type: _only(cls, message_type, marks, states)
        for message_type, (_, marks) in marked.items()
    }


def _only(
    cls: type,
    message_type: type,
    marks: list[tuple[_Mark, str, Handler]],
    states: frozenset[str],
) -> Handler:
    """Return the one handler of a message; where states have their own, one that asks the state."""
    by_state: dict[str, Handler] = {}
    otherwise: Refuse | None = None
    for mark, name, handler in marks:
        place = f"{cls.__name__}.{name}"
        if mark.when is None:
            if len(marks) > 1:
                raise TypeError(f"{place}: a second handler for {message_type}")
            return handler
        unknown = sorted(mark.when - states)
        if unknown:
            raise TypeError(f"{place}: {cls.__name__} has no state {', '.join(unknown)}")
        taken = sorted(mark.when & by_state.keys())
        if taken:
            raise TypeError(f"{place}: a second handler for {message_type} when {taken[0]}")
        by_state |= dict.fromkeys(mark.when, handler)
        otherwise = otherwise or mark.otherwise
    missing = sorted(states - by_state.keys())
    if missing and otherwise is None and issubclass(message_type, Request):
        raise TypeError(
            f"{cls.__name__}: {message_type} is a request, and nothing says how it is refused "
            f"when {', '.join(missing)}"
        )
    return _by_state(by_state, otherwise)


def _by_state(table: Mapping[str, Handler], otherwise: Refuse | None) -> Handler:
    """Return a handler that lets the actor's state choose."""

    def choose(actor: Any) -> Handler | None:
        handler = table.get(actor.state)
        if handler is None and otherwise is not None:
            raise otherwise(actor)
        return handler

    def call(actor: Any, message: Any) -> Any:
        handler = choose(actor)
        return None if handler is None else handler.call(actor, message)

    async def call_and_await(actor: Any, message: Any) -> Any:
        handler = choose(actor)
        if handler is None:
            return None
        answer = handler.call(actor, message)
        return await answer if handler.is_async else answer

    if any(handler.is_async for handler in table.values()):
        return Handler(call_and_await, is_async=True)
    return Handler(call, is_async=False)


def find_handler(table: dict[type, Handler], message_type: type) -> Handler | None:
    """Look a handler up by the message's ancestors, and remember it in the table."""
    for ancestor in message_type.__mro__:
        handler = table.get(ancestor)
        if handler is not None:
            table[message_type] = handler
            return handler
    return None
