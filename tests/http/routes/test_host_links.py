"""The ways in for machines that dial out, and who is kept out."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from command_center.actors.devices.roster import hash_of
from command_center.actors.hosts.daemon.centre_link import CentreLink
from command_center.actors.hosts.daemon.dialling import Dialled
from command_center.actors.hosts.daemon.identity import CentreNumber, HostFiles, HostIdentity
from command_center.actors.hosts.dial import keeper
from command_center.actors.hosts.link.channels import Channels, LinkEnded, refuse_link
from command_center.runtime import ActorRef, ChildSpec, SupervisorSpec, open_system
from command_center.runtime.context import Context
from command_center.store import host_keys, host_states, log_identity
from command_center.store.host_life import HostLife
from tests.http.linked import OWNER, TOKEN, Centre, life, linked_centre


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[Centre]:
    async with linked_centre(tmp_path) as centre:
        yield centre


UNKNOWN = "No host has this key"


def hello(told: bytes) -> bytes:
    """The first frame of a link."""
    return struct.pack(">BII", 6, 0, len(told)) + told


async def goodbye(connection: Dialled) -> str:
    """The reason with which the server closes a connection."""
    with trio.fail_after(20):
        while connection.connection.closed is None:  # noqa: ASYNC110 - in another task
            await trio.sleep(0.01)
    return connection.goodbye


@asynccontextmanager
async def serving(connection: Dialled) -> AsyncIterator[None]:
    """Speak the link over a connection, and do nothing that is asked."""

    async def run() -> None:
        with contextlib.suppress(LinkEnded):
            await Channels(connection.stream, connection.stream).run()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        yield
        nursery.cancel_scope.cancel()


async def test_a_code_gives_one_machine_a_key_that_opens_its_link_and_nothing_else(
    centre: Centre,
) -> None:
    code = await centre.add()
    assert 401 == (await centre.client.post("/api/hosts", json={"name": "x"})).status_code
    assert 401 == (await centre.enrol("AAAA-AAAA-AAAA-AAAA")).status_code
    enrolled = await centre.enrol(code.lower().replace("-", " "))
    assert (201, "box") == (enrolled.status_code, enrolled.json()["name"])
    assert 401 == (await centre.enrol(code)).status_code
    key = enrolled.json()["key"]
    bearer = {"Authorization": f"Bearer {key}"}
    assert 401 == (await centre.client.get("/api/hosts", headers=bearer)).status_code
    assert UNKNOWN in await centre.refused(TOKEN, life(1))
    assert UNKNOWN in await centre.refused("cch_x", life(1))
    assert "Expected a number" in await centre.refused(key, HostLife(1, "short"))
    async with centre.link(key, life(1)):
        pass
    assert {"name": "box"} == await centre.until("host.enrolled")


async def test_a_host_of_one_name_is_there_once(centre: Centre) -> None:
    await centre.add()
    for body, status in (
        ({"name": "box"}, 409),
        ({"name": "local"}, 409),
        ({"name": "far", "kind": "ssh"}, 400),
        ({"name": "far", "address": "ada@box.example"}, 400),
    ):
        answer = await centre.client.post("/api/hosts", json=body, headers=OWNER)
        assert status == answer.status_code, answer.text


async def test_an_earlier_start_and_a_copy_are_kept_out_and_told_of_once(centre: Centre) -> None:
    key, third = await centre.key(), life(3)
    for _ in range(2):  # the same start may come again
        async with centre.link(key, third):
            pass
    for number in (2, 1, 2):
        assert "restored from an old image" in await centre.refused(key, life(number))
    assert 1 == len(await centre.told("host.refused"))
    assert "Another program has made start 3" in await centre.refused(key, life(3))
    async with centre.link(key, life(4)):
        pass
    assert "This is start 3" in await centre.refused(key, third)


async def test_a_later_start_takes_the_place_of_an_earlier_one(centre: Centre) -> None:
    key = await centre.key()
    async with centre.link(key, life(1)) as first, serving(first):
        await centre.until("host.connected")
        async with centre.link(key, life(2)) as second, serving(second):
            assert "The host has connected anew." == await goodbye(first)
            await centre.until("host.connected", 2)
            assert [] == await centre.told("host.away")


async def test_a_host_that_connects_again_and_again_is_let_wait(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "MOST_LINKS", 2)
    key, same, begun = await centre.key(), life(1), trio.current_time()
    for count in (1, 2):
        async with centre.link(key, same) as connection, serving(connection):
            await centre.until("host.connected", count)
    seconds = trio.current_time() - begun + 2
    monkeypatch.setattr(keeper, "LINKS_SECONDS", seconds)
    async with centre.link(key, same) as connection, serving(connection):
        with trio.fail_after(20):
            while (  # noqa: ASYNC110 - in another task
                "It connects too often. It is let in again in "
                not in (await centre.client.get("/api/hosts", headers=OWNER)).text
            ):
                await trio.sleep(0.02)
        await centre.until("host.connected", 3)
    assert trio.current_time() - begun > seconds


async def test_a_host_whose_program_starts_again_and_again_is_let_in_no_more(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "MOST_LINKS", 2)
    key, second = await centre.key(), life(2)
    for one in (life(1), second):
        async with centre.link(key, one):
            pass
    for number in (3, 4):
        assert "The host's program starts too often." in await centre.refused(key, life(number))
    async with centre.link(key, second):  # the same start may come again
        pass
    known = await centre.center.storage.read(lambda db: host_keys.by_key(db, hash_of(key)))
    assert known is not None
    assert second == known.life, "no start that was refused is kept"


async def test_of_a_host_that_floods_with_connections_one_waits(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "MOST_LINKS", 1)
    key, same = await centre.key(), life(1)
    async with centre.link(key, same) as connection, serving(connection):
        await centre.until("host.connected")
        async with centre.link(key, same) as waiting:
            assert "The host has connected anew." == await goodbye(connection)
            async with centre.link(key, same) as newest:
                assert "The host has connected anew." == await goodbye(waiting)
                assert newest.connection.closed is None
    assert 1 == len(await centre.told("host.away"))


async def test_a_host_that_refuses_its_server_is_told_of_once_with_the_reason(
    centre: Centre,
) -> None:
    key, same = await centre.key(), life(1)
    for _ in range(2):  # it comes again after a while
        async with centre.link(key, same) as connection:
            await refuse_link(connection.stream, "This server is an old copy.")
            assert "It refuses this side: This server is an old copy." == connection.goodbye
    (told,) = await centre.told("host.refused")
    assert "It refuses this side: This server is an old copy." == told["reason"]
    shown = (await centre.client.get("/api/hosts/box", headers=OWNER)).json()
    assert "refused" == shown["link"]


async def test_a_removed_host_and_an_earlier_key_are_cut_off_at_once(centre: Centre) -> None:
    first = await centre.key()
    async with centre.link(first, life(1)) as connection:
        renewed = await centre.client.post("/api/hosts/box/enrolment", json={}, headers=OWNER)
        assert 201 == renewed.status_code
        second = (await centre.enrol(renewed.json()["code"])).json()["key"]
        assert "The host was enrolled anew." == await goodbye(connection)
    assert UNKNOWN in await centre.refused(first, life(2))
    async with centre.link(second, life(1)) as connection:
        gone = await centre.client.delete("/api/hosts/box", headers=OWNER)
        assert 200 == gone.status_code
        assert "The host was removed, or the server stops." == await goodbye(connection)
    assert UNKNOWN in await centre.refused(second, life(2))


@attrs.frozen
class Outdated:
    """Serves nothing, since the other side speaks another version."""

    async def serve(self, *_streams: object) -> None:
        """Refuse."""
        raise LinkEnded("It speaks another protocol; update this side.", is_lasting=True)


class FullDisk(HostFiles):
    """Cannot keep anything more."""

    def check_centre(self, centre: CentreNumber) -> None:  # noqa: ARG002 - there is no room
        """Find no room."""
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("kind", "ahead", "why", "is_refused"),
    [
        (HostFiles, 1, "It is an old copy: nothing that it asks is done.", True),
        (HostFiles, 0, "update this side", False),
        (FullDisk, 0, "The start of its server cannot be kept", False),
    ],
)
async def test_a_host_that_cannot_work_for_its_server_says_why_and_tries_again(
    centre: Centre, tmp_path: Path, kind: type[HostFiles], ahead: int, why: str, *, is_refused: bool
) -> None:
    (tmp_path / "host").mkdir()
    known = HostFiles(tmp_path / "host")
    known.save(HostIdentity(centre=centre.url, name="box", key=await centre.key()))
    number = await centre.center.storage.read(log_identity.starts)
    known.check_centre(CentreNumber(centre.center.log_id, number + ahead))
    made: list[CentreLink] = []

    def start() -> CentreLink:
        life, files = known.begin_life(), kind(known.folder)
        made.append(CentreLink(files, files.identity(), life, Outdated))  # type: ignore[arg-type]  # it serves nothing
        return made[-1]

    tree = SupervisorSpec(id="", children=(ChildSpec(id="link", start=start),))
    async with open_system(tree) as system:
        with trio.fail_after(20):
            while why not in str(  # noqa: ASYNC110 - an actor's own words
                system.snapshot_of("/link").description
            ):
                await trio.sleep(0.02)
        assert 1 == len(made), "its part crashed"
        if is_refused:
            assert why in (await centre.until("host.refused"))["reason"]
            shown = (await centre.client.get("/api/hosts/box", headers=OWNER)).json()
            assert "refused" == shown["link"]


@pytest.mark.parametrize(
    ("sent", "why", "kind"),
    [
        (b"GET / HTTP/1.1\r\n\r\n" + bytes(64), "a frame that is too long", "host.away"),
        ("text", "has ended", "host.away"),
        (hello(b'{"protocol": 0}'), "update the other side", "host.refused"),
        (hello(b'{"protocol": 99}'), "update this side", "host.refused"),
    ],
)
async def test_a_host_that_breaks_the_rules_is_cut_off_and_told_of(
    centre: Centre, sent: bytes | str, why: str, kind: str
) -> None:
    async with centre.link(await centre.key(), life(1)) as connection:
        await connection.connection.send_message(sent)
        assert why in await goodbye(connection)
    assert why in (await centre.until(kind))["reason"]


async def test_keys_are_guessed_no_faster_than_tokens(centre: Centre) -> None:
    key = await centre.key()
    for _ in range(20):
        assert UNKNOWN in await centre.refused(f"cch_{secrets.token_hex(8)}", life(1))
    assert "Too many wrong" in await centre.refused("cch_x", life(1))
    assert 429 == (await centre.enrol("AAAA-AAAA-AAAA-AAAA")).status_code
    async with centre.link(key, life(1)):
        pass  # whoever guesses at its address keeps no host out


async def test_a_host_is_drained_and_changed_and_each_change_told_once(centre: Centre) -> None:
    await centre.add()

    async def send(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = await centre.client.request(method, path, json=body, headers=OWNER)
        assert 200 == answer.status_code, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    for _ in range(2):
        assert (await send("POST", "/api/hosts/box/drain", {}))["draining"]
    for _ in range(2):
        changed = await send("PATCH", "/api/hosts/box", {"labels": ["gpu", "a", "gpu"]})
        assert (["a", "gpu"], None, True) == tuple(
            changed[field] for field in ("labels", "maxSessions", "draining")
        )
    await send("PATCH", "/api/hosts/box", {"maxSessions": 2})
    for _ in range(2):
        shown = await send("POST", "/api/hosts/box/resume", {})
        assert (False, 2) == (shown["draining"], shown["maxSessions"])
    assert {"name": "box"} == await centre.until("host.draining")
    assert [{"name": "box"}] == await centre.told("host.resumed")
    assert [None, 2] == [one["maxSessions"] for one in await centre.told("host.changed")]
    await send("DELETE", "/api/hosts/box")
    await centre.add()
    anew = await send("GET", "/api/hosts/box")
    assert ([], None, False) == (anew["labels"], anew["maxSessions"], anew["draining"])


async def test_a_host_that_is_being_removed_is_there_no_more(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    await centre.add()
    removed, goes_on = trio.Event(), trio.Event()
    stop_child = Context.stop_child

    async def stop_late(context: Context, ref: ActorRef[Any]) -> None:
        removed.set()
        await goes_on.wait()
        await stop_child(context, ref)

    monkeypatch.setattr(Context, "stop_child", stop_late)
    async with trio.open_nursery() as nursery:
        path = "/api/hosts/box"
        nursery.start_soon(partial(centre.client.delete, path, headers=OWNER, timeout=60))
        await removed.wait()
        for asked in (
            centre.client.get(path, headers=OWNER),
            centre.client.patch(path, json={"maxSessions": 1}, headers=OWNER),
            centre.client.post(f"{path}/drain", json={}, headers=OWNER),
        ):
            assert 404 == (await asked).status_code
        listed = await centre.client.get("/api/hosts", headers=OWNER)
        assert ["local"] == [host["name"] for host in listed.json()["items"]]
        goes_on.set()
    assert [] == await centre.center.storage.read(lambda db: host_states.every(db, {}))


async def test_it_is_kept_when_a_host_that_dials_out_was_there_last(centre: Centre) -> None:
    async with centre.link(await centre.key(), life(1)) as connection, serving(connection):
        await centre.until("host.connected")
    await centre.until("host.away")
    (kept,) = await centre.center.storage.read(lambda db: host_states.every(db, {}))
    shown = (await centre.client.get("/api/hosts/box", headers=OWNER)).json()
    assert kept.last_seen_at == shown["lastSeenAt"] is not None
