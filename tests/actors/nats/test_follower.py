"""A stream read in its order, whatever is lost on the way."""

from pathlib import Path

import msgspec
import pytest
import trio
import trio.testing

from command_center.actors.nats.client import NatsSubscription
from command_center.actors.nats.errors import JetStreamRefused, NatsProtocolError
from command_center.actors.nats.follower import BATCH, StreamFollower
from command_center.actors.nats.jetstream import JetStream
from command_center.actors.nats.wire import NatsMessage
from tests.nats_servers import ON_LINUX, client_of, one_server, stream_of

pytestmark = ON_LINUX


async def received(follower: StreamFollower, count: int) -> list[int]:
    with trio.fail_after(20):
        return [(await follower.receive()).sequence for _ in range(count)]


async def held(inbox: NatsSubscription, count: int) -> None:
    """Wait until so many messages have come that nobody has received."""
    with trio.fail_after(30):
        while len(inbox._held) < count:  # noqa: ASYNC110 - the socket tells nobody else
            await trio.sleep(0.01)


async def test_it_reads_what_is_there_and_what_comes(
    jetstream: JetStream, nursery: trio.Nursery
) -> None:
    await stream_of(jetstream, "log")
    total = BATCH + 20
    for _ in range(total):
        await jetstream.publish("log.a")
    follower = StreamFollower(jetstream, "log")
    assert [*range(1, total + 1)] == await received(follower, total)
    got: list[int] = []

    async def wait() -> None:
        got.extend(await received(follower, 1))

    async with trio.open_nursery() as waiting:
        waiting.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        await jetstream.publish("log.a")
    assert [total + 1] == got
    later = StreamFollower(jetstream, "log", after=total - 1)
    assert [total, total + 1] == await received(later, 2)


async def test_it_leaves_out_other_subjects_and_what_was_removed(jetstream: JetStream) -> None:
    await stream_of(jetstream, "some")
    for number in range(10):
        await jetstream.publish(f"some.{number % 2}")
    await jetstream.purge_stream("some", up_to=4)
    follower = StreamFollower(jetstream, "some", subject="some.1")
    message = await follower.receive()
    assert (4, "some.1", 3) == (message.sequence, message.subject, message.pending)
    assert [6, 8, 10] == await received(follower, 3)


async def test_what_came_while_the_reader_was_busy_counts_as_pending(jetstream: JetStream) -> None:
    await stream_of(jetstream, "busy")
    follower = StreamFollower(jetstream, "busy")
    await jetstream.publish("busy.a")
    assert [1] == await received(follower, 1)
    for _ in range(4):
        await jetstream.publish("busy.a")
    assert follower._inbox is not None
    await held(follower._inbox, 4)
    assert [3, 2, 1, 0] == [(await follower.receive()).pending for _ in range(4)]


async def test_a_message_that_was_lost_on_the_way_is_read_again(jetstream: JetStream) -> None:
    await stream_of(jetstream, "lossy")
    for _ in range(10):
        await jetstream.publish("lossy.a")
    follower = StreamFollower(jetstream, "lossy")
    assert [1, 2] == await received(follower, 2)
    inbox = follower._inbox
    assert inbox is not None
    await held(inbox, 8)
    del inbox._held[3]
    assert [*range(3, 11)] == await received(follower, 8)
    assert inbox is not follower._inbox


@pytest.mark.parametrize("number", ["²", "-1", "", "9" * 5000])
async def test_a_number_that_is_none_is_no_message(jetstream: JetStream, number: str) -> None:
    follower = StreamFollower(jetstream, "any")
    follower._name = "mine"
    reply = f"$JS.ACK.any.mine.1.{number}.1.0.0"
    with pytest.raises(NatsProtocolError):
        follower._in_order(NatsMessage("a", b"", reply))


async def test_a_last_message_that_was_lost_is_found_by_the_next_heartbeat(
    jetstream: JetStream,
) -> None:
    await stream_of(jetstream, "tail")
    follower = StreamFollower(jetstream, "tail", heartbeat=0.4)
    await jetstream.publish("tail.a")
    assert [1] == await received(follower, 1)
    inbox = follower._inbox
    assert inbox is not None
    await jetstream.publish("tail.a")
    await held(inbox, 1)
    inbox._held.clear()
    assert [2] == await received(follower, 1)


async def test_a_consumer_that_the_server_lost_is_made_anew(jetstream: JetStream) -> None:
    await stream_of(jetstream, "lost")
    follower = StreamFollower(jetstream, "lost", heartbeat=0.4)
    await jetstream.publish("lost.a")
    assert [1] == await received(follower, 1)
    await jetstream.ask(f"CONSUMER.DELETE.lost.{follower._name}", {}, msgspec.Raw)
    await jetstream.publish("lost.a")
    assert [2] == await received(follower, 1)


async def test_it_reads_on_after_the_server_was_killed(
    tmp_path: Path, nursery: trio.Nursery
) -> None:
    with one_server(tmp_path) as server:
        await server.ready()
        client = client_of(server, backoff=0.02)
        await nursery.start(client.run)
        jetstream = JetStream(client)
        await stream_of(jetstream, "kept")
        for _ in range(5):
            await jetstream.publish("kept.a")
        follower = StreamFollower(jetstream, "kept", heartbeat=1)
        assert [1, 2, 3] == await received(follower, 3)
        server.kill()
        server.start()
        await client.wait_connected()
        assert [4, 5] == await received(follower, 2)
        client.close()


async def test_a_stream_that_is_not_there_is_refused(jetstream: JetStream) -> None:
    with pytest.raises(JetStreamRefused):
        await StreamFollower(jetstream, "nowhere").receive()


async def test_a_server_that_is_silent_is_noticed_by_who_looks_up_again_and_again(
    jetstream: JetStream,
) -> None:
    await stream_of(jetstream, "looked")
    follower = StreamFollower(jetstream, "looked", heartbeat=0.5)
    await jetstream.publish("looked.a", b"1")
    assert b"1" == (await follower.receive()).payload
    # As if its consumer had been lost with the server that had it: nothing more is said here.
    follower._inbox = jetstream.client.subscribe(jetstream.client.new_inbox())
    await jetstream.publish("looked.a", b"2")
    found: list[bytes] = []
    with trio.fail_after(20):
        while not found:
            if (message := await follower.receive_within(0.05)) is not None:
                found.append(message.payload)
    assert [b"2"] == found
    follower.close()
