"""A host ends by itself what works for a lease that is over, and holds none twice."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import attrs
import pytest

from command_center.actors.contracts.pools import HeldLease, HostClock, LeaseReport
from command_center.actors.hosts.daemon.leases import HostLeases


@attrs.define
class Machine:
    """A machine with a clock of its own, that notes what is ended on it."""

    file: Path
    seconds: float = 1000.0
    boot: str = "first"
    server: str = "one"
    stopped: list[str] = attrs.field(factory=list)
    leases: HostLeases = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start the host's program."""
        self.leases = HostLeases(self.file, self.stop, self.server, lambda: self.seconds, self.boot)
        self.leases.recall()

    async def stop(self, folders: Collection[str]) -> None:
        self.stopped += sorted(folders)

    async def hold(
        self,
        *numbers: int,
        since: float | None = None,
        over: tuple[int, ...] = (),
        seconds: float = 60.0,
    ) -> LeaseReport:
        """Hold the leases of the folders that have their numbers."""
        wanted = [HeldLease(number, f"/w/{number}") for number in numbers]
        clock = None if since is None else HostClock(self.boot, since)
        return await self.leases.hold(wanted, over, clock, seconds)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "leases.json")


async def test_a_lease_counts_from_the_reading_that_the_server_has_had(machine: Machine) -> None:
    first = await machine.hold(1)
    assert ("first", 1000.0, ()) == (first.clock.boot, first.clock.seconds, first.ended)
    assert [] == machine.leases.numbers  # nothing is held before the server knows the clock
    machine.seconds += 40  # the way took so long
    assert () == (await machine.hold(1, since=1000.0)).ended
    machine.seconds = 1059.9
    await machine.leases.end_what_is_over()
    assert [] == machine.stopped
    machine.seconds = 1060.0
    await machine.leases.end_what_is_over()
    assert ["/w/1"] == machine.stopped


async def test_a_lease_that_has_ended_is_never_held_again(machine: Machine) -> None:
    await machine.hold(1, since=1000.0)
    machine.seconds += 60
    assert (1,) == (await machine.hold(1, since=1060.0)).ended
    assert ["/w/1"] == machine.stopped
    machine.start()
    assert (1,) == (await machine.hold(1, since=1060.0)).ended
    assert [] == machine.leases.numbers


async def test_an_older_word_makes_no_lease_shorter_and_a_later_one_makes_it_longer(
    machine: Machine,
) -> None:
    machine.seconds = 1030.0
    await machine.hold(1, since=1030.0)
    await machine.hold(1, since=1000.0)
    machine.seconds = 1089.0
    await machine.leases.end_what_is_over()
    assert [] == machine.stopped
    await machine.hold(1, since=1089.0, seconds=1e9)  # but no server has it for ever
    machine.seconds = 1089.0 + 3600
    await machine.leases.end_what_is_over()
    assert ["/w/1"] == machine.stopped


async def test_what_a_former_life_of_the_program_left_is_ended_in_time(machine: Machine) -> None:
    await machine.hold(1, 2, since=1000.0)
    await machine.hold(2, since=1000.0)  # the first has ended by itself
    machine.start()
    assert [2] == machine.leases.numbers
    machine.seconds += 61
    await machine.leases.end_what_is_over()
    assert ["/w/2"] == machine.stopped


async def test_after_another_start_of_the_machine_nothing_is_held_by_the_old_clock(
    machine: Machine,
) -> None:
    await machine.hold(1, since=1000.0)
    machine.boot, machine.seconds = "second", 20.0
    machine.start()
    report = await machine.leases.hold(
        [HeldLease(1, "/w/1"), HeldLease(2, "/w/2")], (), HostClock("first", 1000.0), 60.0
    )
    assert (1, 2) == report.ended
    assert [] == machine.leases.numbers


async def test_a_reading_that_lies_ahead_is_of_another_start(machine: Machine) -> None:
    assert (1,) == (await machine.hold(1, since=5000.0)).ended


async def test_what_the_server_has_given_to_another_is_ended_at_once(machine: Machine) -> None:
    await machine.hold(1, 2, since=1000.0)
    await machine.hold(2, since=1000.0, over=(1,))
    assert ["/w/1"] == machine.stopped
    assert (1,) == (await machine.hold(1, 2, since=1000.0)).ended


async def test_no_lease_begins_in_a_folder_that_has_had_a_later_one(machine: Machine) -> None:
    later = HeldLease(7, "/w/1")
    await machine.leases.hold([later], (), HostClock("first", 1000.0), 60.0)
    assert (1,) == (await machine.hold(1, 2, since=1000.0)).ended
    assert [2] == machine.leases.numbers  # another's lease lasts, whatever became of this one
    machine.start()
    assert (1,) == (await machine.hold(1, since=1000.0)).ended


async def test_runs_that_look_at_one_folder_are_all_held_on(machine: Machine) -> None:
    both = [HeldLease(number, "/w/shared") for number in (1, 2)]
    for since in (1000.0, 1050.0):
        machine.seconds = since
        report = await machine.leases.hold(both, (), HostClock("first", since), 60.0)
        assert () == report.ended
    machine.seconds = 1109.0
    await machine.leases.end_what_is_over()
    assert [1, 2] == machine.leases.numbers
    assert [] == machine.stopped


async def test_a_reading_of_no_clock_ends_the_work_of_a_lease_too(machine: Machine) -> None:
    await machine.hold(1, since=1000.0)
    assert (1,) == (await machine.hold(1, since=9000.0)).ended
    assert ["/w/1"] == machine.stopped


async def test_the_numbers_of_another_server_are_others_and_its_runs_are_ended(
    machine: Machine,
) -> None:
    await machine.hold(1, 2, since=1000.0)
    machine.seconds += 61
    await machine.hold(2, since=1061.0)
    await machine.hold(3, since=1061.0)
    machine.stopped.clear()
    machine.server = "another"
    machine.start()
    await machine.leases.end_what_is_over()
    assert ["/w/3"] == machine.stopped
    assert () == (await machine.hold(1, 2, 3, since=1061.0)).ended
    assert [1, 2, 3] == machine.leases.numbers


@pytest.mark.parametrize("damage", [b"", b"{", b'{"boot": "first", "held": 1}'])
async def test_without_its_notes_a_host_ends_all_and_holds_no_lease_that_it_may_have_ended(
    machine: Machine, damage: bytes
) -> None:
    await machine.hold(7)
    await machine.hold(7, since=1000.0)
    machine.file.write_bytes(damage)
    machine.start()
    await machine.leases.end_what_is_over()
    assert [str(machine.file.parent)] == machine.stopped
    machine.start()  # what is not known any more is remembered
    await machine.hold(7)
    assert (7,) == (await machine.hold(7, since=1000.0)).ended
    assert (5,) == (await machine.hold(5, 8, since=1000.0)).ended
    assert [8] == machine.leases.numbers
