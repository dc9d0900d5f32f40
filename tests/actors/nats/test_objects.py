"""Objects longer than a message, whole or told as damaged."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest

from command_center.actors.nats import objects
from command_center.actors.nats.errors import ObjectDamaged
from command_center.actors.nats.jetstream import JetStream
from command_center.actors.nats.objects import CHUNK, ObjectStore, StoredObject
from tests.nats_servers import ON_LINUX

pytestmark = ON_LINUX

CONTENT = random.Random(1).randbytes(3 * CHUNK + 5)  # noqa: S311 - no secret


async def pieces(content: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def got(store: ObjectStore, name: str) -> tuple[StoredObject | None, bytes]:
    taken = bytearray()

    async def take(piece: bytes) -> None:
        taken.extend(piece)

    return await store.get(name, take), bytes(taken)


@pytest.fixture
async def store(jetstream: JetStream, request: pytest.FixtureRequest) -> ObjectStore:
    made = ObjectStore(jetstream, f"b{abs(hash(request.node.name))}")
    await made.create()
    return made


async def test_an_object_comes_back_as_it_was_put(store: ObjectStore) -> None:
    put = await store.put("a name/of any kind", pieces(CONTENT))
    assert (put, CONTENT) == await got(store, "a name/of any kind")
    empty = await store.put("empty", pieces(b""))
    assert (empty, b"") == await got(store, "empty")
    assert (None, b"") == await got(store, "another")


async def test_all_but_some_are_removed_and_pieces_that_no_object_has(
    store: ObjectStore, jetstream: JetStream
) -> None:
    for name in ("kept", "not kept"):
        await store.put(name, pieces(CONTENT))
    await jetstream.publish(f"$O.{store.bucket}.C.half", b"of one that was never whole")
    assert {"kept", "not kept"} == await store.names()
    assert 3 == await store.keep_only(["kept", "never there"])
    assert {"kept"} == await store.names()
    assert 5 == (await jetstream.stream_info(f"OBJ_{store.bucket}")).state.messages
    assert CONTENT == (await got(store, "kept"))[1]


async def test_nothing_is_removed_where_somebody_else_may_have_put_something(
    store: ObjectStore,
) -> None:
    await store.put("kept", pieces(CONTENT))
    await store.put("not kept", pieces(CONTENT))

    async def refuse() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.keep_only(["kept"], confirm=refuse)
    assert CONTENT == (await got(store, "not kept"))[1]


async def test_a_new_one_takes_the_place_of_the_old_one_and_of_its_room(
    store: ObjectStore, jetstream: JetStream
) -> None:
    await store.put("it", pieces(CONTENT))
    await store.put("it", pieces(b"short"))
    assert b"short" == (await got(store, "it"))[1]
    assert 2 == (await jetstream.stream_info(f"OBJ_{store.bucket}")).state.messages
    await store.delete("it")
    await store.delete("it")
    assert (None, b"") == await got(store, "it")
    assert 1 == (await jetstream.stream_info(f"OBJ_{store.bucket}")).state.messages


async def test_one_that_was_renewed_meanwhile_is_not_removed(store: ObjectStore) -> None:
    await store.put("it", pieces(CONTENT))

    async def renew() -> None:
        assert await store.renew("it")

    assert not await store.delete("it", confirm=renew)
    assert CONTENT == (await got(store, "it"))[1]
    assert await store.delete("it")
    assert not await store.delete("it", confirm=renew)
    assert not await store.renew("it")


async def test_one_that_fails_on_its_way_leaves_the_old_one(
    store: ObjectStore, jetstream: JetStream
) -> None:
    await store.put("it", pieces(b"old"))

    async def broken() -> AsyncIterator[bytes]:
        yield b"new"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.put("it", broken())
    assert b"old" == (await got(store, "it"))[1]
    assert 2 == (await jetstream.stream_info(f"OBJ_{store.bucket}")).state.messages


async def test_a_piece_that_is_missing_or_another_is_told(
    store: ObjectStore, jetstream: JetStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "_STALLED", 0.1)
    put = await store.put("it", pieces(CONTENT))
    subject = f"$O.{store.bucket}.C.{put.nuid}"
    await jetstream.purge_stream(f"OBJ_{store.bucket}", subject=subject)
    with pytest.raises(ObjectDamaged, match="missing"):
        await got(store, "it")
    for _ in range(put.chunks):
        await jetstream.publish(subject, b"x")
    with pytest.raises(ObjectDamaged, match="digest"):
        await got(store, "it")
