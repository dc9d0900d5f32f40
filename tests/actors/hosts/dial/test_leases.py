"""The runs of a pool host go to another one once the first has ended them, and not before."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import attrs
import msgspec
import pytest
import trio

from command_center.actors.contracts.leases import (
    LEASE_SECONDS,
    MARGIN_SECONDS,
    LeasesMessage,
    ReassignRun,
    RenewLeases,
    TakeLease,
    leases_on,
)
from command_center.actors.contracts.pools import HeldLease, HostClock, LeaseReport, Pool
from command_center.actors.contracts.turns import TurnLost
from command_center.actors.core.boot_clock import DRIFT
from command_center.actors.core.storage import Storage
from command_center.actors.git import Git
from command_center.actors.hosts.daemon.leases import HostLeases
from command_center.actors.hosts.dial.leases import PoolLeases
from command_center.actors.hosts.link.channels import Channels
from command_center.actors.hosts.link.standing import Standing
from command_center.actors.hosts.local.git.checkouts import LocalGit
from command_center.actors.hosts.local.git.process import GitProgram
from command_center.actors.ledger import leases as ledger
from command_center.actors.ledger.repositories import delete_repository
from command_center.actors.ledger.successors import end, queue_followup
from command_center.actors.rules.errors import Conflict, Unavailable
from command_center.runtime import Actor, Address, ChildSpec, SupervisorSpec, handles
from command_center.store import (
    Session,
    Transaction,
    events,
    followups,
    leases,
    repositories,
    sessions,
    tasks,
)
from command_center.store.records import SessionStatus
from tests.actors.git.repository import commit, make_repository, plain_git
from tests.actors.rows import Rig, insert_repository, insert_session, insert_task, rig

BOX: Address[LeasesMessage] = leases_on("box")


@attrs.define(eq=False)
class World:
    """Time, a pool host whose clock goes by a rate of its own, and the way to it."""

    file: Path
    rate: float = 1.0
    seconds: float = 500.0
    is_cut: bool = False
    answers_are_lost: bool = False
    stopped: list[tuple[float, str]] = attrs.field(factory=list)
    leases: HostLeases = attrs.field(init=False)
    standing: Standing = attrs.field(factory=lambda: Standing("box"))

    def __attrs_post_init__(self) -> None:
        self.leases = HostLeases(
            self.file, self.stop, "server", lambda: 77 + self.seconds * self.rate, "b"
        )
        self.standing.connected(cast("Channels", object()))

    async def stop(self, folders: Collection[str]) -> None:
        self.stopped += [(self.seconds, folder) for folder in folders]

    def cut(self) -> None:
        self.is_cut = True
        self.standing.lost("The link was cut.")

    def mend(self) -> None:
        self.is_cut = False
        self.standing.connected(cast("Channels", object()))

    async def pass_time(self, seconds: float) -> None:
        """Let the host look at its clock all the while."""
        for _ in range(round(seconds * 2)):
            self.seconds += 0.5
            await self.leases.end_what_is_over()

    async def hold(
        self,
        leases: Sequence[HeldLease],
        over: Sequence[int],
        since: HostClock | None,
        seconds: float,
    ) -> LeaseReport:
        """Carry a word to the host, as the link does."""
        if self.is_cut:
            raise Unavailable("Host box is away.")
        report = await self.leases.hold(leases, over, since, seconds)
        if self.answers_are_lost:
            raise Unavailable("Host box is away.")
        return report


class FakeSession(Actor):
    """Ends its session as the turn is lost."""

    def __init__(self, storage: Storage, session_id: int) -> None:
        self._storage = storage
        self._id = session_id

    @handles(TurnLost)
    async def lost(self, message: TurnLost) -> None:
        assert message.leaves_turn
        await self._storage.write(
            lambda tx: end(tx, self._id, "interrupted", reason="Lost.", approval_seconds=60)
        )


class FakeTasks(Actor):
    """Gives the run to the clone on another host, which is there already."""

    def __init__(self, storage: Callable[[], Storage]) -> None:
        self._storage = storage

    @handles(ReassignRun)
    async def reassign(self, message: ReassignRun) -> Session | None:
        def unit(tx: Transaction) -> Session | None:
            lease = leases.of_session(tx.db, message.session_id)
            other = repositories.find(tx.db, {"host": "other"})
            assert lease is not None
            if other is None:
                raise Conflict("No pool host can have it.")
            return ledger.reassign(tx, lease, other.id, approval_seconds=60)

        return await self._storage().write(unit)


@attrs.frozen
class Pooled:
    """The server's part, and the session that works on the host."""

    rig: Rig
    world: World
    session: Session
    folder: Path

    async def round(self) -> None:
        await self.rig.system.lookup(BOX).ask(RenewLeases())

    async def rounds(self, seconds: float) -> None:
        """Let time pass, with a word every few seconds as ever."""
        for _ in range(round(seconds / 5)):
            await self.world.pass_time(5)
            await self.round()

    async def found(self) -> Session:
        return await self.rig.storage.read(lambda db: sessions.get(db, self.session.id))

    async def kinds(self) -> list[str]:
        told = await self.rig.storage.read(lambda db: events.after(db, 0)[0])
        return [event.type for event in told if event.type.startswith("lease.")]

    async def successor(self) -> Session:
        """Wait for the session that has the run then."""
        with trio.fail_after(20):
            while True:
                found = await self.rig.storage.read(
                    lambda db: sessions.find(db, {"previous_session_id": self.session.id})
                )
                if found is not None:
                    return found
                await trio.sleep(0.01)
                await self.round()


