"""Quart without what nothing here uses, for all of that costs each request, or each start.

There are no sessions of Quart's (a cookie of its own signs the dashboard in), no hosts or
subdomains that choose a route (the gate has checked the host), no redirects, no addresses made from
a route's name, and each handler is a coroutine function, which need not be found out again and
again. A request has no context of the app (`g`, `current_app`), and no signal or teardown tells of
it: from its route to its answer it is one function, `Application.handle_request`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable
from functools import cache
from typing import Any, Final

from quart import Quart, Response, request
from quart.ctx import RequestContext
from quart.globals import _cv_request
from quart.routing import QuartRule
from quart.sessions import NullSession, SessionInterface
from quart.typing import ResponseTypes
from quart.wrappers import Request
from quart.wrappers.base import BaseRequestWebsocket
from quart_trio import QuartTrio
from quart_trio.wrappers import TrioResponse
from quart_trio.wrappers.request import TrioBody, TrioRequest
from werkzeug.routing import MapAdapter, WebsocketMismatch

from command_center.http.wire.asgi import SERVER
from command_center.http.wire.problems import JSON

EMPTY_SESSION: Final = NullSession()
"""The session of every request."""


class NoSessions(SessionInterface):
    """The same empty session for every request; it cannot be written to."""

    async def open_session(self, app: Quart, request: BaseRequestWebsocket) -> NullSession:
        """Return the empty session."""
        del app, request
        return EMPTY_SESSION

    def is_null_session(self, obj: object) -> bool:
        """Return True, always."""
        del obj
        return True


class Body(TrioBody):
    """A request's body; when all of it is there, awaiting it lets no other task run first."""

    def __await__(self) -> Generator[Any, None, Any]:
        """Return the bytes, once they have all come; raise RequestEntityTooLarge."""
        if self._must_raise is None and self._complete.is_set():
            return bytes(self._data)
        return (yield from super().__await__())

    @property
    def is_whole(self) -> bool:
        """Return True once all of it has come."""
        return self._complete.is_set()


class HttpRequest(TrioRequest):
    """A request whose body is read before its handler runs, where `Answering` does that."""

    body_class = Body
    body: Body

    async def get_data(
        self,
        cache: bool = True,  # noqa: FBT001, FBT002 - Quart's own
        as_text: bool = False,  # noqa: FBT001, FBT002 - the same
        parse_form_data: bool = False,  # noqa: FBT001, FBT002 - the same
    ) -> Any:
        """Return the body's bytes; no timer is started for a body that is there."""
        if self.body.is_whole and not (as_text or parse_form_data):
            return await self.body
        return await super().get_data(cache, as_text, parse_form_data)

    @property
    def blueprints(self) -> list[str]:
        """Return the blueprint that answers, and those that it is in."""
        return _blueprints(self.endpoint)


@cache
def _blueprints(endpoint: str | None) -> list[str]:
    names, name = [], endpoint or ""
    while name := name.rpartition(".")[0]:
        names.append(name)
    return names


class MatchedRule(QuartRule):
    """A rule that is matched; werkzeug's own way to addresses from it takes long to compile."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: ARG002, FBT001, FBT002 - werkzeug's own
        return _refuse_to_build


def _refuse_to_build(*_: object, **__: object) -> tuple[str, str]:
    raise NotImplementedError("No address is built from a rule here.")


class Application(QuartTrio):
    """The app's class."""

    request_class = HttpRequest
    url_rule_class = MatchedRule  # type: ignore[assignment] # as Quart assigns its own
    session_interface = NoSessions()  # type: ignore[assignment] # Quart names only its own class

    def __init__(self, name: str) -> None:
        """Serve no static files."""
        super().__init__(name, static_folder=None)
        self._known: dict[Callable[..., Any], Callable[..., Awaitable[Any]]] = {}
        self.before_request(self._answer_options)

    def ensure_async(self, func: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        """Return the function as a coroutine function; it is found out once for each."""
        known = self._known.get(func)
        if known is None:
            known = self._known[func] = super().ensure_async(func)
        return known

    async def handle_request(self, request: Request) -> ResponseTypes:
        """Answer a request by its route, what runs before each, and what after.

        `quart.request` is the request meanwhile.
        """
        context = RequestContext(self, request, EMPTY_SESSION)
        context.match_request()
        token = _cv_request.set(context)
        try:
            try:
                made: Any = await self.preprocess_request(context)
                if made is None:
                    made = await self.dispatch_request(context)
            except Exception as error:  # noqa: BLE001 - the edge of a handler
                made = await self.handle_user_exception(error)
            return await self.process_response(await self.make_response(made), context)
        finally:
            _cv_request.reset(token)

    async def _answer_options(self) -> Response | None:
        """Answer OPTIONS where no route does: for the server as a whole, and for a WebSocket."""
        is_wanted = request.method == "OPTIONS" and (
            request.scope["path"] == SERVER
            or isinstance(request.routing_exception, WebsocketMismatch)
        )
        return await self.make_default_options_response() if is_wanted else None

    async def make_default_options_response(self) -> Response:
        """Answer with the resource's methods, and with what a PATCH of it takes (RFC 5789)."""
        adapter = self.create_url_adapter(request)
        methods: Iterable[str] = () if adapter is None else adapter.allowed_methods()
        if request.scope["path"] == SERVER:
            methods = {name for rule in self.url_map.iter_rules() for name in rule.methods or ()}
        allowed = sorted(methods)
        response: Response = TrioResponse(headers={"Allow": ", ".join(allowed)})
        del response.headers["Content-Type"]
        if "PATCH" in allowed:
            response.headers["Accept-Patch"] = JSON
        return response

    def create_url_adapter(self, request: BaseRequestWebsocket | None) -> MapAdapter | None:
        """Return what finds a request's route by scheme, method and path, whatever its host."""
        if request is None:
            return None
        return MapAdapter(self.url_map, "", "/", "", request.scheme, request.path, request.method)
