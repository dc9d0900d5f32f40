"""One process is the authority over its data folder."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from command_center.store import DataFolderInUse, DataFolderLock, DataFolderUnusable

HOLDER = """
import sys
from pathlib import Path
from command_center.store import DataFolderLock
lock = DataFolderLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def start_holder(folder: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert "held\n" == holder.stdout.readline()
    return holder


def end(holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.communicate()


def test_a_second_process_is_refused_and_told_who_holds_the_folder(tmp_path: Path) -> None:
    holder = start_holder(tmp_path)
    try:
        with pytest.raises(DataFolderInUse, match=f"in use by process {holder.pid}") as caught:
            DataFolderLock(tmp_path)
        assert tmp_path == caught.value.folder
        assert holder.pid == caught.value.pid
    finally:
        end(holder)


def test_a_killed_holder_leaves_the_folder_free(tmp_path: Path) -> None:
    end(start_holder(tmp_path))
    with DataFolderLock(tmp_path):
        assert f"{os.getpid()}" == (tmp_path / "lock").read_text(encoding="ascii").strip()


def test_a_second_lock_in_the_same_process_is_refused(tmp_path: Path) -> None:
    with DataFolderLock(tmp_path), pytest.raises(DataFolderInUse):
        DataFolderLock(tmp_path)


def test_a_closed_lock_can_be_taken_again(tmp_path: Path) -> None:
    lock = DataFolderLock(tmp_path)
    lock.close()
    lock.close()
    DataFolderLock(tmp_path).close()


def test_a_child_process_does_not_keep_the_lock(tmp_path: Path) -> None:
    with DataFolderLock(tmp_path):
        child = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
        )
    try:
        DataFolderLock(tmp_path).close()
    finally:
        child.kill()
        child.communicate()


def test_the_folder_is_made(tmp_path: Path) -> None:
    DataFolderLock(tmp_path / "a" / "b").close()
    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_the_folder_and_the_lock_are_their_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    DataFolderLock(folder).close()
    assert [0o700, 0o600] == [stat.S_IMODE(p.stat().st_mode) for p in (folder, folder / "lock")]


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="ascii")
    with pytest.raises(DataFolderUnusable, match="cannot be used"):
        DataFolderLock(file)


def test_an_unreadable_holder_is_another_process(tmp_path: Path) -> None:
    with DataFolderLock(tmp_path):
        (tmp_path / "lock").write_text("?", encoding="ascii")
        with pytest.raises(DataFolderInUse, match="in use by another process") as caught:
            DataFolderLock(tmp_path)
    assert caught.value.pid is None
