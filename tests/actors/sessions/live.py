"""A live session beside a bridge that the test plays: it keeps what it is asked, and answers late.

The session's actor, its runner, the store and the events are the real ones; `/bridges/local` is
where the test says when Codex answers, and what.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import msgspec
import trio

from command_center.actors.codex.confinement import Confinement
from command_center.actors.codex.errors import BridgeUnavailable
from command_center.actors.codex.messages import (
    AnswerRequest,
    Attach,
    Call,
    CodexNotification,
    CodexServerRequest,
    Detach,
    LoadedThread,
    NameConnection,
    ReachWriter,
    Rejoin,
)
from command_center.actors.contracts.bridges import (
    BridgeConnected,
    ExplainAbsence,
    Watch,
)
from command_center.actors.contracts.worktrees import Prepared, PrepareWorkplace
from command_center.actors.core.storage import Storage
from command_center.actors.ledger.placing import RunPlaces
from command_center.actors.sessions.actor import MAILBOX, SessionActor
from command_center.actors.sessions.prompts import Assignment, with_attachments
from command_center.actors.sessions.runners.codex.app_server import AppServerRunner
from command_center.actors.sessions.runners.codex.orphaned_turns import OrphanedTurns
from command_center.actors.sessions.runners.codex.turn_events import heard
from command_center.actors.sessions.services import SessionServices
from command_center.runtime import (
    Actor,
    ActorRef,
    ChildSpec,
    Deferred,
    Restart,
    SupervisorSpec,
    handles,
)
from command_center.store import Session, Transaction, sessions
from tests.actors.hosts.machines import this_machine
from tests.actors.rows import (
    NO_PLACES,
    Rig,
    insert_repository,
    insert_session,
    insert_task,
    rig,
    settle,
)
from tests.codex.confining import confined

THREAD = "t"
TURN = "u"
STARTING: dict[str, Any] = {"status": "starting", "codex_thread_id": None, "codex_turn_id": None}
"""The fields of a session whose thread is not opened yet."""

Reply = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def running_turn(session_id: int) -> dict[str, Any]:
    """The session's turn as Codex lists it while it works."""
    prompt = {"id": "p", "type": "userMessage", "clientId": f"command-center-{session_id}"}
    return {"id": TURN, "status": "inProgress", "items": [{**prompt, "status": "completed"}]}


