"""The data that are kept: who may read it, whether it is whole, and what former lives have left."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import cast

import attrs
import pytest
import trio

from command_center.actors.center import Center
from command_center.actors.hosts.local.codex.orphans import ProcessRecord
from command_center.actors.store_care.store_check import StoreCheck
from command_center.runtime import ChildSpec
from command_center.store import Writer, open_database, repositories
from command_center.store.backups.contents import DATABASE
from tests.actors.rows import insert_repository, rig
from tests.actors.store_care.test_store_check import until
from tests.http.doctor.looks import look, look_for_one, subject
from tests.store.units import tell

AS_ROOT = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="only root can be another user"
)
ON_POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no modes of files")


async def test_a_data_folder_below_a_file_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    here = subject(tmp_path, data_dir=tmp_path / "file" / "data")
    assert "error" == (await look_for_one("data-folder", here))[0]


@ON_POSIX
async def test_a_file_in_the_place_of_the_data_folder_is_one_finding(tmp_path: Path) -> None:
    here = subject(tmp_path)
    here.settings.data_dir.touch(mode=0o644)
    assert "is a file, and no folder" in (await look_for_one("data-folder", here))[1]
    assert "ok" == (await look_for_one("permissions", here))[0]


@ON_POSIX
async def test_what_others_can_read_is_told_of_with_the_command_that_ends_it(
    tmp_path: Path,
) -> None:
    here = subject(tmp_path)
    folder, config = here.settings.data_dir, here.config_file
    open_database(folder / DATABASE).close()
    config.write_text("port = 8787\n")
    config.chmod(0o644)
    assert "ok" == (await look_for_one("permissions", here))[0]
    folder.chmod(0o755)
    (folder / DATABASE).chmod(0o640)
    config.write_text('api_token = "a-token-of-32-characters-or-more"\n')
    seen = await look("permissions", here)
    assert [
        ("error", f"{folder} can be read by every user of this machine.", f"chmod 700 {folder}"),
        (
            "error",
            f"{folder / DATABASE} can be read by its group.",
            f"chmod 600 {folder / DATABASE}",
        ),
        ("error", f"{config} can be read by every user of this machine.", f"chmod 600 {config}"),
    ] == [(one.level, one.message, one.mend) for one in seen]


@ON_POSIX
async def test_a_key_of_a_group_that_reads_keys_is_well_and_one_of_everybody_is_not(
    tmp_path: Path,
) -> None:
    key = tmp_path / "ssl" / "key.pem"
    key.parent.mkdir()
    key.touch()
    here = subject(tmp_path, tls_cert=key, tls_key=key)
    key.chmod(0o640)  # as Debian has them, for the group ssl-cert
    assert "ok" == (await look_for_one("permissions", here))[0]
    key.chmod(0o644)
    assert (
        "error",
        f"{key} can be read by every user of this machine.",
        f"chmod 640 {key}",
    ) == await look_for_one("permissions", here)


@AS_ROOT
async def test_what_another_user_provides_is_not_to_be_changed_from_here(reached: Path) -> None:
    token = reached / "token"
    token.touch()
    token.chmod(0o640)
    here = subject(reached, codex_ws_token_file=token)
    assert "chmod 600" in (await look_for_one("permissions", here))[2]
    with as_another_user():
        assert "ok" == (await look_for_one("permissions", here))[0]
    token.chmod(0o444)
    with as_another_user():
        level, _, mend = await look_for_one("permissions", here)
    assert "error" == level
    assert "Have who provides it give it the mode 600" in mend


@AS_ROOT
async def test_a_data_folder_that_one_may_not_enter_is_one_finding(reached: Path) -> None:
    here = subject(reached, data_dir=reached / "of-root" / "data")
    open_database(here.settings.data_dir / DATABASE).close()
    (reached / "of-root").chmod(0o700)
    for check in ("push", "database", "leftovers", "permissions", "clock"):
        await look(check, here)  # loads what Python may not read any more as another user
    with as_another_user():
        level, message, _ = await look_for_one("data-folder", here)
        assert ("error", f"{here.settings.data_dir} cannot be entered.") == (level, message)
        for check in ("push", "database", "leftovers", "permissions", "clock"):
            seen = await look(check, here)
            assert "error" not in [one.level for one in seen], check
            assert check == "clock" or "see data-folder" in seen[0].message


@contextmanager
def as_another_user() -> Iterator[None]:
    """Be a user who owns nothing."""
    become(65534)
    try:
        yield
    finally:
        become(0)


@pytest.fixture
def reached() -> Iterator[Path]:
    """A folder that every user reaches, as those of pytest are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def become(user: int) -> None:
    if sys.platform != "win32":
        os.seteuid(user)


