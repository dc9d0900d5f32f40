"""The part of the tree that repositories need, over a real store and a real git."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import attrs
import msgspec
import trio

from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.contracts.addresses import REPOSITORIES, RepositoriesMessage
from command_center.actors.contracts.hosts import Hosts
from command_center.actors.contracts.repositories import CreateRepository
from command_center.actors.contracts.turns import FindRunningTurns
from command_center.actors.contracts.worktrees import (
    CreateWorktree,
    PrepareWorkplace,
    SeenSetup,
    WorktreeCreated,
    WorktreeRequest,
)
from command_center.actors.core.events import EventHub, Fanout
from command_center.actors.core.storage import Storage
from command_center.actors.core.writer import Store
from command_center.actors.hosts.local.host import LocalHost
from command_center.actors.ledger.tasks import create_session
from command_center.actors.repositories.actor import Repositories
from command_center.actors.rules.errors import Unavailable
from command_center.actors.rules.policy import RunInput
from command_center.runtime import (
    Actor,
    ActorRef,
    Asked,
    ChildSpec,
    SupervisorSpec,
    System,
    handles,
    open_system,
)
from command_center.store import (
    Readers,
    Repository,
    Session,
    Transaction,
    approvals,
    events,
    sessions,
    tasks,
    trusted_configurations,
)
from tests.actors.git.repository import environment_of
from tests.actors.rows import insert_session, insert_task, make_database

R = TypeVar("R")

DEFAULTS = RunInput()


@attrs.define
class RunningTurns:
    """Turns that run in `folders`, and how often somebody asked for them; or nobody can say it."""

    folders: list[str] = attrs.field(factory=list)
    are_known: bool = True
    asked: int = 0
    _ask: trio.Event = attrs.field(factory=trio.Event)

    def find(self) -> list[str]:
        self.asked += 1
        self._ask.set()
        self._ask = trio.Event()
        if not self.are_known:
            raise Unavailable("Codex is away.")
        return list(self.folders)

    async def until_asked(self, times: int) -> None:
        """Wait until it was asked so often from now on."""
        wanted = self.asked + times
        with trio.fail_after(30):
            while self.asked < wanted:
                await self._ask.wait()


class ForeignTurns(Actor):
    """Says where turns run, in the place of the one that asks Codex."""

    def __init__(self, turns: RunningTurns) -> None:
        self._turns = turns

    @handles(FindRunningTurns)
    def find(self, _message: FindRunningTurns) -> list[str]:
        return self._turns.find()


@attrs.frozen
class Rig:
    """The running part; `events` are all that were committed, the oldest first."""

    system: System
    storage: Storage
    data_dir: Path
    turns: RunningTurns

    async def ask(self, message: Asked[RepositoriesMessage, R]) -> R:
        """Ask the actor under test."""
        return await self.system.lookup(REPOSITORIES).ask(message, timeout=60)

    async def events(self) -> list[dict[str, Any]]:
        """Give every event."""
        page = await self.storage.read(lambda db: events.page(db, limit=500))
        return [msgspec.json.decode(raw) for raw in page.items]

    async def kinds(self) -> list[str]:
        """Give the type of every event."""
        return [event["type"] for event in await self.events()]

    async def register(self, path: Path, **fields: Any) -> Repository:
        """Register a repository."""
        return await self.ask(CreateRepository(local_path=str(path), **fields))

    async def make_worktree(self, repository: Repository, branch: str = "work") -> WorktreeCreated:
        """Make a worktree of it, where worktrees go."""
        wanted = WorktreeRequest(branch_name=branch)
        return await self.ask(CreateWorktree(repository.id, wanted))

    async def start_session(self, repository: Repository, **fields: Any) -> Session:
        """A session of a new task that has not ended."""

        def write(tx: Any) -> Session:
            own = repository.require_worktree or fields.keys() & {"worktree_path", "branch_name"}
            wanted = {
                "sandbox": "read-only",
                "cwd": repository.local_path,
                "workplace": "worktree" if own else "main_checkout",
                **fields,
            }
            return insert_session(tx, insert_task(tx, repository), **wanted)

        return await self.storage.write(write)

    async def start_run(self, repository: Repository, run: RunInput = DEFAULTS) -> Session:
        """The session of a new task's run, as policy lets it in."""

        def write(tx: Transaction) -> Session:
            return create_session(tx, insert_task(tx, repository).id, run, runner="stub")

        return await self.storage.write(write)

    async def prepare(self, session_id: int) -> Session:
        """The session in its folder; whatever is to be agreed to, somebody agrees to."""
        prepared = await self.ask(PrepareWorkplace(session_id))
        if prepared.undecided is not None:
            await self.agree(prepared.session, prepared.undecided)
            prepared = await self.ask(PrepareWorkplace(session_id))
        return prepared.session

    async def agree(self, session: Session, seen: SeenSetup) -> None:
        """Agree to a set-up."""

        def write(tx: Transaction) -> None:
            trusted_configurations.offer(tx, session.repository_id, seen.digest, seen.texts)
            asked = approvals.insert(tx, title="Set up?", requested_by="test")
            trusted_configurations.trust(
                tx, session.repository_id, seen.digest, approval_id=asked.id
            )

        await self.storage.write(write)

    async def end_run(self, session: Session) -> None:
        """End it, and its task with it."""
        await self.end_session(session)
        await self.storage.write(lambda tx: tasks.update(tx, session.task_id, status="completed"))

    async def end_session(self, session: Session) -> None:
        """End it."""
        await self.storage.write(
            lambda tx: sessions.update(tx, session.id, status="completed", finished_at=tx.now)
        )


@asynccontextmanager
async def open_rig(folder: Path, *, repo_roots: tuple[Path, ...] = ()) -> AsyncIterator[Rig]:
    """Start it with its data folder below `folder`, which an earlier one may have left."""
    data_dir = folder / "data"
    home = folder / "home"
    data_dir.mkdir(parents=True, exist_ok=True)
    home.mkdir(exist_ok=True)
    database = data_dir / "command-center.db"
    make_database(database)
    host = LocalHost.of(
        data_dir,
        BridgeSettings(),
        roots=repo_roots,
        environment=environment_of(home),
    )
    found: list[System] = []

    def at(path: str) -> ActorRef[Any]:
        return found[0].lookup(path)

    readers = Readers(database)
    storage = Storage(readers, partial(at, "/store"), partial(at, "/events"))
    turns = RunningTurns()
    at_turns = ChildSpec(id=host.name, start=partial(ForeignTurns, turns))
    spec = SupervisorSpec(
        id="",
        children=(
            ChildSpec(id="store", start=partial(Store, database, partial(at, "/events"))),
            ChildSpec(id="events", start=partial(EventHub, Fanout(), readers)),
            SupervisorSpec(id="foreign-turns", children=[at_turns]),
            ChildSpec(
                id="repositories",
                start=partial(
                    Repositories, storage, Hosts({host.name: host}), approval_seconds=3600
                ),
            ),
        ),
    )
    try:
        found.append(open_system(spec))
        async with found[0] as system:
            yield Rig(system, storage, data_dir, turns)
    finally:
        readers.close()
