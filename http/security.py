"""Who may speak to the server, and how: the one gate in front of every route.

`Gate` is ASGI middleware. It sees each HTTP request and each WebSocket handshake before the app
does, and these are its checks in their order; the first that fails answers, in the shape of every
error:

1. **Target.** `http://host/path` as a target counts as what it says; a path holds no control
   characters (400) and does not begin with two slashes, which the router takes for one (404).
2. **Host**, against DNS rebinding: a name of the loopback, the address that is listened on, or
   one of CC_ALLOWED_HOSTS. Nothing is resolved (421).
3. **No token in the URL**, where histories and logs keep it (400).
4. **Cross-site requests**: a method that may change something, or a WebSocket, that a browser
   sends for another site's page, known by Origin and Sec-Fetch-Site (403). Clients that are no
   browsers send neither header. There is no CORS: no answer permits another origin to read it.
5. **The token** for `/api/…`, if there is one, compared in constant time (401); an address that
   guesses wrong too often has to wait, whatever it sends (429). It comes as a header, to a
   WebSocket also as the subprotocol pair `cc.v1, cc.bearer.<base64url of the token>`. A page
   that has signed in (`signin`) brings a cookie instead, which counts for the own site alone.
6. **The body**: JSON by its name (415), no larger than `body_limit` (413, told at once where the
   length is announced), and complete within `body_seconds` (408). It reaches the app whole.

Every answer carries the headers that keep a browser from doing more with it than show it.
Heads are limited by the server itself (`serving`), as are WebSocket messages.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import math
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs
import trio
from quart import Quart

from command_center.http.asgi import App, Message, Receive, Scope, Send
from command_center.http.decoding import is_json
from command_center.http.errors import JSON, Problem
from command_center.http.signin import COOKIE, SIGN_IN, stands_for

Headers: TypeAlias = Mapping[bytes, bytes]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
ANY_ADDRESS = frozenset({"0.0.0.0", "::", "[::]", ""})  # noqa: S104 - names, nothing is bound here
WEBHOOK = "/api/telegram/webhook"
SUBPROTOCOL = "cc.v1"
BEARER_SUBPROTOCOL = "cc.bearer."

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_SAME_SITE = frozenset({b"same-origin", b"none"})
_TOKEN_NAMES = re.compile(
    r"(access|api|auth|bearer|cc_api|id|session)?_?token|api_?key|auth|authorization|bearer"
    r"|password|secret"
)
_AUTHORITY = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::(?P<port>[0-9]{1,5}))?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DEFAULT_PORTS = {"http": 80, "https": 443}

EVERY_ANSWER: tuple[tuple[bytes, bytes], ...] = (
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            b"font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
            b"form-action 'none'; frame-ancestors 'none'"
        ),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
API_ANSWER: tuple[tuple[bytes, bytes], ...] = ((b"cache-control", b"no-store"),)


def with_port(host: str) -> tuple[str, int | None] | None:
    """`name[:port]` as a pair, the name in lower case; None for anything else."""
    match = _AUTHORITY.fullmatch(host)
    if match is None:
        return None
    return match["name"].lower(), int(match["port"]) if match["port"] else None


@attrs.frozen(kw_only=True)
class Policy:
    """What the gate lets through.

    Attributes:
        token: what `/api/…` needs as its bearer; None lets everybody in who reaches the address.
        hosts: names beside the loopback's under which the server is known, with or without port.
        exempt: paths under `/api/` that check a secret of their own.
        body_limit: bytes of the largest body.
        body_seconds: how long a body may take to come.
        wrong_tokens: how many wrong tokens an address may send in `wrong_token_seconds`.
    """

    token: str | None = attrs.field(default=None, repr=False)
    hosts: frozenset[str] = frozenset()
    exempt: frozenset[str] = frozenset({WEBHOOK})
    body_limit: int = 1024 * 1024
    body_seconds: float = 20.0
    wrong_tokens: int = 20
    wrong_token_seconds: float = 60.0

    @classmethod
    def of(cls, *, listen_on: str, allowed_hosts: Iterable[str] = (), token: str | None) -> Policy:
        """The policy for an address that is listened on and what the settings say."""
        hosts = {host.lower() for host in allowed_hosts}
        if listen_on not in ANY_ADDRESS:
            name = f"[{listen_on}]" if ":" in listen_on and listen_on[0] != "[" else listen_on
            hosts.add(name.lower())
        return cls(token=token, hosts=frozenset(hosts))


def install_gate(app: Quart, policy: Policy) -> None:
    """Put the gate in front of `app`, its test client included."""
    app.asgi_app = Gate(app.asgi_app, policy)  # type: ignore[assignment,method-assign]


class Gate:
    """ASGI middleware that applies a `Policy`; the module tells the checks."""

    def __init__(self, app: Any, policy: Policy) -> None:
        self._app: App = app
        self._policy = policy
        self._wrong = WrongTokens(policy.wrong_tokens, policy.wrong_token_seconds)
        self._digest = None if policy.token is None else _digest(policy.token.encode())
        self._names = {
            known for known in map(with_port, LOOPBACK | policy.hosts) if known is not None
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what fails a check; hand everything else to the app."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, _Dressed(scope, send))
        else:
            await self._websocket(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            headers = self._check(scope, changes=scope["method"] not in _SAFE_METHODS)
            if b"content-length" in headers or b"transfer-encoding" in headers:
                receive = await self._whole_body(headers, receive)
        except Refused as refused:
            await _answer(scope, send, "http.response", refused.problem)
        else:
            await self._app(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._check(scope, changes=True)
        except Refused as refused:
            if "websocket.http.response" in (scope.get("extensions") or {}):
                await _answer(scope, send, "websocket.http.response", refused.problem)
            else:
                await send({"type": "websocket.close", "code": 1008})
        else:
            await self._app(_without_bearer(scope), receive, _Choosing(scope, send))

    def _check(self, scope: Scope, *, changes: bool) -> Headers:
        """Checks 1 to 5; the headers that may stand only once, by name."""
        headers = _single_headers(scope["headers"])
        authority = _check_target(scope) or headers.get(b"host", b"").decode("latin-1")
        here = self._check_host(authority)
        self._check_query(scope["query_string"])
        if changes:
            self._check_site(scope, headers, here)
        path = scope["path"]
        if self._digest is not None and path not in self._policy.exempt and is_api(path):
            self._check_token(scope, headers)
        return headers

    def _check_host(self, authority: str) -> tuple[str, int | None]:
        here = with_port(authority)
        if here is None or (here not in self._names and (here[0], None) not in self._names):
            raise Refused(
                421,
                f"This server is not known as {authority[:100]!r}; "
                "CC_ALLOWED_HOSTS lists the names that it has beside the loopback's.",
            )
        return here

    def _check_query(self, query: bytes) -> None:
        if not query:
            return
        try:
            pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=1000)
        except ValueError:
            raise Refused(400, "The query string has too many parameters.") from None
        for name, value in pairs:
            if _TOKEN_NAMES.fullmatch(name.lower().replace("-", "_")) or self._is_token(value):
                raise Refused(
                    400,
                    "A token does not belong in a URL, where histories and logs keep it: "
                    'send it as "Authorization: Bearer …", and replace the one that was sent.',
                )

    def _check_site(self, scope: Scope, headers: Headers, here: tuple[str, int | None]) -> None:
        origin = headers.get(b"origin")
        if origin is not None and not self._is_ours(origin.decode("latin-1"), here):
            raise Refused(403, f"Pages of {origin.decode('latin-1')[:100]} may not do this.")
        site = headers.get(b"sec-fetch-site", b"none")
        if scope["type"] == "http" and site not in _SAME_SITE:
            raise Refused(403, "Pages of another site may not do this.")

    def _is_ours(self, origin: str, here: tuple[str, int | None]) -> bool:
        """Whether a page of that origin came from this server under a name of its own.

        Another port is another origin: whatever else runs there is not trusted. A proxy may stand
        before a configured name, so that one needs no equal Host; it counts on its scheme's own
        port, and on another one where that is configured with it.
        """
        scheme, _, authority = origin.partition("://")
        there = with_port(authority)
        if there is None or scheme not in _DEFAULT_PORTS:
            return False
        port = there[1] or _DEFAULT_PORTS[scheme]
        if (there[0], port) == (here[0], here[1] or _DEFAULT_PORTS[scheme]):
            return True
        if there[0] in LOOPBACK:
            return False
        return there in self._names or (
            (there[0], None) in self._names and port == _DEFAULT_PORTS[scheme]
        )

    def _check_token(self, scope: Scope, headers: Headers) -> None:
        address = _address(scope)
        wait = self._wrong.seconds_to_wait(address)
        if wait > 0:
            raise Refused(
                429,
                "Too many wrong tokens came from this address; it has to wait.",
                {"Retry-After": str(math.ceil(wait))},
            )
        given = _bearer(headers)
        if given is None and scope["type"] == "websocket":
            given = _bearer_subprotocol(scope)
        if given is None and scope["path"] != SIGN_IN and self._has_signed_in(headers):
            return
        if given is None:
            raise Refused(
                401,
                'This needs the token of CC_API_TOKEN as "Authorization: Bearer <token>".',
                {"WWW-Authenticate": 'Bearer realm="command-center"'},
            )
        if not self._is_token(given):
            self._wrong.add(address)
            raise Refused(
                401,
                "That is not the token of CC_API_TOKEN.",
                {"WWW-Authenticate": 'Bearer realm="command-center", error="invalid_token"'},
            )

    def _has_signed_in(self, headers: Headers) -> bool:
        """Whether the cookie admits; a void one is no guess, for a page may be left open."""
        token, value = self._policy.token, _cookie(headers)
        if (
            token is None
            or value is None
            or headers.get(b"sec-fetch-site", b"none") not in _SAME_SITE
        ):
            return False
        return stands_for(value, token, time.time())

    def _is_token(self, given: str) -> bool:
        if self._digest is None:
            return False
        return hmac.compare_digest(_digest(given.encode("utf-8", "surrogateescape")), self._digest)

    async def _whole_body(self, headers: Headers, receive: Receive) -> Receive:
        """Check 6: the body as one message; whoever receives on waits for the disconnection."""
        limit = self._policy.body_limit
        if int(headers.get(b"content-length", b"0")) > limit:
            raise _too_large(limit)
        body = bytearray()
        with trio.move_on_after(self._policy.body_seconds) as waiting:
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return _Received(message, receive)
                body += message.get("body", b"")
                if len(body) > limit:
                    raise _too_large(limit)
                if not message.get("more_body", False):
                    break
        if waiting.cancelled_caught:
            raise Refused(408, "The body took too long to come.", {"Connection": "close"})
        if body:
            content_type = headers.get(b"content-type")
            if not is_json(None if content_type is None else content_type.decode("latin-1")):
                raise Refused(415, f'A body is taken as "Content-Type: {JSON}" only.')
        return _Received({"type": "http.request", "body": bytes(body), "more_body": False}, receive)


class Refused(Exception):
    """The gate does not let this request through."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.problem = Problem(status, message, headers or {})