def write_a_repository(database: Path) -> None:
    with closing(Writer(database)) as writer:
        writer.commit([lambda tx: repositories.insert(tx, name="r", local_path="/a/place")])


async def test_a_database_that_the_disk_has_changed_is_told_of_and_left_as_it_is(
    tmp_path: Path,
) -> None:
    here = subject(tmp_path)
    file = here.settings.data_dir / DATABASE
    assert "no database yet" in (await look_for_one("database", here))[1]
    write_a_repository(file)
    assert "The database is whole" in (await look_for_one("database", here))[1]
    whole = file.read_bytes()
    file.write_bytes(whole[:8192] + os.urandom(4096) + whole[12288:])
    damaged = file.read_bytes()
    level, message, mend = await look_for_one("database", here)
    assert "error" == level
    assert "is damaged" in message
    assert "command-center restore FILE" in mend
    assert damaged == file.read_bytes()


async def test_a_row_that_was_changed_past_the_server_is_told_of(tmp_path: Path) -> None:
    here = subject(tmp_path)
    file = here.settings.data_dir / DATABASE
    write_a_repository(file)
    file.write_bytes(file.read_bytes().replace(b"/a/place", b"/b/place"))
    level, message, _ = await look_for_one("database", here)
    assert "error" == level
    assert "repositories 1 is not as it was written" in message


async def test_a_total_that_is_not_as_the_rows_say_is_told_of(tmp_path: Path) -> None:
    here = subject(tmp_path)
    file = here.settings.data_dir / DATABASE
    write_a_repository(file)
    with sqlite3.connect(file) as other:
        other.execute("INSERT INTO totals VALUES ('made', 1, '2026-01-01', 'failed', 1, 0)")
    level, message, mend = await look_for_one("database", here)
    assert "warning" == level
    assert "totals made" in message
    assert "Start the server" in mend


async def test_an_event_that_was_changed_past_the_server_is_told_of(tmp_path: Path) -> None:
    here = subject(tmp_path)
    file = here.settings.data_dir / DATABASE
    with closing(Writer(file)) as writer:
        writer.commit([tell])
    assert "The database is whole" in (await look_for_one("database", here))[1]
    file.write_bytes(file.read_bytes().replace(b"thing.happened", b"thing.appeared"))
    level, message, _ = await look_for_one("database", here)
    assert "error" == level
    assert "events 1 is not as it was written" in message


async def test_what_the_server_has_found_beside_its_service_is_told(tmp_path: Path) -> None:
    path = tmp_path / "data" / DATABASE
    async with rig(path) as made:
        await made.storage.write(insert_repository)
        actor = partial(StoreCheck, made.storage, path, wait_seconds=0.0)
        await made.system.start_child("/", ChildSpec(id="store-check", start=actor))
        here = attrs.evolve(subject(tmp_path), center=cast("Center", made))
        await until(made, "ok")
        assert "The database is whole" in (await look_for_one("database", here))[1]
        with sqlite3.connect(path) as other:
            other.execute("UPDATE repositories SET name = 'another'")
        await made.system.restart("/store-check", reason="a test")
        await until(made, "damaged")
        with sqlite3.connect(path) as other:  # so that only the server has seen it
            other.execute("UPDATE repositories SET name = 'r'")
        level, message, mend = await look_for_one("database", here)
        assert "error" == level
        assert "repositories 1 is not as it was written" in message
        assert "command-center restore FILE" in mend


async def test_what_a_killed_server_left_is_told_of_and_goes_on(tmp_path: Path) -> None:
    here = subject(tmp_path)
    folder = here.settings.data_dir
    async with trio.open_nursery() as nursery:
        waits = [sys.executable, "-c", "input()"]
        left = await nursery.start(partial(trio.run_process, waits, stdin=subprocess.PIPE))
        (folder / "backups" / ".restoring").mkdir(parents=True)
        record = ProcessRecord.write(folder, left.pid, "codex")
        record.path.write_text(record.path.read_text().replace('"life":"', '"life":"another-'))
        cut_off, process = await look("leftovers", here)
        assert ("warning", "warning") == (cut_off.level, process.level)
        assert str(folder / "backups" / ".restoring") in cut_off.message
        assert f"(process {left.pid})" in process.message
        assert f"kill {left.pid}" in (process.mend or "")
        assert left.poll() is None
        await left.stdin.send_all(b"\n")
