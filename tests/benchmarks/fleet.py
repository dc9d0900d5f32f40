"""Many hosts and many runs at once, on one machine: what the server keeps, and how late it is.

    python -m tests.benchmarks.fleet --hosts 50 --sessions 1000 --rate 500 --seconds 600 \
        --kills 20 --stops 100

The hosts are tasks of this process that dial the server over the loopback as `command-center host`
does, by its own parts: key, starts, WebSocket, link. Behind the link stands in for Codex an
app-server that says so many items a turn, each with a number, and keeps them as Codex does, and in
front of git a memory of its answers. The server is a process as ever. At random moments a host's
program or the server is killed, and started again. After the last of those, while all work, some
sessions are stopped one after the other: the time is that from the request to `turn/interrupt` at
the app-server of the host. One more host is the real program in a process of its own, without work,
whose memory is told.

At the end the server's database is read: each item has to be there once, each prompt was begun
once, and the numbers of events have no gap.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import math
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import attrs
import httpx
import psutil
import structlog
import trio

from command_center.actors.codex.errors import WireClosed
from command_center.actors.codex.ports import Way
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.contracts.bridges import AppServer
from command_center.actors.contracts.project_configuration import ProjectFiles
from command_center.actors.git.ports import Checkout, Git, GitCommand, GitOutput
from command_center.actors.hosts.daemon.centre_link import CentreLink
from command_center.actors.hosts.daemon.identity import HostFiles, HostIdentity
from command_center.actors.hosts.link.serving import Served
from command_center.actors.hosts.local.codex.codex import LocalCodex
from command_center.actors.hosts.local.folders import LocalFolders
from command_center.actors.hosts.local.git.checkouts import LocalGit
from command_center.actors.hosts.local.git.process import GitProgram
from command_center.runtime import ChildSpec, SupervisorSpec, open_system
from tests.actors.git.repository import make_repository
from tests.codex.fake_app_server import FIXED, METHODS
from tests.end_to_end.dialling import DialledHost
from tests.end_to_end.server import Server

AT_ONCE: Final = 8
"""Requests that are made at the same time while the fleet is set up."""

KILLS_SHARE: Final = 0.75
"""The part of the time in which something is killed."""

SHOWN: Final = 20
"""Lost items that are named."""

DOWN_SECONDS: Final = (0.5, 4.0)
"""Seconds for which what was killed stays away."""


@attrs.define(eq=False)
class Turn:
    """A turn of the stand-in for Codex."""

    id: str
    client_id: str | None
    items: list[dict[str, Any]] = attrs.field(factory=list)
    status: str = "inProgress"
    interruption: trio.Event = attrs.field(factory=trio.Event)

    def told(self) -> dict[str, Any]:
        prompt = {"type": "userMessage", "id": f"p-{self.id}", "content": []}
        if self.client_id is not None:
            prompt["clientId"] = self.client_id
        return {
            "id": self.id,
            "status": self.status,
            "items": [prompt, *self.items],
            "startedAt": int(time.time()),
            "error": None,
        }


@attrs.define(eq=False)
class AppServerStandIn:
    """An app-server that outlives the links to it, and says numbered items."""

    name: str
    nursery: trio.Nursery
    items: int
    pause: float
    said: dict[tuple[str, str], float]
    prompts: Counter[str]
    turns: dict[str, list[Turn]] = attrs.field(factory=dict)
    cwds: dict[str, str] = attrs.field(factory=dict)
    wires: set[WireStandIn] = attrs.field(factory=set)
    interrupted: dict[str, float] = attrs.field(factory=dict)
    """The moments at which turns were to be interrupted, by thread."""
    _count: Iterator[int] = attrs.field(factory=lambda: itertools.count(1))

    def answer(self, method: str, params: Mapping[str, Any]) -> dict[str, Any] | None:  # noqa: C901, PLR0911 - a case for each method
        """Return the answer to a request; None to one that is not known."""
        thread_id = str(params.get("threadId", ""))
        match method:
            case "initialize":
                return {"userAgent": "fake/0.163.0 (test)"}
            case "thread/loaded/list":
                return {"data": list(self.turns), "nextCursor": None}
            case _ if method in FIXED:
                return FIXED[method]
            case "thread/start":
                thread_id = f"{self.name}-{next(self._count)}"
                self.turns[thread_id] = []
                self.cwds[thread_id] = str(params.get("cwd", ""))
                return self._opened(thread_id, params)
            case "thread/resume":
                return self._opened(thread_id, params)
            case "thread/read":
                return {"thread": self._thread(thread_id)}
            case "thread/turns/list":
                listed = [turn.told() for turn in reversed(self.turns.get(thread_id, ()))]
                return {"data": listed[: params.get("limit") or 100], "nextCursor": None}
            case "turn/start":
                turn = Turn(f"{thread_id}-{next(self._count)}", params.get("clientUserMessageId"))
                self.prompts[str(turn.client_id)] += 1
                self.turns[thread_id].append(turn)
                self.nursery.start_soon(self._play, thread_id, turn)
                return {"turn": {"id": turn.id, "status": "inProgress", "items": []}}
            case "thread/list" | "thread/backgroundTerminals/list" | "model/list":
                return {"data": [], "nextCursor": None}
            case "turn/interrupt":
                self._interrupt(thread_id)
                return {}
            case "thread/unsubscribe" | "thread/backgroundTerminals/clean":
                return {}
            case _:
                return None

    def _interrupt(self, thread_id: str) -> None:
        self.interrupted[thread_id] = time.monotonic()
        for turn in self.turns.get(thread_id, ()):
            turn.interruption.set()

    def _thread(self, thread_id: str) -> dict[str, Any]:
        turns = self.turns.get(thread_id, [])
        is_active = any(turn.status == "inProgress" for turn in turns)
        return {
            "id": thread_id,
            "cwd": self.cwds.get(thread_id, ""),
            "parentThreadId": None,
            "preview": "",
            "status": {"type": "active" if is_active else "idle"},
        }

    def _opened(self, thread_id: str, params: Mapping[str, Any]) -> dict[str, Any]:
        profile = params.get("permissions")
        held = {"activePermissionProfile": {"id": profile}} if profile else {}
        return {"thread": self._thread(thread_id), **held}

    async def _play(self, thread_id: str, turn: Turn) -> None:
        where = {"threadId": thread_id, "turnId": turn.id}
        await trio.sleep(random.random() * self.pause)  # noqa: S311 - no secret
        began = trio.current_time()
        for number in range(self.items):
            with trio.move_on_at(began + number * self.pause):
                await turn.interruption.wait()
                break
            item = {"type": "agentMessage", "id": f"m-{number}", "text": f"{thread_id} {number}"}
            self.said[thread_id, item["id"]] = time.time()
            turn.items.append(item)
            self._tell("item/completed", {**where, "item": item})
        turn.status = "interrupted" if turn.interruption.is_set() else "completed"
        self._tell("turn/completed", {"threadId": thread_id, "turn": turn.told()})

    def _tell(self, method: str, params: Mapping[str, Any]) -> None:
        for wire in self.wires:
            wire.say({"method": method, "params": params})


@attrs.define(eq=False)
class WireStandIn:
    """A connection to such an app-server; what a slow one does not take, ends it."""

    server: AppServerStandIn
    process_id: int | None = None
    _come: Any = attrs.field(factory=lambda: trio.open_memory_channel[bytes](10_000))

    def __attrs_post_init__(self) -> None:
        self.server.wires.add(self)

    def say(self, message: Mapping[str, Any]) -> None:
        try:
            self._come[0].send_nowait(json.dumps(message).encode())
        except (trio.WouldBlock, trio.BrokenResourceError, trio.ClosedResourceError):
            self._come[0].close()

    async def send(self, message: bytes) -> None:
        asked = json.loads(message)
        if "id" not in asked or "method" not in asked:
            return
        answer = self.server.answer(asked["method"], asked.get("params") or {})
        if answer is not None:
            self.say({"id": asked["id"], "result": answer})
            return
        names = ", ".join(f"`{name}`" for name in METHODS)
        said = f"Invalid request: unknown variant `{asked['method']}`, expected one of {names}"
        self.say({"id": asked["id"], "error": {"code": -32600, "message": said}})

    async def receive(self) -> bytes:
        try:
            found: bytes = await self._come[1].receive()
        except trio.EndOfChannel:
            raise WireClosed("It was closed.") from None
        return found

    async def aclose(self) -> None:
        self.server.wires.discard(self)
        self._come[0].close()


@attrs.frozen
class CodexStandIn(LocalCodex):
    """The Codex of such a host: nothing of this machine's is looked for, or ended."""

    settings: BridgeSettings = attrs.field(factory=BridgeSettings, kw_only=True)
    server: AppServerStandIn

    async def connect(self, nursery: trio.Nursery) -> Way:  # noqa: ARG002 - the port's
        return Way(WireStandIn(self.server), AppServer.DETACHED, "It stands in.")

    async def take_over(self) -> None:
        return None

    async def listens_for_terminals(self) -> bool:
        return False

    async def project_files(self, cwd: Path, main: Path) -> ProjectFiles:  # noqa: ARG002 - as above
        return ProjectFiles(paths=(), obeyed=())

    async def read_configuration(self, cwd: Path, main: Path) -> None:  # noqa: ARG002 - as above
        return None

    async def end_commands(self, thread_id: str, seconds: float) -> list[int]:  # noqa: ARG002
        return []

    async def is_written(self, home: str, thread_id: str) -> bool:  # noqa: ARG002 - as above
        return False