@asynccontextmanager
async def pooled(folder: Path, **of_world: Any) -> AsyncIterator[Pooled]:
    world = World(folder / "leases.json", **of_world)
    work = make_repository(folder / "work")
    found: list[Rig] = []
    git = LocalGit(GitProgram(folder / "git-work"))

    def keep() -> PoolLeases:
        return PoolLeases(
            found[0].storage,
            world.standing,
            cast("Pool", world),
            cast("Git", git),
            lambda: world.seconds,
        )

    others = SupervisorSpec(id="hosts", children=[SupervisorSpec(id="box", children=[])])
    async with rig(
        folder / "db.sqlite3",
        others,
        ChildSpec(id="tasks", start=lambda: FakeTasks(lambda: found[0].storage)),
        SupervisorSpec(id="sessions", children=[]),
    ) as made:
        found.append(made)

        def unit(tx: Transaction) -> Session:
            repository = insert_repository(tx, host="box", local_path=str(work))
            leases.note_clone(tx, repository.id, "https://forge.example/a")
            task = insert_task(tx, repository)
            return insert_session(
                tx,
                task,
                host="box",
                cwd=str(work),
                worktree_path=str(work),
                branch_name="main",
                status="running",
                codex_thread_id="t",
                codex_turn_id="u",
            )

        session = await made.storage.write(unit)
        own = ChildSpec(id=str(session.id), start=partial(FakeSession, made.storage, session.id))
        await made.system.start_child("/sessions", own)
        await made.system.start_child("/hosts/box", ChildSpec(id="leases", start=keep))
        await made.system.lookup(BOX).ask(TakeLease(session.id))
        yield Pooled(made, world, session, work)


async def add_another_host(one: Pooled) -> None:
    def unit(tx: Transaction) -> None:
        other = insert_repository(tx, host="other", local_path="/srv/other")
        leases.note_clone(tx, other.id, "https://forge.example/a")

    await one.rig.storage.write(unit)


async def test_a_lease_is_renewed_while_the_host_is_heard_of(tmp_path: Path) -> None:
    async with pooled(tmp_path) as one:
        await one.rounds(3 * LEASE_SECONDS)
        assert [] == one.world.stopped
        assert {"lease.renewed"} == {*await one.kinds()}
        assert (await one.found()).finished_at is None


