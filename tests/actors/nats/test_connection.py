"""One connection: who is let in, by what, and what a hostile or dead server can do."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio
import trio.testing
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from command_center.actors.nats import connection
from command_center.actors.nats.addresses import NatsAddress, parse_addresses
from command_center.actors.nats.connection import NatsConnection, NatsOptions, open_connection
from command_center.actors.nats.credentials import (
    NatsCredentials,
    _crc16,
    _encode,
    parse_credentials,
)
from command_center.actors.nats.errors import (
    NatsDisconnected,
    NatsProtocolError,
    NatsRefused,
    PayloadTooLarge,
)
from command_center.actors.nats.wire import encode_publish
from command_center.http.config.local_authority import make_certificate
from tests.actors.nats.test_credentials import PUBLIC, SEED
from tests.nats_servers import ON_LINUX, one_server

Script = Callable[[trio.SocketStream], Awaitable[None]]

INFO = b'INFO {"headers":true,"max_payload":100}\r\n'


async def connected(address: NatsAddress, **options: object) -> NatsConnection:
    asked = NatsOptions(addresses=(address,), connect_seconds=5, **options)  # type: ignore[arg-type]
    return await open_connection(address, asked)


async def closed(connection: NatsConnection) -> None:
    connection.end("the test is over")
    await connection.run(1, lambda _: None)


async def serving(nursery: trio.Nursery, script: Script) -> NatsAddress:
    """Serve the script to each who comes, and return where."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            try:
                await script(stream)
                await trio.sleep_forever()
            except trio.BrokenResourceError:
                pass

    nursery.start_soon(trio.serve_listeners, serve, [listener])
    return NatsAddress("127.0.0.1", listener.socket.getsockname()[1])


def saying(*parts: bytes) -> Script:
    async def script(stream: trio.SocketStream) -> None:
        for part in parts:
            await stream.send_all(part)
            await stream.receive_some(4096)

    return script


@pytest.mark.parametrize(
    ("first", "error"),
    [
        (b"HTTP/1.1 400\r\n", NatsProtocolError),
        (b'INFO {"headers":false}\r\n', NatsProtocolError),
        (b"PONG\r\n", NatsProtocolError),
        (INFO + b"MSG a 1 1\r\nx\r\n", NatsProtocolError),
        (b"-ERR 'maximum connections exceeded'\r\n", NatsRefused),
    ],
)
async def test_a_server_that_greets_otherwise_is_left(first: bytes, error: type[Exception]) -> None:
    async with trio.open_nursery() as nursery:
        address = await serving(nursery, saying(first, b"MSG a 1 1\r\nx\r\n"))
        with pytest.raises(error):
            await connected(address)
        nursery.cancel_scope.cancel()


async def test_a_server_that_hangs_up_is_left() -> None:
    async def hang_up(stream: trio.SocketStream) -> None:
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        address = await serving(nursery, hang_up)
        with pytest.raises((NatsProtocolError, OSError)):
            await connected(address)
        nursery.cancel_scope.cancel()


async def test_a_server_that_says_nothing_is_left_in_time() -> None:
    async with trio.open_nursery() as nursery:
        address = await serving(nursery, saying())
        options = NatsOptions(addresses=(address,), connect_seconds=0.05)
        with pytest.raises(OSError, match=r"within 0\.05 seconds"):
            await open_connection(address, options)
        nursery.cancel_scope.cancel()


async def test_nothing_is_said_without_tls_to_a_server_that_knows_none() -> None:
    heard = bytearray()

    async def listen(stream: trio.SocketStream) -> None:
        await stream.send_all(INFO)
        heard.extend(await stream.receive_some(4096))

    async with trio.open_nursery() as nursery:
        where = await serving(nursery, listen)
        asked = NatsAddress(where.host, where.port, tls=True, user="user", password="hidden")
        with pytest.raises(NatsProtocolError, match="no TLS"):
            await connected(asked)
        nursery.cancel_scope.cancel()
    assert b"" == heard


async def test_what_was_put_before_the_tls_is_not_believed() -> None:
    info = b'INFO {"headers":true,"tls_required":true}\r\n'
    async with trio.open_nursery() as nursery:
        for more in (b"PING\r\n", b"MSG a 1 5\r\n"):
            address = await serving(nursery, saying(info + more))
            with pytest.raises(NatsProtocolError, match="without TLS"):
                await connected(address)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"-ERR 'Slow Consumer'\r\n", "Slow Consumer"),
        (b"PONG\r\n", "nobody had asked"),
        (b"MSG a 1 x\r\n", "none"),
        (b'INFO {"headers":true,"ldm":true}\r\n', "about to stop"),
    ],
)
async def test_a_connection_ends_with_its_reason(line: bytes, reason: str) -> None:
    async with trio.open_nursery() as nursery:
        address = await serving(nursery, saying(INFO, b"PONG\r\n", line))
        found = await connected(address)
        found.send_now(b"PUB a 0\r\n\r\n")
        with trio.fail_after(30):
            assert reason in await found.run(60, lambda _: None)
        with pytest.raises(NatsDisconnected, match=reason):
            found.send_now(b"PING\r\n")
        nursery.cancel_scope.cancel()


async def test_a_server_that_answers_no_ping_is_lost() -> None:
    async with trio.open_nursery() as nursery:
        address = await serving(nursery, saying(INFO, b"PONG\r\n"))
        found = await connected(address)
        with trio.fail_after(30):
            assert "silent for 0.05 seconds" in await found.run(0.05, lambda _: None)
        nursery.cancel_scope.cancel()


