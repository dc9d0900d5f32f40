"""Centres of a cluster: one begins it and leads, others follow, and one of them goes on."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pytest
import trio

from command_center.actors.cluster import actor
from command_center.actors.cluster.base_store import BaseStore
from command_center.actors.cluster.file_store import FileStore
from command_center.actors.cluster.leadership import Leadership
from command_center.actors.cluster.membership import open_membership
from command_center.actors.cluster.settings import ClusterSettings
from command_center.actors.cluster.signs import BASE, BaseSign, SignCipher
from command_center.actors.cluster.view import ClusterView
from command_center.actors.nats.errors import JetStreamRefused
from command_center.actors.nats.jetstream import JetStream
from command_center.actors.nats.objects import ObjectStore, StoredObject
from command_center.actors.rules.cluster import ClusterRefused
from command_center.actors.rules.errors import Unavailable
from command_center.store import (
    DataFolderLock,
    NotReplicated,
    Readers,
    StoreUnavailable,
    Transaction,
    log_identity,
    open_database,
    take_claim,
    tasks,
)
from command_center.store.database.opening import open_for_reading
from command_center.store.replication.encryption import PieceCipher
from tests.actors.cluster.centres import centre, settings_of
from tests.nats_servers import ON_LINUX, NatsServer, client_of
from tests.store.replication.ends import content, open_wal, vacuumed
from tests.store.units import add_task

pytestmark = ON_LINUX


def log_of(database: Path) -> str:
    return log_identity.log_id(open_for_reading(database))


async def test_a_standby_goes_on_with_all_that_was_acknowledged_and_the_same_log(
    tmp_path: Path, server: NatsServer
) -> None:
    one, two = settings_of(tmp_path / "one", server), settings_of(tmp_path / "two", server)
    async with centre(one) as first:
        await first.lead()
        async with centre(two) as second:
            await second.until(lambda it: it.membership.view.role == "standby")
            assert 3 == await first.write([add_task] * 2, [add_task], [add_task])
            log_id, tasks = log_of(one.database), content(one.database)["tasks"]
            await second.until(lambda it: it.membership.view.url == one.url)
            assert 1 == second.membership.view.epoch
            assert await first.membership.step_down()
            await second.lead()
            assert ["it was asked to step down"] == first.deposed
            assert (2, two.url) == (second.membership.view.epoch, second.membership.view.url)
            assert 1 == await second.write([add_task])
            assert log_id == log_of(two.database)
            assert 4 == len(tasks)
            assert 5 == len(content(two.database)["tasks"])


async def test_epochs_count_on_though_a_copy_ends_behind_the_last_sign(
    tmp_path: Path, server: NatsServer
) -> None:
    # Its commit is the stream's last word.
    one = settings_of(tmp_path / "one", server, beat=30.0, silence=30.0)
    two = settings_of(tmp_path / "two", server, silence=30.0)
    async with centre(one) as first:
        leadership = await first.lead()
        async with centre(two) as second:
            await second.until(lambda it: it.membership.view.role == "standby")
            await first.write([add_task])
            await second.until(lambda it: it.membership.view.sequence == leadership.log.last)
        async with centre(attrs.evolve(two, silence=0.5)) as again:
            await again.lead()
            assert 2 == again.membership.view.epoch
            assert 1 == len(content(two.database)["tasks"])


async def test_an_old_leader_that_others_took_for_dead_acknowledges_nothing(
    tmp_path: Path, server: NatsServer
) -> None:
    one = settings_of(tmp_path / "one", server, beat=30.0, silence=30.0)  # it is not heard of
    two = settings_of(tmp_path / "two", server, silence=0.5)
    async with centre(one) as first:
        await first.lead()
        async with centre(two) as second:
            await second.lead()
            with pytest.raises(NotReplicated, match="another centre"):
                await first.write([add_task])
            assert 1 == await second.write([add_task])
            assert 1 == len(content(two.database)["tasks"])


def tasks_seen(leadership: Leadership) -> int:
    """Count the tasks as a route of that leader does."""
    readers = Readers(leadership.database, settle=leadership.log.lease.settle)
    with closing(readers), readers.connection() as db:
        return tasks.count(db, {})


async def test_an_old_leader_that_others_took_for_dead_tells_nothing_that_was_before(
    tmp_path: Path, server: NatsServer
) -> None:
    one = settings_of(tmp_path / "one", server, patience=0.2)
    two = settings_of(tmp_path / "two", server, silence=0.5, beat=0.1)
    async with centre(attrs.evolve(one, beat=30.0, silence=0.5)) as first:
        frozen = await first.lead()
        assert 1 == await first.write([add_task])
        assert 1 == await trio.to_thread.run_sync(tasks_seen, frozen)
        async with centre(two) as second:
            leads = await second.lead()
            with pytest.raises(StoreUnavailable, match="may lead by now"):
                await trio.to_thread.run_sync(tasks_seen, frozen)
            assert 1 == await second.write([add_task])
            assert 2 == await trio.to_thread.run_sync(tasks_seen, leads)


async def test_an_old_leader_comes_back_as_a_standby_with_what_the_cluster_has(
    tmp_path: Path, server: NatsServer
) -> None:
    one, two = settings_of(tmp_path / "one", server), settings_of(tmp_path / "two", server)
    async with centre(one) as first:
        await first.lead()
        await first.write([add_task])
    db = open_wal(one.database)  # as a commit that nobody was told of
    db.execute("DELETE FROM tasks")
    db.close()
    async with centre(two) as second:
        await second.lead()
        await second.write([add_task])
        async with centre(one) as again:
            await again.until(lambda it: it.membership.view.url == two.url)
            assert not one.database.exists()
            assert (one.data_dir / "former-leader" / one.database.name).exists()
            assert await second.membership.step_down()
            await again.lead()
            assert 2 == len(content(one.database)["tasks"])


async def test_a_leader_whose_disk_lost_what_the_stream_has_comes_back_with_all_of_it(
    tmp_path: Path, server: NatsServer
) -> None:
    one = settings_of(tmp_path / "one", server)
    wal = one.database.with_name(f"{one.database.name}-wal")
    files = (one.database, wal, log_identity.mark_of(one.database))
    on_disk: dict[Path, bytes] = {}

    def look(_: Transaction) -> None:
        on_disk.update((file, file.read_bytes()) for file in files)

    async with centre(one) as first:
        await first.lead()
        assert 3 == await first.write([add_task], [look], [add_task])
    for file, content_then in on_disk.items():  # as if the power failed while the last was sent
        file.write_bytes(content_then)
    async with centre(one) as again:
        await again.lead()
        assert 2 == len(content(one.database)["tasks"])
    assert 1 == len(content(one.data_dir / "former-leader" / one.database.name)["tasks"])


async def test_the_cluster_begins_with_the_database_that_the_first_centre_has(
    tmp_path: Path, server: NatsServer
) -> None:
    one = settings_of(tmp_path / "one", server)
    with DataFolderLock(one.data_dir) as lock:
        take_claim(one.database, lock)
    known = log_of(one.database)
    async with centre(one) as first:
        await first.lead()
        await first.write([add_task])
        assert known == log_of(one.database)


async def test_a_database_that_was_restored_since_is_not_lost(
    tmp_path: Path, server: NatsServer
) -> None:
    one = settings_of(tmp_path / "one", server)
    async with centre(one) as first:
        await first.lead()
        await first.write([add_task])
    with closing(open_wal(one.database)) as db:
        kept = vacuumed(db, tmp_path / "kept")
    # Into the same file: a file system gives the number of one that is gone to the next one.
    shutil.copyfile(kept, one.database)
    for beside in ("-wal", "-shm", "-mark"):
        one.database.with_name(f"{one.database.name}{beside}").unlink(missing_ok=True)
    with pytest.RaisesGroup(pytest.RaisesExc(ClusterRefused, match="by a restore perhaps")):
        async with centre(one):
            await trio.sleep_forever()


async def test_a_stream_that_is_lost_is_not_begun_anew(tmp_path: Path, server: NatsServer) -> None:
    one = settings_of(tmp_path / "one", server)
    async with centre(one) as first:
        await first.lead()
    client = client_of(server)
    async with trio.open_nursery() as nursery:
        await nursery.start(client.run)
        await JetStream(client).delete_stream(one.stream)
        client.close()
    with pytest.RaisesGroup(pytest.RaisesExc(ClusterRefused, match="have no stream cc-test")):
        async with centre(one):
            await trio.sleep_forever()


async def test_a_centre_that_was_one_before_waits_for_the_servers(
    tmp_path: Path, server: NatsServer, nursery: trio.Nursery
) -> None:
    one, other = settings_of(tmp_path / "one", server), settings_of(tmp_path / "other", server)
    async with centre(one) as first:
        await first.lead()
    server.kill()
    with pytest.RaisesGroup(pytest.RaisesExc(ClusterRefused, match="No NATS server")):
        async with centre(other):
            await trio.sleep_forever()
    nursery.start_soon(started_again, server)
    async with centre(one) as again:
        await again.lead()


@pytest.mark.parametrize("step", [(JetStream, "stream_info"), (FileStore, "create")])
async def test_a_new_centre_waits_for_servers_that_are_too_few_and_says_so(
    tmp_path: Path,
    server: NatsServer,
    monkeypatch: pytest.MonkeyPatch,
    nursery: trio.Nursery,
    step: tuple[type, str],
) -> None:
    view, do = ClusterView(), getattr(*step)
    are_enough = trio.Event()

    async def refuse(*words: Any, **named: Any) -> Any:
        if not are_enough.is_set():
            raise JetStreamRefused(503, 10008, "JetStream system temporarily unavailable")
        return await do(*words, **named)

    async def become_enough() -> None:
        while "Most of the NATS servers must run" not in str(view.problem):  # noqa: ASYNC110 - nothing tells of it
            await trio.sleep(0.02)
        are_enough.set()

    monkeypatch.setattr(*step, refuse)
    nursery.start_soon(become_enough)
    with trio.fail_after(30):
        one = settings_of(tmp_path / "one", server)
        async with open_membership(one, view, on_deposed=pytest.fail) as membership:
            await membership.leadership()


async def started_again(server: NatsServer) -> None:
    await trio.sleep(0.3)
    server.start()


async def test_one_server_does_only_for_who_says_so(tmp_path: Path, server: NatsServer) -> None:
    one = settings_of(tmp_path / "one", server, allows_single=False)
    with pytest.RaisesGroup(pytest.RaisesExc(ClusterRefused, match="CC_CLUSTER_ALLOW_SINGLE")):
        async with centre(one):
            await trio.sleep_forever()


async def test_a_centre_with_another_key_does_not_join(tmp_path: Path, server: NatsServer) -> None:
    one = settings_of(tmp_path / "one", server)
    two = settings_of(tmp_path / "two", server, key=bytes(32))
    async with centre(one):
        with pytest.RaisesGroup(pytest.RaisesExc(ClusterRefused, match="CC_CLUSTER_KEY")):
            async with centre(two):
                await trio.sleep_forever()


async def test_a_program_that_does_not_know_the_schema_never_leads(
    tmp_path: Path, server: NatsServer
) -> None:
    one = settings_of(tmp_path / "one", server)
    steps = one.steps - {one.schema}
    two = settings_of(tmp_path / "two", server, steps=steps, silence=0.3)
    async with centre(one) as first:
        await first.lead()
        async with centre(two) as second:
            await second.until(lambda it: it.membership.view.url == one.url)
            assert await first.membership.step_down()
            await second.until(lambda it: it.membership.view.url is None)
            await trio.sleep(2 * two.silence)
            assert "standby" == second.membership.view.role


async def leave_half_a_snapshot(server: NatsServer, bucket: str) -> None:
    """Leave what a leader leaves that is killed while it keeps one."""
    client = client_of(server)
    async with trio.open_nursery() as nursery:
        await nursery.start(client.run)
        await JetStream(client).publish(f"$O.{bucket}.C.half", bytes(1000))
        client.close()


async def base_of(jetstream: JetStream, settings: ClusterSettings) -> str:
    message = await jetstream.last_message(settings.stream, settings.subject(BASE))
    return SignCipher(settings.key, settings.name).unseal(message.payload, BaseSign).object


def add_slowly(tx: Transaction) -> None:
    """Take so long that the leader looks at the stream meanwhile, and room however it is packed."""
    add_task(tx, prompt=os.urandom(10_000).hex())
    time.sleep(0.02)


async def test_the_stream_is_trimmed_and_a_new_standby_begins_with_a_later_snapshot(
    tmp_path: Path, server: NatsServer
) -> None:
    one = settings_of(tmp_path / "one", server, snapshot_bytes=200_000, look_seconds=0.05)
    two = settings_of(tmp_path / "two", server)
    async with centre(one) as first:
        await first.lead()
        await leave_half_a_snapshot(server, one.stream)
        await first.write(*[[add_slowly]] * 60)
        client = client_of(server)
        async with trio.open_nursery() as nursery:
            await nursery.start(client.run)
            jetstream = JetStream(client)
            bucket = ObjectStore(jetstream, one.stream)
            with trio.fail_after(30):
                while (await jetstream.stream_info(one.stream)).state.first_seq == 1:  # noqa: ASYNC110 - a server does it
                    await trio.sleep(0.05)
                # The last snapshot stays, and what tells of it.
                while len(await jetstream.subjects_of(f"OBJ_{one.stream}", "$O.>")) != 2:  # noqa: ASYNC110 - the same
                    await trio.sleep(0.05)
            assert await bucket.names() == {await base_of(jetstream, one)}
            client.close()
        async with centre(two) as second:
            await second.until(lambda it: it.membership.view.url == one.url)
            assert await first.membership.step_down()
            await second.lead()
            assert 60 == len(content(two.database)["tasks"])
            assert 1 == await second.write([add_task])


async def test_a_damaged_copy_is_begun_anew(tmp_path: Path, server: NatsServer) -> None:
    one, two = settings_of(tmp_path / "one", server), settings_of(tmp_path / "two", server)
    copy = two.data_dir / "standby" / "copy.sqlite3"
    async with centre(one) as first:
        await first.lead()
        async with centre(two) as second:
            await second.until(lambda it: it.membership.view.url == one.url)
            await first.write([add_task])
        with copy.open("r+b") as file:
            file.seek(5000)
            byte = file.read(1)
            file.seek(5000)
            file.write(bytes([byte[0] ^ 1]))
        with copy.with_name(f"{copy.name}-pieces").open("ab") as file:
            file.write(b"torn")
        async with centre(two) as second:
            await second.until(lambda it: it.membership.view.url == one.url)
            assert 1 == second.membership.view.rejoins
            assert await first.membership.step_down()
            await second.lead()
            assert 1 == len(content(two.database)["tasks"])


async def test_a_copy_that_is_lost_at_once_is_brought_again_less_and_less_often(
    tmp_path: Path, server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actor, "_AGAIN", 0.05)
    one, two = settings_of(tmp_path / "one", server), settings_of(tmp_path / "two", server)
    async with centre(one) as first:
        leadership = await first.lead()
        await leadership.log.publish(PieceCipher(one.key, one.name).seal(b"of a newer version"))
        began = trio.current_time()
        async with centre(two) as second:
            await second.until(lambda it: it.membership.view.rejoins == 5)
            assert sum((0.1, 0.2, 0.4, 0.8)) <= trio.current_time() - began
            await second.until(lambda it: "cannot be taken" in str(it.membership.view.problem))


async def test_a_standby_has_the_files_that_people_sent_to_the_leader(
    tmp_path: Path, server: NatsServer
) -> None:
    one, two = settings_of(tmp_path / "one", server), settings_of(tmp_path / "two", server)
    content = b"a text that NATS is not to know" * 10_000
    async with centre(one) as first:
        await first.lead()
        files = first.membership.files
        await files.put("before", b"sent before")
        async with centre(two) as second:
            await files.put("a", content)
            await files.put("a", content)
            await second.until(lambda it: it.settings.uploads.joinpath("a").exists())
            assert content == two.uploads.joinpath("a").read_bytes()
            assert b"sent before" == two.uploads.joinpath("before").read_bytes()
            assert content == await second.membership.files.get("a")
            await files.delete("a")
            await second.until(lambda it: not it.settings.uploads.joinpath("a").exists())
            assert {"before"} == await files.names()
            server.kill()
            with pytest.raises(Unavailable, match="cannot be shared"):
                await files.put("b", b"")
    assert not any(content[:31] in file.read_bytes() for file in server.folder.rglob("*.blk"))


async def test_a_standby_takes_from_nats_neither_paths_nor_what_the_key_has_not_sealed(
    tmp_path: Path, server: NatsServer
) -> None:
    one, two = settings_of(tmp_path / "one", server), settings_of(tmp_path / "two", server)
    async with centre(one) as first:
        await first.lead()
        client = client_of(server)
        async with trio.open_nursery() as nursery:
            await nursery.start(client.run)
            jetstream, bucket = JetStream(client), f"{one.stream}-files"
            told = StoredObject(name="../kept", bucket=bucket, nuid="x", deleted=True)
            for sign in (b"no sign", msgspec.json.encode(told)):
                await jetstream.publish(f"$O.{bucket}.M.{len(sign)}", sign)
            await ObjectStore(jetstream, bucket).put("forged", pieces())
            await first.membership.files.put("whole", b"a text")
            client.close()
        two.data_dir.mkdir()
        two.data_dir.joinpath("kept").write_bytes(b"of this machine")
        async with centre(two) as second:
            await second.until(lambda it: it.settings.uploads.joinpath("whole").exists())
            assert await second.membership.files.get("forged") is None
        assert ["whole"] == [file.name for file in two.uploads.iterdir()]
        assert two.data_dir.joinpath("kept").exists()


async def pieces() -> AsyncIterator[bytes]:
    yield b"what no centre has sealed"


async def test_an_old_leader_removes_no_snapshot_of_another(
    tmp_path: Path, server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Callable[[], Awaitable[None]]] = []

    async def keep_only(
        _: BaseStore, _name: str, *, confirm: Callable[[], Awaitable[None]]
    ) -> None:
        asked.append(confirm)

    monkeypatch.setattr(BaseStore, "keep_only", keep_only)
    one = settings_of(tmp_path / "one", server, beat=30.0, look_seconds=0.02)
    two = settings_of(tmp_path / "two", server, silence=0.5, look_seconds=30.0)
    async with centre(one) as first:
        await first.lead()
        await first.until(lambda _: bool(asked))
        await asked[0]()
        async with centre(two) as second:
            await second.lead()
            with pytest.raises(NotReplicated, match="another centre"):
                await asked[0]()


async def test_an_old_leader_removes_no_file_that_somebody_sent_to_the_next_one(
    tmp_path: Path, server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = settings_of(tmp_path / "one", server, beat=30.0)
    two = settings_of(tmp_path / "two", server, silence=0.5)
    tell, sent = ObjectStore._tell, trio.Event()
    is_asleep = trio.Event()

    async def sleep_before(store: ObjectStore, found: StoredObject, **expected: Any) -> None:
        if found.deleted:  # it was confirmed that this centre leads
            is_asleep.set()
            await sent.wait()
        await tell(store, found, **expected)

    async with centre(one) as first:
        await first.lead()
        files = first.membership.files
        for name in ("a", "b"):
            await files.put(name, b"a text")
        async with trio.open_nursery() as nursery:
            monkeypatch.setattr(ObjectStore, "_tell", sleep_before)
            nursery.start_soon(files.delete, "a")
            await is_asleep.wait()
            async with centre(two) as second:
                await second.lead()
                await second.membership.files.put("a", b"a text")
                sent.set()
                with pytest.raises(Unavailable, match="another centre"):
                    await files.delete("b")
        assert {"a", "b"} == await files.names()
        assert b"a text" == await files.get("a")


async def test_a_folder_with_a_database_of_its_own_does_not_join(
    tmp_path: Path, server: NatsServer
) -> None:
    one, two = settings_of(tmp_path / "one", server), settings_of(tmp_path / "two", server)
    async with centre(one):
        two.data_dir.mkdir()
        open_database(two.database).close()
        with pytest.RaisesGroup(pytest.RaisesExc(ClusterRefused, match="database of its own")):
            async with centre(two):
                await trio.sleep_forever()
