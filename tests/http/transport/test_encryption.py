"""TLS on our connections, with real certificates."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import structlog
import trio
from trio_websocket import open_websocket_url

from command_center.http.app import create_app
from command_center.http.middleware.gate import Policy
from command_center.http.transport.encryption import Certificate, UnusableCertificate
from command_center.http.transport.listen import BoundAddress
from tests.actors.automations.rig import opened
from tests.checkout import ROOT
from tests.end_to_end.server import Server
from tests.http.certificates import make, replace, trusting
from tests.http.guarded import open_app
from tests.http.live import served

LAST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def encrypted_to(
    address: BoundAddress, *certs: Path
) -> AsyncIterator[trio.SSLStream[trio.SocketStream]]:
    """A client's connection, which wants the end of TLS, too."""
    stream = await trio.open_ssl_over_tcp_stream(
        "127.0.0.1", address.port, ssl_context=trusting(*certs)
    )
    with trio.fail_after(20):
        try:
            await stream.do_handshake()
            yield stream
        finally:
            await trio.aclose_forcefully(stream)


def name_of(stream: trio.SSLStream[trio.SocketStream]) -> str:
    """Return the name in the certificate that the server showed."""
    shown = stream.getpeercert()
    return str(dict(pair[0] for pair in shown["subject"])["commonName"])


async def test_requests_are_answered_and_the_connection_is_kept(tmp_path: Path) -> None:
    files = make(tmp_path)
    async with (
        served(open_app(), certificate=Certificate(*files)) as address,
        httpx.AsyncClient(base_url=address.url, verify=trusting(files[0])) as client,
    ):
        assert address.url.startswith("https://")
        for size in (0, 1, 200_000):
            answer = await client.post(
                "/api/things", content=b" " * size, headers={"Content-Type": "application/json"}
            )
            assert {"bytes": size} == answer.json()
        pool: object = client._transport._pool.connections  # type: ignore[attr-defined]
        assert 1 == len(pool)  # type: ignore[arg-type]


async def test_a_connection_ends_as_tls_does(tmp_path: Path) -> None:
    files = make(tmp_path)
    async with (
        served(open_app(), certificate=Certificate(*files)) as address,
        encrypted_to(address, files[0]) as stream,
    ):
        await stream.send_all(LAST)
        answer = b""
        while part := await stream.receive_some():  # without its end this raises
            answer += part
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(b"<!doctype html>")


async def test_a_websocket_has_every_event(tmp_path: Path) -> None:
    files = make(tmp_path)
    async with opened(tmp_path) as rig:
        app = create_app(rig.center, Policy())
        async with served(app, certificate=Certificate(*files)) as address:
            url = f"wss://127.0.0.1:{address.port}/api/events/stream?after=0"
            async with (
                httpx.AsyncClient(base_url=address.url, verify=trusting(files[0])) as client,
                open_websocket_url(url, ssl_context=trusting(files[0])) as socket,
            ):
                task = {"repositoryId": 1, "title": "a", "prompt": "b" * 100_000}
                for _ in range(5):
                    assert 201 == (await client.post("/api/tasks", json=task)).status_code
                told: list[str] = []
                with trio.fail_after(20):
                    while told.count("task.created") < 5:
                        told.append(json.loads(await socket.get_message())["type"])
            async with encrypted_to(address, files[0]) as stream:
                asked = b"GET /api/events/stream?after=0 HTTP/1.1\r\nHost: localhost\r\n"
                await stream.send_all(asked + b"Accept: text/event-stream\r\n\r\n")
                read = b""
                while read.count(b'"type":"task.created"') < 5:
                    read += await stream.receive_some()


async def test_a_changed_certificate_counts_from_the_next_connection_on(tmp_path: Path) -> None:
    files, others = make(tmp_path, "first"), make(tmp_path, "second")
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(files[0].read_bytes() + others[0].read_bytes())
    async with (
        served(open_app(), certificate=Certificate(*files)) as address,
        encrypted_to(address, trusted) as before,
    ):
        assert "first" == name_of(before)
        replace(files, others)
        async with encrypted_to(address, trusted) as after:
            assert "second" == name_of(after)
        await before.send_all(LAST)
        assert (await before.receive_some()).startswith(b"HTTP/1.1 200")