class WrongTokens:
    """How many wrong tokens each address sent in the current window of time.

    An address that is over the limit is not compared with at all until its window ends, so
    guessing goes no faster than the limit. The price: whoever shares the address waits, too.
    """

    LARGEST = 4096

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._windows: dict[str, tuple[float, int]] = {}

    def seconds_to_wait(self, address: str) -> float:
        """How long this address has to wait, 0 if it may try."""
        if address not in self._windows:
            return 0
        began, count = self._windows[address]
        left = began + self._seconds - trio.current_time()
        if left <= 0:
            del self._windows[address]
            return 0
        return left if count >= self._limit else 0

    def add(self, address: str) -> None:
        """Count one."""
        began, count = self._windows.pop(address, (trio.current_time(), 0))
        if len(self._windows) >= self.LARGEST:
            del self._windows[next(iter(self._windows))]
        self._windows[address] = (began, count + 1)


@attrs.define
class _Received:
    """What was received already, once, then what comes."""

    _message: Message | None
    _receive: Receive

    async def __call__(self) -> Message:
        message, self._message = self._message, None
        return await self._receive() if message is None else message


@attrs.define
class _Dressed:
    """Adds the headers of every answer to those that the app has not set itself."""

    _scope: Scope
    _send: Send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": _dress(self._scope, message.get("headers", ()))}
        await self._send(message)


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
    """Whether the path is one that a token protects."""
    return path.rstrip("/") in {"/api", "/metrics"} or path.startswith("/api/")


