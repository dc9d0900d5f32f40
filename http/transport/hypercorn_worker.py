"""hypercorn's worker with our connection in the place of its own, on tested versions alone.

hypercorn's trio worker does the start-up, the listening and the deadlines of the shutdown, and
makes one `TCPServer` a connection. Two faults of that class (in 0.18.0) would be ours to answer
for, so `connection` takes its place:

- A WebSocket upgrade with a byte behind it ends the whole process: the refusal of the early byte
  raises in the connection's task, and nothing stands between that task and the worker's nursery
  (its issue 225). `ClientConnection.run` is that edge, and early bytes wait for the handshake.
- Under quart-trio the keep-alive timer never starts: Quart ends its task group as soon as its
  answer is sent, which cancels hypercorn's bookkeeping after the last send. Idle connections stay
  for ever, and each shutdown takes the whole grace time. `ClientConnection` waits for the next
  request with a deadline, in the task that nobody cancels.

The loop that takes connections is ours, too (`accept`): trio's logs a traceback ten times a
second while the process has no file descriptor left, and nothing would free one.

Our connection is faster, too, since it hands nothing from task to task: `docs/performance.md`.

Another version of hypercorn is refused, since nobody has seen whether our connection sits in it.
The tests of this module fail when a version no longer has the faults, and then the guard may go.
"""

from __future__ import annotations

import types
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.metadata import version
from typing import Any

import hypercorn.trio.run
import trio
from hypercorn.config import Config
from hypercorn.typing import AppWrapper
from hypercorn.utils import wrap_app
from quart_trio import QuartTrio

from command_center.http.transport.accept import accept
from command_center.http.transport.connection import ClientConnection, Connections
from command_center.http.transport.encryption import Certificate, EncryptedStream
from command_center.http.wire.problems import UntestedHypercorn

TESTED = frozenset({"0.18.0"})
SEAT = "TCPServer"
LOOP = "serve_listeners"


def check_version() -> None:
    """Raise UntestedHypercorn unless the tests have run with the installed version."""
    installed = version("hypercorn")
    if installed not in TESTED:
        raise UntestedHypercorn(installed, min(TESTED))


async def serve(
    app: QuartTrio,
    config: Config,
    connections: Connections,
    *,
    certificate: Certificate | None,
    shutdown_trigger: Callable[[], Awaitable[None]],
    task_status: trio.TaskStatus[list[str]],
) -> None:
    """Run hypercorn's worker with our connections in it."""
    worker = _seating(hypercorn.trio.run.worker_serve, connections, certificate)
    await worker(
        wrap_app(app, config.wsgi_max_body_size, "asgi"),
        config,
        shutdown_trigger=shutdown_trigger,
        task_status=task_status,
    )


def _seating(worker: Any, connections: Connections, certificate: Certificate | None) -> Any:
    """Return the worker with our connection in the place of its own class, and our loop in trio's.

    A copy, and no change of hypercorn's module, so that an untouched worker may run beside it.
    """

    async def converse(
        app: AppWrapper, _config: Config, _context: object, state: Any, stream: trio.SocketStream
    ) -> None:
        def call(scope: Any, receive: Any, send: Any) -> Any:
            return app(scope, receive, send, trio.to_thread.run_sync, trio.from_thread.run)

        encrypted = certificate and EncryptedStream(
            stream, certificate.current(), connections.turns
        )
        await ClientConnection(call, connections, state, encrypted or stream).run()

    accepting = partial(accept, make_room=connections.make_room)
    ours = types.SimpleNamespace(**{**vars(trio), LOOP: accepting})
    names = {**worker.__globals__, SEAT: converse, "trio": ours}
    copy = types.FunctionType(worker.__code__, names, worker.__name__)
    copy.__kwdefaults__ = worker.__kwdefaults__
    return copy
