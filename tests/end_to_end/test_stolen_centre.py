"""A stolen server asks a real host, with the real Codex, for what its user does not allow.

The test speaks the server's side of the link. All that it can have done lies within the ceiling.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
import trio_websocket

from command_center.actors.codex.errors import WireClosed
from command_center.actors.codex.ports import Codex, Wire
from command_center.actors.codex.settings import BridgeSettings, Transport
from command_center.actors.contracts.hosts import Folders
from command_center.actors.core.message_stream import MessageStream
from command_center.actors.git.ports import Git, GitCommand
from command_center.actors.hosts.daemon.identity import HostFiles, HostIdentity
from command_center.actors.hosts.link.calling import parts_of
from command_center.actors.hosts.link.channels import Channels, LinkEnded, MessageKind
from command_center.actors.hosts.link.data import Data
from command_center.actors.hosts.link.opened import CALL
from command_center.actors.hosts.link.serving import MOST
from command_center.actors.hosts.link.standing import Standing
from command_center.actors.rules.errors import Conflict, Invalid
from tests.actors.hosts.daemon.test_ceiling import HOSTILE, REFUSED
from tests.codex.script import Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.dialling import DialledHost

NUMBERS = itertools.count(1)


@attrs.define(eq=False)
class StolenCentre:
    """The server as its thief has it: the host's connection, and all that can be said over it."""

    standing: Standing = attrs.field(factory=lambda: Standing("box"))
    links: int = 0
    said: list[str] = attrs.field(factory=list)
    """The reasons for which links were over."""

    async def take(self, request: trio_websocket.WebSocketRequest) -> None:
        """Take a connection of the host."""
        socket = await request.accept(extra_headers=[(b"cc-centre", b"stolen.1")])

        async def receive() -> bytes | str:
            try:
                return await socket.get_message()
            except trio_websocket.ConnectionClosed:
                raise trio.BrokenResourceError from None

        async def send(data: bytes) -> None:
            try:
                await socket.send_message(data)
            except trio_websocket.ConnectionClosed:
                raise trio.BrokenResourceError from None

        stream = MessageStream(send, receive)
        link = Channels(stream, stream)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._greet, link)
            try:
                await link.run()
            except LinkEnded as ended:
                self.standing.lost(ended.reason)
                self.said.append(ended.reason)

    async def _greet(self, link: Channels) -> None:
        with contextlib.suppress(LinkEnded):
            await link.until_greeted()
            self.links += 1
            self.standing.connected(link)

    async def until_linked(self, links: int) -> Channels:
        """Return the link, once there have been so many."""
        with trio.fail_after(30):
            while self.links < links:  # noqa: ASYNC110 - in another task
                await trio.sleep(0.02)
        return await self.standing.get()

    @property
    def parts(self) -> tuple[Folders, Git, Codex]:
        """The host, as the server has it."""
        return parts_of(self.standing, BridgeSettings(transport=Transport.AUTO))


@asynccontextmanager
async def stolen_centre(host: DialledHost) -> AsyncIterator[StolenCentre]:
    """A server that the host believes to be its own."""
    centre = StolenCentre()
    async with trio.open_nursery() as nursery:
        server = await nursery.start(
            trio_websocket.serve_websocket, centre.take, "127.0.0.1", 0, None
        )
        url = f"http://127.0.0.1:{server.port}"
        host.folder.mkdir(mode=0o700, parents=True)
        HostFiles(host.folder).save(HostIdentity(centre=url, name="box", key="cch_x"))
        host.start()
        await centre.until_linked(1)
        yield centre
        nursery.cancel_scope.cancel()


