"""A host over ssh: OpenSSH's own server on the loopback, with a home and a PATH of its own."""

from __future__ import annotations

import getpass
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import attrs
import psutil
import pytest
import trio

from tests.actors.git.ssh_server import (
    SshServer,
    make_key,
    program,
    serve_ssh,
    ssh_command,
)
from tests.codex.script import AddFile, Gate, Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.dialling import WITHOUT_CODEX, until_host
from tests.end_to_end.server import Client, Server, client_of


@attrs.frozen
class Box:
    """The other machine, and the folder in front of our PATH that has our `ssh`."""

    server: SshServer
    home: Path
    ours: Path

    @property
    def wish(self) -> dict[str, str]:
        """Return what adds it."""
        address = f"{getpass.getuser()}@127.0.0.1:{self.server.port}"
        return {"name": "box", "kind": "ssh", "address": address}

    def know(self, known_hosts: str) -> None:
        """Have our ssh read that known_hosts as its user's own."""
        key = str(self.ours / "key")
        command = ssh_command(self.ours, known_hosts=known_hosts, IdentityFile=key)
        (self.ours / "ssh").write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (self.ours / "ssh").chmod(0o700)


@pytest.fixture
def box(tmp_path: Path, other_machine: dict[str, str]) -> Iterator[Box]:
    """The other machine has nothing of ours."""
    ours = tmp_path / "ours"
    ours.mkdir()
    variables = {**other_machine, "SHELL": "/bin/sh"}
    with serve_ssh(tmp_path / "box" / "sshd", **variables) as server:
        server.let_in(make_key(ours / "key"))
        found = Box(server, Path(variables["HOME"]), ours)
        found.know("")
        yield found


@pytest.fixture
def server(tmp_path: Path, box: Box) -> Iterator[Server]:
    """The server, whose PATH has our `ssh`."""
    path = {"PATH": f"{box.ours}:{os.environ['PATH']}"}
    found = Server(tmp_path / "data", {**WITHOUT_CODEX, **path}).start()
    try:
        yield found
    finally:
        found.end()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    """A client of that server."""
    async with client_of(server) as found:
        yield found


def fingerprint(box: Box) -> str:
    said = subprocess.run(
        [program("ssh-keygen"), "-lf", str(box.server.folder / "host.pub")],
        check=True,
        capture_output=True,
        text=True,
    )
    return said.stdout.split()[1]


def our_ssh(box: Box) -> psutil.Process:
    """Return the ssh that holds the link."""
    (found,) = [
        one
        for one in psutil.process_iter(["cmdline"])
        if {"UpdateHostKeys=no", str(box.ours / "ssh_config")} <= {*(one.info["cmdline"] or ())}
    ]
    return found


async def remove(client: Client, repository: Any) -> None:
    """It is not removed while repositories are on it."""
    kept = (await client.http.delete("/api/hosts/box")).json()["error"]
    assert "1 repository lies on host box" in kept["message"]
    assert 200 == (await client.http.delete(f"/api/repos/{repository['id']}")).status_code
    assert 200 == (await client.http.delete("/api/hosts/box")).status_code
    assert ["local"] == [one["name"] for one in (await client.get("/api/hosts"))["items"]]


