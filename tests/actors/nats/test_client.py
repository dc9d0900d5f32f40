"""Publishing, requests and subscriptions, through a server's end and back."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
import trio.testing

from command_center.actors.nats.addresses import parse_addresses
from command_center.actors.nats.client import NatsClient
from command_center.actors.nats.connection import NatsOptions
from command_center.actors.nats.errors import (
    MessagesDropped,
    NatsClosed,
    NatsDisconnected,
    NatsRefused,
    NatsTimeout,
    NatsUnavailable,
    NoResponders,
    PayloadTooLarge,
)
from command_center.actors.nats.wire import NatsMessage
from tests.nats_servers import ON_LINUX, NatsServer, client_of, free_ports, one_server

pytestmark = ON_LINUX


async def test_messages_come_in_their_order_to_who_hears_their_pattern(client: NatsClient) -> None:
    hears, other = client.subscribe("a.*"), client.subscribe("b.>")
    for number in range(100):
        await client.publish("a.x", b"%d" % number, headers={"Number": str(number)})
    got = [await hears.receive() for _ in range(100)]
    assert [b"%d" % number for number in range(100)] == [message.payload for message in got]
    assert ["0", "99"] == [got[0].headers.get("Number"), got[99].headers.get("Number")]
    hears.end()
    await client.publish("a.x", b"not heard")
    await client.publish("b.x.y", b"heard")
    assert NatsMessage("b.x.y", b"heard") == await other.receive()
    with pytest.raises(NatsClosed):
        await hears.receive()


async def test_one_of_a_group_gets_each_message(client: NatsClient) -> None:
    group = [client.subscribe("work", queue="workers") for _ in range(2)]
    for _ in range(50):
        await client.publish("work")
    await client.flush()
    assert 50 == sum(len(each._held) for each in group)


async def test_a_request_is_given_its_own_answer(client: NatsClient, nursery: trio.Nursery) -> None:
    asked = client.subscribe("double")
    answers: dict[int, bytes] = {}

    async def serve() -> None:
        waiting = [await asked.receive() for _ in range(20)]
        for message in reversed(waiting):
            await client.publish(message.reply, b"%d" % (2 * int(message.payload)))

    async def ask(number: int) -> None:
        answer = await client.request("double", b"%d" % number, timeout=5)
        answers[number] = answer.payload

    async with trio.open_nursery() as asking:
        asking.start_soon(serve)
        for number in range(20):
            asking.start_soon(ask, number)
    assert {number: b"%d" % (2 * number) for number in range(20)} == answers
    assert {} == client._requests


async def test_a_request_that_nobody_hears_fails_at_once(client: NatsClient) -> None:
    with pytest.raises(NoResponders):
        await client.request("nobody", timeout=60)


async def test_a_request_that_nobody_answers_fails_in_time(client: NatsClient) -> None:
    client.subscribe("silent")
    with pytest.raises(NatsTimeout):
        await client.request("silent", timeout=0.05)


async def test_a_message_that_is_too_long_is_refused_here(client: NatsClient) -> None:
    hears = client.subscribe("long")
    with pytest.raises(PayloadTooLarge):
        await client.publish("long", b"x" * (1024 * 1024 + 1))
    await client.publish("long", b"x" * (1024 * 1024))
    assert 1024 * 1024 == len((await hears.receive()).payload)


async def test_who_receives_too_slowly_is_told_what_was_dropped(client: NatsClient) -> None:
    slow = client.subscribe("fast", max_messages=3)
    narrow = client.subscribe("fast", max_bytes=4)
    for number in range(5):
        await client.publish("fast", b"%d%d" % (number, number))
    await client.flush()
    for subscription, held in ((slow, 3), (narrow, 2)):
        with pytest.raises(MessagesDropped) as dropped:
            await subscription.receive()
        assert 5 - held == dropped.value.count
        assert [b"%d%d" % (n, n) for n in range(held)] == [
            (await subscription.receive()).payload for _ in range(held)
        ]


async def test_draining_lets_what_is_under_way_arrive_and_takes_nothing_new(
    server: NatsServer, client: NatsClient, nursery: trio.Nursery
) -> None:
    leaving = client_of(server)
    done = trio.Event()

    async def live(task_status: trio.TaskStatus[None]) -> None:
        await leaving.run(task_status=task_status)
        done.set()

    await nursery.start(live)
    hears, heard = leaving.subscribe("in"), client.subscribe("out")
    await leaving.flush()
    await client.flush()  # else what is said at once may come before the server knows who hears it
    for _ in range(50):
        await client.publish("in")
        await leaving.publish("out")
    await client.flush()
    await leaving.drain()
    with trio.fail_after(30):
        await done.wait()
    for _ in range(50):
        await hears.receive()
        await heard.receive()
    for refused in (hears.receive, lambda: leaving.publish("out"), leaving.wait_connected):
        with pytest.raises(NatsClosed):
            await refused()
    with pytest.raises(NatsClosed):
        leaving.subscribe("in")


async def test_a_start_without_a_server_says_why_for_each() -> None:
    gone = [NatsServer("n", Path(), port, "") for port in free_ports(2)]
    with pytest.raises(NatsUnavailable) as unavailable:
        await client_of(*gone).run()
    assert {str(server.address) for server in gone} == unavailable.value.reasons.keys()


async def test_what_may_not_be_published_or_heard_is_refused_and_the_rest_goes_on(
    tmp_path: Path, nursery: trio.Nursery
) -> None:
    rights = (
        'authorization { users: [{ user: u, password: p, permissions: { publish: ["cc.up.a"], '
        'subscribe: ["cc.down.a", "cc.up.a", "_INBOX.>"] } }] }\n'
    )
    with one_server(tmp_path, rights) as server:
        await server.ready()
        addresses = parse_addresses(f"nats://u:p@127.0.0.1:{server.port}")
        client = NatsClient(NatsOptions(addresses=addresses))
        await nursery.start(client.run)
        with pytest.raises(NatsRefused, match="Permissions Violation"):
            await client.request("cc.up.b", timeout=60)
        with pytest.raises(NatsRefused, match="Permissions Violation"):
            await client.request("$JS.API.INFO", timeout=60)
        client.subscribe("cc.down.b")
        await client.flush()
        assert client.last_error is not None
        assert "cc.down.b" in client.last_error
        hears = client.subscribe("cc.up.a")
        await client.publish("cc.up.a")
        await hears.receive()
        assert 0 == client.reconnects
        client.close()


async def test_it_comes_back_to_a_server_that_was_killed_and_hears_again(
    tmp_path: Path, nursery: trio.Nursery
) -> None:
    with one_server(tmp_path) as server:
        await server.ready()
        client = client_of(server, backoff=0.02)
        await nursery.start(client.run)
        hears = client.subscribe("a")
        client.subscribe("silent")
        failed: list[Exception] = []

        async def ask() -> None:
            try:
                await client.request("silent", timeout=60)
            except NatsDisconnected as error:
                failed.append(error)

        async with trio.open_nursery() as asking:
            asking.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked()
            await client.flush()
            server.kill()
        assert 1 == len(failed)
        with pytest.raises(NatsDisconnected):
            await client.publish("a")
        server.start()
        with trio.fail_after(30):
            await client.wait_connected()
        await client.publish("a", b"again")
        with trio.fail_after(30):
            assert b"again" == (await hears.receive()).payload
        assert 1 == client.reconnects
        client.close()


async def test_it_can_be_closed_while_there_is_no_server(
    tmp_path: Path, nursery: trio.Nursery
) -> None:
    with one_server(tmp_path) as server:
        await server.ready()
        client = client_of(server, backoff=60, max_backoff=60)
        done = trio.Event()

        async def live(task_status: trio.TaskStatus[None]) -> None:
            await client.run(task_status=task_status)
            done.set()

        await nursery.start(live)
        server.kill()
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert client.server is None
        client.close()
        with trio.fail_after(30):
            await done.wait()


async def test_a_client_that_was_cancelled_lets_nobody_wait(server: NatsServer) -> None:
    async with trio.open_nursery() as nursery:
        client = client_of(server)
        await nursery.start(client.run)
        hears = client.subscribe("a")
        nursery.cancel_scope.cancel()
    with pytest.raises(NatsClosed):
        await hears.receive()
    with pytest.raises(NatsClosed):
        await client.wait_connected()
