"""The one gate in front of every route: it decides who may speak to the server, and how.

`Gate` is ASGI middleware. It sees each HTTP request and each WebSocket handshake before the app
does, and these are its checks in their order; the first that fails answers, in the shape of every
error:

0. **The proxy** before the server, if it is trusted, says who the client is (`proxies`).
1. **Target.** `http://host/path` as a target counts as what it says; a path holds no control
   characters (400) and does not begin with two slashes, which the router takes for one (404).
2. **Host**, against DNS rebinding: one of the server's `hosts` (421).
3. **No token in the URL**, where histories and logs keep it (400), by the parameter's name.
4. **Cross-site requests**: anything under `/api/`, a method that may change something, or a
   WebSocket, that a browser sends for another site's page, known by Origin and Sec-Fetch-Site
   (403). Even a GET that its page cannot read costs time, which that page can measure. Clients
   that are no browsers send neither header. There is no CORS: no answer permits another origin to
   read it.
5. **The token** for `/api/…`, if there is one, or a cookie in its place (`authentication`): 401, or
   429 for an address that guesses too often. A device may have one of its own; the streams of one
   end with its access (`revocation`). Whoever brought a token is then also told of one in
   the URL that is known by its value alone (400), a device of its own; to tell anybody else would
   answer their guess.
6. **The body**: JSON by its name (415), no larger than `body_limit` (413, told at once where the
   length is announced), and complete within `body_seconds` (408). It reaches the app whole. A file
   that is uploaded is bytes by its name, and has limits of its own; it is taken from no device that
   may not send it (403).

Every answer carries its `security_headers`. Heads and WebSocket messages are limited by the
connection itself (`channel.ConnectionLimits`).
"""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs
import trio
from quart import Quart

from command_center.actors.devices.roster import Roster
from command_center.actors.rules.errors import MissingScope
from command_center.actors.rules.uploads import UPLOAD_BYTES
from command_center.http.middleware.authentication import (
    SAME_SITE,
    SUBPROTOCOL,
    Credentials,
    without_bearer,
)
from command_center.http.middleware.hosts import (
    ANY_ADDRESS,
    DEFAULT_PORTS,
    AllowedHosts,
    Authority,
    WrongHost,
    configured_hosts,
)
from command_center.http.middleware.proxies import TrustedProxies
from command_center.http.middleware.revocation import Revocable
from command_center.http.middleware.signin import SignIns
from command_center.http.middleware.throttle import WrongGuesses
from command_center.http.wire.asgi import SERVER, WHOLE_BODY, Message, Receive, Scope, Send
from command_center.http.wire.caller import CALLER, caller_of
from command_center.http.wire.codec import is_json
from command_center.http.wire.problems import BYTES, JSON, Problem, Refused, problem_of
from command_center.http.wire.security_headers import SecurityHeaders

Headers: TypeAlias = Mapping[bytes, bytes]

WEBHOOK = "/api/telegram/webhook"
GITHUB_WEBHOOK = "/api/github/webhook"
UPLOADS = "/api/uploads"
HOOKS = "/api/hooks/"
"""The beginning of the paths of hooks, each of which checks its own secret."""
PAIR = "/api/pair"
"""The path that a code opens."""
PASSKEY_CHALLENGE = "/api/passkeys/challenge"
PASSKEY_SIGN_IN = "/api/passkeys/signin"
"""The paths by which a passkey signs in."""

