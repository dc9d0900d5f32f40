"""Objects, refs and indexes are on the disk when git says that they are written."""

from __future__ import annotations

import os
import re
import stat
import sys
from pathlib import Path

import pytest

from command_center.actors.git.committing import commit_changes
from command_center.actors.git.ports import Writes
from command_center.actors.hosts.local.git.checkouts import LocalGit
from tests.actors.git.repository import plain_git
from tests.actors.repositories.work import ADA

TRACED = {"GIT_TRACE2_EVENT": "2"}


def flushes_in(complaint: str) -> int:
    """Count what git has flushed, as it tells of itself."""
    found = re.search(r'"name":"hardware-flush","count":(\d+)', complaint)
    return int(found[1]) if found else 0


async def test_git_flushes_each_object_and_each_ref(git: LocalGit, repository: Path) -> None:
    checkout = await git.open(repository)
    hashed = await checkout.run(
        "hash-object", "-w", "--stdin", writes=Writes.OBJECTS, sent=b"new\n", extra=TRACED
    )
    assert 1 == flushes_in(hashed.complaint)
    moved = await checkout.run(
        "update-ref", "refs/heads/new", "HEAD", writes=Writes.REFS, extra=TRACED
    )
    assert flushes_in(moved.complaint)


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be flushed there")
async def test_a_commit_is_flushed_with_the_names_of_its_index_and_its_branch(
    git: LocalGit, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[tuple[bool, int]] = []
    flush = os.fsync

    def noted(descriptor: int) -> None:
        found = os.fstat(descriptor)
        flushed.append((stat.S_ISDIR(found.st_mode), found.st_ino))
        flush(descriptor)

    (repository / "new.txt").write_text("new\n")
    monkeypatch.setattr(os, "fsync", noted)
    await commit_changes(await git.open(repository), "Add it", author=ADA)
    of_git = repository / ".git"
    for folder in (of_git, of_git / "refs" / "heads"):
        assert (True, folder.stat().st_ino) in flushed
    assert (False, (of_git / "index").stat().st_ino) in flushed
    assert "" == plain_git(repository, "status", "--porcelain")