async def test_what_cannot_be_used_leaves_the_one_before_and_is_told_once(tmp_path: Path) -> None:
    files, others = make(tmp_path, "first"), make(tmp_path, "second")
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(files[0].read_bytes() + others[0].read_bytes())
    certificate = Certificate(*files)
    async with served(open_app(), certificate=certificate) as address:
        others[0].replace(files[0])  # and its key comes later
        with structlog.testing.capture_logs() as logged:
            for _ in range(2):
                async with encrypted_to(address, trusted) as stream:
                    assert "first" == name_of(stream)
        (told,) = [line for line in logged if line["event"] == "certificate.unusable"]
        assert "fit each other" in told["reason"]
        others[1].replace(files[1])
        async with encrypted_to(address, trusted) as stream:
            assert "second" == name_of(stream)


async def test_who_speaks_no_tls_ends_only_their_own_connection(tmp_path: Path) -> None:
    files = make(tmp_path)
    async with served(open_app(), certificate=Certificate(*files)) as address:
        for sent in (LAST, b"\x16\x03\x01\xff\xff" + b"x" * 70_000, b""):
            async with await trio.open_tcp_stream("127.0.0.1", address.port) as stream:
                with trio.fail_after(20):
                    try:
                        await stream.send_all(sent)
                        await stream.send_eof()
                        while await stream.receive_some():
                            pass
                    except trio.BrokenResourceError:
                        pass  # which closes it, too
        async with encrypted_to(address, files[0]) as client:
            await client.send_all(LAST)
            assert (await client.receive_some()).startswith(b"HTTP/1.1 200")


@pytest.mark.skipif(sys.platform == "win32", reason="there it is not told by a mode")
def test_a_key_that_everybody_may_read_is_refused(tmp_path: Path) -> None:
    cert, key = make(tmp_path)
    key.chmod(0o604)
    with pytest.raises(UnusableCertificate, match="chmod 600"):
        Certificate(cert, key)


def test_what_is_no_certificate_is_refused_in_a_line(tmp_path: Path) -> None:
    cert, key = make(tmp_path)
    other, _ = make(tmp_path, "other")
    empty = tmp_path / "empty.pem"
    empty.touch(mode=0o600)
    locked = tmp_path / "locked.pem"
    subprocess.run(
        ["openssl", "pkcs8", "-topk8", "-in", key, "-out", locked, "-passout", "pass:a"],  # noqa: S607 - it is on the PATH
        check=True,
        capture_output=True,
    )
    locked.chmod(0o600)
    for pair, words in (
        ((other, key), "fit each other"),
        ((empty, key), "fit each other"),
        ((cert, tmp_path / "none.pem"), "cannot be read"),
        ((tmp_path / "none.pem", key), "cannot be read"),
        ((cert, locked), "password"),
    ):
        with pytest.raises(UnusableCertificate, match=words) as refused:
            Certificate(*pair)
        assert "\n" not in str(refused.value)


def test_older_versions_of_tls_are_not_spoken(tmp_path: Path) -> None:
    assert Certificate(*make(tmp_path)).context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_a_server_with_a_certificate_is_told_and_asked_by_https(tmp_path: Path) -> None:
    cert, key = make(tmp_path)
    settings = {"CC_TLS_CERT": str(cert), "CC_TLS_KEY": str(key), "CC_CODEX_RUNNER_MODE": "stub"}
    server = Server(tmp_path / "data", settings).start()
    try:
        assert server.url.startswith("https://127.0.0.1:")
        port = server.url.rpartition(":")[2]
        shown = subprocess.run(
            [sys.executable, "-m", "command_center.http", "pair"],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "PYTHONUTF8": "1", "CC_PORT": port, **settings},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=60,
        )
        assert (0, "") == (shown.returncode, shown.stderr)
        assert f"{server.url}/#/pair/" in shown.stdout
    finally:
        server.end()