@attrs.define(eq=False)
class Rpc:
    """An app-server, as whoever has the link speaks with it."""

    wire: Wire
    asked: list[dict[str, Any]] = attrs.field(factory=list)
    ended: trio.Event = attrs.field(factory=trio.Event)
    _answers: dict[object, dict[str, Any]] = attrs.field(factory=dict)

    async def run(self) -> None:
        """Approve all that Codex asks, and keep the rest."""
        with contextlib.suppress(WireClosed):
            while True:
                said = json.loads(await self.wire.receive())
                if "method" in said and "id" in said:
                    self.asked.append(said)
                    for result in ({"decision": "acceptForSession"}, {"decision": "accept"}):
                        await self.say({"id": said["id"], "result": result})
                elif "id" in said:
                    self._answers[said["id"]] = said
                elif said.get("method") == "turn/completed":
                    self.ended.set()

    async def say(self, message: Mapping[str, Any]) -> None:
        """Send a message as it is."""
        await self.wire.send(json.dumps(message).encode())

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Return the answer to a request."""
        number = f"n{next(NUMBERS)}"
        await self.say({"id": number, "method": method, "params": params})
        with trio.fail_after(30):
            while number not in self._answers:  # noqa: ASYNC110 - in another task
                await trio.sleep(0.01)
        return self._answers.pop(number)


@pytest.fixture
def outside(other_machine: dict[str, str], codex_binary: Path) -> Iterator[Path]:
    """A folder beside the roots, in which the machine's user has worked with Codex.

    It is in none of the temporary folders in which Codex's sandbox lets everybody write.
    """
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        (folder / "secret").write_text("secret")
        words = ["exec", "--json", "--skip-git-repo-check", "-C", name, "Hello."]
        subprocess.run(
            [codex_binary, *words],
            env={**os.environ, **other_machine},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        yield folder
        assert [folder / "secret"] == [*folder.iterdir()], "it was written beside the roots"


def rollouts(home: str) -> list[str]:
    """The files of the threads that Codex has."""
    return sorted(path.name for path in Path(home).glob("sessions/**/*.jsonl"))


async def attack_the_disk(centre: StolenCentre, project: Path, outside: Path) -> None:
    """Ask of its folders and its git what lies beside the roots."""
    folders, git, _ = centre.parts
    for asked in (
        partial(git.open, outside),
        partial(git.make_folder, outside / "new"),
        partial(folders.size, outside),
    ):
        with pytest.raises(Conflict, match=REFUSED):
            await asked()
    with pytest.raises(Invalid, match="outside the folders"):
        await folders.resolve(str(outside), "localPath")
    opened = await git.open(project)
    made_up = attrs.evolve(opened, user=(("core.fsmonitor", f"touch {outside}/x"),))
    with pytest.raises(Conflict, match="not opened here"):
        await git.run(made_up, GitCommand(arguments=("status",)))
    with pytest.raises(Conflict, match=REFUSED):
        await opened.run("push", f"ext::sh -c 'touch {outside}/x'", reaches=True)


async def attack_codex(rpc: Rpc) -> None:
    """Say to Codex what nobody may, and have what its user said elsewhere be lost."""
    for allows, message in HOSTILE:
        is_request = message.keys() <= {"method", "id", "params"}
        if is_request and allows == ("write",) and isinstance(message["method"], str):
            answer = await rpc.ask(message["method"], **message.get("params", {}))
            assert REFUSED in answer["error"]["message"], message
    listed = await rpc.ask("thread/list", limit=10, sourceKinds=["exec"])
    (thread,) = listed["result"]["data"]
    for method in ("thread/delete", "thread/archive", "thread/name/set"):
        answer = await rpc.ask(method, threadId=thread["id"], name="x")
        assert "works elsewhere" in answer["error"]["message"]


async def attack_by_a_turn(rpc: Rpc, project: Path, outside: Path) -> None:
    """Have a turn want out of its sandbox, and approve it in every way."""
    begun = await rpc.ask(
        "thread/start", cwd=str(project), sandbox="workspace-write", approvalPolicy="on-request"
    )
    thread_id = begun["result"]["thread"]["id"]
    policy = {"type": "workspaceWrite", "networkAccess": False, "writableRoots": []}
    turn = {"threadId": thread_id, "input": [{"type": "text", "text": "Go."}]}
    for wider in ({"type": "dangerFullAccess"}, {**policy, "writableRoots": [str(outside)]}):
        answer = await rpc.ask("turn/start", **turn, sandboxPolicy=wider)
        assert REFUSED in answer["error"]["message"]
    assert "result" in await rpc.ask("turn/start", **turn, sandboxPolicy=policy)
    with trio.fail_after(60):
        await rpc.ended.wait()
    assert rpc.asked, "it was never asked"
    assert "hello\n" == (project / "inside").read_text()
    for method in ("thread/name/set", "thread/archive"):  # this one is the server's own
        assert "result" in await rpc.ask(method, threadId=thread_id, name="Ours")


async def flood(centre: StolenCentre) -> None:
    """Ask for more than is done at once, and then break the rules of the link."""
    link = await centre.until_linked(1)
    call = Data().write(("Codex", "file_of", Data().write((b"x",), tuple[bytes])), CALL)
    channels = [link.begin() for _ in range(MOST + 50)]
    for channel in channels:
        await channel.send(MessageKind.CALL, call)
    with trio.fail_after(60):
        kind, body = await channels[-1].receive()
    assert (MessageKind.FAULT, True) == (kind, b"too much to do" in body)
    await link._writing.send_all(b"junk" * 100)
    await centre.until_linked(2)


@pytest.mark.timeout(180)
async def test_a_stolen_server_gets_no_more_than_the_ceiling_lets_it_have(
    dialling_host: DialledHost, outside: Path, scripted_model: ScriptedModel
) -> None:
    host = dialling_host
    codex_home = host.environment["CODEX_HOME"]
    project = Path(host.environment["HOME"]) / "project"
    config = Path(codex_home) / "config.toml"
    configured, theirs = config.read_text(), rollouts(codex_home)
    scripted_model.script = (
        Run(f"touch {outside}/approved", "May I?"),
        Run(f"touch {outside}/unasked"),
        Run("echo hello > inside"),
        Say.text("Done."),
    )
    host.allows = ("--root", str(project), "--allow", "write", "--allow", "commit")
    async with stolen_centre(host) as centre, trio.open_nursery() as nursery:
        await attack_the_disk(centre, project, outside)
        codex = centre.parts[2]
        with pytest.raises(WireClosed, match=REFUSED):
            await codex.start(("exec", "-s", "danger-full-access", "x"), nursery, cwd=str(project))
        rpc = Rpc((await codex.connect(nursery)).wire)
        nursery.start_soon(rpc.run)
        info = {"name": "thief", "title": None, "version": "1"}
        assert "result" in await rpc.ask("initialize", clientInfo=info)
        await rpc.say({"method": "initialized"})
        await attack_codex(rpc)
        assert theirs == rollouts(codex_home)
        await attack_by_a_turn(rpc, project, outside)
        assert {*theirs} <= {*rollouts(codex_home)}
        assert configured == config.read_text()
        await flood(centre)
        assert await centre.parts[0].same(project, project), "it bears all that, and goes on"
        nursery.cancel_scope.cancel()