@attrs.define(eq=False)
class RememberedGit:
    """Git that is asked once for each answer, since a thousand runs look at the same repository."""

    git: LocalGit
    _known: dict[str, Any] = attrs.field(factory=dict)

    async def open(self, path: Path, *, common_dir: Path | None = None) -> Checkout:
        return cast("Checkout", await self._once("open", path, common_dir=common_dir))

    async def run(self, checkout: Checkout, command: GitCommand, sink: Any = None) -> GitOutput:
        own = attrs.evolve(checkout, git=self.git)
        if sink is not None:
            return await self.git.run(own, command, sink)
        return cast("GitOutput", await self._once("run", own, command))

    def __getattr__(self, method: str) -> Any:
        async def perform(**named: Any) -> Any:
            given = {
                name: attrs.evolve(one, git=self.git) if isinstance(one, Checkout) else one
                for name, one in named.items()
            }
            return await self._once(method, **given)

        return perform

    async def _once(self, method: str, *given: Any, **named: Any) -> Any:
        key = repr((method, given, named))
        if key not in self._known:
            self._known[key] = await getattr(self.git, method)(*given, **named)
        return self._known[key]


@attrs.define(eq=False)
class HostStandIn:
    """A host: it lives as long as it is left to, and then again."""

    files: HostFiles
    served: partial[Served]
    kills: int = 0
    _killed: trio.CancelScope = attrs.field(factory=trio.CancelScope)

    async def live(self) -> None:
        while True:
            with trio.CancelScope() as self._killed:
                link = ChildSpec(
                    id="link",
                    start=partial(
                        CentreLink,
                        self.files,
                        self.files.identity(),
                        self.files.begin_life(),
                        self.served,
                    ),
                )
                async with open_system(SupervisorSpec(id="", children=[link])):
                    await trio.sleep_forever()
            await trio.sleep(random.uniform(*DOWN_SECONDS))  # noqa: S311 - no secret

    def kill(self) -> None:
        self.kills += 1
        self._killed.cancel()