class PlayedBridge(Actor):
    """Answers each method as `replies` says, once its gate is open; keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.changed = trio.Event()
        self.gates: dict[str, trio.Event] = {}
        self.loses_answers = False
        self.is_lost = False
        self.connection = "first"
        self.absence: str | None = None
        self.watchers: list[ActorRef[Any]] = []
        self.goal: Mapping[str, Any] | None = None
        self.turns: list[dict[str, Any]] = []
        self.status: dict[str, Any] = {"type": "active", "activeFlags": ["waitingOnApproval"]}
        self.replies: dict[str, Reply] = {
            "thread/start": lambda _: {"thread": {"id": THREAD}},
            "thread/resume": lambda _: {"thread": {"id": THREAD, "status": self.status}},
            "thread/read": lambda _: {"thread": {"id": THREAD, "status": self.status}},
            "thread/goal/get": lambda _: {"goal": self.goal},
            "thread/goal/set": self._set_goal,
            "thread/queue/list": lambda _: {"data": [], "nextCursor": None},
            "thread/list": lambda _: {"data": [], "nextCursor": None},
            "thread/turns/list": lambda _: {"data": self.turns, "nextCursor": None},
            "turn/start": lambda _: {"turn": {"id": TURN}},
            "turn/steer": lambda _: {"turnId": TURN},
        }

    def _set_goal(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        self.goal = {**(self.goal or {}), "status": params["status"]}
        return {"goal": self.goal}

    def gate(self, method: str) -> trio.Event:
        """Have answers to the method wait until this is set."""
        return self.gates.setdefault(method, trio.Event())

    def methods(self) -> list[str]:
        """Return what was called, in order."""
        return [asked.method for asked in self.asked if isinstance(asked, Call)]

    async def until_called(self, method: str, times: int = 1) -> None:
        """Wait until the method was called so often."""
        with trio.fail_after(30):
            while self.methods().count(method) < times:
                await self.changed.wait()

    @handles(Call)
    def call(self, message: Call) -> Deferred[dict[str, Any]]:
        """Note it; answer when its gate is open."""
        if self.is_lost:
            raise BridgeUnavailable("The connection to Codex was lost.")
        self._note(message)
        return self.ctx.answer_later(self._answer, message)

    async def _answer(self, message: Call) -> dict[str, Any]:
        gate = self.gates.get(message.method)
        if gate is not None:
            await gate.wait()
        reply = self.replies.get(message.method)
        return {} if reply is None else dict(reply(message.params))

    @handles(ExplainAbsence)
    def explain_absence(self, _message: ExplainAbsence) -> str | None:
        """Say whether there is a connection."""
        return "The connection to Codex was lost." if self.is_lost else None

    @handles(Watch)
    async def watch(self, message: Watch) -> None:
        """Tell of the connection, where there is one."""
        self.watchers.append(message.ref)
        if not self.is_lost:
            await self.connect()

    async def connect(self) -> None:
        """A connection begins: tell who watches."""
        self.is_lost = False
        for ref in self.watchers:
            await ref.tell(BridgeConnected("0.0.0", 1))

    @handles(Attach)
    def attach(self, message: Attach[Any]) -> None:
        """Note it."""
        self._note(message)

    @handles(Rejoin)
    def rejoin(self, message: Rejoin[Any]) -> LoadedThread | None:
        """Note it; no thread is kept."""
        self._note(message)
        return None

    @handles(NameConnection)
    def name_connection(self, _message: NameConnection) -> str:
        """Give the name that the test has set."""
        return self.connection

    @handles(Detach)
    def detach(self, message: Detach) -> None:
        """Note it."""
        self._note(message)

    @handles(ReachWriter)
    def reach(self, message: ReachWriter) -> None:
        """Note it; it is this one."""
        self._note(message)

    @handles(AnswerRequest)
    def answer(self, message: AnswerRequest) -> None:
        """Note it, unless the connection is lost just then."""
        if self.loses_answers:
            raise BridgeUnavailable("The connection to Codex was lost.")
        self._note(message)

    def _note(self, message: object) -> None:
        self.asked.append(message)
        self.changed.set()
        self.changed = trio.Event()


def played(bridge: PlayedBridge) -> SupervisorSpec:
    """The bridge, where the product has it."""
    return SupervisorSpec(id="bridges", children=[ChildSpec(id="local", start=lambda: bridge)])


class Neighbour(Actor):
    """Stands for `/slots`, `/tasks` and `/repositories`: takes all in, and has folders ready.

    Of `faults` it raises one after the other before it has a folder ready, and it waits for
    `until_prepared`.
    """

    def __init__(
        self,
        storage: Callable[[], Rig],
        faults: list[Exception] | None = None,
        until_prepared: trio.Event | None = None,
    ) -> None:
        self._rig = storage
        self._faults = [] if faults is None else faults
        self._until_prepared = until_prepared

    @handles(PrepareWorkplace)
    async def prepare(self, message: PrepareWorkplace) -> Prepared:
        """Say that the folder is as it was."""
        if self._until_prepared is not None:
            await self._until_prepared.wait()
        if self._faults:
            raise self._faults.pop(0)
        found = await self._rig().storage.read(lambda db: sessions.get(db, message.session_id))
        return Prepared(session=found)

    @handles(object)
    async def taken(self, message: object) -> None:
        """Take it in."""


@attrs.define
class Live:
    """A session's actor and all that is around it."""

    rig: Rig
    bridge: PlayedBridge
    ref: ActorRef[Any]
    session_id: int
    runner_hosts: list[str]
    """The host of each runner that was made for the session."""

    async def session(self) -> Session:
        """The row as it is now."""
        return await self.rig.storage.read(lambda db: sessions.get(db, self.session_id))

    async def until(self, wanted: Callable[[Session], object]) -> Session:
        """The row, once it is as wanted."""
        with trio.fail_after(30):
            while True:
                now = await self.session()
                if wanted(now):
                    return now
                await trio.sleep(0.01)

    async def settled(self) -> None:
        """Let all that is on its way be handled, by the store's thread, too."""
        await settle(self.rig)

    async def begun_again(self) -> None:
        """Wait until the session's actor has begun another life."""
        with trio.fail_after(30):
            while not self.rig.system.snapshot_of(self.ref.path).restarts:  # noqa: ASYNC110 - nobody tells
                await trio.sleep(0.01)

    async def restarted(self) -> None:
        """Wait until the session's actor has begun another life, and has read what it can."""
        await self.begun_again()
        await self.settled()

    async def gone(self) -> None:
        """Wait until the session's actor is gone."""
        with trio.fail_after(30):
            while self.rig.system.find(self.ref.path) is not None:  # noqa: ASYNC110 - it leaves without a word
                await trio.sleep(0.01)

    async def events(self, prefix: str = "") -> list[dict[str, Any]]:
        """The session's events whose type begins so, the oldest first."""
        bodies = await self.rig.storage.read(
            lambda db: list(
                db.execute("SELECT body FROM events WHERE session_id = ?", [self.session_id])
            )
        )
        told = [msgspec.json.decode(body) for (body,) in bodies]
        return [event for event in told if event["type"].startswith(prefix)]

    async def notify(self, method: str, **params: Any) -> None:
        """Tell the session what Codex says of its thread."""
        told = {"threadId": THREAD, "turnId": TURN, **params}
        await self.ref.tell(heard(CodexNotification(THREAD, method, told)))

    async def ask(self, request_id: str, method: str, **params: Any) -> None:
        """Have Codex ask the session something."""
        asked = {"threadId": THREAD, "turnId": TURN, **params}
        await self.ref.tell(heard(CodexServerRequest(asked["threadId"], request_id, method, asked)))

    async def complete(self) -> None:
        """Have Codex say that the turn has completed."""
        turn: dict[str, Any] = {"id": TURN, "status": "completed", "items": [], "error": None}
        await self.notify("turn/completed", turn=turn)


