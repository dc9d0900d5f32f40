"""A host that dials out, in a process of its own, and a way to it that can be cut."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import trio

from command_center.actors.hosts.local.codex import detached
from tests.checkout import ROOT
from tests.end_to_end.forked import Forked, fork
from tests.end_to_end.server import Client, wait_for_no_process

SECONDS: Final = 60.0

WITHOUT_CODEX: Final = {"CC_CODEX_COMMAND": "no-codex", "CC_CODEX_RUNNER_MODE": "app-server"}
"""Settings of a server that has no Codex on its own machine."""


@attrs.define(eq=False)
class DialledHost:
    """`command-center host` on a machine whose user has a home and a PATH of their own."""

    folder: Path
    environment: Mapping[str, str]
    allows: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    """A command within which it runs, such as one that enters a namespace."""
    process: Forked | subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """The log of all its lives."""
        return self.folder.parent / f"{self.folder.name}.log"

    def start(self, *words: str, is_fresh: bool = False) -> None:
        """Start it; `words` are those of the first start. A fresh one has loaded nothing."""
        given = ("host", "--data-dir", str(self.folder), *self.allows, *words)
        if sys.platform == "linux" and not is_fresh and not self.within:
            self.process = fork(self.environment, ROOT, self.log, *given)
            return
        with self.log.open("a") as log:
            command = [*self.within, sys.executable, "-m", "command_center.http", *given]
            self.process = subprocess.Popen(
                command, env=dict(self.environment), cwd=ROOT, stderr=log
            )

    def enrol(self, *centres: str, code: str) -> None:
        """Start it for the first time."""
        self.start(*(word for one in centres for word in ("--centre", one)), "--enrol", code)

    def kill(self) -> None:
        """`kill -9`."""
        assert self.process is not None
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        """Ask it to stop, and give its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
        return self._reap()

    def wait(self) -> int:
        """Wait until it has ended by itself, and give its exit code."""
        return self._reap()

    def _reap(self) -> int:
        assert self.process is not None
        code = self.process.wait(SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def end(self) -> None:
        """Stop it for good, with its app-server; nothing may stay."""
        if self.process is not None:
            self.stop()
        detached.end(detached.folder_of(self.folder))
        wait_for_no_process(str(self.folder))


@attrs.define(eq=False)
class Way:
    """A way through the loopback to a server, which can be cut, and stay so."""

    port: int
    target: int
    is_open: bool = True
    is_silent: bool = False
    _scopes: set[trio.CancelScope] = attrs.field(factory=set)

    @property
    def url(self) -> str:
        """The address at which the server is, by this way."""
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Cut what is connected."""
        for scope in self._scopes:
            scope.cancel()

    async def carry(self, stream: trio.SocketStream) -> None:
        """Carry one connection."""
        if not self.is_open:
            return
        with trio.CancelScope() as scope:
            self._scopes.add(scope)
            try:
                async with (
                    stream,
                    await trio.open_tcp_stream("127.0.0.1", self.target) as there,
                    trio.open_nursery() as nursery,
                ):
                    nursery.start_soon(self._pump, stream, there, nursery.cancel_scope)
                    nursery.start_soon(self._pump, there, stream, nursery.cancel_scope)
            except* OSError:
                pass
            finally:
                self._scopes.discard(scope)

    async def _pump(
        self, source: trio.SocketStream, target: trio.SocketStream, scope: trio.CancelScope
    ) -> None:
        try:
            while data := await source.receive_some(64 * 1024):
                while self.is_silent:  # noqa: ASYNC110 - as a network that carries nothing
                    await trio.sleep(0.05)
                await target.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        scope.cancel()


@asynccontextmanager
async def way_to(port: int) -> AsyncIterator[Way]:
    """Open a way to the server at a port of the loopback."""
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        way = Way(listeners[0].socket.getsockname()[1], port)
        nursery.start_soon(trio.serve_listeners, way.carry, listeners)
        yield way
        nursery.cancel_scope.cancel()


async def until_host(client: Client, name: str, **wanted: str) -> Any:
    """Return the host once it is so."""
    with trio.fail_after(SECONDS):
        while True:
            host = await client.get(f"/api/hosts/{name}")
            if wanted.items() <= host.items():
                return host
            await trio.sleep(0.1)
