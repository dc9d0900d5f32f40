"""Followers of the log act on no history that is imported, and lose nothing by an import."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from command_center.actors.ledger.followers import CHANNELS, first_unread, pass_over
from command_center.actors.notify.channel import NotifyChannel
from command_center.actors.telegram.channel import TelegramChannel
from command_center.actors.webpush.channel import PushChannel
from command_center.store import Transaction, Writer, automations, channel_marks, events, webhooks
from command_center.store.backups.contents import DATABASE
from command_center.store.database.opening import open_for_reading
from command_center.store.portable.errors import BadExport
from command_center.store.portable.exporting import export_database
from command_center.store.portable.importing import import_file
from tests.made_up import made_up
from tests.store.units import add_repository, run


def end_session(tx: Transaction) -> None:
    tx.emit(made_up("session.completed"), actor="t", repository_id=1)


def follow(tx: Transaction) -> None:
    """Have an automation, a webhook and each channel follow the log from here on."""
    last = events.last_id(tx.db)
    automations.insert(
        tx,
        repository_id=1,
        title="After each",
        schedule_expr="on_event@session.completed",
        payload={"prompt": "p"},
        requested_by="web",
        last_event_id=last,
    )
    webhooks.insert(tx, url="https://a.example", types=["*"], secret="s" * 16, position=last)
    for name in (*CHANNELS, "polling offset"):
        channel_marks.insert(tx, name=name, value=last)


def test_what_is_imported_is_passed_over_and_what_waits_is_not(tmp_path: Path) -> None:
    file, path = tmp_path / "file", tmp_path / "data" / DATABASE
    writer = Writer(path, busy_timeout=0)
    run(writer, add_repository)
    run(writer, end_session)
    with file.open("wb") as target:
        export_database(path, target)
    run(writer, follow)
    writer.close()
    import_file(file, path.parent, path, pass_over=pass_over)
    with closing(open_for_reading(path)) as db:
        assert (2, None) == (events.last_id(db), first_unread(db))
        marks = {mark.name: mark.value for mark in channel_marks.every(db, {})}
    assert {**dict.fromkeys(CHANNELS, 2), "polling offset": 1} == marks
    writer = Writer(path, busy_timeout=0)
    run(writer, end_session)
    writer.close()
    with pytest.raises(BadExport, match=r"wait for webhook 1, automation 1\. Start the server"):
        import_file(file, path.parent, path, pass_over=pass_over)
    with closing(open_for_reading(path)) as db:
        assert (3, 3) == (events.last_id(db), first_unread(db))


def test_each_channel_has_a_mark_that_is_known() -> None:
    marks = {NotifyChannel.mark, TelegramChannel.mark, PushChannel.mark}
    assert marks == set(CHANNELS)
