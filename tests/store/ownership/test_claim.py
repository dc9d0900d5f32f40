"""One process has a database, by whatever name another one reaches it."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from command_center.store import (
    CannotOpenDatabase,
    ClaimLost,
    DatabaseClaim,
    DatabaseClaimed,
    DataFolderLock,
    Writer,
    take_claim,
)
from command_center.store.ownership.claim import RENEW_SECONDS
from tests.store.units import run, tell

HOLDER = """
import sys
from pathlib import Path
from command_center.store import DataFolderLock, Writer, take_claim
path = Path(sys.argv[1])
lock = DataFolderLock(path.parent)
writer = Writer(path, is_checked=True, claim=take_claim(path, lock))
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the database, and is killed at the end."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert "held\n" == holder.stdout.readline()
        try:
            yield holder
        finally:
            holder.kill()


@pytest.fixture
def lock(path: Path) -> Iterator[DataFolderLock]:
    with DataFolderLock(path.parent) as lock:
        yield lock


@pytest.fixture
def claim(path: Path, lock: DataFolderLock) -> DatabaseClaim:
    return take_claim(path, lock)


@pytest.fixture
def writer(path: Path, claim: DatabaseClaim) -> Iterator[Writer]:
    writer = Writer(path, is_checked=True, claim=claim, busy_timeout=0)
    yield writer
    writer.close()


def without_its_lock(path: Path) -> Path:
    path.with_name("lock").unlink()
    return path


def by_a_hard_link(path: Path) -> Path:
    other = path.parent.with_name("other") / path.name
    other.parent.mkdir()
    other.hardlink_to(path)
    return other


def by_a_symbolic_link(path: Path) -> Path:
    other = path.parent.with_name("other") / path.name
    other.parent.mkdir()
    other.symlink_to(path)
    return other


@pytest.mark.skipif(sys.platform == "win32", reason="Windows removes and links no file in use")
@pytest.mark.parametrize("reached", [without_its_lock, by_a_hard_link, by_a_symbolic_link])
def test_whoever_reaches_a_database_in_use_is_told_who_has_it(
    path: Path, reached: Callable[[Path], Path]
) -> None:
    with held(path) as holder:
        database = reached(path)
        before = sorted(file.name for file in database.parent.iterdir())
        with (
            DataFolderLock(database.parent) as lock,
            pytest.raises(DatabaseClaimed, match=f"in use by process {holder.pid} on ") as caught,
        ):
            take_claim(database, lock)
        assert str(path.parent) in str(caught.value.holder)
        assert {*before, "lock"} == {file.name for file in database.parent.iterdir()}


@pytest.mark.parametrize("is_lock_kept", [True, False])
def test_what_a_killed_holder_had_is_free(path: Path, *, is_lock_kept: bool) -> None:
    with held(path):
        pass
    if not is_lock_kept:
        path.with_name("lock").unlink()
    with DataFolderLock(path.parent) as lock:
        take_claim(path, lock)


@pytest.mark.skipif(sys.platform == "win32", reason="sandboxes hide nothing on Windows")
def test_the_files_of_the_log_stay_what_they_are_from_one_life_to_the_next(path: Path) -> None:
    def log() -> list[int]:
        return [path.with_name(f"{path.name}-{end}").stat().st_ino for end in ("wal", "shm")]

    with held(path):
        first = log()
    for _ in range(2):
        with DataFolderLock(path.parent) as lock:
            claim = take_claim(path, lock)
            assert first == log()
            writer = Writer(path, is_checked=True, claim=claim)
            run(writer, tell)
            writer.close()
        assert first == log()
        assert not path.with_name(f"{path.name}-wal").stat().st_size


