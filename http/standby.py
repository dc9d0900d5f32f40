"""The app of a standby: its own health, and for all else the way to the centre that leads.

Nothing of the database is open here, so nobody's token but the server's can be checked: that one is
needed for the metrics. No other answer has more than the leader's address, which is no secret. Who
may read a page of another site's is kept out by the gate, as on a leader.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Literal

import attrs
import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from command_center.actors.cluster.view import ClusterView
from command_center.actors.devices.roster import Roster
from command_center.http.middleware.authentication import Credentials
from command_center.http.middleware.gate import Policy, install_gate
from command_center.http.routes.metrics import InCluster
from command_center.http.wire.asgi import Message, Receive, Scope, Send
from command_center.http.wire.problems import JSON, Problem, Refused
from command_center.http.wire.quart_app import Application

HEALTH: Final = "/health"
METRICS: Final = "/metrics"

WANTED_ROLE: Final = b"cc-wanted-role"
"""The header by which a probe that sees the status alone asks if this centre leads."""

_SAFE = frozenset({"GET", "HEAD"})


class StandbyHealth(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The state of a centre that does not lead.

    Attributes:
        status: `ok` while it follows.
        version: of its program.
        role: `joining` while it has no copy yet.
        leader: where clients reach the leader; null while nobody leads.
        epoch: the number of the last leadership that is known; 0 before the first.
        lag: messages of the stream that are not in its copy yet.
        beats: signs of a leader that were received.
        rejoins: times that its copy was begun anew.
        sequence: of the stream, up to which it has everything.
        problem: the reason for which it does not follow, such as NATS servers that are down.
        uptime_seconds: since this process began to follow.
    """

    status: Literal["ok", "degraded"]
    version: str
    role: Literal["joining", "standby", "leader"]
    leader: str | None
    epoch: int
    lag: int
    beats: int
    rejoins: int
    sequence: int
    problem: str | None
    uptime_seconds: float


def create_standby_app(view: ClusterView, policy: Policy, version: str) -> Application:
    """Return the app of a standby, behind the gate; `policy` says as which host it is known."""
    app = Application(__name__)
    credentials = policy.credentials(Roster())
    app.asgi_app = _Standby(app.asgi_app, view, version, credentials)  # type: ignore[assignment,method-assign]
    install_gate(app, attrs.evolve(policy, token=None))
    return app


@attrs.define
class _Standby:
    """ASGI that answers everything by itself."""

    _app: Callable[..., object]
    _view: ClusterView
    _version: str
    _credentials: Credentials
    _started: float = attrs.field(factory=time.monotonic)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)  # type: ignore[misc]
        elif scope["type"] == "websocket":
            await self._answer(scope, send, "websocket.http.response")
        elif scope["path"] == METRICS and scope["method"] in _SAFE:
            try:
                self._credentials.admit(scope, dict(scope["headers"]))
            except Refused as refused:
                problem = refused.problem
                body = problem.body()
                await _send(send, "http.response", problem.status, body, dict(problem.headers))
                return
            registry = CollectorRegistry()
            registry.register(InCluster(self._view.described()))
            text = generate_latest(registry)
            await _send(send, "http.response", 200, text, {"content-type": CONTENT_TYPE_LATEST})
        elif scope["path"] == HEALTH and scope["method"] in _SAFE:
            wants_leader = dict(scope["headers"]).get(WANTED_ROLE, b"") == b"leader"
            body = msgspec.json.encode(self._health())
            await _send(send, "http.response", 503 if wants_leader else 200, body, {})
        else:
            await self._answer(scope, send, "http.response")

    async def _answer(self, scope: Scope, send: Send, kind: str) -> None:
        """Send who reads to the leader; tell who would change something where it is."""
        is_socket = scope["type"] == "websocket"
        if is_socket and kind not in (scope.get("extensions") or {}):
            await send({"type": "websocket.close", "code": 1013})  # try again later
            return
        view, headers = self._view, {"cache-control": "no-store"}
        status, message = 503, "No centre of this cluster leads now. Try again in some seconds."
        if view.url is None:
            headers["retry-after"] = "1"
        else:
            headers["cc-leader"] = view.url
            message = f"This centre does not lead. {view.url} does."
            if is_socket or scope["method"] in _SAFE:
                base = view.url.replace("http", "ws", 1) if is_socket else view.url
                status, headers["location"] = 307, base + _target(scope)
        more = {"facts": {"leader": view.url, "epoch": view.epoch}}
        body = Problem(status, message, more=more).body()
        await _send(send, kind, status, body, headers)

    def _health(self) -> StandbyHealth:
        view = self._view
        return StandbyHealth(
            status="degraded" if view.role == "joining" or view.url is None else "ok",
            version=self._version,
            uptime_seconds=round(time.monotonic() - self._started, 3),
            **view.described(),
        )


def _target(scope: Scope) -> str:
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


async def _send(send: Send, kind: str, status: int, body: bytes, headers: dict[str, str]) -> None:
    start: Message = {
        "type": f"{kind}.start",
        "status": status,
        "headers": [
            (b"content-length", str(len(body)).encode()),
            *(
                (name.encode(), value.encode())
                for name, value in {"content-type": JSON, **headers}.items()
            ),
        ],
    }
    await send(start)
    await send({"type": f"{kind}.body", "body": body, "more_body": False})
