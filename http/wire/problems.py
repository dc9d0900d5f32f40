"""Problems: every failure, in one JSON shape.

Whatever goes wrong, the answer is `{"error": {"statusCode", "message", …}}` as application/json:
a route that does not exist, a body that does not decode, a refusal of an actor, or a defect of
ours. Three more members may be there: `details` names the fields at fault as the wire spells them
(`[{"path": "repositoryId", "message": …}]`), `facts` are what a conflict met (the winner, both
states), and `errorId` is what to look for in the log after a 500, which shows nothing else.

`problem_of` is the one table from exceptions to answers; `install_error_handlers` puts it under
a Quart app, and `gate` answers with it before the app is reached.
"""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

import attrs
import msgspec
import quart.wrappers.base
import structlog
import trio
from quart import Quart, Response, has_request_context, has_websocket_context, request, websocket
from werkzeug.exceptions import HTTPException
from werkzeug.routing import WebsocketMismatch

from command_center.actors.rules.agent_limits import OutOfBounds
from command_center.actors.rules.errors import (
    Conflict,
    Damaged,
    Invalid,
    MissingScope,
    NeedsPasskey,
    NotFound,
    PreconditionFailed,
    TooBusy,
    Unavailable,
    Unconfirmed,
    WrongCode,
    WrongHostKey,
    WrongPasskey,
)
from command_center.actors.rules.policy import PolicyDenied
from command_center.runtime.errors import (
    ActorCrashed,
    ActorNotFound,
    ActorStopped,
    AskTimeout,
    MailboxFull,
    StartFailed,
    SupervisorNotFound,
)
from command_center.store.errors import (
    ConstraintViolated,
    DamagedRecord,
    InvalidCursor,
    InvalidRecord,
    RecordNotFound,
    StoreClosed,
    StoreUnavailable,
)

log = structlog.get_logger("command_center.http")

JSON = "application/json"
BYTES = "application/octet-stream"
CHALLENGE = 'Bearer realm="command-center"'
"""The header of an answer to somebody unknown, which says how to become known."""
CLIENT_LEFT = 499
RETRY_AFTER_SECONDS = 1.0


class AddressInUse(Exception):
    """Another program listens on that address already."""

    def __init__(self, host: str, port: int) -> None:
        """Name the address, and what to do about it."""
        super().__init__(
            f"Another program uses {host}:{port}. Stop it, or choose another port with CC_PORT."
        )
        self.host = host
        self.port = port


class UntestedHypercorn(Exception):
    """The installed hypercorn is not one that our connection was tested in."""

    def __init__(self, installed: str, tested: str) -> None:
        """Name both versions, and what to do about it."""
        super().__init__(
            f"hypercorn {installed} was not tested with Command Center. "
            f"Install hypercorn {tested} beside it."
        )


class AddressUnavailable(Exception):
    """This machine does not have that address, or may not listen on it."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        """Name the address, and the system's reason."""
        super().__init__(f"Cannot listen on {host}:{port}: {reason}.")
        self.host = host
        self.port = port
        self.reason = reason


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    """A field at fault: `path` as on the wire (`payload.runInput.sandbox`, "" for the whole)."""

    path: str
    message: str


class MalformedBody(Exception):
    """The body is not the JSON that the route takes."""


class InvalidFields(Exception):
    """Fields of the body or parameters of the query are missing, unknown or of a wrong type."""

    def __init__(self, message: str, details: Sequence[Detail]) -> None:
        """Say it in one sentence; `details` name each field."""
        super().__init__(message)
        self.details = tuple(details)


class WrongContentType(Exception):
    """A body came as something else than JSON."""

    def __init__(self, content_type: str | None) -> None:
        """Name what came, and what to send instead."""
        came = f"was {content_type}" if content_type else "was missing"
        super().__init__(f'Send the body as "Content-Type: {JSON}". The type {came}.')
        self.content_type = content_type


class KeyReused(Exception):
    """An Idempotency-Key was used for another request before."""

    def __init__(self, key: str) -> None:
        """Name the key."""
        super().__init__(f"The Idempotency-Key {key} was used for another request. Use a new key.")
        self.key = key


class KeyInUse(Exception):
    """The request of an Idempotency-Key is still being answered."""

    def __init__(self, key: str) -> None:
        """Name the key."""
        super().__init__(
            f"The request of the Idempotency-Key {key} is still being answered. Try again later."
        )
        self.key = key


class KeyLost(Exception):
    """The request of an Idempotency-Key will never have an answer, so it may have been done."""

    def __init__(
        self, key: str, *, is_cut: bool, event_id: int | None, is_awaited: bool = False
    ) -> None:
        """Tell a request that the server's end cut off from one that failed, and what is known.

        `event_id` is the first event that was committed for it; with `is_awaited` another one will
        tell what came of it.
        """
        ended = "was cut off when the server ended" if is_cut else "has failed"
        known = "" if event_id is None else f" It was begun: event {event_id} tells of it."
        next_step = (
            "What came of it is told when its turn has ended. Send it again then."
            if is_awaited
            else "Check whether it was carried out. If it was not, send it under another key."
        )
        super().__init__(f"The request of the Idempotency-Key {key} {ended}.{known} {next_step}")
        self.key = key
        self.is_cut = is_cut
        self.event_id = event_id