async def test_a_server_that_asks_and_reads_no_answer_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "MAX_WAITING", 100)

    async with trio.open_nursery() as nursery:
        address = await serving(nursery, saying(INFO, b"PONG\r\n", b"PING\r\n" * 100))
        found = await connected(address)
        found.send_now(b"x" * 10_000_000)
        with trio.fail_after(30):
            assert "does not read our answers" in await found.run(60, lambda _: None)
        nursery.cancel_scope.cancel()


async def test_who_sends_more_than_may_wait_waits_and_is_let_go_by_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "MAX_WAITING", 100)

    async with trio.open_nursery() as nursery:
        address = await serving(nursery, saying(INFO, b"PONG\r\n"))
        found = await connected(address)  # nobody runs it, so nothing is sent

        async def send_another() -> None:
            with pytest.raises(NatsDisconnected, match="it is enough"):
                await found.send(b"y" * 80)

        await found.send(b"x" * 80)
        with trio.move_on_after(0.01):
            await found.send(b"cancelled" * 9)
        nursery.start_soon(send_another)
        await trio.testing.wait_all_tasks_blocked()
        assert b"x" * 80 == found._waiting
        found.end("it is enough")
        await trio.testing.wait_all_tasks_blocked()
        await closed(found)
        nursery.cancel_scope.cancel()


async def test_a_message_that_the_server_would_not_take_is_not_sent() -> None:
    async with trio.open_nursery() as nursery:
        address = await serving(nursery, saying(INFO, b"PONG\r\n"))
        found = await connected(address)
        with pytest.raises(PayloadTooLarge):
            await found.send(encode_publish("a", b"x" * 101), size=101)
        await closed(found)
        nursery.cancel_scope.cancel()


@ON_LINUX
async def test_users_tokens_and_keys_are_let_in_and_others_are_not(tmp_path: Path) -> None:
    users = (
        f'authorization {{ users: [{{user: "ann", password: "a b:c"}}, {{nkey: "{PUBLIC}"}}] }}\n'
    )
    with one_server(tmp_path, users) as server:
        await server.ready()
        (ann,) = parse_addresses(f"nats://ann:a%20b%3Ac@127.0.0.1:{server.port}")
        await closed(await connected(ann))
        await closed(await connected(server.address, credentials=parse_credentials(SEED)))
        (eve,) = parse_addresses(f"nats://ann:wrong@127.0.0.1:{server.port}")
        for refused, key in ((eve, None), (server.address, None), (server.address, new_key()[0])):
            with pytest.raises(NatsRefused, match="Authorization Violation"):
                await connected(refused, credentials=key)


@ON_LINUX
async def test_a_token_is_let_in_by_tls_alone(tmp_path: Path) -> None:
    made = make_certificate(tmp_path / "tls", ["127.0.0.1"])
    files = f"cert_file: {json.dumps(str(made.certificate))}, key_file: {json.dumps(str(made.key))}"
    with one_server(tmp_path, f'authorization {{ token: "t" }}\ntls {{ {files} }}\n') as server:
        trusted = ssl.create_default_context(cafile=made.authority)
        await server.ready(tls=trusted)
        (address,) = parse_addresses(f"tls://t@127.0.0.1:{server.port}")
        found = await connected(address, tls=trusted)
        assert isinstance(found._stream, trio.SSLStream)
        await closed(found)
        with pytest.raises(OSError, match="certificate verify failed"):
            await connected(address)


@ON_LINUX
async def test_a_credentials_file_is_let_in_by_its_operator(tmp_path: Path) -> None:
    (_, operator, sign_operator) = new_key("O")
    (_, account, sign_account) = new_key("A")
    seed, user, _ = new_key("U")
    kind = {"type": "operator", "version": 2}
    by_operator = jwt(operator, operator, kind, sign_operator)
    limits = {"subs": -1, "data": -1, "payload": -1, "conn": -1, "imports": -1, "exports": -1}
    of_account = jwt(
        operator, account, {"type": "account", "version": 2, "limits": limits}, sign_operator
    )
    free = {"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1}
    of_user = jwt(account, user, free, sign_account)
    more = (
        f"operator: {by_operator}\nresolver: MEMORY\n"
        f"resolver_preload: {{ {account}: {of_account} }}\n"
    )
    with one_server(tmp_path, more, has_jetstream=False) as server:
        await server.ready()
        await closed(
            await connected(server.address, credentials=NatsCredentials(seed.seed, of_user))
        )
        with pytest.raises(NatsRefused, match="Authorization Violation"):
            await connected(server.address, credentials=NatsCredentials(SEED, of_user))


def new_key(kind: str = "U") -> tuple[NatsCredentials, str, Ed25519PrivateKey]:
    """Make a key: its seed, its public part as NATS writes it, and what signs with it."""
    byte = {"O": 14, "A": 0, "U": 20}[kind] << 3
    key = Ed25519PrivateKey.generate()
    prefix = bytes([18 << 3 | byte >> 5, (byte & 0b11111) << 3])
    raw = key.private_bytes_raw()
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return NatsCredentials(_encode(prefix + raw)), _encode(bytes([byte]) + public), key


def jwt(issuer: str, subject: str, claims: dict[str, object], key: Ed25519PrivateKey) -> str:
    """Return claims as NATS wants them signed."""
    body = {"jti": "1", "iat": 1, "iss": issuer, "sub": subject, "name": "test", "nats": claims}
    head = {"typ": "JWT", "alg": "ed25519-nkey"}
    signed = f"{_b64(json.dumps(head).encode())}.{_b64(json.dumps(body).encode())}"
    return f"{signed}.{_b64(key.sign(signed.encode()))}"


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def test_the_checksum_of_keys_is_the_one_that_nats_computes() -> None:
    assert 0x31C3 == _crc16(b"123456789")
