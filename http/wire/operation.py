"""One declaration for each endpoint: it stands above the endpoint's handler, and nowhere else.

Each module of routes has an `Api`, and its handlers are declared to it::

    api = Api[Center]("Tasks")


    @api.operation("PATCH", "/api/tasks/<id:task_id>", refuses=(409,))
    async def patch_task(center: Center, task_id: int, body: TaskChanges) -> Task:
        return await center.ask(TASKS, PatchTask(task_id, body))

The handler's own signature says the rest: it takes what it names `body` or `query` as a struct,
decoded from the request, the path's parameters by their names, and it returns the struct of the
answer. Its name is the operation's id, in camelCase, and its docstring's first sentence the
summary. The routes, the OpenAPI document, `Location` and which POST takes an Idempotency-Key are
made of these declarations.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import (
    Any,
    Concatenate,
    Final,
    Generic,
    ParamSpec,
    TypeAlias,
    TypeVar,
    get_origin,
)

import attrs
import msgspec
from quart import Response, request, websocket
from sqlite_utils import Database

from command_center.actors.core.storage import RequestOrigin
from command_center.http.wire.caller import caller_of
from command_center.http.wire.codec import (
    decode_body,
    decode_query,
    encode_aside,
    json_answer,
    refuse_query,
)
from command_center.http.wire.etags import head_condition
from command_center.runtime import origin
from command_center.store import Scope

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")
Handler: TypeAlias = Callable[Concatenate[S, P], Awaitable[R]]
View: TypeAlias = Callable[..., Awaitable[Response]]
Outcome: TypeAlias = Callable[[Database, int], object]


@attrs.frozen(init=False)
class Text:
    """An answer that is no JSON, by the content types that it may have."""

    content_types: tuple[str, ...]

    def __init__(self, *content_types: str) -> None:
        """Take one of these types."""
        self.__attrs_init__(content_types)


NOTHING: Final = Text()
"""An answer without a body."""
SENT_EVENTS: Final = Text("text/event-stream")
"""A stream of events."""


@attrs.frozen
class Location:
    """The path of the record that an answer holds, such as `/api/sessions/{session.id}`.

    What stands in braces is the place of the record's id in the answer.
    """

    template: str

    @property
    def noun(self) -> str:
        """Return the path of the list that the record is in: `/api/sessions`."""
        return self.template.partition("/{")[0]

    @property
    def pointer(self) -> str:
        """Return the JSON pointer to the record's id: `/session/id`."""
        return "".join(f"/{step}" for step in self._steps)

    def of(self, body: bytes) -> str:
        """Return the path of the record in an answer's body."""
        found = msgspec.json.decode(body)
        for step in self._steps:
            found = found[step]
        return f"{self.noun}/{found}"

    @property
    def _steps(self) -> list[str]:
        return self.template.partition("/{")[2].removesuffix("}").split(".")


@attrs.frozen
class OneOf:
    """Fields of a body, by their names on the wire, of which at most one may be given.

    Attributes:
        is_needed: one of them has to be given.
    """

    fields: tuple[str, ...]
    is_needed: bool = False


@attrs.frozen(kw_only=True)
class Needs:
    """A scope that a body takes beside its operation's, because of what is in it.

    Attributes:
        scope: the scope.
        where: what the body has then, for the documentation.
        holds: tells of a body whether that is so.
    """

    scope: Scope
    where: str
    holds: Callable[[Any], bool]