async def test_work_goes_on_on_a_machine_that_has_nothing_of_ours(
    client: Client, box: Box, server: Server, scripted_model: ScriptedModel
) -> None:
    # Its key is asked for once, and nothing that is no address goes to ssh.
    for address in ("-oProxyCommand=touch${IFS}x", "ada@-oProxyCommand=x", "a b", "box;id"):
        await client.post("/api/hosts", {**box.wish, "address": address}, status=400)
    key = fingerprint(box)
    asked = (await client.post("/api/hosts", box.wish, status=409))["error"]
    assert key == asked["facts"]["hostKey"]
    assert f"Its fingerprint is {key}." in asked["message"]
    wrong = {**box.wish, "hostKey": "SHA256:x"}
    assert (
        "shows the key" in (await client.post("/api/hosts", wrong, status=409))["error"]["message"]
    )
    assert not (box.home / ".cache").exists(), "a machine that nobody has accepted got our program"
    made = await client.post("/api/hosts", {**box.wish, "hostKey": key}, status=201)
    assert ("ssh", box.wish["address"]) == (made["kind"], made["address"])
    await until_host(client, "box", link="connected", status="connected", appServer="detached")

    # A run asks, and is shown, on that machine.
    wish = {"localPath": "~/project", "workplace": "main_checkout", "host": "box"}
    repository = await client.post("/api/repos", {**wish, "allowWrite": True}, status=201)
    assert str(box.home / "project") == repository["localPath"]
    scripted_model.script = (
        AddFile("new.txt", "hello"),
        Run("touch asked", "May I?"),
        Say.text("Done."),
    )
    session = await client.run(repository, "Write.", sandbox="workspace-write")
    await client.until_session(session, "waiting_approval")
    (approval,) = (await client.get("/api/approvals", status="pending"))["items"]
    await client.post(f"/api/approvals/{approval['id']}/resolve", {"status": "approved"})
    ended = await client.until_session(session)
    assert "completed" == ended["status"], ended["exitReason"]
    assert (box.home / "project" / "asked").exists()
    changes = await client.get(f"/api/sessions/{session['id']}/changes")
    assert ["new.txt"] == [file["path"] for file in changes["items"]]

    # The link is cut in the middle of a turn, and the server restarted: that goes on there, and is
    # joined again.
    gate = Gate()
    scripted_model.script = (Say.text("Work", gate, "ing."),)
    session = await client.run(repository, "Work.")
    await trio.to_thread.run_sync(gate.wait_until_reached)
    async with client.watch(after=0) as stream:
        our_ssh(box).kill()
        away = await stream.until("host.away", name="box")
        await stream.until("host.connected", name="box")
    assert away["data"]["reason"]
    server.stop()
    server.start()
    async with client_of(server) as again:
        await until_host(again, "box", link="connected", status="connected")
        gate.open()
        ended = await again.until_session(session)
        assert ("completed", "Working.") == (ended["status"], ended["lastMessage"])

        # A turn is stopped there.
        gate = Gate()
        scripted_model.script = (Say.text("Wait", gate, "ing."),)
        session = await again.run(repository, "Wait.")
        await trio.to_thread.run_sync(gate.wait_until_reached)
        await again.post(f"/api/sessions/{session['id']}/stop")
        await again.until_session(session, "stopped", "interrupted")
        gate.open()
        await remove(again, repository)


async def test_a_machine_that_cannot_be_a_host_says_what_to_do(
    client: Client, box: Box, server: Server
) -> None:
    async def refused() -> str:
        answer = await client.post("/api/hosts", box.wish, status=409)
        return str(answer["error"]["message"])

    other = box.ours / "other"
    make_key(other)
    kind, key = other.with_suffix(".pub").read_text().split()[:2]
    box.know(f"[127.0.0.1]:{box.server.port} {kind} {key}\n")
    assert "somebody may stand between" in await refused()

    box.know(box.server.known_host)
    allowed = box.server.folder / "authorized_keys"
    keys = allowed.read_text()
    allowed.write_text("")
    assert "does not let this server's user in" in await refused()
    allowed.write_text(keys)

    config = box.server.folder / "sshd_config"
    with_python = config.read_text()
    config.write_text(with_python.replace(":/usr/bin:/bin", ""))
    assert "Install Python 3.11 or newer" in await refused()
    config.write_text(with_python)

    await client.post("/api/hosts", box.wish, status=201)
    await until_host(client, "box", link="connected")
    wish = {"localPath": "~/project", "workplace": "main_checkout", "host": "box"}
    await client.post("/api/repos", wish, status=201)
    allowed.write_text("")
    our_ssh(box).kill()
    shown = await until_host(client, "box", link="refused")
    assert "The host is away: It does not let" in shown["message"]
    assert shown["nextTryAt"] > shown["lastSeenAt"]
    with trio.fail_after(2):  # at once, whatever ssh is waiting for
        answer = await client.post("/api/repos", {**wish, "localPath": "~"}, status=503)
    assert "Host box is away:" in answer["error"]["message"]

    # A server waits for no machine of its repositories as it starts.
    server.stop()
    server.start()
    async with client_of(server) as again:
        with trio.fail_after(30):
            shown = await until_host(again, "box", link="refused")
        assert shown["lastSeenAt"], "when it was seen is known after a restart"

        # It is tried again when a person says so, long before its time.
        allowed.write_text(keys)
        await again.post("/api/hosts/box/retry", {})
        with trio.fail_after(30):
            shown = await until_host(again, "box", link="connected")
        assert shown["load"]["processors"]