def orphaned_turns(storage: Storage, data_dir: Path) -> SupervisorSpec:
    """The actor that ends what is left on this machine, below its supervisor."""
    (host,) = this_machine(data_dir)
    child = ChildSpec(host.name, lambda: OrphanedTurns(storage, host))
    return SupervisorSpec(id="orphaned-turns", children=(child,))


@asynccontextmanager
async def live_session(
    path: Path,
    *,
    survives_restart: bool = False,
    faults: Sequence[Exception] = (),
    is_away: str | None = None,
    places: RunPlaces = NO_PLACES,
    until_prepared: trio.Event | None = None,
    **fields: Any,
) -> AsyncIterator[Live]:
    """A session with these fields, and its actor; it runs its turn unless said.

    `is_away` says why its host cannot be reached, `places` which hosts can be chosen for it.
    `faults` are what befalls `/repositories` as it makes the session's folder ready, which it has
    not before `until_prepared`.
    """
    made: list[Rig] = []
    runner_hosts: list[str] = []
    bridge = PlayedBridge()
    bridge.absence, bridge.is_lost = is_away, is_away is not None
    bridge.goal = fields.get("goal")
    to_come = list(faults)
    neighbours = [
        ChildSpec(id=name, start=lambda: Neighbour(lambda: made[0], to_come, until_prepared))
        for name in ("slots", "tasks", "repositories")
    ]
    hosts = this_machine(path.parent)
    async with rig(path, played(bridge), *neighbours) as found:
        made.append(found)
        await found.system.start_child("/", orphaned_turns(found.storage, path.parent))

        def insert(tx: Transaction) -> Session:
            running = {"status": "running", "codex_thread_id": THREAD, "codex_turn_id": TURN}
            instance = {"runner": "app-server", "runner_instance": "this"}
            task = insert_task(tx, insert_repository(tx))
            return insert_session(tx, task, **{**instance, **running, **fields})

        async def assign(session: Session) -> Assignment:
            return Assignment(session.prompt)

        async def confine(session: Session) -> Confinement:
            return confined(session.cwd)

        def make_runner(session: Session, ref: ActorRef[Any]) -> AppServerRunner:
            runner_hosts.append(session.host)
            local = found.system.lookup("/bridges/local")
            return AppServerRunner(
                ref,
                local,
                hosts.named("local").codex,
                assign,
                confine,
                attach=attach,
                survives_restart=survives_restart,
            )

        def attach(
            _session: Session, text: str, attachments: Sequence[Mapping[str, Any]], /
        ) -> Assignment:
            return with_attachments(text, attachments, path.parent / "uploads")

        session = await found.storage.write(insert)
        bridge.turns = [running_turn(session.id)]
        services = SessionServices(
            storage=found.storage,
            instance_id="this",
            setup_seconds=60.0,
            approval_seconds=60,
            stall_seconds=0,
            max_sessions=4,
            places=places,
            make_runner=make_runner,
            absence=lambda _session: bridge.absence,
        )
        spec = ChildSpec(
            id=str(session.id),
            start=lambda: SessionActor(session.id, services),
            restart=Restart.TRANSIENT,
            mailbox=MAILBOX,
        )
        ref = await found.system.start_child("/", spec)
        yield Live(found, bridge, ref, session.id, runner_hosts)