@attrs.frozen(kw_only=True, eq=False)
class Operation:
    """One method of one route.

    Attributes:
        id: its name, in camelCase, unique.
        rule: the path as the router has it.
        tag: the group that it is shown in.
        answers: what comes with each status that is no failure, the usual one first.
        refuses: statuses beyond those that every route of its kind may give.
        body: the struct of the request's body; with `reads_body`, what is told of it.
        query: the struct of the query string.
        reads_body: the handler reads the request itself.
        status: tells which of the statuses an answer has; None where it is always the first.
        is_done_once: it takes an Idempotency-Key.
        is_repeatable: it may be carried out again where it was begun, and happens once.
        outcome_of: reads from the log what came of it, by the event that tells of its beginning:
            the answer, the refusal, or None as long as it is not known.
        location: where the record is shown that the answer holds. A 201 says it as `Location`.
        one_of: fields of the body that exclude each other.
        headers: headers of the answer that no other operation has, with what they hold.
        scope: what a device needs to have for it; None where whoever is let in may do it.
        needs: a further scope that some bodies take.
        is_open: nothing is needed for it, or it checks a secret of its own.
    """

    id: str
    method: str
    rule: str
    tag: str
    summary: str
    handler: Callable[..., Awaitable[object]]
    answers: Mapping[int, Any]
    refuses: tuple[int, ...]
    body: type | None
    query: type[msgspec.Struct] | None
    reads_body: bool
    status: Callable[[Any], int] | None
    is_done_once: bool
    is_repeatable: bool
    outcome_of: Outcome | None
    location: Location | None
    one_of: OneOf | None
    headers: Mapping[str, str]
    scope: Scope | None
    needs: Needs | None
    is_open: bool

    @property
    def name(self) -> str:
        """Return it as the documentation names it: `GET /api/repos/<id:repository_id>`."""
        return f"{self.method} {self.rule}"

    def view(self, served: object) -> View:
        """Return what the router calls: it decodes, asks the handler, and encodes its answer.

        Args:
            served: the handler's first argument.
        """
        handler, query, status_of = self.handler, self.query, self.status_of
        body: type[msgspec.Struct] | None = None if self.reads_body else self.body
        is_strict = self.rule.startswith("/api/") and not self.reads_body
        needs, is_of_branch = self.needs, self.is_of_branch

        async def answer(**given: Any) -> Response:
            if body is not None:
                given["body"] = asked = await decode_body(request, body)
                note_requester(asked)
                if needs is not None and needs.holds(asked):
                    caller_of(request.scope).check(needs.scope)
            elif query is not None:
                given["query"] = asked = decode_query(request, query)
                note_requester(asked)
            elif is_strict:
                refuse_query(request)
            if is_of_branch:
                with head_condition(request, given["body"]) as given["body"]:
                    made = await handler(served, **given)
            else:
                made = await handler(served, **given)
            if isinstance(made, Response):
                return made
            return json_answer(await encode_aside(made), status_of(made))

        return answer

    @property
    def is_of_branch(self) -> bool:
        """Return True if it acts on a branch: its body names the commit that must be there still.

        `If-Match` may name it as well.
        """
        return "head_sha" in getattr(self.body, "__struct_fields__", ())

    def status_of(self, made: object) -> int:
        """Return the status of an answer."""
        return next(iter(self.answers)) if self.status is None else self.status(made)

    def is_answer(self, value: object) -> bool:
        """Return True for what the handler may return as its answer."""
        kind = next(iter(self.answers.values()))
        kind = get_origin(kind) or kind
        return isinstance(kind, type) and isinstance(value, kind)


def note_requester(asked: object) -> None:
    """Note what a device's request calls who asks, for the events that tell of it."""
    begun_by = origin.get()
    if isinstance(begun_by, RequestOrigin) and begun_by.device is not None:
        word = getattr(asked, "requested_by", None) or getattr(asked, "resolved_by", None)
        origin.set(RequestOrigin.of(begun_by, requested_by=word))


@attrs.frozen(eq=False)
class Socket:
    """One WebSocket.

    Attributes:
        query: the struct of the query string.
        scopes: what a device needs to have for it, each of them.
    """

    id: str
    rule: str
    handler: Callable[..., Awaitable[object]]
    query: type[msgspec.Struct]
    scopes: tuple[Scope, ...]

    def view(self, served: object) -> Callable[..., Awaitable[None]]:
        """Return what the router calls: it decodes the query, and hands over to the handler."""

        async def converse(**given: Any) -> None:
            asked = decode_query(websocket, self.query)
            note_requester(asked)
            await self.handler(served, query=asked, **given)

        return converse


