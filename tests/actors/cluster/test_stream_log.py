"""A database that is replicated by a real stream: fenced, and the same on the other end."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import attrs
import pytest
import trio

from command_center.actors.cluster.stream_log import PIECE, StreamLog, from_thread
from command_center.actors.nats.follower import StreamFollower
from command_center.actors.nats.jetstream import JetStream
from command_center.store import Writer, open_database
from command_center.store.errors import NotReplicated
from command_center.store.replication.base import write_base
from command_center.store.replication.database_copy import CopyPlace, DatabaseCopy, begin_copy
from command_center.store.replication.encryption import PieceCipher
from command_center.store.replication.page_sender import PageSender
from tests.nats_servers import ON_LINUX, NatsServer, client_of, one_server, stream_of, three_keeping
from tests.store.replication.ends import content, open_wal, vacuumed
from tests.store.units import add_task

pytestmark = ON_LINUX

KEY = bytes(32)


@attrs.define
class Centre:
    """A centre that leads, with the writer in a thread of its own, as the server has it."""

    path: Path
    log: StreamLog
    base: Path

    def write(
        self, token: trio.lowlevel.TrioToken, batches: int, after: Callable[[int], None]
    ) -> int:
        """Write so many batches of four tasks; return how many were acknowledged."""
        db = open_database(self.path)
        write_base(db, self.base)
        db.close()
        begin_copy(self.base, CopyPlace(0, 0, 4096))
        sender = PageSender(
            self.path,
            from_thread(self.log, token),
            commit=0,
            limit=200_000,
            close=PieceCipher(KEY, "test").seal,
        )
        writer = Writer(self.path, is_checked=True, replica=sender)
        try:
            for batch in range(batches):
                try:
                    writer.commit([add_task] * 4)
                except NotReplicated:
                    return batch
                after(batch)
        finally:
            writer.close()
        return batches


async def follow(jetstream: JetStream, copy: DatabaseCopy, until: int) -> None:
    """Give the copy the pieces of the stream, up to a sequence."""
    cipher = PieceCipher(KEY, "test")
    follower = StreamFollower(jetstream, "pages", after=copy.last_sequence, heartbeat=1.0)
    with trio.fail_after(30):
        while copy.last_sequence < until:
            message = await follower.receive()
            copy.take(message.sequence, cipher.unseal(message.payload))
    copy.flush()


def tasks_in(path: Path) -> int:
    return len(content(path)["tasks"])


def same(original: Path, copy: DatabaseCopy) -> None:
    copy.finish()
    db = open_wal(original)
    with closing(db.conn):
        assert content(vacuumed(db, original.with_name("vacuumed"))) == content(copy.path)


async def through(tmp_path: Path, jetstream: JetStream, strike: Callable[[int], None]) -> None:
    """Write 60 batches while a server is struck, and hold that the copy is the database."""
    log = StreamLog(jetstream, "pages", "pages.all", last=0)
    centre = Centre(tmp_path / "db", log, tmp_path / "copy")
    token = trio.lowlevel.current_trio_token()
    acknowledged = await trio.to_thread.run_sync(centre.write, token, 60, strike)
    assert 60 == acknowledged
    copy = DatabaseCopy(tmp_path / "copy")
    await follow(jetstream, copy, log.last)
    same(tmp_path / "db", copy)
    assert 240 == tasks_in(tmp_path / "copy")


@pytest.fixture
async def alone(
    tmp_path: Path, nursery: trio.Nursery
) -> AsyncIterator[tuple[NatsServer, JetStream]]:
    """One server with the stream."""
    with one_server(tmp_path / "nats") as server:
        await server.ready()
        client = client_of(server, backoff=0.02)
        await nursery.start(client.run)
        jetstream = JetStream(client)
        await stream_of(jetstream, "pages")
        yield server, jetstream
        client.close()


async def test_a_copy_is_the_database_though_the_server_was_killed_meanwhile(
    tmp_path: Path, alone: tuple[NatsServer, JetStream]
) -> None:
    server, jetstream = alone

    def strike(batch: int) -> None:
        if batch == 20:
            server.kill()
            threading.Timer(0.3, server.start).start()

    await through(tmp_path, jetstream, strike)


async def test_once_another_centre_has_published_nothing_is_acknowledged(
    tmp_path: Path, alone: tuple[NatsServer, JetStream]
) -> None:
    _, jetstream = alone
    log = StreamLog(jetstream, "pages", "pages.all", last=0)
    centre = Centre(tmp_path / "db", log, tmp_path / "copy")
    token = trio.lowlevel.current_trio_token()

    def take_over(batch: int) -> None:
        if batch == 4:
            trio.from_thread.run(jetstream.publish, "pages.epoch", b"2", trio_token=token)

    acknowledged = await trio.to_thread.run_sync(centre.write, token, 10, take_over)
    assert 5 == acknowledged
    assert 24 == tasks_in(tmp_path / "db")  # it is here, and nobody was told so
    copy = DatabaseCopy(tmp_path / "copy")
    await follow(jetstream, copy, log.last)
    copy.finish()
    assert 20 == tasks_in(tmp_path / "copy")


async def test_a_piece_whose_acknowledgement_was_lost_is_stored_once(
    alone: tuple[NatsServer, JetStream],
) -> None:
    _, jetstream = alone
    log = StreamLog(jetstream, "pages", "pages.all", last=0)
    await log.publish(b"one")
    # As if its acknowledgement had been lost.
    await jetstream.publish("pages.all", b"two", headers={PIECE: log.next_name})
    await log.publish(b"two")
    assert 2 == log.last
    await log.publish(b"three")
    assert 3 == (await jetstream.stream_info("pages")).state.messages
    other = StreamLog(jetstream, "pages", "pages.all", last=2)
    with pytest.raises(NotReplicated, match="another centre"):
        await other.publish(b"three")  # which is there, and is not its own


async def test_a_cluster_that_does_not_answer_is_waited_for_so_long_alone(
    alone: tuple[NatsServer, JetStream],
) -> None:
    server, jetstream = alone
    server.kill()
    log = StreamLog(jetstream, "pages", "pages.all", last=0, patience=0.3)
    with trio.fail_after(30), pytest.raises(NotReplicated, match=r"for 0\.3 seconds"):
        await log.publish(b"one")


async def test_a_client_that_was_closed_acknowledges_nothing(
    alone: tuple[NatsServer, JetStream],
) -> None:
    _, jetstream = alone
    jetstream.client.close()
    with pytest.raises(NotReplicated, match="closed"):
        await StreamLog(jetstream, "pages", "pages.all", last=0).publish(b"one")


async def test_a_stream_that_is_full_or_gone_acknowledges_nothing(
    alone: tuple[NatsServer, JetStream],
) -> None:
    _, jetstream = alone
    with pytest.raises(NotReplicated):
        await StreamLog(jetstream, "another", "pages.all", last=0, patience=0.3).publish(b"one")
    with pytest.raises(NotReplicated):
        await StreamLog(jetstream, "pages", "pages.all", last=0).publish(bytes(2 * 1024 * 1024))


@pytest.mark.chaos
async def test_of_three_servers_the_leader_is_killed(tmp_path: Path) -> None:
    async with three_keeping(tmp_path / "nats", "pages", ping_seconds=1.0) as (servers, jetstream):
        leader = (await jetstream.stream_info("pages")).cluster.leader

        def strike(batch: int) -> None:
            if batch == 20:
                next(server for server in servers if server.name == leader).kill()

        await through(tmp_path, jetstream, strike)