Wrong: TypeAlias = Literal["of another log", "past the end", "removed"]
_WRONG: Final[Mapping[Wrong, str]] = {
    "of another log": "That is the id of another log",
    "past the end": "That is past the log's end",
    "removed": "What came next was removed, as it is old",
}


class NotInLog(Exception):
    """A position to resume after is of another log, past the end, or before what is kept."""

    def __init__(self, log_id: str, last_id: int, oldest_id: int, wrong: Wrong) -> None:
        """Say what the log is, and what to do."""
        super().__init__(
            f"{_WRONG[wrong]}: the log {log_id} begins at {oldest_id} and ends at {last_id}. "
            "Ask for everything anew, and resume after its end."
        )
        self.facts = {"logId": log_id, "lastId": last_id, "oldestId": oldest_id}


@attrs.frozen
class Problem:
    """An answer that tells of a failure; `more` are further members of the wire's error object."""

    status: int
    message: str
    headers: Mapping[str, str] = attrs.field(factory=dict)
    more: Mapping[str, object] = attrs.field(factory=dict)

    def body(self) -> bytes:
        """Return the JSON text of the answer."""
        error = {"statusCode": self.status, "message": self.message, **self.more}
        return msgspec.json.encode({"error": encodable(msgspec.to_builtins(error))})