@attrs.frozen(eq=False)
class Api(Generic[S]):
    """The endpoints of one noun; `S` is what their handlers are given to answer from.

    Attributes:
        tag: the name of the group in the documents.
        fields: types of fields that are plain JSON to the store, by record and field on the wire.
    """

    tag: str
    fields: Mapping[tuple[type, str], type] = attrs.field(factory=dict, kw_only=True)
    operations: list[Operation] = attrs.field(factory=list, init=False)
    sockets: list[Socket] = attrs.field(factory=list, init=False)

    def operation(
        self,
        method: str,
        rule: str,
        *,
        answers: int | tuple[int, ...] | Mapping[int, Any] = 200,
        refuses: tuple[int, ...] = (),
        location: str | None = None,
        body: type | None = None,
        status: Callable[[Any], int] | None = None,
        is_done_once: bool | None = None,
        is_repeatable: bool = False,
        outcome_of: Outcome | None = None,
        one_of: OneOf | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
        scope: Scope | None = None,
        needs: Needs | None = None,
        is_for_all: bool = False,
        is_open: bool = False,
    ) -> Callable[[Handler[S, P, R]], Handler[S, P, R]]:
        """Declare the handler below as an operation.

        Args:
            method: GET, POST, PATCH or DELETE.
            rule: the path as the router has it.
            answers: the status of the answer, or statuses, of which `status` tells; or what comes
                with each, where the handler's return type does not say it.
            refuses: statuses beyond those that every route of its kind may give.
            location: the path of the record that the answer holds; see `Location`.
            body: what the document says of a body that the handler reads itself.
            status: tells which of several statuses an answer has.
            is_done_once: whether it takes an Idempotency-Key; a POST does, unless told otherwise.
            is_repeatable: whether it happens once also where it is carried out again.
            outcome_of: reads from the log what came of one that was begun, where the answer is
                not in the transaction that begins it.
            one_of: fields of the body that exclude each other, which the actor checks.
            headers: headers of the answer that no other operation has, with what they hold.
            scope: what a device needs to have for it: `read` for a GET and else `work`, unless told
                otherwise.
            needs: a further scope that some bodies take.
            is_for_all: whether every device may do it, whatever its scopes.
            is_open: whether nothing is needed for it, or a secret of its own.
        """
        taken: Scope = scope or ("read" if method == "GET" else "work")

        def declare(handler: Handler[S, P, R]) -> Handler[S, P, R]:
            kinds = inspect.get_annotations(handler, eval_str=True)
            self.operations.append(
                Operation(
                    id=camel(handler.__name__),
                    method=method,
                    rule=rule,
                    tag=self.tag,
                    summary=_summary(handler),
                    handler=handler,
                    answers=MappingProxyType(_answers(answers, kinds["return"])),
                    refuses=refuses,
                    body=body or kinds.get("body"),
                    query=kinds.get("query"),
                    reads_body=body is not None,
                    status=status,
                    is_done_once=method == "POST" if is_done_once is None else is_done_once,
                    is_repeatable=is_repeatable,
                    outcome_of=outcome_of,
                    location=None if location is None else Location(location),
                    one_of=one_of,
                    headers=headers,
                    scope=None if is_for_all or is_open else taken,
                    needs=needs,
                    is_open=is_open,
                )
            )
            return handler

        return declare

    def websocket(
        self, rule: str, *, scopes: tuple[Scope, ...] = ("read",)
    ) -> Callable[[Handler[S, P, None]], Handler[S, P, None]]:
        """Declare the handler below as a WebSocket, whose query it takes as `query`.

        A device needs each of the `scopes` for it.
        """

        def declare(handler: Handler[S, P, None]) -> Handler[S, P, None]:
            kinds = inspect.get_annotations(handler, eval_str=True)
            self.sockets.append(
                Socket(camel(handler.__name__), rule, handler, kinds["query"], scopes)
            )
            return handler

        return declare


def camel(name: str) -> str:
    """Return a name of Python's as the wire has it: `repository_id` is `repositoryId`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _answers(statuses: int | tuple[int, ...] | Mapping[int, Any], kind: Any) -> dict[int, Any]:
    if isinstance(statuses, Mapping):
        return {**statuses}
    several = statuses if isinstance(statuses, tuple) else (statuses,)
    return dict.fromkeys(several, kind)


def _summary(handler: Callable[..., object]) -> str:
    return (inspect.getdoc(handler) or "").partition("\n")[0].removesuffix(".")
