"""A Command Center in a process of its own, as a user starts it, and a client of it.

Whatever the client is answered, and each event that it sees, must be as the documents tell.
"""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Final, Self

import attrs
import httpx
import pytest
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection
from wsproto.utilities import LocalProtocolError

from command_center.actors.codex.websocket import WatchedStream, open_over
from command_center.actors.core.cancellable import cancellable
from command_center.actors.hosts.local.codex import detached
from command_center.store import Failed, Unit, Writer
from tests.checkout import ROOT
from tests.end_to_end.described import check_answer, check_event
from tests.end_to_end.forked import Forked, fork

START_SECONDS = 30.0
WAIT_SECONDS = 30.0
LOG_LINES = 60
"""Lines of a server's log that the report of a failed test has."""

ENDED = frozenset({"completed", "failed", "stopped", "interrupted"})

NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients on loopback: each would read all authorities of the system, and ask none of them."""


LIVE: Final[set[Server]] = set()
"""The servers that were started and have not ended."""


def left_in(folder: Path) -> list[Server]:
    """Return the servers whose data are in the folder and that nobody has ended."""
    return [server for server in LIVE if server.data_dir.is_relative_to(folder)]


def end_left(folder: Path) -> None:
    """End each server whose data are in the folder and that still lives, as after a failed test."""
    for server in left_in(folder):
        server.kill()
        server.end()


@attrs.define(eq=False)
class Server:
    """`command-center serve` with a data folder of the test's; may be killed and started again.

    One that `is_fresh` begins with an interpreter of its own, as a user's does: for what is
    measured, and for settings that an interpreter reads as it starts. A `program` is one that was
    installed, with its arguments.
    """

    data_dir: Path
    settings: Mapping[str, str]
    cwd: Path = ROOT
    is_fresh: bool = False
    program: tuple[str, ...] = ()
    process: Forked | subprocess.Popen[str] | None = None
    url: str = ""

    @property
    def log(self) -> Path:
        """Return what it logged, over all its lives."""
        return self.data_dir.parent / f"{self.data_dir.name}.log"

    def describe(self) -> tuple[str, str]:
        """Return whether it runs, and the end of its log: for the report of a failed test."""
        code = None if self.process is None else self.process.poll()
        state = "runs" if code is None else f"ended by itself with {code}"
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return f"Server {self.data_dir} {state}", "\n".join(lines[-LOG_LINES:])

    def start(self) -> Self:
        """Start it and wait until it answers."""
        environment = {
            name: value
            for name, value in os.environ.items()
            # Pytest's own variables change while a test runs, and an app-server is then outdated.
            if not name.startswith(("CC_", "PYTEST_"))
        }
        environment |= {"CC_PORT": "0", "CC_DATA_DIR": str(self.data_dir), **self.settings}
        if sys.platform == "linux" and not self.is_fresh and not self.program:
            self.process = fork(environment, self.cwd, self.log)
        else:
            with self.log.open("a") as log:
                self.process = subprocess.Popen(
                    self.program or [sys.executable, "-m", "command_center.http"],
                    cwd=self.cwd,
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
        LIVE.add(self)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if " listens on " not in line:
            self._reap()
            pytest.fail(f"{line}{self.log.read_text()}")
        self.url = line.strip().rpartition(" ")[2]
        return self

    def kill(self) -> None:
        """`kill -9`, as a crash of the machine's memory would."""
        assert self.process is not None
        self.process.kill()
        self._reap()

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop, and give its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(by)
        return self._reap()

    def wait(self) -> int:
        """Wait until it has ended by itself, and give its exit code."""
        return self._reap()

    def end(self) -> None:
        """Stop it for good, with the app-server that would outlive it; nothing may stay."""
        self.stop()
        detached.end(detached.folder_of(self.data_dir))
        wait_for_no_process(str(self.data_dir))

    def write(self, *units: Unit[object]) -> None:
        """Write past it what would take long to come about, while it is stopped."""
        self.stop()
        (database,) = self.data_dir.glob("*.sqlite3")
        with closing(Writer(database)) as writer:
            for outcome in writer.commit(units).outcomes:
                if isinstance(outcome, Failed):
                    raise outcome.error
        self.start()

    def _reap(self) -> int:
        assert self.process is not None
        code = self.process.wait(timeout=START_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()
        LIVE.discard(self)
        return code


@attrs.define
class Client:
    """A client as a script would use it: HTTP, and the stream of events."""

    server: Server
    http: httpx.AsyncClient

    async def get(self, path: str, **query: Any) -> Any:
        """A 200's body."""
        return self.expect(200, await self.http.get(path, params=query))

    async def post(self, path: str, body: object = None, *, status: int = 200) -> Any:
        """The body of an answer with that status."""
        answer = await self.http.post(path, json={} if body is None else body)
        return self.expect(status, answer)

    async def patch(self, path: str, body: object, *, status: int = 200) -> Any:
        """The body of an answer with that status."""
        return self.expect(status, await self.http.patch(path, json=body))

    @staticmethod
    def expect(status: int, answer: httpx.Response) -> Any:
        """The body, if the answer has that status."""
        assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
        return answer.json()

    async def register(self, repository: Path, **flags: object) -> Any:
        """A repository in whose main checkout runs may write, unless `flags` say otherwise."""
        allowed = {"allowWrite": True, "allowNetwork": False, "allowCommit": False}
        body = {"localPath": str(repository), "workplace": "main_checkout", **allowed, **flags}
        return await self.post("/api/repos", body, status=201)

    async def task(self, repository: Any, prompt: str, **fields: object) -> Any:
        """A task with that prompt."""
        body = {"repositoryId": repository["id"], "title": prompt[:40], "prompt": prompt, **fields}
        return await self.post("/api/tasks", body, status=201)

    async def run(self, repository: Any, prompt: str, **run: object) -> Any:
        """The session of a new task's run."""
        task = await self.task(repository, prompt)
        outcome = await self.post(f"/api/tasks/{task['id']}/run", run, status=201)
        return outcome["session"]

    async def session(self, session: Any) -> Any:
        """The session as it is now."""
        return await self.get(f"/api/sessions/{session['id']}")

    async def until_session(self, session: Any, *statuses: str) -> Any:
        """The session, once it has one of the statuses."""
        wanted = frozenset(statuses) or ENDED
        async with self.watch(after=0, sessionId=session["id"]) as stream:
            while True:
                now = await self.session(session)
                if now["status"] in wanted:
                    return now
                assert now["status"] not in ENDED, now
                await stream.next()

    @asynccontextmanager
    async def watch(self, **query: Any) -> AsyncIterator[Stream]:
        """The stream of events, which has said which log it is of."""
        async with self.websocket("/api/events/stream", **query) as connection:
            stream = Stream(connection)
            stream.first = await stream.receive()
            kind = "stream.resumed" if "after" in query else "stream.opened"
            assert (kind, None) == (stream.first["type"], stream.first["id"])
            yield stream

    @asynccontextmanager
    async def websocket(self, path: str, **query: Any) -> AsyncIterator[WebSocketConnection]:
        """A WebSocket, whose socket is closed at the end whoever ended the WebSocket, and when.

        Raises `HandshakeFailed` where the server ends first.
        """
        url = httpx.URL(self.server.url + path, params=query)
        token = self.http.headers.get("Authorization")
        failure: BaseException | None = None
        try:
            async with (
                await trio.open_tcp_stream(url.host, url.port or 80) as socket,
                trio.open_nursery() as nursery,
            ):
                try:
                    connection = await open_over(
                        WatchedStream(socket, socket),
                        nursery,
                        host=url.netloc.decode(),
                        resource=url.raw_path.decode(),
                        headers=[] if token is None else [(b"Authorization", token.encode())],
                    )
                    yield connection
                except BaseException as error:
                    failure = error
                    raise
                with trio.move_on_after(1):
                    await connection.aclose()
                nursery.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            if failure is None:
                # A ping may cross the close, and trio-websocket tries to answer it all the same.
                if group.split(LocalProtocolError)[1] is not None:
                    raise
            elif group.subgroup(lambda one: one is failure) is None:  # the reader's own
                raise
            else:
                raise failure from None


@attrs.define
class Stream:
    """The events that a watcher has seen, after the first frame, which tells of the stream."""

    connection: WebSocketConnection
    first: Any = None
    seen: list[Any] = attrs.field(factory=list)

    async def next(self) -> Any:
        """The next event."""
        event = await self.receive()
        self.seen.append(event)
        return event

    async def receive(self) -> Any:
        """The next frame."""
        try:
            with trio.fail_after(WAIT_SECONDS):
                event = json.loads(await self.connection.get_message())
        except trio.TooSlowError:
            last = [(event["type"], event["data"]) for event in self.seen[-3:]]
            raise AssertionError(f"Nothing came within {WAIT_SECONDS} s after {last}") from None
        check_event(event)
        return event

    async def until(self, event_type: str, /, **data: object) -> Any:
        """The next event of that type whose data has these members."""
        while True:
            event = await self.next()
            if event["type"] == event_type and data.items() <= event["data"].items():
                return event

    async def closed(self) -> int:
        """The code with which the server closes the stream."""
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await self.next()
        assert closed.value.reason is not None
        code: int = closed.value.reason.code
        return code


@asynccontextmanager
async def client_of(server: Server, *, token: str | None = None) -> AsyncIterator[Client]:
    """A client of the server as it runs now, which brings the token if there is one."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        base_url=server.url,
        timeout=WAIT_SECONDS,
        verify=NO_AUTHORITIES,
        headers=headers,
        event_hooks={"request": [cancellable], "response": [check_answer]},
    ) as http:
        yield Client(server, http)


def descendants_of(*markers: str) -> list[str]:
    """The command lines of processes whose environment has all `markers`, such as a folder."""
    found = []
    for process in Path("/proc").iterdir() if Path("/proc").is_dir() else ():
        if process.name.isdigit():
            try:
                environment = (process / "environ").read_bytes()
                if all(marker.encode() in environment for marker in markers):
                    found.append((process / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue
    return found


def wait_for_no_process(*markers: str, seconds: float = 10.0) -> None:
    """Wait until no process has all `markers` in its environment; fail with those that stay."""
    deadline = time.monotonic() + seconds
    while left := descendants_of(*markers):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
