"""The host of a run is chosen in the transaction that makes its session."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import attrs
import msgspec
import pytest

from command_center.actors.contracts.automations import AutomationPayload, CreateAutomation
from command_center.actors.contracts.fleet import NewHost
from command_center.actors.contracts.hosts import Host, Hosts, HostVitals, MachineLoad
from command_center.actors.ledger.automations import Terms, create_automation
from command_center.actors.ledger.firing import run_by_hand, why_not_now
from command_center.actors.ledger.hosts import add_host, remove_host, set_draining
from command_center.actors.ledger.placing import RunPlaces, choose_again
from command_center.actors.ledger.repositories import delete_repository, patch_repository
from command_center.actors.ledger.sessions import move
from command_center.actors.ledger.tasks import run_task
from command_center.actors.rules.placement import HostWish, NowhereToRun
from command_center.actors.rules.policy import RunInput
from command_center.store import (
    EventFilter,
    Session,
    Task,
    Transaction,
    Writer,
    approvals,
    automation_runs,
    automations,
    events,
    host_states,
    sessions,
    tasks,
    usage_limits,
)
from command_center.store.usage_limits import KnownLimits
from tests.actors.rows import insert_repository, insert_session, insert_task
from tests.actors.sessions.units import done, writer

__all__ = ["writer"]

NOW = datetime(2025, 6, 2, 8, 30, tzinfo=UTC)


@attrs.define
class Machine:
    """A host, as far as it is looked at for a choice."""

    name: str
    absence: str | None = None


@attrs.frozen
class Fleet:
    """Two machines with the same repository, `box` the second; and the places that they are."""

    here: Machine = attrs.field(factory=lambda: Machine("local"))
    box: Machine = attrs.field(factory=lambda: Machine("box"))

    @property
    def places(self) -> RunPlaces:
        known = {one.name: cast("Host", one) for one in (self.here, self.box)}
        return RunPlaces(Hosts(known), limit=4)

    def copies(self, tx: Transaction) -> tuple[Task, int]:
        """A task in the copy here, and the number of the copy over there."""
        own = insert_repository(tx, identity="example.org/acme/app")
        other = insert_repository(tx, identity="example.org/acme/app", host="box", local_path="/b")
        insert_repository(tx, identity="example.org/acme/else", host="box", local_path="/c")
        return insert_task(tx, own), other.id


def begin(tx: Transaction, task: Task, places: RunPlaces, run: RunInput) -> Session:
    return run_task(tx, task.id, run, places=places, runner="stub", approval_seconds=60).session


def told(tx: Transaction, kind: str) -> list[dict[str, Any]]:
    return [
        {**msgspec.json.decode(event.body)["data"], "repositoryId": event.repository_id}
        for event in events.after(tx.db, 0, wanted=EventFilter(types=(kind,)))[0]
    ]


def test_a_run_goes_where_fewer_sessions_are_and_its_task_with_it(writer: Writer) -> None:
    fleet = Fleet()

    def unit(tx: Transaction) -> None:
        task, other = fleet.copies(tx)
        insert_session(tx, insert_task(tx, insert_repository(tx, local_path="/d")), status="queued")
        session = begin(tx, task, fleet.places, RunInput(placement="any"))
        assert ("box", other, "/b") == (session.host, session.repository_id, session.cwd)
        assert other == tasks.get(tx.db, task.id).repository_id
        reason = "box is the least busy of 2 hosts (0 of 4 slots taken or waited for)."
        assert ("any", reason) == (session.placement, session.placement_reason)
        placed = {"host": "box", "placement": "any", "reason": reason, "repositoryId": other}
        assert [placed] == told(tx, "session.placed")

    done(writer, unit)


def test_the_idler_machine_is_chosen_where_as_many_sessions_are(writer: Writer) -> None:
    fleet = Fleet()
    places = fleet.places
    for name, load in (("local", 3.0), ("box", 1.0)):
        machine = MachineLoad(load=load, processors=4, disk_free=1, disk_size=2)
        places.hosts.keep_vitals(name, HostVitals(machine, 0.01))

    def unit(tx: Transaction) -> None:
        task, _ = fleet.copies(tx)
        assert "box" == begin(tx, task, places, RunInput(placement="any")).host

    done(writer, unit)


def test_a_run_says_its_wish_before_its_task_and_without_one_nothing_is_chosen(
    writer: Writer,
) -> None:
    fleet = Fleet()

    def unit(tx: Transaction) -> None:
        task, _ = fleet.copies(tx)
        plain = begin(tx, task, fleet.places, RunInput())
        assert ("local", None, None) == (plain.host, plain.placement, plain.placement_reason)
        move(tx, plain.id, "stopped")
        tasks.update(tx, task.id, placement={"host": "local"})
        named = begin(tx, task, fleet.places, RunInput())
        assert ("local", {"host": "local"}) == (named.host, named.placement)
        move(tx, named.id, "stopped")
        outweighed = begin(tx, task, fleet.places, RunInput(placement=HostWish(host="box")))
        assert ("box", {"host": "box"}) == (outweighed.host, outweighed.placement)

    done(writer, unit)


def test_where_no_host_can_be_chosen_nothing_is_written(writer: Writer) -> None:
    fleet = Fleet(box=Machine("box", absence="It is asleep."))

    def prepare(tx: Transaction) -> Task:
        host_states.insert(tx, name="local", is_draining=True)
        return fleet.copies(tx)[0]

    task = done(writer, prepare)
    with pytest.raises(
        NowhereToRun, match=r"box: it is away: It is asleep\. local: it is draining\."
    ):
        done(writer, lambda tx: begin(tx, task, fleet.places, RunInput(placement="any")))
    assert 0 == done(writer, lambda tx: sessions.count(tx.db, {}))
    fleet.box.absence = None
    begun = done(writer, lambda tx: begin(tx, task, fleet.places, RunInput(placement="any")))
    assert "box" == begun.host


def test_people_say_by_a_word_that_two_repositories_are_the_same(writer: Writer) -> None:
    fleet = Fleet()

    def unit(tx: Transaction) -> None:
        own = insert_repository(tx)
        other = insert_repository(tx, host="box", local_path="/b")
        task = insert_task(tx, own)
        wish = RunInput(placement=HostWish(host="box"))
        with pytest.raises(NowhereToRun, match="give both the same `project`"):
            begin(tx, task, fleet.places, wish)
        for one in (own, other):
            patched = patch_repository(tx, one.id, {"project": "app"}, "ada")
            assert "app" == patched.identity
        assert "box" == begin(tx, task, fleet.places, wish).host

    done(writer, unit)


def test_an_automation_s_run_has_its_task_in_the_copy_that_was_chosen(writer: Writer) -> None:
    fleet = Fleet()
    terms = Terms(places=fleet.places, runner="stub", approval_seconds=60, zone=ZoneInfo("UTC"))

    def unit(tx: Transaction) -> None:
        task, other = fleet.copies(tx)
        payload = AutomationPayload(prompt="Look.", run_input=RunInput(placement="any"))
        kept = create_automation(
            tx,
            CreateAutomation(
                repository_id=task.repository_id,
                title="Look",
                schedule_expr="hourly",
                payload=payload,
                enabled=False,
            ),
            terms,
            NOW,
        )
        host_states.insert(tx, name="local", is_draining=True)
        ran = run_by_hand(tx, kept.id, terms, NOW, actor="ada")
        assert (other, "box") == (ran.task.repository_id, ran.session.host)
        assert "box is the only host" in (ran.session.placement_reason or "")
        move(tx, ran.session.id, "stopped")

        delete_repository(tx, other, "ada")  # what is said of it elsewhere stays, without it
        (run,) = automation_runs.every(tx.db, {"automation_id": kept.id})
        last = automations.get(tx.db, kept.id).last_session_id
        assert (None, None, None) == (run.task_id, run.session_id, last)

    done(writer, unit)


def test_a_task_that_ran_on_two_hosts_outlives_either_of_their_repositories(
    writer: Writer,
) -> None:
    fleet = Fleet()

    def run_on_both(tx: Transaction) -> tuple[Task, int]:
        task, other = fleet.copies(tx)
        for host in ("local", "box"):
            wish = RunInput(placement=HostWish(host=host))
            move(tx, begin(tx, task, fleet.places, wish).id, "stopped")
        return task, other

    def unit(tx: Transaction) -> None:
        first, there = run_on_both(tx)
        assert 1 == delete_repository(tx, there, "ada").sessions
        kept = tasks.get(tx.db, first.id)
        (left,) = sessions.every(tx.db, {"task_id": kept.id})
        assert ("local", first.repository_id) == (left.host, kept.repository_id)
        second, there = run_on_both(tx)
        assert 1 == delete_repository(tx, second.repository_id, "ada").sessions
        (left,) = sessions.every(tx.db, {"task_id": second.id})
        assert ("box", there) == (left.host, tasks.get(tx.db, second.id).repository_id)

    done(writer, unit)


def test_a_run_that_waits_on_a_host_that_drains_goes_to_another_with_its_task(
    writer: Writer,
) -> None:
    fleet = Fleet()

    def unit(tx: Transaction) -> None:
        task, other = fleet.copies(tx)
        waits = begin(tx, task, fleet.places, RunInput(placement="any", sandbox="read-only"))
        assert ("local", "queued") == (waits.host, waits.status)
        host_states.insert(tx, name="local", is_draining=True)
        fleet.box.absence = "It is asleep."
        assert waits == choose_again(tx, waits.id, fleet.places)
        fleet.box.absence = None
        placed = choose_again(tx, waits.id, fleet.places)
        assert ("box", other, "/b", "queued") == (
            placed.host,
            placed.repository_id,
            placed.cwd,
            placed.status,
        )
        assert other == tasks.get(tx.db, task.id).repository_id
        assert ["local", "box"] == [one["host"] for one in told(tx, "session.placed")]
        assert placed == choose_again(tx, waits.id, fleet.places)

    done(writer, unit)


@pytest.mark.parametrize(
    "fields",
    [
        {"placement": {"host": "local"}},
        {"placement": None},
        {"codex_thread_id": "t"},
        {"worktree_path": "/srv/w", "worktree_reserved": False},
        {"status": "starting"},
        {"sandbox": "danger-full-access"},
        {"allow_network": True},
    ],
)
def test_a_run_stays_on_a_host_that_it_needs_or_was_approved_for(
    writer: Writer, fields: dict[str, Any]
) -> None:
    fleet = Fleet()

    def unit(tx: Transaction) -> None:
        task, _ = fleet.copies(tx)
        waits = begin(tx, task, fleet.places, RunInput(placement="any"))
        host_states.insert(tx, name="local", is_draining=True)
        kept = sessions.update(tx, waits.id, **fields)
        assert kept == choose_again(tx, waits.id, fleet.places)

    done(writer, unit)


def test_a_run_that_a_person_has_approved_stays_where_it_was_approved_for(writer: Writer) -> None:
    fleet = Fleet()

    def unit(tx: Transaction) -> None:
        task, _ = fleet.copies(tx)
        tasks.update(tx, task.id, approval_required=True)
        run = RunInput(placement="any")
        asked = run_task(tx, task.id, run, places=fleet.places, runner="stub", approval_seconds=60)
        (approval,) = asked.approvals
        approvals.update(tx, approval.id, status="approved")
        tasks.update(tx, task.id, approval_required=False)
        waits = move(tx, asked.session.id, "queued")
        host_states.insert(tx, name="local", is_draining=True)
        assert waits == choose_again(tx, waits.id, fleet.places)

    done(writer, unit)


def test_an_automation_that_skips_looks_at_the_limit_of_the_host_that_it_would_run_on(
    writer: Writer,
) -> None:
    fleet = Fleet()
    terms = Terms(
        places=fleet.places, runner="app-server", approval_seconds=60, zone=ZoneInfo("UTC")
    )
    held = KnownLimits(held_since="2025-06-02T08:00:00.000Z")

    def unit(tx: Transaction) -> None:
        task, _ = fleet.copies(tx)
        kept = automations.insert(
            tx,
            repository_id=task.repository_id,
            title="A",
            schedule_expr="hourly",
            payload={"prompt": "Go.", "runInput": {"placement": "any"}},
            next_run_at="2025-06-02T09:00:00.000Z",
            requested_by="ada",
            when_limited="skip",
        )
        usage_limits.keep(tx, "local", held)
        assert why_not_now(tx, kept, terms) is None, "it would run on box"
        usage_limits.keep(tx, "box", held)
        assert "A limit of Codex is reached." == why_not_now(tx, kept, terms)
        usage_limits.keep(tx, "local", KnownLimits())
        fleet.here.absence = "It is asleep."
        assert "A limit of Codex is reached." == why_not_now(tx, kept, terms)
        fleet.box.absence = "It is asleep."
        assert why_not_now(tx, kept, terms) is None, "that no host can be chosen is said later"

    done(writer, unit)


def test_another_machine_of_the_name_finds_nothing_of_one_that_was_removed(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        for _ in range(2):
            add_host(tx, NewHost(name="box"), host_key="", data_dir="")
            assert KnownLimits() == usage_limits.known(tx.db, "box")
            assert host_states.find(tx.db, {"name": "box"}) is None
            usage_limits.keep(tx, "box", KnownLimits(held_since="2025-06-02T08:00:00.000Z"))
            set_draining(tx, "box", "ada", is_draining=True)
            remove_host(tx, "box", "ada")

    done(writer, unit)
