"""Three servers, one of them killed or frozen: what was acknowledged stays, and is read once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from command_center.actors.nats.client import NatsClient
from command_center.actors.nats.errors import (
    JetStreamRefused,
    NatsDisconnected,
    NatsTimeout,
    NoResponders,
    WrongLastSequence,
)
from command_center.actors.nats.follower import StreamFollower
from command_center.actors.nats.jetstream import JetStream
from tests.nats_servers import ON_LINUX, NatsServer, client_of, stream_of, three_servers

pytestmark = ON_LINUX

LATER = (JetStreamRefused, NatsDisconnected, NatsTimeout, NoResponders)
"""Errors after which a publisher does not know, or may try again."""


async def publish_on(jetstream: JetStream, acknowledged: list[int], until: int) -> None:
    """Publish numbered messages, each expected to be the next, and find out what became of each."""
    while (expected := len(acknowledged)) < until:
        try:
            found = await jetstream.publish("log.a", b"%d" % expected, expect_last=expected)
            acknowledged.append(found.sequence)
        except WrongLastSequence:
            # The one before was stored, and its acknowledgement was lost.
            there = await jetstream.get_message("log", expected + 1)
            assert b"%d" % expected == there.payload
            acknowledged.append(there.sequence)
        except LATER:
            await trio.sleep(0.05)


async def through(
    servers: list[NatsServer], strike: Callable[[NatsServer], None], *, at: str
) -> None:
    """Publish and read 300 messages, while one server is struck."""
    async with trio.open_nursery() as nursery:
        for server in servers:
            await server.ready()
        client = client_of(*servers, ping_seconds=1.0)
        await nursery.start(client.run)
        jetstream = JetStream(client, timeout=1.0)
        await stream_of(jetstream, "log", replicas=3)
        acknowledged: list[int] = []
        read: list[tuple[int, bytes]] = []

        async def follow() -> None:
            follower = StreamFollower(jetstream, "log", heartbeat=1.0)
            while len(read) < 300:
                message = await follower.receive()
                read.append((message.sequence, message.payload))

        with trio.fail_after(45):
            async with trio.open_nursery() as working:
                working.start_soon(follow)
                await publish_on(jetstream, acknowledged, 100)
                strike(await struck(client, jetstream, servers, at))
                begun = trio.current_time()
                await publish_on(jetstream, acknowledged, 101)
                pause = trio.current_time() - begun
                await publish_on(jetstream, acknowledged, 300)
        assert [*range(1, 301)] == acknowledged
        assert [(number + 1, b"%d" % number) for number in range(300)] == read
        assert pause <= 10
        nursery.cancel_scope.cancel()


async def struck(
    client: NatsClient, jetstream: JetStream, servers: list[NatsServer], at: str
) -> NatsServer:
    if at == "ours":
        name: str | None = client.server
    else:
        name = (await jetstream.stream_info("log")).cluster.leader
    return next(server for server in servers if server.name == name)


async def test_the_streams_leader_is_killed(tmp_path: Path) -> None:
    with three_servers(tmp_path) as servers:
        await through(servers, NatsServer.kill, at="leader")


if sys.platform != "win32":

    @pytest.mark.chaos
    @pytest.mark.parametrize("at", ["ours", "leader"])
    async def test_a_server_is_frozen(tmp_path: Path, at: str) -> None:
        with three_servers(tmp_path) as servers:
            await through(servers, NatsServer.freeze, at=at)

    @pytest.mark.chaos
    async def test_ours_is_killed(tmp_path: Path) -> None:
        with three_servers(tmp_path) as servers:
            await through(servers, NatsServer.kill, at="ours")
