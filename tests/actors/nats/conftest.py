"""A real server for the tests of a module, and a client of it for each test."""

from collections.abc import AsyncIterator, Iterator

import pytest
import trio

from command_center.actors.nats.client import NatsClient
from command_center.actors.nats.jetstream import JetStream
from tests.nats_servers import NatsServer, client_of, one_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """One server that all tests of a module use; none may stop it."""
    with one_server(tmp_path_factory.mktemp("nats")) as started:
        yield started


@pytest.fixture
async def client(server: NatsServer, nursery: trio.Nursery) -> AsyncIterator[NatsClient]:
    """A client that is connected."""
    await server.ready()
    found = client_of(server)
    await nursery.start(found.run)
    yield found
    found.close()


@pytest.fixture
def jetstream(client: NatsClient) -> JetStream:
    """Its streams."""
    return JetStream(client)
