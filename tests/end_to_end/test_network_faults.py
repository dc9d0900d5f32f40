"""A host in a network namespace of its own, whose link and disk fail.

Both ends are real processes with the real Codex. The link is one pair of virtual interfaces, and
packets are dropped there without a word. That needs root, iproute2 and iptables.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import attrs
import httpx
import pytest
import trio

from command_center.actors.hosts.link.channels import SILENCE
from tests.checkout import ROOT
from tests.codex.script import Gate, Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.carried import carry
from tests.end_to_end.dialling import WITHOUT_CODEX, DialledHost, until_host
from tests.end_to_end.server import Client, Server
from tests.http import certificates

NAME: Final = f"cc{os.getpid() % 100_000}"
OURS, THEIRS = "10.203.77.1", "10.203.77.2"

NOTICED = SILENCE + 1.0
"""Seconds within which a silent link is noticed, as docs/hosts.md says."""


def does(*words: str) -> bool:
    """Run a command; return whether it could."""
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


@cache
def can_be_had() -> bool:
    """Return whether this system lets us have a network namespace."""
    if None in {shutil.which("iptables"), shutil.which("ip")}:
        return False
    return does("ip", "netns", "add", f"{NAME}p") and does("ip", "netns", "del", f"{NAME}p")


pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not can_be_had(), reason="needs root, ip netns and iptables"),
]


def run(*words: str) -> None:
    """Run a command that has to be able to."""
    subprocess.run(words, check=True, capture_output=True)


@attrs.define
class Network:
    """Two ends of a wire: the server is at ours, the host at theirs."""

    def cut(self, *chains: str) -> None:
        """Drop each packet: no end is told of it. `INPUT` or `OUTPUT` alone cuts one way."""
        for chain in chains or ("INPUT", "OUTPUT"):
            self._within("iptables", "-A", chain, "-i" if chain == "INPUT" else "-o", "theirs")

    def mend(self) -> None:
        """Let packets pass."""
        self._within("iptables", "-F", drops=False)

    def _within(self, *words: str, drops: bool = True) -> None:
        run("ip", "netns", "exec", NAME, *words, *(("-j", "DROP") if drops else ()))


@contextmanager
def namespace() -> Iterator[Network]:
    """Make the other end of the wire, and take it away."""
    run("ip", "netns", "add", NAME)
    try:
        run("ip", "link", "add", NAME, "type", "veth", "peer", "name", "theirs", "netns", NAME)
        run("ip", "addr", "add", f"{OURS}/24", "dev", NAME)
        run("ip", "link", "set", NAME, "up")
        run("ip", "-n", NAME, "addr", "add", f"{THEIRS}/24", "dev", "theirs")
        run("ip", "-n", NAME, "link", "set", "theirs", "up")
        run("ip", "-n", NAME, "link", "set", "lo", "up")
        yield Network()
    finally:
        does("ip", "netns", "del", NAME)
        does("ip", "link", "del", NAME)


@pytest.fixture
def network() -> Iterator[Network]:
    with namespace() as made:
        yield made


@attrs.frozen
class Pair:
    """The server, reached over TLS from the other end of the wire, and the host there."""

    server: Server
    client: Client
    host: DialledHost
    network: Network

    async def repository(self) -> Any:
        """The repository of the host's user."""
        wish = {"localPath": "~/project", "workplace": "main_checkout", "host": "box"}
        return await self.client.post("/api/repos", {**wish, "allowWrite": True}, status=201)


@pytest.fixture
async def pair(
    tmp_path: Path,
    network: Network,
    dialling_host: DialledHost,
    scripted_model: ScriptedModel,
) -> AsyncIterator[Pair]:
    """A server and a host that are connected over the wire."""
    async with connected(tmp_path, network, dialling_host, scripted_model) as found:
        yield found


@asynccontextmanager
async def connected(
    tmp_path: Path, network: Network, host: DialledHost, model: ScriptedModel
) -> AsyncIterator[Pair]:
    cert, key = make_certificate(tmp_path)
    settings = {
        **WITHOUT_CODEX,
        "CC_TLS_CERT": str(cert),
        "CC_TLS_KEY": str(key),
        "CC_HOST": "0.0.0.0",
        "CC_ALLOWED_HOSTS": OURS,
        "CC_API_TOKEN": "a-token-of-the-test",
    }
    server = Server(tmp_path / "data", settings).start()
    port = server.url.rpartition(":")[2]
    host.within = ("ip", "netns", "exec", NAME)
    host.environment = {**host.environment, "SSL_CERT_FILE": str(cert)}
    socket = str(tmp_path / "model.sock")
    carried = subprocess.Popen(  # noqa: ASYNC220 - it lasts as long as the host
        [*host.within, sys.executable, "-m", "tests.end_to_end.carried", str(model.port), socket],
        cwd=ROOT,
    )
    try:
        async with (
            trio.open_nursery() as nursery,
            httpx.AsyncClient(
                base_url=f"https://127.0.0.1:{port}",
                verify=certificates.trusting(cert),
                headers={"Authorization": "Bearer a-token-of-the-test"},
                timeout=30,
            ) as http,
        ):
            nursery.start_soon(serve_socket, socket, model.port)
            client = Client(server, http)
            added = await client.post("/api/hosts", {"name": "box"}, status=201)
            host.enrol(f"https://{OURS}:{port}", code=added["enrolment"]["code"])
            await until_host(client, "box", link="connected", status="connected")
            yield Pair(server, client, host, network)
            nursery.cancel_scope.cancel()
    finally:
        carried.kill()
        carried.wait()
        server.end()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Return a certificate that is good since long, whatever day a clock shows."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    run(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-nodes", "-not_before", "20200101000000Z", "-not_after", "20990101000000Z"),
        *("-keyout", str(key), "-out", str(cert), "-subj", "/CN=centre"),
        *("-addext", f"subjectAltName=IP:{OURS},IP:127.0.0.1"),
    )
    key.chmod(0o600)
    return cert, key


