"""The other machines, as the doctor asks them: this one stands for them, with what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import attrs
import pytest

from command_center.actors.center import Center
from command_center.actors.contracts.hosts import Hosts, MachineLoad
from command_center.actors.git.errors import GitMissing
from command_center.actors.hosts.link.standing import Standing
from command_center.actors.hosts.local.folders import LocalFolders
from command_center.actors.hosts.local.git.checkouts import LocalGit
from command_center.actors.hosts.local.git.process import GitProgram
from command_center.http.doctor.check import Symptom
from tests.http.doctor.looks import look, subject


@attrs.frozen
class AstrayFolders(LocalFolders):
    """Folders of a machine whose clock is an hour ahead, and whose disk is full."""

    async def clock(self) -> float:
        return await super().clock() + 3600

    async def machine_load(self) -> MachineLoad:
        return attrs.evolve(await super().machine_load(), disk_free=1000)


@attrs.frozen
class NoGit:
    """Git where there is none."""

    async def version(self) -> str:
        raise GitMissing("No git was found.")


@attrs.frozen
class Box:
    """A machine, as far as the doctor asks it."""

    name: str
    folders: LocalFolders
    git: Any
    absence: str | None = None
    standing: Standing | None = attrs.field(factory=lambda: Standing("box"))


@attrs.frozen
class Settings:
    runner: str = "stub"


@attrs.frozen
class Server:
    """A server with such machines."""

    hosts: Hosts[Any]
    settings: Settings = Settings()


async def seen_of(tmp_path: Path, *boxes: Box) -> list[Symptom]:
    center = cast("Center", Server(Hosts({box.name: box for box in boxes})))
    return await look("hosts", attrs.evolve(subject(tmp_path), center=center))


async def test_a_machine_that_is_well_is_told_of_by_its_name(tmp_path: Path) -> None:
    git = LocalGit(GitProgram(tmp_path / "git-work"))
    here = Box("local", LocalFolders(tmp_path), git, standing=None)
    seen = await seen_of(tmp_path, here, Box("box", LocalFolders(tmp_path), git))
    assert [("box", "ok")] * 3 == [(one.host, one.level) for one in seen]
    assert seen[0].message.startswith("box: git version ")
    assert "box: its clock is that of the server." == seen[2].message


async def test_what_is_wrong_there_is_told_with_its_mend(tmp_path: Path) -> None:
    broken = Box("box", AstrayFolders(tmp_path), NoGit())
    away = Box("laptop", LocalFolders(tmp_path), NoGit(), absence="The link was lost.")
    git, disk, clock, gone = await seen_of(tmp_path, broken, away)
    assert ("warning", "laptop: it is away. The link was lost.") == (gone.level, gone.message)
    assert "No git was found." in git.message
    assert ("error", "box: only 1.0 kB are free on its disk.") == (disk.level, disk.message)
    assert "box: its clock is 3600 s ahead of the server's." == clock.message
    assert all(one.mend for one in (git, disk, clock, gone))


@pytest.mark.parametrize("has_server", [True, False])
async def test_without_other_machines_nobody_is_asked(tmp_path: Path, *, has_server: bool) -> None:
    here = Box("local", LocalFolders(tmp_path), NoGit(), standing=None)
    seen = await (seen_of(tmp_path, here) if has_server else look("hosts", subject(tmp_path)))
    assert ["ok"] == [one.level for one in seen]
