"""An approval is settled exactly once, whoever races."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from command_center.actors.approvals.actor import Approvals
from command_center.actors.contracts.addresses import APPROVALS
from command_center.actors.contracts.approvals import (
    DeadlinesPassed,
    ExtendApproval,
    Extension,
    Resolution,
    ResolveApproval,
)
from command_center.actors.contracts.sessions import ApprovalSettled
from command_center.actors.ledger import approvals as settlement
from command_center.actors.ledger import sessions as ledger
from command_center.actors.ledger.deadlines import extend
from command_center.actors.rules.errors import Conflict, Invalid
from command_center.runtime import Actor, ChildSpec, SupervisorSpec, handles
from command_center.store import Approval, Session, Transaction, Writer, approvals
from command_center.store.records import ApprovalStatus
from command_center.store.timestamps import now_timestamp
from tests.actors.rows import Rig, insert_repository, insert_session, insert_task, rig

CHANCE = random.Random(0)  # noqa: S311 - a race, no secret
SETTLED = ("approval.resolved", "approval.expired")
LATER = "2999-01-01T00:00:00.000Z"
BEFORE = "2020-01-01T00:00:00.000Z"


def insert_approvals(tx: Transaction, deadlines: list[str]) -> tuple[Session, list[Approval]]:
    """A session that waits for what Codex asked, one approval for each deadline."""
    task = insert_task(tx, insert_repository(tx))
    session = insert_session(tx, task, status="waiting_approval", codex_turn_id="u")
    return session, [
        approvals.insert(
            tx,
            kind="command",
            title="Run: ls",
            session_id=session.id,
            task_id=task.id,
            repository_id=session.repository_id,
            codex_request_id=str(number),
            requested_by="codex",
            expires_at=deadline,
        )
        for number, deadline in enumerate(deadlines)
    ]


def endings(db: Database, approval_id: int) -> list[tuple[str, dict[str, Any]]]:
    """The events that told of an approval's end."""
    rows = db.execute(
        "SELECT type, body FROM events WHERE approval_id = ? ORDER BY id", [approval_id]
    )
    return [(kind, msgspec.json.decode(body)["data"]) for kind, body in rows if kind in SETTLED]


@attrs.define
class Race:
    """The racers for one approval, and what came of them."""

    rig: Rig
    session: Session
    approval: Approval
    won: list[Approval] = attrs.field(factory=list)
    lost: list[settlement.AlreadySettled] = attrs.field(factory=list)

    async def decide(self, status: Any, by: str) -> None:
        resolve = ResolveApproval(self.approval.id, Resolution(status=status, resolved_by=by))
        try:
            self.won.append(await self.rig.system.lookup(APPROVALS).ask(resolve))
        except settlement.AlreadySettled as error:
            self.lost.append(error)

    async def run(self) -> None:
        """All at once, in an order of chance."""
        racers: list[Callable[[], Any]] = [
            lambda: self.decide("approved", "web"),
            lambda: self.decide("rejected", "telegram:4242"),
            lambda: self.rig.system.lookup(APPROVALS).tell(DeadlinesPassed()),
            lambda: self.rig.storage.write(
                lambda tx: settlement.close_request(
                    tx, self.session.id, self.approval.codex_request_id or ""
                )
            ),
        ]
        CHANCE.shuffle(racers)

        async def start(racer: Callable[[], Any]) -> None:
            for _ in range(CHANCE.randrange(6)):  # a way that is longer or shorter
                await self.rig.storage.read(lambda db: approvals.get(db, self.approval.id))
            await racer()

        async with trio.open_nursery() as nursery:
            for racer in racers:
                nursery.start_soon(start, racer)


async def test_of_browser_phone_deadline_and_codex_one_wins_and_the_others_are_told_who(
    tmp_path: Path,
) -> None:
    deadlines = [LATER, BEFORE, LATER, LATER] * 75
    async with rig(tmp_path / "db.sqlite3") as found:
        session, made = await found.storage.write(lambda tx: insert_approvals(tx, deadlines))
        await found.system.start_child(
            "/",
            ChildSpec(
                id="approvals",
                start=lambda: Approvals(found.storage, found.fanout, approval_seconds=60.0),
            ),
        )
        races = [Race(found, session, approval) for approval in made]
        few = trio.CapacityLimiter(4)  # among many, the one with the shortest way always wins

        async def run(race: Race) -> None:
            async with few:
                await race.run()

        async with trio.open_nursery() as nursery:
            for race in races:
                nursery.start_soon(run, race)
        winners = set()
        for race in races:
            now, told = await found.storage.read(
                lambda db, key=race.approval.id: (approvals.get(db, key), endings(db, key))  # type: ignore[misc]
            )
            ((kind, data),) = told
            assert "pending" != now.status == data["status"]
            assert ("approval.expired" if now.status == "expired" else "approval.resolved") == kind
            decided = [won for won in race.won if won.resolved_by == now.resolved_by]
            assert decided == race.won
            assert len(race.won) == (now.resolved_by in {"web", "telegram:4242"})
            assert 2 == len(race.won) + len(race.lost)
            for error in race.lost:
                told_of = (error.facts["currentStatus"], error.facts["resolvedBy"])
                overdue = race.approval.expires_at == BEFORE
                assert told_of in {(now.status, now.resolved_by), ("expired", "deadline")}
                assert overdue or told_of == (now.status, now.resolved_by)
                assert error.facts["resolvedAt"] is not None
            winners.add(now.resolved_by)
        assert {"web", "telegram:4242", "deadline", "codex"} == winners


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writer]:
    made = Writer(tmp_path_factory.mktemp("settling") / "db.sqlite3")
    yield made
    made.close()