@attrs.frozen(kw_only=True)
class Wanted:
    """The size of a fleet, and what it does."""

    hosts: int
    sessions: int
    rate: float
    seconds: float
    kills: int
    stops: int = 0
    seed: int = 1

    @property
    def pause(self) -> float:
        """Return the seconds between two items of a session."""
        return self.sessions / self.rate

    @property
    def items(self) -> int:
        """Return the items of a session."""
        return round(self.seconds / self.pause)


@attrs.define
class Outcome:
    """The figures of a run; nothing may be lost, doubled, or have a gap."""

    said: int
    lost: int
    doubled: int
    gaps: int
    prompts_doubled: int
    not_completed: int
    worst: float
    p99: float
    p50: float
    rss: int
    host_rss: int
    server_kills: int
    host_kills: int
    events: int
    stops: Sequence[float]
    answered: Sequence[float]
    seconds: float

    @property
    def is_whole(self) -> bool:
        """Say whether all is there, once."""
        wrong = self.lost + self.doubled + self.gaps + self.prompts_doubled + self.not_completed
        return wrong == 0

    def told(self) -> str:
        """Return it as a line for people."""
        stops, answered = sorted(self.stops), sorted(self.answered)
        told = "none"
        if stops:
            told = (
                f"{len(stops)}, p50 {_at(stops, 50):.0f} ms, p99 {_at(stops, 99):.0f} ms "
                f"(answered p50 {_at(answered, 50):.0f} ms, p99 {_at(answered, 99):.0f} ms)"
            )
        return (
            f"{self.said} items and {self.events} events ({self.events / self.seconds:.0f} a "
            f"second), lost {self.lost}, doubled {self.doubled}, gaps {self.gaps}, "
            f"prompts doubled {self.prompts_doubled}, not completed {self.not_completed}; delay "
            f"p50 {self.p50:.2f} s, p99 {self.p99:.2f} s, worst {self.worst:.2f} s; "
            f"stops at the host's Codex: {told}; RSS of the server {self.rss / 1e6:.0f} MB, of a "
            f"host's program {self.host_rss / 1e6:.0f} MB; {self.server_kills} kills of the "
            f"server, {self.host_kills} of hosts; {self.seconds:.0f} s"
        )


