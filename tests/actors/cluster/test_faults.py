"""Faults around a centre: of its way to NATS, of the NATS servers, of its disk."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import attrs
import pytest
import trio

from command_center.actors.cluster.leadership import Leadership
from command_center.store import NotReplicated, Readers, StoreUnavailable, Transaction, tasks
from command_center.store.replication import page_sender
from command_center.store.replication.database_copy import DatabaseCopy
from command_center.store.replication.pieces import PagePiece
from tests.actors.cluster.centres import centre, settings_of
from tests.nats_servers import ON_LINUX, NatsServer, free_ports, three_keeping
from tests.store.replication.ends import content
from tests.store.units import add_task

pytestmark = [ON_LINUX, pytest.mark.chaos, pytest.mark.timeout(300)]


@attrs.define
class Wire:
    """A way to a NATS server, which drops what goes in a direction once that is cut."""

    port: int
    target: int
    cut: set[str] = attrs.field(factory=set)

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        await trio.serve_tcp(self._carry, self.port, host="127.0.0.1", task_status=task_status)  # type: ignore[arg-type]

    async def _carry(self, near: trio.SocketStream) -> None:
        far = await trio.open_tcp_stream("127.0.0.1", self.target)
        async with near, far, trio.open_nursery() as nursery:
            nursery.start_soon(self._pass, near, far, "up", nursery.cancel_scope)
            nursery.start_soon(self._pass, far, near, "down", nursery.cancel_scope)

    async def _pass(
        self, one: trio.SocketStream, other: trio.SocketStream, way: str, scope: trio.CancelScope
    ) -> None:
        try:
            async for data in one:
                if way not in self.cut:
                    await other.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        scope.cancel()


def tasks_told(leadership: Leadership) -> int:
    """Count the tasks as a route of that leader does."""
    readers = Readers(leadership.database, settle=leadership.log.lease.settle)
    with closing(readers), readers.connection() as db:
        return tasks.count(db, {})


@pytest.mark.parametrize("ways", [{"up"}, {"down"}, {"up", "down"}], ids=["up", "down", "both"])
async def test_a_leader_whose_link_is_cut_acknowledges_and_tells_nothing(
    tmp_path: Path, server: NatsServer, nursery: trio.Nursery, ways: set[str]
) -> None:
    wire = Wire(free_ports(1)[0], server.port)
    await nursery.start(wire.run)
    two = settings_of(tmp_path / "two", server)
    near = attrs.evolve(server, port=wire.port)
    one = settings_of(tmp_path / "one", near, patience=4.0)
    async with centre(one) as first:
        cut_off = await first.lead()
        assert 1 == await first.write([add_task])
        async with centre(two) as second:
            await second.until(lambda it: it.membership.view.role == "standby")
            wire.cut |= ways
            leads = await second.lead()
            with pytest.raises(StoreUnavailable):
                await trio.to_thread.run_sync(tasks_told, cut_off)
            await first.until(lambda it: bool(it.deposed))
            with pytest.raises(NotReplicated):
                await first.write([add_task])
            assert 1 == await second.write([add_task])
            assert 2 == await trio.to_thread.run_sync(tasks_told, leads)
            assert 2 == len(content(two.database)["tasks"])
        wire.cut.clear()


async def test_two_of_three_nats_servers_are_lost_and_come_back(tmp_path: Path) -> None:
    async with three_keeping(tmp_path / "nats", "ready") as (servers, _):
        many = {"allows_single": False, "patience": 60.0}
        one, two = (settings_of(tmp_path / name, *servers, **many) for name in ("one", "two"))
        async with centre(one) as first:
            leads = await first.lead()
            async with centre(two) as second:
                await second.until(lambda it: it.membership.view.role == "standby")
                lost, written = threading.Event(), trio.Event()

                def add_later(tx: Transaction) -> None:
                    add_task(tx)
                    assert lost.wait(60)

                async def write() -> None:
                    assert 2 == await first.write([add_task], [add_later])
                    written.set()

                async with trio.open_nursery() as nursery:
                    nursery.start_soon(write)
                    for server in servers[:2]:
                        server.kill()
                    lost.set()
                    with trio.move_on_after(5):
                        await written.wait()
                    assert not written.is_set()  # there is nobody to keep it
                    assert second.membership.view.role == "standby"
                    for server in servers[:2]:
                        server.start()
                assert [] == first.deposed
                assert 2 == await trio.to_thread.run_sync(tasks_told, leads)
                await second.until(lambda it: it.membership.view.sequence >= leads.log.last)
                await first.membership.step_down()
                await second.lead()
                assert 2 == len(content(two.database)["tasks"])


async def test_a_leader_whose_disk_flushes_slowly_acknowledges_late_and_leads_on(
    tmp_path: Path, server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = settings_of(tmp_path / "one", server), settings_of(tmp_path / "two", server)
    flush, seconds = page_sender.flush_log, 1.5 * one.silence

    def flush_slowly(log: Path) -> None:
        time.sleep(seconds)
        flush(log)

    async with centre(one) as first:
        await first.lead()
        async with centre(two) as second:
            await second.until(lambda it: it.membership.view.role == "standby")
            monkeypatch.setattr(page_sender, "flush_log", flush_slowly)
            began = trio.current_time()
            assert 1 == await first.write([add_task])
            assert trio.current_time() - began >= seconds
            assert [] == first.deposed
            view = second.membership.view
            assert ("standby", 1) == (view.role, view.epoch)
            await first.membership.step_down()
            await second.lead()
            assert 1 == len(content(two.database)["tasks"])


async def test_a_standby_whose_disk_is_slow_holds_nobody_up_and_has_all_in_the_end(
    tmp_path: Path, server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = settings_of(tmp_path / "one", server), settings_of(tmp_path / "two", server)
    take = DatabaseCopy.take

    def take_slowly(copy: DatabaseCopy, sequence: int, data: bytes) -> PagePiece:
        time.sleep(1.0)
        return take(copy, sequence, data)

    async with centre(one) as first:
        await first.lead()
        async with centre(two) as second:
            await second.until(lambda it: it.membership.view.role == "standby")
            monkeypatch.setattr(DatabaseCopy, "take", take_slowly)
            assert 6 == await first.write(*[[add_task]] * 6)
            await second.until(lambda it: it.membership.view.lag > 0)
            monkeypatch.undo()
            await first.membership.step_down()
            await second.lead()
            assert 6 == len(content(two.database)["tasks"])


def is_superuser() -> bool:
    return sys.platform != "win32" and os.getuid() == 0


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[None]:
    """Mount a disk of so many bytes."""
    if not is_superuser():
        pytest.skip("only the superuser mounts a small disk")
    place.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], check=True)  # noqa: S607
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)  # noqa: S607


def add_much(tx: Transaction) -> None:
    add_task(tx, prompt=os.urandom(500_000).hex())


async def test_a_standby_whose_disk_is_full_says_so_and_goes_on_when_there_is_room(
    tmp_path: Path, server: NatsServer
) -> None:
    one, two = settings_of(tmp_path / "one", server), settings_of(tmp_path / "two", server)
    place = two.data_dir / "standby"
    async with centre(one) as first:
        leads = await first.lead()
        with small_disk(place, "4m"):
            async with centre(two) as second:
                await second.until(lambda it: it.membership.view.role == "standby")
                assert 6 == await first.write(*[[add_much]] * 6)  # the leader goes on
                await second.until(lambda it: "No space" in (it.membership.view.problem or ""))
                more = ["mount", "-o", "remount,size=200m", str(place)]
                await trio.to_thread.run_sync(partial(subprocess.run, more, check=True))
                await second.until(
                    lambda it: (
                        it.membership.view.problem is None
                        and it.membership.view.sequence >= leads.log.last
                    )
                )
            copied = place / "copy.sqlite3"
            assert copied.stat().st_size > 0
