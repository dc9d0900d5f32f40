"""Uploads are kept once, for their user alone, and go when nothing needs them."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from sqlite_utils import Database

from command_center.actors.contracts.uploads import UPLOADS, DeleteUpload, KeepUpload, ReadUpload
from command_center.actors.ledger import uploads as ledger
from command_center.actors.rules.errors import Conflict, Damaged, NotFound, Unavailable
from command_center.actors.uploads import Uploads
from command_center.actors.uploads import actor as uploads_actor
from command_center.runtime import ChildSpec
from command_center.store import (
    Session,
    Transaction,
    Upload,
    followups,
    sessions,
    uploads,
)
from command_center.store.database.checksums import seal_rows
from command_center.store.uploaded_files import UploadedFiles
from tests.actors.rows import Rig, insert_repository, insert_session, insert_task, rig
from tests.sent_pictures import JPEG, SECRET, png


@attrs.frozen
class Kept:
    """The actor, and the folder of its files."""

    rig: Rig
    folder: Path

    async def ask(self, message: Any) -> Any:
        return await self.rig.system.lookup(UPLOADS).ask(message)

    async def keep(self, content: bytes, name: str = "a") -> Upload:
        upload = await self.ask(KeepUpload(content=content, name=name, requested_by="ada"))
        assert isinstance(upload, Upload)
        return upload

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    async def until_files(self, wanted: list[str]) -> None:
        with trio.fail_after(30):
            while wanted != self.files():  # noqa: ASYNC110 - nobody tells of a sweep
                await trio.sleep(0.01)

    async def attach(self, upload: Upload, **fields: Any) -> Session:
        def unit(tx: Transaction) -> Session:
            task = insert_task(tx, insert_repository(tx))
            given = ledger.attached(tx, [upload.id, upload.id])
            return insert_session(tx, task, attachments=given, **fields)

        return await self.rig.storage.write(unit)


@attrs.define
class OtherCentres:
    """The files that the other centres of a cluster have."""

    files: dict[str, bytes] = attrs.field(factory=dict)
    is_cut_off: bool = False

    def _answer(self) -> None:
        if self.is_cut_off:
            raise Unavailable("They do not answer.")

    async def put(self, name: str, content: bytes) -> None:
        self._answer()
        self.files[name] = content

    async def get(self, name: str) -> bytes | None:
        self._answer()
        return self.files.get(name)

    async def names(self) -> frozenset[str]:
        self._answer()
        return frozenset(self.files)

    async def delete(self, name: str) -> None:
        self._answer()
        self.files.pop(name, None)


@asynccontextmanager
async def kept(tmp_path: Path, others: OtherCentres | None = None) -> AsyncIterator[Kept]:
    folder = tmp_path / "data" / "uploads"
    spec = ChildSpec(
        id="uploads", start=lambda: Uploads(found[0].storage, UploadedFiles(folder), others)
    )
    found: list[Rig] = []
    # The rig starts the store first, and is known before anything is asked.
    async with rig(tmp_path / "db") as made:
        found.append(made)
        await made.system.start_child("/", spec)
        yield Kept(made, folder)


async def test_a_file_is_kept_once_bare_and_for_its_user_alone(tmp_path: Path) -> None:
    async with kept(tmp_path) as it:
        first = await it.keep(png(), "screen.png")
        assert first.id == (await it.keep(png(), "again.png")).id
        assert [first.file] == it.files()
        assert SECRET not in await it.ask(ReadUpload(first.id))
        assert first.size == (it.folder / first.file).stat().st_size
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (it.folder, it.folder / first.file)]
        assert [0o700, 0o600] == modes


async def test_what_something_needs_stays_and_anything_else_can_be_deleted(tmp_path: Path) -> None:
    async with kept(tmp_path) as it:
        upload = await it.keep(JPEG)
        session = await it.attach(upload)
        assert [(upload.id, "image/jpeg")] == [
            (one["id"], one["mediaType"]) for one in session.attachments
        ]
        with pytest.raises(Conflict, match="has not ended"):
            await it.ask(DeleteUpload(upload.id, "ada"))

        def end(tx: Transaction) -> None:
            sessions.update(tx, session.id, status="completed", finished_at=tx.now)
            followups.insert(
                tx,
                task_id=session.task_id,
                session_id=session.id,
                message="m",
                requested_by="ada",
                attachments=session.attachments,
            )

        await it.rig.storage.write(end)
        with pytest.raises(Conflict, match="follow-up"):
            await it.ask(DeleteUpload(upload.id, "ada"))
        await it.rig.storage.write(lambda tx: followups.update(tx, 1, status="cancelled"))
        await it.ask(DeleteUpload(upload.id, "ada"))
        assert [] == it.files()
        with pytest.raises(NotFound):
            await it.ask(ReadUpload(upload.id))


async def test_what_is_attached_to_nothing_goes_after_a_day_and_so_do_strays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_actor, "LOOKED_UP", 2)
    async with kept(tmp_path) as it:
        shown, forgotten, draft = [await it.keep(text, "a.txt") for text in (b"1", b"2", b"3")]
        await it.attach(shown, status="completed", finished_at="2025-01-31T07:05:09.000Z")
        unreadable = [os.fsdecode(b"\xff")] if sys.platform == "linux" else []
        for name in ("left.part", "0", *unreadable):
            (it.folder / name).write_bytes(b"half")

        def age(tx: Transaction) -> None:
            for upload in (shown, forgotten):
                old = "2025-01-31T07:05:09.000Z"
                tx.db.execute("UPDATE uploads SET updated_at = ? WHERE id = ?", [old, upload.id])
            seal_rows(tx.db, "uploads")

        await it.rig.storage.write(age)
        await it.rig.system.restart("/uploads", reason="a test")
        await it.until_files(sorted([shown.file, draft.file]))


async def test_many_that_nothing_needs_go_in_steps_and_what_is_attached_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_actor, "PRUNED_AT_ONCE", 2)
    steps: list[int] = []
    prune = ledger.prune_uploads

    def counted(tx: Transaction, ids: Sequence[int]) -> list[str]:
        steps.append(len(ids))
        return prune(tx, ids)

    monkeypatch.setattr(uploads_actor, "prune_uploads", counted)
    async with kept(tmp_path) as it:
        sent = [await it.keep(b"%d" % number, "a.txt") for number in range(5)]

        def age(tx: Transaction) -> None:
            tx.db.execute("UPDATE uploads SET updated_at = '2025-01-31T07:05:09.000Z'")
            seal_rows(tx.db, "uploads")

        await it.rig.storage.write(age)
        unneeded = await it.rig.storage.read(ledger.unneeded_uploads)
        await it.attach(sent[0])
        monkeypatch.setattr(uploads_actor, "unneeded_uploads", lambda _: unneeded)
        await it.rig.system.restart("/uploads", reason="a test")
        await it.until_files([sent[0].file])
        assert [2, 2, 1] == steps


async def test_a_row_that_is_damaged_during_a_sweep_keeps_all_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[bool] = []

    def are_sound(db: Database) -> bool:
        looks.append(not looks and ledger.are_sound(db))  # the first look alone
        return looks[-1]

    monkeypatch.setattr(uploads_actor, "uploads_are_sound", are_sound)
    stray = tmp_path / "data" / "uploads" / "left.part"
    stray.parent.mkdir(mode=0o700, parents=True)
    stray.write_bytes(b"half")
    async with kept(tmp_path) as it:
        with trio.fail_after(30):
            while len(looks) < 2:  # noqa: ASYNC110 - nobody tells of a sweep
                await trio.sleep(0.01)
        sent = await it.keep(b"sent", "a.txt")  # once the sweep is over
        assert [True, False] == looks
        assert sorted([sent.file, stray.name]) == it.files()


async def test_there_is_an_end_of_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "ALL_BYTES", 10)
    async with kept(tmp_path) as it:
        first = await it.keep(b"12345678")
        with pytest.raises(Conflict, match="Delete some"):
            await it.keep(b"abc")
        assert [first.file] == it.files()


async def test_a_damaged_row_keeps_nothing_from_being_sent_and_nothing_is_swept(
    tmp_path: Path,
) -> None:
    async with kept(tmp_path) as it:
        first, attached = await it.keep(b"first", "a.txt"), await it.keep(b"second", "b.txt")
        session = await it.attach(attached)
        (it.folder / "left.part").write_bytes(b"half")

        def damage(tx: Transaction) -> None:
            tx.db.execute("UPDATE uploads SET checksum = checksum + 1 WHERE id = ?", [first.id])

        await it.rig.storage.write(damage)
        await it.rig.system.restart("/uploads", reason="a test")
        third = await it.keep(b"third", "c.txt")
        assert sorted([first.file, attached.file, third.file, "left.part"]) == it.files()

        def lose(tx: Transaction) -> None:
            tx.db.execute("DELETE FROM uploads WHERE id = ?", [first.id])
            tx.db.execute("UPDATE sessions SET attachments = '[' WHERE id = ?", [session.id])

        await it.rig.storage.write(lose)
        await it.rig.system.restart("/uploads", reason="a test")
        with pytest.raises(Damaged, match=f"Session {session.id}"):
            await it.ask(DeleteUpload(third.id, "ada"))
        assert third == await it.rig.storage.read(lambda db: uploads.get(db, third.id))
        assert "left.part" in it.files()


async def test_a_folder_that_cannot_be_listed_keeps_nothing_from_being_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Path) -> Iterator[Path]:
        raise OSError(errno.EIO, "Input/output error")

    async with kept(tmp_path) as it:
        first = await it.keep(b"first", "a.txt")
        with monkeypatch.context() as patched:
            patched.setattr(Path, "iterdir", broken)
            await it.rig.system.restart("/uploads", reason="a test")
            await it.ask(ReadUpload(first.id))
            second = await it.keep(b"second", "b.txt")
        assert sorted([first.file, second.file]) == it.files()


@pytest.mark.skipif(sys.platform != "linux", reason="the name of a descriptor is read from /proc")
async def test_a_file_and_its_name_are_on_the_disk_before_its_row_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    sync = os.fsync

    def recorded(descriptor: int) -> None:
        sync(descriptor)
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)

    async with kept(tmp_path) as it:
        monkeypatch.setattr(os, "fsync", recorded)
        upload = await it.keep(b"first", "a.txt")
        assert ["data", f"{upload.file}.part", "uploads"] == synced
        await it.keep(b"first", "a.txt")
        assert "uploads" == synced[3]


async def test_in_a_cluster_a_file_is_acknowledged_once_the_others_have_it(tmp_path: Path) -> None:
    others = OtherCentres()
    async with kept(tmp_path, others) as it:
        upload = await it.keep(b"some text", "notes.txt")
        assert {upload.file: b"some text"} == others.files
        others.is_cut_off = True
        with pytest.raises(Unavailable):
            await it.keep(b"another text", "more.txt")
        others.is_cut_off = False
        await it.ask(DeleteUpload(upload.id, "ada"))
        assert {} == others.files


async def test_the_next_leader_has_the_files_that_it_had_not(tmp_path: Path) -> None:
    others = OtherCentres()
    async with kept(tmp_path, others) as it:
        brought = await it.keep(b"some text", "notes.txt")
        shared = await it.keep(b"of before the cluster", "old.txt")
    del others.files[shared.file]
    (it.folder / brought.file).unlink()
    async with kept(tmp_path, others) as it:
        assert {brought.file, shared.file} == {*it.files()} == {*others.files}
        (it.folder / brought.file).unlink()
        assert b"some text" == await it.ask(ReadUpload(brought.id))
