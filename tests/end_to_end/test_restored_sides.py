"""A host or the server that is put back to an earlier day, copied, or of another version.

Both ends are real processes with the real Codex.
"""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import trio

from command_center.actors.hosts.local.codex import detached
from tests.codex.script import Gate, Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.dialling import SECONDS, DialledHost, until_host
from tests.end_to_end.server import Client, Server, client_of
from tests.end_to_end.test_restores import typed

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

SOCKETS = shutil.ignore_patterns("*.sock")

OTHER_VERSION = """
import sys
from command_center.actors.hosts.link import channels, dialect
exec(sys.argv[1])
from command_center.http.cli.main import main
main(sys.argv[5:])
"""
"""A host's program of another version; it is given the change, and what would start it."""

OLDER_PORT = "dialect.version = lambda: '0.0.1'; dialect.digest = lambda: 'another'"
NEWER_PORT = "dialect.version = lambda: '999.0'; dialect.digest = lambda: 'another'"


async def connect(client: Client, host: DialledHost, name: str = "box") -> None:
    """Enrol a host, and wait until it is there."""
    added = await client.post("/api/hosts", {"name": name}, status=201)
    host.enrol(client.server.url, code=added["enrolment"]["code"])
    await until_host(client, name, link="connected", status="connected")


async def repository_of(client: Client, name: str = "box") -> Any:
    """Register the repository of the host's user."""
    wish = {"localPath": "~/project", "workplace": "main_checkout", "host": name}
    return await client.post("/api/repos", {**wish, "allowWrite": True}, status=201)


async def until_log(host: DialledHost, words: str) -> None:
    """Return once the host has said so in its log."""
    with trio.fail_after(SECONDS):
        while words not in host.log.read_text():  # noqa: ASYNC110 - a log
            await trio.sleep(0.1)


async def refusals(client: Client) -> list[str]:
    """Return why hosts were refused."""
    events = (await client.get("/api/events", type="host.refused"))["items"]
    return [event["data"]["reason"] for event in events]


async def until_refused(client: Client, words: str) -> None:
    """Return once a host was refused with such a reason."""
    with trio.fail_after(SECONDS):
        while not any(words in reason for reason in await refusals(client)):  # noqa: ASYNC110 - events of a server
            await trio.sleep(0.1)


async def enrol_anew(client: Client, host: DialledHost) -> None:
    """Enrol a host that is known once more, as its refusal says."""
    code = (await client.post("/api/hosts/box/enrolment", status=201))["code"]
    host.enrol(client.server.url, code=code)
    await until_host(client, "box", link="connected", status="connected")


async def test_a_host_restored_from_an_old_image_is_kept_out_until_it_is_enrolled_anew(
    centre_client: Client,
    dialling_host: DialledHost,
    scripted_model: ScriptedModel,
    tmp_path: Path,
) -> None:
    client, box = centre_client, dialling_host
    await connect(client, box)
    repository = await repository_of(client)
    box.stop()
    image = tmp_path / "image"
    shutil.copytree(box.folder, image, ignore=SOCKETS)
    for _ in range(2):
        box.start()
        await until_host(client, "box", link="connected", status="connected")
        scripted_model.script = (Say.text("Done."),)
        session = await client.run(repository, "Work.")
        assert "completed" == (await client.until_session(session))["status"]
        box.stop()
        await until_host(client, "box", link="away")

    detached.end(detached.folder_of(box.folder))  # no process outlives a machine
    shutil.rmtree(box.folder)
    shutil.copytree(image, box.folder)
    box.start()
    await until_refused(client, "restored from an old image")
    await until_log(box, "restored from an old image")
    shown = await client.get("/api/hosts/box")
    assert "connected" != shown["link"]
    box.stop()

    await enrol_anew(client, box)
    scripted_model.script = (Say.text("Back."),)
    session = await client.until_session(await client.run(repository, "Work."))
    assert ("completed", "Back.") == (session["status"], session["lastMessage"])
    assert 1 == len(await refusals(client))


