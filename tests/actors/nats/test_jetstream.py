"""Streams of a real server: what is expected, what is acknowledged, what is refused."""

import msgspec
import pytest
import trio

from command_center.actors.nats.addresses import NatsAddress
from command_center.actors.nats.client import NatsClient
from command_center.actors.nats.connection import NatsOptions
from command_center.actors.nats.errors import (
    JetStreamRefused,
    NatsProtocolError,
    NoResponders,
    WrongLastSequence,
)
from command_center.actors.nats.jetstream import (
    MESSAGE_NOT_FOUND,
    NAME_IN_USE,
    STREAM_NOT_FOUND,
    JetStream,
    StreamConfig,
)
from command_center.actors.nats.wire import NatsMessage
from tests.nats_servers import ON_LINUX, stream_of

pytestmark = ON_LINUX


async def test_of_several_who_expect_the_same_end_one_alone_publishes(
    jetstream: JetStream,
) -> None:
    await stream_of(jetstream, "fence")
    won: list[int] = []
    lost: list[int] = []

    async def publish(number: int) -> None:
        try:
            await jetstream.publish("fence.epoch", b"%d" % number, expect_last=0)
        except WrongLastSequence:
            lost.append(number)
        else:
            won.append(number)

    async with trio.open_nursery() as nursery:
        for number in range(10):
            nursery.start_soon(publish, number)
    assert (1, 9) == (len(won), len(lost))
    assert b"%d" % won[0] == (await jetstream.get_message("fence", 1)).payload
    assert 1 == (await jetstream.stream_info("fence")).state.last_seq


async def test_an_expectation_may_be_of_one_subject_or_of_the_stream(jetstream: JetStream) -> None:
    await stream_of(jetstream, "expects")
    first = await jetstream.publish("expects.a", expect_stream="expects")
    await jetstream.publish("expects.b")
    with pytest.raises(WrongLastSequence):
        await jetstream.publish("expects.a", expect_last_of_subject=2)
    await jetstream.publish("expects.a", expect_last_of_subject=first.sequence)
    with pytest.raises(JetStreamRefused, match="stream"):
        await jetstream.publish("expects.a", expect_stream="another")


async def test_a_message_of_the_same_id_is_stored_once(jetstream: JetStream) -> None:
    await stream_of(jetstream, "ids")
    acks = [await jetstream.publish("ids.a", b"x", message_id="one") for _ in range(2)]
    assert [(1, False), (1, True)] == [(ack.sequence, ack.is_duplicate) for ack in acks]


async def test_a_message_can_be_read_by_its_sequence_and_as_the_last(jetstream: JetStream) -> None:
    await stream_of(jetstream, "read")
    await jetstream.publish("read.a", b"\x00one", headers={"Name": "it"})
    await jetstream.publish("read.b", b"two")
    for found in (await jetstream.get_message("read", 1), await jetstream.get_direct("read", 1)):
        assert ("read.a", b"\x00one", "it") == (
            found.subject,
            found.payload,
            found.headers.get("Name"),
        )
    assert (2, b"two") == (
        (last := await jetstream.last_message("read", "read.b")).sequence,
        last.payload,
    )
    for missing in (jetstream.get_message("read", 9), jetstream.get_direct("read", 9)):
        with pytest.raises(JetStreamRefused) as refused:
            await missing
        assert MESSAGE_NOT_FOUND == refused.value.err_code


async def test_what_is_purged_is_gone(jetstream: JetStream) -> None:
    await stream_of(jetstream, "purged")
    for number in range(10):
        await jetstream.publish(f"purged.{number % 2}")
    assert 0 == await jetstream.purge_stream("purged", up_to=1)  # there is none before the first
    assert 4 == await jetstream.purge_stream("purged", up_to=5)
    assert 3 == await jetstream.purge_stream("purged", subject="purged.0")
    assert 3 == await jetstream.purge_stream("purged")
    state = (await jetstream.stream_info("purged")).state
    assert (0, 10) == (state.messages, state.last_seq)


async def test_a_stream_is_made_once_changed_and_removed(jetstream: JetStream) -> None:
    config = StreamConfig(name="made", subjects=("made.>",))
    for _ in range(2):
        await jetstream.create_stream(config)
    with pytest.raises(JetStreamRefused) as refused:
        await jetstream.create_stream(StreamConfig(name="made", subjects=("other.>",)))
    assert NAME_IN_USE == refused.value.err_code
    changed = StreamConfig(name="made", subjects=("made.>",), max_bytes=5000)
    assert 5000 == (await jetstream.update_stream(changed)).config.max_bytes
    await jetstream.delete_stream("made")
    with pytest.raises(JetStreamRefused) as refused:
        await jetstream.stream_info("made")
    assert STREAM_NOT_FOUND == refused.value.err_code
    with pytest.raises(NoResponders):
        await jetstream.publish("made.a")


@pytest.mark.parametrize(
    "answer", [b"", b"[]", b'{"stream": 1}', b"\xff", b'{"error": 5}', b'{"x":' + b"[" * 60_000]
)
async def test_an_answer_that_is_none_is_no_acknowledgement(
    client: NatsClient, answer: bytes, nursery: trio.Nursery
) -> None:
    asked = client.subscribe("fake")

    async def lie() -> None:
        await client.publish((await asked.receive()).reply, answer)

    nursery.start_soon(lie)
    with pytest.raises(NatsProtocolError):
        await JetStream(client).publish("fake")


@pytest.mark.parametrize("data", ["é", "a", "a=b="])
async def test_a_stored_message_that_is_none_is_not_read(
    monkeypatch: pytest.MonkeyPatch, data: str
) -> None:
    client = NatsClient(NatsOptions(addresses=(NatsAddress("unused"),)))

    async def lie(*_: object, **__: object) -> NatsMessage:
        stored = {"message": {"subject": "a", "seq": 1, "data": data}}
        return NatsMessage("a", msgspec.json.encode(stored))

    monkeypatch.setattr(client, "request", lie)
    with pytest.raises(NatsProtocolError):
        await JetStream(client).get_message("any", 1)