@attrs.define(eq=False)
class Fleet:
    """The server with its hosts, while it runs."""

    folder: Path
    wanted: Wanted
    server: Server
    hosts: list[HostStandIn] = attrs.field(factory=list)
    said: dict[tuple[str, str], float] = attrs.field(factory=dict)
    prompts: Counter[str] = attrs.field(factory=Counter)
    rss: int = 0
    host_rss: int = 0
    server_kills: int = 0
    url: str = ""
    codexes: list[AppServerStandIn] = attrs.field(factory=list)
    stopped: list[float] = attrs.field(factory=list)
    """Milliseconds from the request of a stop to the host's Codex."""
    answered: list[float] = attrs.field(factory=list)
    """The same, until the stop was answered: the turn's end is committed then."""

    async def set_up(self, http: httpx.AsyncClient, nursery: trio.Nursery) -> list[int]:
        """Enrol the hosts, and register a repository on each; return those."""
        project = make_repository(self.folder / "project")
        git = RememberedGit(LocalGit(GitProgram(self.folder / "git-work")))
        found: list[int] = []
        for number in range(self.wanted.hosts):
            name = f"host-{number}"
            added = await _sent(http, "/api/hosts", {"name": name})
            key = await _sent(http, "/api/enrolments", {"code": added["enrolment"]["code"]})
            own = self.folder / name
            own.mkdir(mode=0o700)
            files = HostFiles(own)
            files.save(HostIdentity(centre=self.url, name=name, key=key["key"]))
            server = AppServerStandIn(
                name, nursery, self.wanted.items, self.wanted.pause, self.said, self.prompts
            )
            self.codexes.append(server)
            codex = CodexStandIn(server)
            served = partial(Served, LocalFolders(own), cast("Git", git), codex)
            host = HostStandIn(files, served)
            nursery.start_soon(host.live)
            self.hosts.append(host)
        limit = trio.CapacityLimiter(AT_ONCE)

        async def register(name: str) -> None:
            async with limit:
                await _until_connected(http, name)
                wish = {"localPath": str(project), "host": name, "workplace": "main_checkout"}
                found.append(int((await _sent(http, "/api/repos", wish))["id"]))

        async with trio.open_nursery() as registering:
            for number in range(self.wanted.hosts):
                registering.start_soon(register, f"host-{number}")
        return found

    async def begin(self, http: httpx.AsyncClient, repositories: Sequence[int]) -> None:
        """Begin the sessions, some at once."""
        limit = trio.CapacityLimiter(AT_ONCE)

        async def run(number: int) -> None:
            async with limit:
                task = await _sent(
                    http,
                    "/api/tasks",
                    {
                        "repositoryId": repositories[number % len(repositories)],
                        "type": "prompt_task",
                        "title": f"Run {number}",
                        "prompt": "Say it.",
                    },
                )
                await _sent(http, f"/api/tasks/{task['id']}/run", {"sandbox": "read-only"})

        async with trio.open_nursery() as nursery:
            for number in range(self.wanted.sessions):
                nursery.start_soon(run, number)

    async def disturb(self, http: httpx.AsyncClient) -> None:
        """Kill what can be killed, and stop some sessions afterwards, while the others work."""
        began = trio.current_time()
        await self._kill_some()
        await trio.sleep_until(began + KILLS_SHARE * self.wanted.seconds)
        if self.wanted.stops:
            await self.stop_some(http)

    async def _kill_some(self) -> None:
        """Kill hosts and the server at random moments; a fifth of the kills are the server's."""
        dice = random.Random(self.wanted.seed)  # noqa: S311 - no secret
        moments = sorted(dice.uniform(0.05, KILLS_SHARE) for _ in range(self.wanted.kills))
        began = trio.current_time()
        for number, moment in enumerate(moments):
            await trio.sleep_until(began + moment * self.wanted.seconds)
            if number % 5 == 2:
                self.server_kills += 1
                self.server.kill()
                await trio.sleep(dice.uniform(*DOWN_SECONDS))
                await trio.to_thread.run_sync(self.server.start)
            else:
                dice.choice(self.hosts).kill()

    async def stop_some(self, http: httpx.AsyncClient) -> None:
        """Stop some sessions, one after the other, once each host is back from the last kill."""
        for number in range(self.wanted.hosts):
            await _until_connected(http, f"host-{number}")
        dice = random.Random(self.wanted.seed)  # noqa: S311 - no secret
        listed: list[dict[str, Any]] = []
        query: dict[str, Any] = {"status": "running", "diff": "false", "limit": 500}
        while True:
            page = await _got(http, "/api/sessions", query)
            listed += page["items"]
            if page["nextCursor"] is None:
                break
            query["cursor"] = page["nextCursor"]
        interrupted = {one.name: one.interrupted for one in self.codexes}
        for session in dice.sample(listed, min(self.wanted.stops, len(listed))):
            began = time.monotonic()
            await _sent(http, f"/api/sessions/{session['id']}/stop", {})
            answered = time.monotonic()
            at = interrupted[session["host"]].get(session["codexThreadId"])
            if at is not None:  # it had not ended by itself
                self.stopped.append((at - began) * 1000)
                self.answered.append((answered - began) * 1000)

    async def measure_host(self, http: httpx.AsyncClient) -> None:
        """Have the program of a host run as ever, and note the memory that it takes."""
        added = await _sent(http, "/api/hosts", {"name": "real"})
        variables = {"HOME": str(self.folder), "PATH": "/usr/bin:/bin"}
        host = DialledHost(self.folder / "real", variables)
        host.start("--centre", self.url, "--enrol", added["enrolment"]["code"], is_fresh=True)
        try:
            while True:
                assert host.process is not None
                with contextlib.suppress(psutil.Error):
                    now = psutil.Process(host.process.pid).memory_info().rss
                    self.host_rss = max(self.host_rss, now)
                await trio.sleep(1)
        finally:
            host.kill()

    async def watch_memory(self) -> None:
        """Note the most memory that the server has taken."""
        while True:
            with contextlib.suppress(psutil.Error):
                assert self.server.process is not None
                self.rss = max(self.rss, psutil.Process(self.server.process.pid).memory_info().rss)
            await trio.sleep(1)

    async def until_ended(self) -> int:
        """Wait until all sessions have ended, for some minutes beyond their time."""
        left = self.wanted.sessions
        with trio.move_on_after(self.wanted.seconds + 300):
            while left:
                await trio.sleep(2)
                left = await trio.to_thread.run_sync(_unfinished, self._database)
        return left

    @property
    def _database(self) -> Path:
        (found,) = self.server.data_dir.glob("*.sqlite3")
        return found

    def look(self, seconds: float) -> Outcome:
        """Read the database of the server, which has ended."""
        with contextlib.closing(sqlite3.connect(self._database)) as db:
            threads = dict(db.execute("SELECT id, codex_thread_id FROM sessions"))
            ended = {
                thread_id: _seconds_of(at)
                for thread_id, at in db.execute(
                    "SELECT codex_thread_id, finished_at FROM sessions WHERE finished_at NOT NULL"
                )
            }
            states = Counter(row[0] for row in db.execute("SELECT status FROM sessions"))
            ids = [row[0] for row in db.execute("SELECT id FROM events ORDER BY id")]
            told: Counter[tuple[str, str]] = Counter()
            late = []
            for session_id, at, data in db.execute(
                "SELECT session_id, ts, body FROM events WHERE type = 'session.item'"
            ):
                event = json.loads(data)["data"]
                if event["type"] == "agentMessage":
                    key = (threads[session_id], event["itemId"])
                    told[key] += 1
                    late.append(_seconds_of(at) - self.said.get(key, 0.0))
        late.sort()
        lost = {
            key
            for key in self.said.keys() - told.keys()
            if self.said[key] < ended.get(key[0], math.inf)  # a stopped turn may say more
        }
        for thread_id, item in sorted(lost)[:SHOWN]:
            sys.stderr.write(f"Lost: {item} of {thread_id}.\n")
        return Outcome(
            said=len(self.said),
            lost=len(lost),
            doubled=sum(count - 1 for count in told.values()) + len(told.keys() - self.said.keys()),
            gaps=sum(b - a - 1 for a, b in itertools.pairwise(ids)),
            prompts_doubled=sum(count - 1 for count in self.prompts.values()),
            not_completed=sum(states.values()) - states["completed"] - states["stopped"],
            worst=late[-1] if late else 0.0,
            p99=_at(late, 99) if late else 0.0,
            p50=_at(late, 50) if late else 0.0,
            rss=self.rss,
            host_rss=self.host_rss,
            server_kills=self.server_kills,
            host_kills=sum(host.kills for host in self.hosts),
            events=len(ids),
            stops=self.stopped,
            answered=self.answered,
            seconds=seconds,
        )