@pytest.mark.parametrize("question", ["connect", "sqlite_schema", "FROM claim"])
@pytest.mark.parametrize("code", [None, sqlite3.SQLITE_IOERR])
def test_who_cannot_find_out_whether_another_has_the_database_does_not_take_it(
    path: Path, monkeypatch: pytest.MonkeyPatch, code: int | None, question: str
) -> None:
    class Failing(sqlite3.Connection):
        def __init__(self, *arguments: Any, **more: Any) -> None:
            self.fail_at("connect")
            super().__init__(*arguments, **more)

        def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
            self.fail_at(sql)
            return super().execute(sql, *arguments)

        def fail_at(self, step: str) -> None:
            if question not in step:
                return
            if code is None:
                raise MemoryError
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = code
            raise error

    with held(path):
        other = by_a_hard_link(path)
        with monkeypatch.context() as patched:
            patched.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Failing))
            with DataFolderLock(other.parent) as lock, pytest.raises(CannotOpenDatabase):
                take_claim(other, lock)
        with DataFolderLock(other.parent) as lock, pytest.raises(DatabaseClaimed):
            take_claim(other, lock)


def test_whoever_only_looks_into_the_file_keeps_no_server_from_starting_again(path: Path) -> None:
    with held(path):
        pass
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as looker:
        looker.execute("SELECT count(*) FROM claim").fetchone()
        with DataFolderLock(path.parent) as lock:
            take_claim(path, lock)


def test_a_claim_of_another_machine_is_kept_while_it_is_renewed(
    path: Path, lock: DataFolderLock, claim: DatabaseClaim
) -> None:
    claim.closed()  # or else what is changed here stays in the log
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE claim SET host = 'elsewhere', lock = '1:2'")
        db.commit()
    with pytest.raises(DatabaseClaimed, match="on elsewhere"):
        take_claim(path, lock)
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE claim SET renewed = '2025-01-31T07:05:09.120Z'")
        db.commit()
    take_claim(path, lock)


def file_of(name: str) -> Callable[[Path], Path]:
    return lambda path: path.with_name("lock") if name == "lock" else Path(f"{path}{name}")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows removes no file in use")
@pytest.mark.parametrize("name", ["", "-wal", "-shm", "-mark", "lock"])
@pytest.mark.parametrize("is_replaced", [True, False])
def test_nothing_is_acknowledged_that_was_written_where_nobody_finds_it(
    path: Path, writer: Writer, name: str, *, is_replaced: bool
) -> None:
    run(writer, tell)
    file = file_of(name)(path)
    content = file.read_bytes()
    file.rename(file.with_name("away"))
    if is_replaced:
        file.write_bytes(content)
    told = "another file stands in the place of" if is_replaced else "was removed"
    for _ in range(2):
        with pytest.raises(ClaimLost, match=told):
            writer.commit([tell])
    with pytest.raises(ClaimLost, match=told):
        writer.renew()


def test_nothing_is_written_once_another_process_has_claimed_the_database(
    path: Path, writer: Writer
) -> None:
    run(writer, tell)
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE claim SET life = 'another', pid = 7, host = 'elsewhere'")
        db.commit()
    with pytest.raises(ClaimLost, match="it was claimed by process 7 on elsewhere"):
        writer.commit([tell])
    with pytest.raises(ClaimLost):
        writer.renew()
    with closing(sqlite3.connect(path)) as db:
        assert (1,) == db.execute("SELECT count(*) FROM events").fetchone()


def renewed(path: Path) -> str:
    with closing(sqlite3.connect(path)) as db:
        found: str
        (found,) = db.execute("SELECT renewed FROM claim").fetchone()
        return found


def test_a_claim_is_renewed_with_a_commit_that_comes_when_it_is_due(
    path: Path, writer: Writer, claim: DatabaseClaim
) -> None:
    before = renewed(path)
    run(writer, tell)
    assert before == renewed(path)
    claim._renewed -= RENEW_SECONDS
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE claim SET renewed = ''")
        db.commit()
    run(writer, tell)
    assert before <= renewed(path)


def test_the_claim_says_which_process_has_the_database_since_when(
    path: Path, claim: DatabaseClaim
) -> None:
    assert claim.life
    with closing(sqlite3.connect(path)) as db:
        pid, folder = db.execute("SELECT pid, folder FROM claim").fetchone()
    assert (os.getpid(), str(path.parent)) == (pid, folder)