HOST_ENROLMENT = "/api/enrolments"
"""The path that the code of a host opens."""
HOST_LINK = "/api/hosts/link"
"""The path of the connections of hosts, each of which brings its own key."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_TOKEN_NAMES = re.compile(
    r"(access|api|auth|bearer|cc_api|id|session)?_?token|api_?key|auth|authorization|bearer"
    r"|password|secret"
)
_FAIR_SHARE = 64
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@attrs.frozen(kw_only=True)
class Policy:
    """The clients and requests that the gate lets through.

    Attributes:
        token: what `/api/…` needs as its bearer; None lets everybody in who reaches the address.
        hosts: names beside the loopback's under which the server is known, with or without port.
        knows_itself: whether it knows its machine's own addresses and names as well.
        proxies: the reverse proxies that are believed when they name their client.
        exempt: paths under `/api/` that check a secret of their own.
        body_limit: bytes of the largest body.
        body_seconds: how long a body may take to come.
        file_limit: bytes of the largest file.
        file_seconds: how long a file may take to come.
        wrong_tokens: how many wrong tokens an address may send in `wrong_token_seconds`.
        sign_in_key: what cookies are made with beside the token; of this process alone, if left
            out.
    """

    token: str | None = attrs.field(default=None, repr=False)
    hosts: frozenset[str] = frozenset()
    knows_itself: bool = False
    proxies: TrustedProxies = attrs.field(factory=TrustedProxies)
    exempt: frozenset[str] = frozenset(
        {
            *(WEBHOOK, GITHUB_WEBHOOK, PAIR, PASSKEY_CHALLENGE, PASSKEY_SIGN_IN),
            *(HOST_ENROLMENT, HOST_LINK),
        }
    )
    body_limit: int = 1024 * 1024
    body_seconds: float = 20.0
    file_limit: int = UPLOAD_BYTES
    file_seconds: float = 120.0
    wrong_tokens: int = 20
    wrong_token_seconds: float = 60.0
    sign_in_key: bytes = attrs.field(factory=lambda: secrets.token_bytes(32), repr=False)

    @classmethod
    def of(
        cls,
        *,
        listen_on: str,
        allowed_hosts: Iterable[str] = (),
        trusted_proxies: Iterable[str] = (),
        token: str | None,
        sign_in_key: bytes | None = None,
    ) -> Policy:
        """Return the policy for an address that is listened on, by the settings."""
        policy = cls(
            token=token,
            hosts=configured_hosts(listen_on, allowed_hosts),
            knows_itself=token is not None and listen_on in ANY_ADDRESS,
            proxies=TrustedProxies.of(trusted_proxies),
        )
        return policy if sign_in_key is None else attrs.evolve(policy, sign_in_key=sign_in_key)

    def credentials(self, roster: Roster) -> Credentials:
        """Return the check of tokens and cookies, those of the devices in `roster` included."""
        return Credentials(SignIns(self.token, self.sign_in_key), self.counter(), roster)

    def counter(self, what: str = "tokens") -> WrongGuesses:
        """Return a new counter of what clients guess."""
        return WrongGuesses(self.wrong_tokens, self.wrong_token_seconds, what)


def install_gate(app: Quart, policy: Policy, credentials: Credentials | None = None) -> None:
    """Put the gate in front of `app`, its test client included; without devices, unless told."""
    app.asgi_app = Gate(app.asgi_app, policy, credentials)  # type: ignore[assignment,method-assign]


class Gate:
    """ASGI middleware that applies a `Policy`; the module lists its checks."""

    def __init__(self, app: Any, policy: Policy, credentials: Credentials | None = None) -> None:
        credentials = credentials or policy.credentials(Roster())
        self._app = Revocable(app, credentials.roster)
        self._policy = policy
        self._hosts = AllowedHosts(policy.hosts, knows_itself=policy.knows_itself)
        self._credentials = credentials

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what fails a check; hand everything else to the app."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        send = SecurityHeaders(send, lambda: is_api(scope["path"]))
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self._websocket(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            _check_method(scope["method"])
            headers = self._check(scope, changes=scope["method"] not in _SAFE_METHODS)
            if b"content-length" in headers or b"transfer-encoding" in headers:
                receive = await self._whole_body(scope, headers, receive)
        except WrongHost as refused:
            wants_page = b"text/html" in dict(scope["headers"]).get(b"accept", b"")
            page = refused.page if wants_page else None
            await _answer(send, "http.response", refused.problem, page=page)
        except Refused as refused:
            await _answer(send, "http.response", refused.problem)
        except MissingScope as missing:
            problem = attrs.evolve(problem_of(missing), headers={"Connection": "close"})
            await _answer(send, "http.response", problem)
        else:
            await self._app(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._check(scope, changes=True)
        except Refused as refused:
            if "websocket.http.response" in (scope.get("extensions") or {}):
                await _answer(send, "websocket.http.response", refused.problem)
            else:
                await send({"type": "websocket.close", "code": 1008})
        else:
            await self._app(without_bearer(scope), receive, _Choosing(scope, send))

    def _check(self, scope: Scope, *, changes: bool) -> Headers:
        """Apply checks 0 to 5; return the headers by name."""
        headers = _by_name(scope["headers"])
        self._policy.proxies.apply(scope, headers)
        scope["headers"] = list(headers.items())
        authority = _check_target(scope) or headers.get(b"host", b"").decode("latin-1")
        server = scope.get("server")
        here = self._hosts.check(authority, None if server is None else server[0])
        values = _check_query(scope["query_string"])
        path = scope["path"]
        if changes or is_api(path):
            self._check_site(scope, headers, here)
        if path not in self._policy.exempt and is_api(path) and not path.startswith(HOOKS):
            caller, token = self._credentials.admit(scope, headers)
            scope[CALLER] = caller
            if token is not None and any(
                self._credentials.is_known_to(caller, value) for value in values
            ):
                raise _token_in_url()
        return headers

    def _check_site(self, scope: Scope, headers: Headers, here: Authority) -> None:
        origin = headers.get(b"origin")
        if origin is not None and not self._hosts.is_ours(origin.decode("latin-1"), here):
            raise Refused(
                403,
                f"A page of {origin.decode('latin-1')[:100]} sent this. Only this server's own "
                "pages may do it. If that is this server, add its address to CC_ALLOWED_HOSTS.",
            )
        site = headers.get(b"sec-fetch-site", b"none")
        # Browsers differ on the site of a WebSocket, whose scheme is another; all send its origin.
        is_told = scope["type"] == "http" or origin is None
        if is_told and site not in SAME_SITE:
            raise Refused(
                403, "A page of another site sent this. Only this server's own pages may do it."
            )

    async def _whole_body(self, scope: Scope, headers: Headers, receive: Receive) -> Receive:
        """Apply check 6; return a `receive` that gives the body as one message."""
        policy = self._policy
        limit, seconds, wanted = policy.body_limit, policy.body_seconds, JSON
        if scope["path"] == UPLOADS:
            wanted = BYTES
            if scope["method"] == "POST":
                caller_of(scope).check("work")  # as its operation would, but before the file comes
                limit, seconds = policy.file_limit, policy.file_seconds
        if int(headers.get(b"content-length", b"0")) > limit:
            raise _too_large(limit)
        if WHOLE_BODY in (scope.get("extensions") or {}):
            message = await receive()  # which needs no timer
            if len(message["body"]) > limit:
                raise _too_large(limit)
        else:
            body = await self._gathered(receive, limit, seconds)
            message = {"type": "http.request", "body": body, "more_body": False}
        if message["body"]:
            content_type = headers.get(b"content-type", b"").decode("latin-1")
            if not (is_json(content_type) if wanted == JSON else content_type == wanted):
                raise Refused(415, f'Send the body as "Content-Type: {wanted}".')
        return _Received(message, receive)

    async def _gathered(self, receive: Receive, limit: int, seconds: float) -> bytes:
        """Return the body, once all its parts have come.

        What is there already comes without waiting, so parts that are tiny let others have a turn.
        """
        body = bytearray()
        with trio.move_on_after(seconds) as waiting:
            for part in itertools.count(1):
                if part % _FAIR_SHARE == 0:
                    await trio.lowlevel.checkpoint()
                message = await receive()
                if message["type"] != "http.request":
                    raise Refused(
                        400, "The body ended early, or is not framed as HTTP/1.1 requires."
                    )
                body += message.get("body", b"")
                if len(body) > limit:
                    raise _too_large(limit)
                if not message.get("more_body", False):
                    break
        if waiting.cancelled_caught:
            raise Refused(408, "The body took too long to come.", {"Connection": "close"})
        return bytes(body)


@attrs.define
class _Received:
    """Gives a message that was received already, then what comes."""

    _message: Message | None
    _receive: Receive

    async def __call__(self) -> Message:
        message, self._message = self._message, None
        return await self._receive() if message is None else message


@attrs.define
class _Choosing:
    """Accepts a WebSocket under `cc.v1` if its client offered that, whatever the app says."""

    _scope: Scope
    _send: Send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "websocket.accept" and SUBPROTOCOL in self._scope["subprotocols"]:
            message = {**message, "subprotocol": SUBPROTOCOL}
        await self._send(message)


def is_api(path: str) -> bool:
    """Return True if the path is one that a token protects."""
    return path.rstrip("/") in {"/api", "/metrics", "/mcp"} or path.startswith("/api/")


async def _answer(send: Send, kind: str, problem: Problem, *, page: bytes | None = None) -> None:
    """Send a problem; as a page of HTML, if one is given."""
    body = problem.body() if page is None else page
    headers = [
        (b"content-type", b"text/html; charset=utf-8" if page is not None else JSON.encode()),
        (b"content-length", str(len(body)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in problem.headers.items()),
    ]
    await send({"type": f"{kind}.start", "status": problem.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body, "more_body": False})


def _by_name(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return each header's value; lines of one name are joined (RFC 9110, 5.3; RFC 6265, 4.2)."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name not in found:
            found[name] = value
        elif name in _ONLY_ONCE:
            raise Refused(400, f"Send the header {name.decode('latin-1')} only once.")
        else:
            found[name] += (b"; " if name == b"cookie" else b", ") + value
    return found


_ONLY_ONCE = frozenset(
    {b"host", b"origin", b"authorization", b"content-type", b"content-length", b"sec-fetch-site"}
)


def _check_method(method: str) -> None:
    """Refuse a method in small letters, which is another one (RFC 9110, 9.1)."""
    if method != method.upper():
        raise Refused(501, "There is no such method. Methods are written in capitals.")


def _check_target(scope: Scope) -> str | None:
    """Replace an absolute target by its path; return its authority, which then stands for Host."""
    authority = None
    is_path = scope["path"].startswith("/")
    if not (is_path or (scope["path"] == SERVER and scope.get("method") == "OPTIONS")):
        try:
            target = urlsplit(scope["raw_path"].decode("latin-1"))
        except ValueError:
            raise Refused(400, "The request's target is not a path.") from None
        if target.scheme not in DEFAULT_PORTS or not target.netloc:
            raise Refused(400, "The request's target is not a path.")
        authority = target.netloc
        scope["raw_path"] = (target.path or "/").encode("latin-1")
        scope["path"] = unquote(target.path or "/")
    if _CONTROL.search(scope["path"]):
        raise Refused(400, "The path holds control characters.")
    if scope["path"].startswith("//"):  # the router would take it for one slash
        raise Refused(404, "There is no such path. Begin it with one slash.")
    return authority


def _check_query(query: bytes) -> list[str]:
    """Return the values of the query's parameters; refuse one that is named like a token."""
    if not query:
        return []
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        raise Refused(400, "The query string has too many parameters.") from None
    for name, _ in pairs:
        if _TOKEN_NAMES.fullmatch(name.lower().replace("-", "_")):
            raise _token_in_url()
    return [value for _, value in pairs]


def _token_in_url() -> Refused:
    return Refused(
        400,
        "Do not put a token in a URL: histories and logs keep it. "
        'Send it as "Authorization: Bearer …", and replace the token that you sent.',
    )


def _too_large(limit: int) -> Refused:
    return Refused(413, f"The body is larger than {limit} bytes.", {"Connection": "close"})
