"""A hostile host, over the real link: what it answers hurts nobody but itself."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio

from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.git.ports import Checkout, GitCommand, GitOutput
from command_center.actors.hosts.link.channels import LinkEnded
from command_center.actors.hosts.link.serving import Served
from command_center.actors.hosts.local.host import LocalHost
from command_center.runtime import ActorSnapshot
from tests.actors.git.repository import environment_of, make_repository
from tests.http.linked import OWNER, Centre, life, linked_centre


@attrs.define
class HostileGit:
    """The git of a machine, which says of some commands what no git says."""

    git: Any
    says: Mapping[str, bytes] = attrs.field(factory=dict)

    async def run(
        self, checkout: Checkout, command: GitCommand, sink: Callable[[bytes], None] | None = None
    ) -> GitOutput:
        """Run a command, or say something else."""
        said = self.says.get(command.arguments[0])
        if said is None:
            real = attrs.evolve(checkout, git=self.git)
            found: GitOutput = await self.git.run(real, command, sink)
            return found
        if sink is not None:
            sink(said)
        return GitOutput(said, cut=False, exit_code=0, complaint="")

    def __getattr__(self, method: str) -> Any:
        return getattr(self.git, method)


@attrs.define
class HostileTree:
    """Tells of actors whatever it likes."""

    actors_told: Sequence[ActorSnapshot] = ()

    async def actors(self) -> Sequence[ActorSnapshot]:
        """Tell."""
        return self.actors_told


@attrs.frozen
class Hostile:
    """The server, and the parts of the machine `box` that is connected to it."""

    centre: Centre
    git: HostileGit
    tree: HostileTree

    async def ask(self, method: str, path: str, **body: Any) -> httpx.Response:
        """Ask the server as its owner."""
        return await self.centre.client.request(method, path, json=body or None, headers=OWNER)

    async def register(self, path: Path, host: str) -> int:
        """Register a repository."""
        answer = await self.ask("POST", "/api/repos", localPath=str(path), host=host)
        assert 201 == answer.status_code, answer.text
        return int(answer.json()["id"])


@pytest.fixture
async def hostile(tmp_path: Path) -> AsyncIterator[Hostile]:
    for folder in ("data", "far", "home"):
        (tmp_path / folder).mkdir()
    far = LocalHost.of(
        tmp_path / "far",
        BridgeSettings(disabled="It is not used here."),
        environment=environment_of(tmp_path / "home"),
    )
    git, tree = HostileGit(far.git), HostileTree()
    async with linked_centre(tmp_path / "data") as centre, connected(centre, far, git, tree):
        yield Hostile(centre, git, tree)


@asynccontextmanager
async def connected(
    centre: Centre, far: LocalHost, git: HostileGit, tree: HostileTree
) -> AsyncIterator[None]:
    async with centre.link(await centre.key(), life(1)) as dialled, trio.open_nursery() as nursery:

        async def serve() -> None:
            with contextlib.suppress(LinkEnded):
                served = Served(far.folders, git, far.codex, tree=tree)
                await served.serve(dialled.stream, dialled.stream)

        nursery.start_soon(serve)
        await centre.until("host.connected")
        yield
        nursery.cancel_scope.cancel()


async def test_what_no_git_says_fails_who_asked_and_holds_up_no_other_host(
    hostile: Hostile, tmp_path: Path
) -> None:
    there = await hostile.register(make_repository(tmp_path / "there"), "box")
    here = await hostile.register(make_repository(tmp_path / "here"), "local")
    hostile.git.says = {"ls-tree": b"blob\ta\0\xff\t\0"}
    answer = await hostile.ask("POST", f"/api/repos/{there}/scan")
    assert 503 == answer.status_code
    words = "The answer of host box could not be made sense of"
    assert words in answer.text
    assert words in (await hostile.centre.until("host.refused"))["reason"]
    actor = hostile.centre.center.system.snapshot_of("/repositories")
    assert (0, None) == (actor.restarts, actor.last_error)
    assert 200 == (await hostile.ask("GET", f"/api/repos/{here}/worktrees")).status_code


async def test_a_text_with_halves_of_characters_is_shown(hostile: Hostile) -> None:
    (link,) = (
        one for one in hostile.centre.center.system.snapshot().actors if one.path == "/events"
    )
    hostile.tree.actors_told = (attrs.evolve(link, path="/\udc80"),)
    answer = await hostile.ask("GET", "/api/hosts/box/runtime")
    assert (200, "/?") == (answer.status_code, answer.json()["actors"][0]["path"])
    hostile.tree.actors_told = (attrs.evolve(link, path="/\ud800"),)
    assert 503 == (await hostile.ask("GET", "/api/hosts/box/runtime")).status_code
    assert "half a character" in (await hostile.centre.until("host.away"))["reason"]
    assert 200 == (await hostile.ask("GET", "/api/hosts")).status_code