async def measure(folder: Path, wanted: Wanted) -> Outcome:
    """Run a fleet to its end."""
    settings = {
        "CC_CODEX_RUNNER_MODE": "app-server",
        "CC_CODEX_COMMAND": "no-codex",
        "CC_MAX_SESSIONS": str(wanted.sessions),
        "CC_PORT": str(_free_port()),
        "CC_LOG_LEVEL": "warning",
    }
    server = Server(folder / "data", settings, is_fresh=True).start()
    fleet = Fleet(folder, wanted, server, url=server.url)
    try:
        async with _client(server.url) as http, trio.open_nursery() as nursery:
            repositories = await fleet.set_up(http, nursery)
            nursery.start_soon(fleet.watch_memory)
            nursery.start_soon(fleet.measure_host, http)
            began = trio.current_time()
            nursery.start_soon(fleet.disturb, http)
            await fleet.begin(http, repositories)
            await fleet.until_ended()
            seconds = trio.current_time() - began
            nursery.cancel_scope.cancel()
    finally:
        server.end()
    return fleet.look(seconds)


@asynccontextmanager
async def _client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, timeout=120) as http:
        yield http


async def _sent(http: httpx.AsyncClient, path: str, body: Mapping[str, Any]) -> Any:
    """Send a request, again where the server is killed just then; a key has it done once."""
    key = f"{random.getrandbits(64):x}"
    while True:
        try:
            answer = await http.post(path, json=body, headers={"Idempotency-Key": key})
        except httpx.TransportError:
            await trio.sleep(0.3)
            continue
        if answer.status_code in {409, 503} and path.endswith(("/run", "/repos", "/tasks")):
            await trio.sleep(0.5)
            continue
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()