def _dress(scope: Scope, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    dressed = list(headers)
    names = {name for name, _ in dressed}
    wanted = EVERY_ANSWER + API_ANSWER if is_api(scope["path"]) else EVERY_ANSWER
    dressed.extend(header for header in wanted if header[0] not in names)
    return dressed


async def _answer(scope: Scope, send: Send, kind: str, problem: Problem) -> None:
    body = problem.body()
    headers = [
        (b"content-type", JSON.encode()),
        (b"content-length", str(len(body)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in problem.headers.items()),
    ]
    headers = _dress(scope, headers)
    await send({"type": f"{kind}.start", "status": problem.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body, "more_body": False})


def _single_headers(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    single: dict[bytes, bytes] = {}
    for name, value in headers:
        if single.setdefault(name, value) is not value and name in _ONLY_ONCE:
            raise Refused(400, f"The header {name.decode('latin-1')} may stand only once.")
    return single


_ONLY_ONCE = frozenset(
    {b"host", b"origin", b"authorization", b"content-type", b"content-length", b"sec-fetch-site"}
)


def _check_target(scope: Scope) -> str | None:
    """Put an absolute target's path in its place; its authority, which then stands for Host."""
    authority = None
    if not scope["path"].startswith("/"):
        try:
            target = urlsplit(scope["raw_path"].decode("latin-1"))
        except ValueError:
            raise Refused(400, "The request's target is not a path.") from None
        if target.scheme not in _DEFAULT_PORTS or not target.netloc:
            raise Refused(400, "The request's target is not a path.")
        authority = target.netloc
        scope["raw_path"] = (target.path or "/").encode("latin-1")
        scope["path"] = unquote(target.path or "/")
    if _CONTROL.search(scope["path"]):
        raise Refused(400, "The path holds control characters.")
    if scope["path"].startswith("//"):  # the router would take it for one slash
        raise Refused(404, "No route begins with two slashes.")
    return authority


def _address(scope: Scope) -> str:
    """Whom to count wrong tokens for: an IPv4 address, or the /64 net that an IPv6 one is in."""
    client = scope.get("client")
    if client is None:
        return ""
    try:
        address = ipaddress.ip_address(client[0].partition("%")[0])
    except ValueError:
        return str(client[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _bearer(headers: Headers) -> str | None:
    scheme, _, token = headers.get(b"authorization", b"").strip().partition(b" ")
    return token.strip().decode("latin-1") if scheme.lower() == b"bearer" else None


def _bearer_subprotocol(scope: Scope) -> str | None:
    if SUBPROTOCOL not in scope["subprotocols"]:
        return None
    for offered in scope["subprotocols"]:
        if offered.startswith(BEARER_SUBPROTOCOL):
            encoded = offered.removeprefix(BEARER_SUBPROTOCOL).rstrip("=")
            try:
                decoded = base64.b64decode(
                    encoded + "=" * (-len(encoded) % 4), b"-_", validate=True
                )
                return decoded.decode()
            except (binascii.Error, ValueError):
                return ""
    return None


def _cookie(headers: Headers) -> str | None:
    for pair in headers.get(b"cookie", b"").decode("latin-1").split(";"):
        name, _, value = pair.strip().partition("=")
        if name == COOKIE:
            return value
    return None


def _without_bearer(scope: Scope) -> Scope:
    """The scope as the app may see and log it: without a token among the subprotocols."""
    subprotocols = [
        offered for offered in scope["subprotocols"] if not offered.startswith(BEARER_SUBPROTOCOL)
    ]
    headers = [
        (name, ", ".join(subprotocols).encode() if name == b"sec-websocket-protocol" else value)
        for name, value in scope["headers"]
    ]
    return {**scope, "subprotocols": subprotocols, "headers": headers}


def _too_large(limit: int) -> Refused:
    return Refused(413, f"A body may have {limit} bytes at most.", {"Connection": "close"})


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