async def test_a_restored_database_gives_no_number_that_a_host_has_ended(tmp_path: Path) -> None:
    async with pooled(tmp_path) as one:
        before = int(time.time()) - 1

        def restore(tx: Transaction) -> int:
            tx.db.execute("UPDATE sqlite_sequence SET seq = 1 WHERE name = 'leases'")
            return leases.take(tx, one.session)

        assert before <= await one.rig.storage.write(restore)
        later = await one.rig.storage.write(lambda tx: leases.take(tx, one.session))
        assert before < later


@pytest.mark.parametrize(("rate", "answers_are_lost"), [(1 - DRIFT, True), (1 + DRIFT, False)])
async def test_the_host_has_ended_the_run_before_another_begins_it(
    tmp_path: Path, rate: float, *, answers_are_lost: bool
) -> None:
    async with pooled(tmp_path, rate=rate) as one:
        await add_another_host(one)
        await one.rounds(40)
        one.world.answers_are_lost = answers_are_lost
        if answers_are_lost:
            await one.rounds(20)  # the host hears of it, and the server does not know
        one.world.cut()
        cut_at = one.world.seconds
        while not one.world.stopped:
            await one.rounds(5)
            assert "lease.lost" not in await one.kinds()
        ((stopped_at, folder),) = one.world.stopped
        assert str(one.folder) == folder
        assert stopped_at <= cut_at + LEASE_SECONDS / rate + 0.5
        while "lease.lost" not in await one.kinds():
            await one.rounds(5)
        # The host has its time to end the run: a keeper that looks every other second, and kills.
        assert one.world.seconds >= stopped_at + MARGIN_SECONDS - 1
        assert one.world.seconds <= cut_at + LEASE_SECONDS + MARGIN_SECONDS + 10
        moved = await one.successor()
        assert ("other", "continue", 2) == (moved.host, moved.origin, moved.attempt)
        assert moved.codex_thread_id is None
        assert moved.prompt.startswith("P\n\n(Another machine had begun this")
        assert "interrupted" == (await one.found()).status
        task = await one.rig.storage.read(lambda db: tasks.get(db, moved.task_id))
        assert moved.repository_id == task.repository_id

        # Back, it is told what it has lost, and what it had done is told of, and stays there.
        commit(one.folder, {"own.txt": "own"})
        (one.folder / "readme.txt").write_text("changed")
        plain_git(one.folder, "update-ref", "refs/remotes/origin/main", "HEAD~1")
        one.world.answers_are_lost = False
        one.world.mend()
        await one.round()
        told = await one.rig.storage.read(lambda db: events.after(db, 0)[0])
        (left,) = [
            msgspec.json.decode(event.body)["data"]
            for event in told
            if event.type == "lease.work.found"
        ]
        assert (1, True, "main", str(one.folder)) == (
            *(left["commits"], left["isDirty"], left["branchName"], left["folder"]),
        )
        assert [] == one.world.leases.numbers
        await one.round()
        assert 1 == (await one.kinds()).count("lease.work.found")
        assert 1 == (await one.kinds()).count("lease.reassigned")


async def test_a_host_that_ended_the_run_itself_loses_it_at_once(tmp_path: Path) -> None:
    async with pooled(tmp_path) as one:
        await add_another_host(one)
        one.world.cut()
        await one.world.pass_time(LEASE_SECONDS + 1)
        one.world.mend()
        await one.round()
        assert "lease.lost" in await one.kinds()
        assert "other" == (await one.successor()).host


async def test_a_new_life_of_the_keeper_counts_from_its_beginning(tmp_path: Path) -> None:
    async with pooled(tmp_path) as one:
        one.world.cut()
        await one.rounds(50)
        await one.rig.system.restart("/hosts/box/leases", reason="test")
        await one.rounds(85)
        assert "lease.lost" not in await one.kinds()
        await one.rounds(10)
        assert "lease.lost" in await one.kinds()