async def test_of_two_machines_with_one_name_one_works_and_the_other_is_told(
    centre_client: Client,
    dialling_host: DialledHost,
    scripted_model: ScriptedModel,
    tmp_path: Path,
) -> None:
    client, box = centre_client, dialling_host
    await connect(client, box)
    await client.post("/api/hosts", {"name": "box"}, status=409)
    repository = await repository_of(client)
    outside = tmp_path / "outside.txt"
    copy = DialledHost(tmp_path / "copy" / "data", box.environment)
    shutil.copytree(box.folder, copy.folder, ignore=shutil.ignore_patterns("codex"))
    gate = Gate(SECONDS)
    scripted_model.script = (Say.text("Work", gate, "ing."), Run(f"echo >> {outside}", "May I?"))
    session = await client.run(repository, "Work.", sandbox="workspace-write")
    await trio.to_thread.run_sync(gate.wait_until_reached)
    try:
        copy.start()  # it counts one more start, so it is taken for the machine
        await until_log(box, "has connected anew")
        await until_log(box, "This is start 1")  # and the machine is told when it dials again
        await until_log(copy, "host.connected")
        assert 1 == len(await refusals(client))
    finally:
        gate.open()
        copy.end()
    ended = await client.session(session)
    assert ended["status"] in {"running", "interrupted", "failed"}, ended
    assert not outside.exists(), "nothing was approved"

    box.stop()
    await enrol_anew(client, box)
    copy.start()  # its key is worthless now
    try:
        await until_log(copy, "No host has this key")
        if ended["status"] == "running":
            await client.post(f"/api/sessions/{session['id']}/stop")
        scripted_model.script = (Say.text("Mine."),)
        other = await client.until_session(await client.run(repository, "Work."))
        assert ("completed", "Mine.") == (other["status"], other["lastMessage"])
    finally:
        copy.end()
    turns = {one.turn_id for one in scripted_model.requests}
    assert 2 == len(turns), "each prompt was sent once"


async def test_a_server_put_back_from_a_backup_has_its_hosts_back_and_joins_their_turns(
    centre: Server, dialling_host: DialledHost, scripted_model: ScriptedModel
) -> None:
    """A turn that ran is joined, not begun again. One that waited in the backup begins again."""
    server, box = centre, dialling_host
    backup = str(server.data_dir.with_name("backup"))
    before, after = Gate(SECONDS), Gate(SECONDS)
    async with client_of(server) as client:
        await connect(client, box)
        repository = await repository_of(client)
        scripted_model.script = (Say.text("Be", before, "fore."),)
        first = await client.run(repository, "Before.")
        await trio.to_thread.run_sync(before.wait_until_reached)
        await client.until_session(first, "running")
        waiting = await client.run(repository, "Waits.", sandbox="workspace-write")
        former = (await client.get("/health"))["logId"]
        typed(server, "backup", backup)
        before.open()
        assert "completed" == (await client.until_session(first))["status"]
        scripted_model.script = (Say.text("Waited."),)
        await client.until_session(waiting)
        scripted_model.script = (Say.text("Af", after, "ter."),)
        unknown = await client.run(repository, "After.")
        await trio.to_thread.run_sync(after.wait_until_reached)
    port = server.url.rpartition(":")[2]
    server.kill()
    typed(server, "restore", backup)
    server.settings = {**server.settings, "CC_PORT": port}
    server.start()
    async with client_of(server) as client:
        assert former != (await client.get("/health"))["logId"]
        await until_host(client, "box", link="connected", status="connected")
        assert "completed" == (await client.until_session(first))["status"]
        after.open()
        await client.until_session(waiting)
        scripted_model.script = (Say.text("On."),)
        on = await client.until_session(await client.run(repository, "On."))
        assert ("completed", "On.") == (on["status"], on["lastMessage"])
        assert unknown["id"] == on["id"], "the server knows nothing of what began after the backup"
        assert [] == await refusals(client)
    turns = {one.turn_id: one.prompt for one in scripted_model.requests}
    assert Counter({"Before.": 1, "Waits.": 2, "After.": 1, "On.": 1}) == Counter(turns.values())


@pytest.mark.parametrize(
    ("change", "side"),
    [
        ("channels.PROTOCOL += 1", "this side"),
        ("channels.PROTOCOL -= 1", "the other side"),
        (NEWER_PORT, "this side"),
        (OLDER_PORT, "the other side"),
    ],
)
async def test_a_host_of_another_version_is_refused_with_the_side_to_update(
    centre_client: Client, dialling_host: DialledHost, change: str, side: str
) -> None:
    client, box = centre_client, dialling_host
    box.within = (sys.executable, "-c", OTHER_VERSION, change)
    added = await client.post("/api/hosts", {"name": "box"}, status=201)
    box.enrol(client.server.url, code=added["enrolment"]["code"])
    await until_refused(client, f"update {side}")
    theirs = {"this side": "the other side", "the other side": "this side"}[side]
    await until_log(box, f"update {theirs}")
    assert "connected" != (await client.get("/api/hosts/box"))["link"]
    box.stop()
    # A version that declares the port alike works.
    box.within = (sys.executable, "-c", OTHER_VERSION, "dialect.version = lambda: '0.0.1'")
    box.start()
    await until_host(client, "box", link="connected", status="connected")
