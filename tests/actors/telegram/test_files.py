"""Photos and files that people send are shown to Codex with the words that they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from command_center.actors.rules.uploads import UPLOAD_BYTES
from command_center.actors.telegram import inbox
from command_center.store import Session, sessions, tasks, telegram_updates, uploads
from tests.actors.telegram.rig import GROUP, ME, Rig, rig
from tests.actors.telegram.test_commands import another_repository, ended
from tests.sent_pictures import JPEG, SECRET, png


def names(session: Session) -> list[str]:
    return [one["name"] for one in session.attachments]


async def send(r: Rig, content: bytes, caption: str | None = None, **more: Any) -> None:
    await r.receive(r.api.sent(content, caption, **{"user_id": ME, **more}))


async def test_a_photo_goes_with_the_words_below_it(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await send(r, JPEG, "/run What is wrong here?")
        await r.api.message(ME, "is queued in r")
        session = await r.until(ended)
        task = await r.center.storage.read(lambda db: tasks.get(db, session.task_id))
        assert "What is wrong here?" == task.prompt
        (upload,) = await r.center.storage.read(lambda db: uploads.every(db, {}))
        assert ("image/jpeg", f"telegram:{ME}") == (upload.media_type, upload.requested_by)
        assert [upload.id] == [one["id"] for one in session.attachments]
        assert SECRET not in (tmp_path / "uploads" / upload.file).read_bytes()

        message = await r.api.message(ME, "completed")
        await send(r, b"Mind the gap.", "Read this.", name="notes.md", reply_to=message)
        await r.api.message(ME, "is queued in r", count=2)
        again = await r.until(lambda db: sessions.find(db, {"origin": "followup"}))
        assert ("Read this.", ["notes.md"]) == (again.prompt, names(again))


async def test_a_file_without_words_waits_for_them(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await another_repository(r)
        await send(r, png())
        await r.api.message(ME, "1 file is kept")
        await send(r, b"Two.", name="two.txt")
        await r.api.message(ME, "2 files are kept")
        await r.say("Compare them")
        await r.press(await r.api.message(ME, "Where?"), "r")
        session = await r.until(ended)
        assert ["picture.png", "two.txt"] == names(session)
        await r.say("/run r Alone")
        await r.api.message(ME, "is queued in r", count=2)
        last = await r.until(lambda db: sessions.find(db, {}, newest_first=True))
        assert ("Alone", []) == (last.prompt, names(last))


async def test_an_album_goes_with_the_words_of_its_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "ALBUM_SECONDS", 0)
    async with rig(tmp_path) as r:
        more: dict[str, Any] = {"user_id": ME, "album": "a"}
        await r.receive(
            r.api.sent(JPEG, "/run Look at both", **more),
            r.api.sent(png(), **more),
            r.api.sent(b"Other.", name="other.txt", user_id=ME, album="b"),
        )
        session = await r.until(ended)
        assert ["picture.jpg", "picture.png"] == names(session)
        await r.api.message(ME, "1 file is kept")
        done = await r.center.storage.read(lambda db: telegram_updates.every(db, {}))
        assert ["done"] * 3 == [row.status for row in done]


async def test_what_is_not_taken_is_said_and_nothing_runs(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await send(r, b"\0\1\2", "/run Look", name="a.bin")
        await r.api.message(ME, "That did not work.")
        large = r.api.sent(b"x", "/run Look", name="a.txt", user_id=ME)
        large["message"]["document"]["file_size"] = UPLOAD_BYTES + 1
        await r.receive(large)
        await r.api.message(ME, "The file is too large")
        lying = r.api.sent(b"x", "/run Look", name="a.txt", user_id=ME)
        r.api.files[lying["message"]["document"]["file_id"]] = b"x" * (UPLOAD_BYTES + 1)
        await r.receive(lying)
        await r.api.message(ME, "The file is too large", count=2)
        gone = r.api.sent(b"x", "/run Look", name="a.txt", user_id=ME)
        r.api.files.clear()
        await r.receive(gone)
        await r.api.message(ME, "invalid file_id")
        assert 0 == await r.center.storage.read(lambda db: tasks.count(db, {}))


async def test_a_photo_in_a_group_that_is_not_for_the_bot_is_not_fetched(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        r.api.chat(GROUP)
        await send(r, JPEG, chat_id=GROUP)
        await r.until(lambda db: telegram_updates.find(db, {"status": "done"}))
        assert [] == r.api.called("getFile")