async def test_a_run_waits_until_a_host_can_have_it(tmp_path: Path) -> None:
    async with pooled(tmp_path) as one:
        one.world.cut()
        await one.rounds(LEASE_SECONDS + MARGIN_SECONDS + 20)
        assert "lease.lost" in await one.kinds()
        assert "lease.reassigned" not in await one.kinds()
        await add_another_host(one)
        assert "other" == (await one.successor()).host


async def test_a_clone_is_not_forgotten_while_its_run_is_to_go_on_elsewhere(
    tmp_path: Path,
) -> None:
    async with pooled(tmp_path) as one:

        async def forget() -> None:
            gone = partial(delete_repository, repository_id=one.session.repository_id, actor="ada")
            await one.rig.storage.write(gone)

        one.world.cut()
        await one.rounds(LEASE_SECONDS + MARGIN_SECONDS + 20)
        with pytest.raises(Conflict, match="Cancel task 1 to give it up"):
            await forget()
        await add_another_host(one)
        await one.successor()
        await forget()
        told = await one.rig.storage.read(lambda db: events.after(db, 0)[0])
        (found,) = [event for event in told if event.type == "lease.work.found"]
        problem = "The repository was removed from here before host box was back."
        assert problem == json.loads(found.body)["data"]["problem"]


async def test_nothing_is_given_to_another_that_was_stopped_or_has_ended(tmp_path: Path) -> None:
    async with pooled(tmp_path) as one:
        await add_another_host(one)

        def stop(tx: Transaction) -> None:
            sessions.update(tx, one.session.id, stop_requested={"reason": "x", "at": tx.now})

        await one.rig.storage.write(stop)
        one.world.cut()
        await one.rounds(LEASE_SECONDS + MARGIN_SECONDS + 20)
        with trio.fail_after(20):
            while "lease.abandoned" not in await one.kinds():
                await one.rounds(5)
        assert "lease.reassigned" not in await one.kinds()


async def test_the_lease_of_a_session_that_has_ended_is_let_go(tmp_path: Path) -> None:
    async with pooled(tmp_path) as one:
        await one.rig.storage.write(
            lambda tx: end(tx, one.session.id, "completed", reason=None, approval_seconds=60)
        )
        await one.round()
        lease = await one.rig.storage.read(lambda db: leases.of_session(db, one.session.id))
        assert lease is not None
        assert "over" == lease.status
        await one.rounds(LEASE_SECONDS + MARGIN_SECONDS + 10)
        assert [] == one.world.stopped
        assert "lease.lost" not in await one.kinds()


@pytest.mark.parametrize(("status", "sequels"), [("completed", 1), ("interrupted", 0)])
async def test_a_turn_that_completes_though_its_lease_is_lost_has_what_was_queued_behind_it(
    tmp_path: Path, status: SessionStatus, sequels: int
) -> None:
    async with pooled(tmp_path) as one:

        def lose_and_end(tx: Transaction) -> int:
            lease = leases.of_session(tx.db, one.session.id)
            assert lease is not None
            task_id = one.session.task_id
            queue_followup(tx, one.session.id, message="And then?", actor="anna")
            assert ledger.lose(tx, lease.number, one.session.id, "Not heard of.")
            end(tx, one.session.id, status, reason=None, approval_seconds=60)
            return followups.count(tx.db, {"task_id": task_id, "status": "sent"})

        assert sequels == await one.rig.storage.write(lose_and_end)


async def test_a_session_in_a_checkout_of_a_person_has_no_lease(tmp_path: Path) -> None:
    async with pooled(tmp_path) as one:

        def unit(tx: Transaction) -> Session:
            own = insert_repository(tx, host="box", local_path="/srv/ada/project")
            return insert_session(tx, insert_task(tx, own), host="box", status="running")

        session = await one.rig.storage.write(unit)
        await one.rig.system.lookup(BOX).ask(TakeLease(session.id))
        assert await one.rig.storage.read(lambda db: leases.of_session(db, session.id)) is None