class Refused(Exception):
    """A request is not let through, or no further."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        """Say what it is answered with."""
        super().__init__(message)
        self.problem = Problem(status, message, headers or {})


def install_error_handlers(app: Quart) -> None:
    """Answer every failure inside `app`, HTTP and WebSocket handshakes alike, as one JSON shape.

    Paths are taken literally, too: no redirect for a missing or a doubled slash, for a redirect's
    page is not JSON and a POST does not survive it.
    """
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    app.register_error_handler(Exception, _answer)


def error_response(problem: Problem) -> Response:
    """Return the problem as a Quart response."""
    response = Response(problem.body(), status=problem.status, content_type=JSON)
    response.headers.update(problem.headers)
    return response


def problem_of(error: BaseException) -> Problem:
    """Return what the caller is told of an exception; an unexpected one is logged under an id."""
    if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        return problem_of(error.exceptions[0])
    for kind in type(error).__mro__:
        describe = _PROBLEMS.get(kind)
        if describe is not None:
            return describe(error)
    return _unexpected(error)


def encodable(value: Any) -> Any:
    """Replace what stands for bytes of a name that are no text."""
    match value:
        case str():
            return value.encode("utf-8", errors="replace").decode()
        case dict():
            return {encodable(key): encodable(item) for key, item in value.items()}
        case list() | tuple():
            return [encodable(item) for item in value]
    return value


async def _answer(error: Exception) -> Response:
    return error_response(problem_of(error))


def _unexpected(error: BaseException) -> Problem:
    error_id = secrets.token_hex(8)
    if isinstance(error, trio.BrokenResourceError | trio.ClosedResourceError):
        log.debug("client.gone", target=_target())
        return Problem(500, "The connection was lost.")
    log.error("request.failed", error_id=error_id, target=_target(), exc_info=error)
    return Problem(
        500,
        f"Something failed inside Command Center. Look for {error_id} in its log.",
        more={"errorId": error_id},
    )


def _of_werkzeug(error: HTTPException) -> Problem:
    match error.code or 500:
        case 404:
            return Problem(404, f"No route {_target()}.")
        case 405 if has_websocket_context():  # a route that is no WebSocket, whatever its methods
            return Problem(404, f"No route {_target()}.")
        case 405:
            allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
            return Problem(405, f"No route {_target()}; allowed: {allowed}.", {"Allow": allowed})
        case 413:
            return Problem(413, "The body is larger than Command Center accepts.")
        case status:
            return Problem(status, error.description or f"{error.name}.")


def _of_websocket_mismatch(_: WebsocketMismatch) -> Problem:
    if has_request_context():
        headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
        return Problem(426, f"{_target()} is a WebSocket only.", headers)
    return Problem(404, f"No route {_target()}.")


def _target() -> str:
    if has_request_context():
        return f"{request.method} {request.path}"
    return f"WebSocket {websocket.path}" if has_websocket_context() else "outside a request"


def _of_status(status: int) -> Callable[[Any], Problem]:
    return lambda error: Problem(status, str(error))


def _of_fields(error: InvalidFields | Invalid) -> Problem:
    more = {"details": error.details} if error.details else {}
    return Problem(400, str(error), more=more)


def _with_facts(status: int) -> Callable[[Any], Problem]:
    def told(error: Conflict | PreconditionFailed) -> Problem:
        facts = {_camel(name): fact for name, fact in error.facts.items()}
        return Problem(status, str(error), more={"facts": facts} if facts else {})

    return told


def _of_lost(error: KeyLost) -> Problem:
    facts: dict[str, object] = {"outcome": "unknown"}
    if error.event_id is not None:
        facts = {"outcome": "begun", "eventId": error.event_id}
    return Problem(409, str(error), more={"facts": facts})


def _of_position(error: NotInLog) -> Problem:
    return Problem(410, str(error), more={"facts": error.facts})


def _of_policy(error: PolicyDenied) -> Problem:
    return Problem(409, str(error), more={"policy": error.result})


def _retry(status: int, message: str, after: float | None) -> Problem:
    return Problem(status, message, {"Retry-After": str(max(1, math.ceil(after or 0)))})


def _of_unavailable(error: Unavailable) -> Problem:
    if error.retry_after is None:
        return Problem(503, str(error))
    return _retry(503, str(error), error.retry_after)


def _of_unconfirmed(error: Unconfirmed) -> Problem:
    problem = _of_unavailable(error)
    return attrs.evolve(problem, more={"facts": {"outcome": "unconfirmed"}})


def _of_too_busy(error: TooBusy) -> Problem:
    return _retry(429, str(error), error.retry_after)


def _of_runtime(error: Exception) -> Problem:
    log.warning("request.unanswered", target=_target(), error=str(error))
    return _retry(
        503,
        "The part of Command Center that answers this is not there now; try again.",
        RETRY_AFTER_SECONDS,
    )


def _of_mailbox(error: Exception) -> Problem:
    log.warning("request.refused", target=_target(), error=str(error))
    return _retry(
        429,
        "The part of Command Center that answers this is overloaded; try again.",
        RETRY_AFTER_SECONDS,
    )


def _of_store(error: Exception) -> Problem:
    log.error("store.unavailable", target=_target(), error=str(error))
    return _retry(503, str(error), RETRY_AFTER_SECONDS)


def _of_damage(error: Damaged | DamagedRecord) -> Problem:
    log.error("store.damaged", target=_target(), kind=error.kind, id=error.id)
    return Problem(500, str(error), more={"facts": {"kind": error.kind, "id": error.id}})


def _of_departure(_: Exception) -> Problem:
    return Problem(CLIENT_LEFT, "The client has left.")


def _camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda match: match.group(1).upper(), name)


_PROBLEMS: dict[type[BaseException], Callable[[Any], Problem]] = {
    # of this layer
    MalformedBody: _of_status(400),
    InvalidFields: _of_fields,
    WrongContentType: _of_status(415),
    KeyReused: _of_status(422),
    KeyInUse: lambda error: _retry(409, str(error), RETRY_AFTER_SECONDS),
    KeyLost: _of_lost,
    NotInLog: _of_position,
    Refused: lambda error: error.problem,
    HTTPException: _of_werkzeug,
    WebsocketMismatch: _of_websocket_mismatch,
    # of the actors
    NotFound: _of_status(404),
    Invalid: _of_fields,
    Conflict: _with_facts(409),
    PolicyDenied: _of_policy,
    WrongCode: lambda error: Problem(401, str(error), {"WWW-Authenticate": CHALLENGE}),
    WrongHostKey: lambda error: Problem(401, str(error), {"WWW-Authenticate": CHALLENGE}),
    WrongPasskey: lambda error: Problem(401, str(error), {"WWW-Authenticate": CHALLENGE}),
    NeedsPasskey: lambda error: Problem(403, str(error), more={"facts": {"needs": "passkey"}}),
    MissingScope: lambda error: Problem(403, str(error), more={"facts": {"scope": error.scope}}),
    OutOfBounds: _of_status(403),
    PreconditionFailed: _with_facts(412),
    Damaged: _of_damage,
    Unavailable: _of_unavailable,
    Unconfirmed: _of_unconfirmed,
    TooBusy: _of_too_busy,
    # of the runtime
    ActorStopped: _of_runtime,
    SupervisorNotFound: _of_runtime,
    ActorCrashed: _of_runtime,
    ActorNotFound: _of_runtime,
    AskTimeout: _of_runtime,
    StartFailed: _of_runtime,
    MailboxFull: _of_mailbox,
    # of the store
    RecordNotFound: _of_status(404),
    InvalidCursor: _of_status(400),
    InvalidRecord: _of_status(400),
    ConstraintViolated: _of_status(409),
    DamagedRecord: _of_damage,
    StoreUnavailable: _of_store,
    StoreClosed: _of_store,
}
if hasattr(quart.wrappers.base, "ClientDisconnectedError"):  # Quart 0.23 raises it in handlers
    _PROBLEMS[quart.wrappers.base.ClientDisconnectedError] = _of_departure