async def _got(http: httpx.AsyncClient, path: str, query: Mapping[str, Any] | None = None) -> Any:
    """Return what is there, once the server answers."""
    while True:
        try:
            answer = await http.get(path, params=query)
        except httpx.TransportError:
            await trio.sleep(0.3)
            continue
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()


async def _until_connected(http: httpx.AsyncClient, name: str) -> None:
    while True:
        shown = await _got(http, f"/api/hosts/{name}")
        if shown["link"] == "connected" and shown["status"] == "connected":
            return
        await trio.sleep(0.2)


def _at(values: Sequence[float], percent: int) -> float:
    """Return the percentile of values that are in order."""
    return values[len(values) * percent // 100]


def _unfinished(database: Path) -> int:
    with contextlib.closing(sqlite3.connect(database)) as db:
        row = db.execute("SELECT count(*) FROM sessions WHERE finished_at IS NULL").fetchone()
        return int(row[0])


def _seconds_of(timestamp: str) -> float:
    from command_center.store.timestamps import from_timestamp  # noqa: PLC0415 - of the store

    return from_timestamp(timestamp).timestamp()


def _free_port() -> int:
    import socket  # noqa: PLC0415 - needed once

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def main() -> None:
    """Run it as the arguments say, and print the figures."""
    parser = argparse.ArgumentParser(description="A fleet of hosts on one machine.")
    for name, kind, usual in (
        ("hosts", int, 50),
        ("sessions", int, 1000),
        ("rate", float, 500.0),
        ("seconds", float, 600.0),
        ("kills", int, 20),
        ("stops", int, 100),
        ("seed", int, 1),
    ):
        parser.add_argument(f"--{name}", type=kind, default=usual)
    parser.add_argument("--folder", help="keep all data in this new folder")
    given = vars(parser.parse_args())
    kept = given.pop("folder")
    wanted = Wanted(**given)
    if kept is not None:
        Path(kept).mkdir(mode=0o700, parents=True)
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(40),
    )
    with tempfile.TemporaryDirectory() as folder:
        outcome = trio.run(measure, Path(folder if kept is None else kept), wanted)
    sys.stdout.write(f"{wanted.hosts} hosts, {wanted.sessions} sessions: {outcome.told()}\n")
    sys.exit(not outcome.is_whole)


if __name__ == "__main__":
    main()