async def serve_socket(path: str, port: int) -> None:
    """Let the model be reached over a socket in the file system."""
    if sys.platform != "win32":
        with trio.socket.socket(trio.socket.AF_UNIX) as socket:
            await socket.bind(path)
            socket.listen(64)
            there = partial(trio.open_tcp_stream, "127.0.0.1", port)
            await trio.serve_listeners(partial(carry, there), [trio.SocketListener(socket)])


async def until_away(client: Client) -> float:
    """Return how many seconds it took until the host was told to be away."""
    began = trio.current_time()
    await until_host(client, "box", link="away")
    return trio.current_time() - began


@pytest.mark.parametrize("seconds", [3.0, 75.0])
async def test_a_link_that_only_drops_what_is_sent_is_noticed_and_no_turn_is_lost(
    pair: Pair, scripted_model: ScriptedModel, tmp_path: Path, seconds: float
) -> None:
    """A link may be away for longer than an idle app-server lives: one with a turn goes on."""
    client, repository = pair.client, await pair.repository()
    gate = Gate(120)
    outside = tmp_path / "outside.txt"
    scripted_model.script = (
        Say.text("Work", gate, "ing."),
        Run(f"echo two >> {outside}", "May I write outside?"),
    )
    session = await client.run(repository, "Work.", sandbox="workspace-write")
    await trio.to_thread.run_sync(gate.wait_until_reached)
    pair.network.cut()
    began = trio.current_time()
    if seconds > SILENCE:
        assert await until_away(client) <= NOTICED
        steer = {"message": "Faster."}
        await client.post(f"/api/sessions/{session['id']}/steer", steer, status=503)
    await trio.sleep(began + seconds - trio.current_time())
    pair.network.mend()
    await until_host(client, "box", link="connected", status="connected")
    gate.open()
    ended = await poll(client, session)
    assert "completed" == ended["status"], ended
    events = await client.get(f"/api/sessions/{session['id']}/events", limit=500)
    assert 1 == len([one for one in events["items"] if one["type"] == "session.started"])
    assert 1 == len({one.turn_id for one in scripted_model.requests})


async def poll(client: Client, session: Any) -> Any:
    """Return the session once it has ended, with all that it asks approved."""
    with trio.fail_after(120):
        while (now := await client.session(session))["finishedAt"] is None:
            for one in (await client.get("/api/approvals", status="pending"))["items"]:
                path = f"/api/approvals/{one['id']}/resolve"
                await client.http.post(path, json={"status": "approved"})
            await trio.sleep(0.2)
    return now


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 8 MB at the folder."""
    folder.mkdir(parents=True)
    run("mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        run("umount", "-l", str(folder))


async def test_a_host_whose_disk_is_full_says_so_and_goes_on_when_there_is_room(
    network: Network,
    dialling_host: DialledHost,
    scripted_model: ScriptedModel,
    tmp_path: Path,
) -> None:
    with small_disk(dialling_host.folder) as folder:
        async with connected(tmp_path, network, dialling_host, scripted_model) as pair:
            filler = folder / "filler"
            with pytest.raises(OSError, match="No space left"), filler.open("wb") as file:
                while True:
                    file.write(bytes(4096))
                    file.flush()
            # The server's next start is a number that the host has to keep, and cannot.
            port = pair.server.url.rpartition(":")[2]
            pair.server.stop()
            pair.server.settings = {**pair.server.settings, "CC_PORT": port}
            await trio.to_thread.run_sync(pair.server.start)
            with trio.fail_after(60):
                while "cannot be kept" not in dialling_host.log.read_text():  # noqa: ASYNC110 - a log
                    await trio.sleep(0.1)
            shown = await pair.client.get("/api/hosts/box")
            assert shown["link"] != "connected"
            filler.unlink()
            await until_host(pair.client, "box", link="connected", status="connected")
            repository = await pair.repository()
            scripted_model.script = (Say.text("Done."),)
            session = await pair.client.run(repository, "Work.")
            assert "completed" == (await poll(pair.client, session))["status"]
        dialling_host.end()
