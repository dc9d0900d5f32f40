"""The folders of this machine: where a path leads to, and what may lie there."""

import os
import stat
import sys
import threading
from pathlib import Path

import pytest
import trio

from command_center.actors.contracts.hosts import FolderLook
from command_center.actors.hosts.local import folders as module
from command_center.actors.hosts.local.folders import LocalFolders
from command_center.actors.rules.errors import Invalid, Unavailable
from command_center.runtime.threads import FINDING


@pytest.fixture
def folders(tmp_path: Path) -> LocalFolders:
    (tmp_path / "data").mkdir()
    return LocalFolders(tmp_path / "data")


async def refused(work: object) -> str:
    with pytest.raises(Invalid) as error:
        await work  # type: ignore[misc]
    return str(error.value)


async def test_a_path_is_followed_through_every_link(folders: LocalFolders, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert tmp_path / "real" == await folders.resolve(str(tmp_path / "link"), "f")
    (tmp_path / "round").symlink_to("round")
    (tmp_path / "file").touch()
    said = [
        await refused(folders.resolve(str(tmp_path / name), "f"))
        for name in ("gone", "round", "file", "file/below")
    ]
    assert "does not exist" in said[0]
    assert "cannot be reached" in said[1]
    assert "is a file" in said[2]
    assert "does not exist" in said[3]


async def test_the_home_folder_is_that_of_this_machine(
    folders: LocalFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USERPROFILE" if os.name == "nt" else "HOME", str(tmp_path))
    assert tmp_path / "x" == await folders.expand("~/x", "f")
    assert "not an absolute path" in await refused(folders.expand("~somebody/x", "f"))


async def test_repositories_lie_below_the_roots_where_there_are_any(tmp_path: Path) -> None:
    for name in ("in/project", "out"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "in" / "way-out").symlink_to(tmp_path / "out")
    folders = LocalFolders(tmp_path / "data", (tmp_path / "in",))
    inside = tmp_path / "in" / "project"
    assert inside == await folders.resolve(str(inside), "f")
    for outside in (tmp_path / "out", tmp_path / "in" / "way-out"):
        assert "lies outside" in await refused(folders.resolve(str(outside), "f"))
    assert "lies outside" in await refused(folders.resolve_new(str(tmp_path / "new"), "f"))
    assert await LocalFolders(tmp_path / "data").may_have(tmp_path / "out")


async def test_a_new_worktree_takes_the_place_of_nothing(
    folders: LocalFolders, tmp_path: Path
) -> None:
    assert tmp_path / "new" == await folders.resolve_new(str(tmp_path / "new"), "f")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    assert "exists already" in await refused(folders.resolve_new(str(tmp_path / "full"), "f"))
    in_data = str(folders.data_dir / "x")
    assert "lies in the data folder" in await refused(folders.resolve_new(in_data, "f"))
    kept = folders.home / "1" / "x"
    assert kept == await folders.resolve_new(str(kept), "f")


async def test_a_place_is_made_that_nothing_is_at_and_that_nobody_else_may_enter(
    folders: LocalFolders,
) -> None:
    first = await folders.make_place(7, "work")
    first.mkdir()
    second = await folders.make_place(7, "work")
    assert ("work", "work-2") == (first.name, second.name)
    assert await folders.is_kept(second)
    assert not await folders.is_kept(folders.data_dir)
    if os.name != "nt":
        assert 0o700 == first.parent.stat().st_mode & 0o777


async def test_what_is_the_same_and_what_lies_within_is_seen_through_links(
    folders: LocalFolders, tmp_path: Path
) -> None:
    (tmp_path / "real" / "below").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    assert await folders.same(tmp_path / "real", tmp_path / "link")
    assert not await folders.same(tmp_path / "gone", tmp_path / "gone")
    assert await folders.within(tmp_path / "real" / "below", tmp_path / "link")
    assert not await folders.within(tmp_path / "realm", tmp_path / "real")
    assert await folders.has_data_in(tmp_path)
    assert not await folders.has_data_in(tmp_path / "real")


async def test_a_size_counts_no_link_twice(folders: LocalFolders, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_bytes(b"x" * 1000)
    (tmp_path / "real" / "self").symlink_to(".")
    size = await folders.size(tmp_path / "real")
    assert 1000 <= size < 1100


async def test_a_shell_reads_nothing_of_the_data_but_where_it_works(tmp_path: Path) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    place = data / "worktrees" / "1" / "work"
    place.mkdir(parents=True)
    (data / "sign-in.key").touch()
    folders = LocalFolders(data)
    for folder, writes in ((elsewhere, False), (elsewhere, True), (place, True)):
        assert [data] == await folders.hidden_from(folder, writes=writes)
    assert [data / "sign-in.key"] == await folders.hidden_from(place, writes=False)


@pytest.mark.skipif(sys.platform == "win32", reason="Codex hides nothing there")
async def test_a_run_reads_of_the_data_only_worktrees_and_uploads(tmp_path: Path) -> None:
    for name in ("worktrees", "uploads", "sign-in.key", "center.sqlite3"):
        (tmp_path / name).mkdir()
    replaced = ("center.sqlite3-mark", "leases.json", "starts.json")  # at any moment
    for name in (*replaced, "center.sqlite3-mark.partial", "leases.partial", "starts.json.partial"):
        (tmp_path / name).touch()
    hidden = await LocalFolders(tmp_path, private=("backups",)).private_data()
    assert [tmp_path / name for name in ("backups", "center.sqlite3", "sign-in.key")] == hidden
    assert 0o700 == stat.S_IMODE((tmp_path / "backups").stat().st_mode)


async def test_a_disk_that_does_not_answer_a_look_keeps_no_thread_from_other_work(
    folders: LocalFolders,
    tmp_path: Path,
    autojump_clock: trio.testing.MockClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = threading.Event()

    def hang(*_: object, **__: object) -> FolderLook:
        answers.wait()
        return FolderLook((), 0, (), None)

    monkeypatch.setattr(module, "find_repositories", hang)
    try:
        for _ in range(FINDING.at_once + 1):  # the last one waits for a thread
            with pytest.raises(Unavailable, match="disk"):
                await folders.find_repositories(None)
        assert await folders.same(tmp_path, tmp_path)
    finally:
        answers.set()