def units_for(session: Session, approval: Approval) -> dict[str, Callable[[Transaction], Any]]:
    """Return what may befall an approval, each as one unit."""

    def decide(status: ApprovalStatus, by: str) -> Callable[[Transaction], Any]:
        return lambda tx: settlement.settle_approval(tx, approval.id, status=status, actor=by)

    return {
        "web": decide("approved", "web"),
        "telegram": decide("rejected", "telegram:1"),
        "deadline": decide("expired", "deadline"),
        "codex": lambda tx: settlement.close_request(tx, session.id, "0"),
        "end": lambda tx: ledger.move(tx, session.id, "failed", exit_reason="It failed."),
        "extend": lambda tx: extend(tx, approval.id, Extension(expires_at="2999-06-01T00:00:00Z")),
    }


ACTS = ("web", "telegram", "deadline", "codex", "end", "extend")


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(st.lists(st.sampled_from(ACTS), min_size=1, max_size=4), max_size=6),
    deadline=st.sampled_from([LATER, BEFORE]),
)
def test_whatever_befalls_an_approval_in_whatever_order_settles_it_once_and_for_all(
    writer: Writer, batches: list[list[str]], deadline: str
) -> None:
    outcome: Any = writer.commit([lambda tx: insert_approvals(tx, [deadline])]).outcomes[0]
    session, (approval,) = outcome.value
    units = units_for(session, approval)

    def look(tx: Transaction) -> tuple[Approval, list[tuple[str, dict[str, Any]]]]:
        return approvals.get(tx.db, approval.id), endings(tx.db, approval.id)

    settled: Approval | None = None
    for batch in batches:
        done = writer.commit([*(units[act] for act in batch), look])
        last: Any = done.outcomes[-1]
        now, told = last.value
        assert len(told) == (now.status != "pending")
        if settled is not None:
            assert (settled.status, settled.resolved_by, settled.resolved_at) == (
                now.status,
                now.resolved_by,
                now.resolved_at,
            )
        settled = now if now.status != "pending" else None
        for act, result in zip(batch, done.outcomes, strict=False):
            error = getattr(result, "error", None)
            if isinstance(error, settlement.AlreadySettled):
                assert act != "codex"
                assert error.facts["currentStatus"] != "pending"
    ends = {"web", "telegram", "deadline", "codex", "end"}
    if deadline == BEFORE:
        ends -= {"web", "telegram"}  # a person is too late
    assert (settled is not None) == any(act in ends for batch in batches for act in batch)


async def test_an_approval_that_was_put_off_does_not_expire_at_its_first_deadline(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path / "db.sqlite3") as found:
        _, (approval,) = await found.storage.write(lambda tx: insert_approvals(tx, [LATER]))
        spec = ChildSpec(
            id="approvals", start=lambda: Approvals(found.storage, found.fanout, approval_seconds=9)
        )
        ref = await found.system.start_child("/", spec)
        more = Extension(expires_at="2999-02-01T00:00:00+01:00", requested_by="ada")
        put_off = await ref.ask(ExtendApproval(approval.id, more))
        assert "2999-01-31T23:00:00.000Z" == put_off.expires_at
        for wrong in (
            Extension(),
            Extension(ttl_seconds=5, expires_at=LATER),
            Extension(expires_at=BEFORE),
            Extension(expires_at="tomorrow"),
        ):
            with pytest.raises(Invalid):
                await ref.ask(ExtendApproval(approval.id, wrong))
        with pytest.raises(Conflict, match="only become later"):
            await ref.ask(ExtendApproval(approval.id, Extension(ttl_seconds=5)))
        decision = Resolution(status="approved", resolved_by="ada")
        await ref.ask(ResolveApproval(approval.id, decision))
        with pytest.raises(settlement.AlreadySettled, match="already approved by ada"):
            await ref.ask(ExtendApproval(approval.id, more))
        assert LATER < put_off.expires_at > now_timestamp()


class Waiting(Actor):
    """Stands for a session's actor; the test suspends it."""

    @handles(ApprovalSettled)
    async def settled(self, message: ApprovalSettled) -> None:
        """Take it in."""


async def test_a_session_that_does_not_listen_holds_up_no_decision(tmp_path: Path) -> None:
    async with rig(tmp_path / "db.sqlite3", SupervisorSpec(id="sessions")) as made:
        session, (deaf, overdue, other) = await made.storage.write(
            lambda tx: insert_approvals(tx, [LATER, BEFORE, LATER])
        )
        ref = await made.system.start_child(
            "/sessions", ChildSpec(id=str(session.id), start=Waiting, mailbox=1)
        )
        made.system.suspend(ref.path, reason="a test")
        ref.try_tell(ApprovalSettled(deaf))
        start = partial(Approvals, made.storage, made.fanout, approval_seconds=60)
        actor = await made.system.start_child("/", ChildSpec(id="approvals", start=start))
        with trio.fail_after(30):
            for approval in (deaf, other):
                resolve = ResolveApproval(approval.id, Resolution(status="approved"))
                assert "approved" == (await actor.ask(resolve)).status
            await until_expired(made, overdue.id)


async def until_expired(made: Rig, approval_id: int) -> None:
    """Wait until the deadline has settled the approval."""
    while True:
        found = await made.storage.read(lambda db: approvals.get(db, approval_id))
        if found.status == "expired":
            return
        await trio.sleep(0.02)
