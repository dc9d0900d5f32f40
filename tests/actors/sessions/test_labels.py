"""A session is named, archived and brought back, whether it has an actor or not."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlite_utils import Database

from command_center.actors.channels import wording
from command_center.actors.channels.notices import PullRequestTold
from command_center.actors.contracts.sessions import LabelSession, SessionLabel
from command_center.actors.rules.errors import Conflict, Invalid, NotFound
from command_center.actors.sessions.directory import Sessions
from command_center.actors.telegram import wording as telegram
from command_center.actors.telegram.channel import where_of
from command_center.actors.telegram.markup import to_plain
from command_center.http.sharing.story import opened
from command_center.store import Session, Transaction, sessions, tasks
from tests.actors.rows import Rig, insert_repository, insert_session, insert_task, rig
from tests.actors.sessions.live import live_session

ENDED = {"status": "completed", "finished_at": "2026-01-01T00:00:00.000Z"}


def label(**wanted: Any) -> LabelSession:
    return LabelSession(SessionLabel(**wanted, requested_by="ada"))


async def inserted(place: Rig, **fields: Any) -> Session:
    def insert(tx: Transaction) -> Session:
        return insert_session(tx, insert_task(tx, insert_repository(tx)), **fields)

    return await place.storage.write(insert)


async def told(place: Rig) -> list[tuple[str, str]]:
    bodies = await place.storage.read(lambda db: list(db.execute("SELECT body FROM events")))
    found = (msgspec.json.decode(body) for (body,) in bodies)
    return [(event["type"], event["actor"]) for event in found]


async def test_a_live_session_is_named_by_its_actor_and_not_archived(tmp_path: Path) -> None:
    async with live_session(tmp_path / "db.sqlite3") as live:
        named = await live.ref.ask(label(title="The slow query"))
        assert "The slow query" == named.title == (await live.session()).title
        (event,) = await live.events("session.renamed")
        assert ("ada", {"title": "The slow query"}) == (event["actor"], event["data"])
        with pytest.raises(Conflict, match="stop it before you archive it"):
            await live.ref.ask(label(title="Another", archived=True))
        assert "The slow query" == (await live.session()).title


async def test_one_that_has_ended_is_named_and_archived_without_an_actor(tmp_path: Path) -> None:
    async with rig(tmp_path / "db.sqlite3") as place:
        asked = Sessions(place.system.find, place.storage, 60)
        session = await inserted(place, **ENDED)
        for _ in range(2):  # the second time changes nothing, and tells of nothing
            kept = await asked.label(session.id, label(title="Mine", archived=True))
            assert ("Mine", True) == (kept.title, kept.archived)
        back = await asked.label(session.id, label(archived=False))
        assert ("Mine", False) == (back.title, back.archived)
        assert ["session.renamed", "session.archived", "session.unarchived"] == [
            kind for kind, actor in await told(place) if actor == "ada"
        ]


async def test_a_title_that_says_nothing_or_is_a_page_long_is_refused(tmp_path: Path) -> None:
    async with rig(tmp_path / "db.sqlite3") as place:
        asked = Sessions(place.system.find, place.storage, 60)
        session = await inserted(place, title="Before", **ENDED)
        for title in (" \n", "a" * 201):
            with pytest.raises(Invalid, match="title"):
                await asked.label(session.id, label(title=title))
        with pytest.raises(NotFound):
            await asked.label(session.id + 1, label(title="Nobody"))
        assert "Before" == (await place.storage.read(lambda db: sessions.get(db, session.id))).title


async def test_people_hear_of_a_session_by_its_own_title(tmp_path: Path) -> None:
    async with rig(tmp_path / "db.sqlite3") as place:
        session = await inserted(place, title="Mine", **ENDED)

        def said(db: Database) -> list[str]:
            where = where_of(db, session, None)
            told = PullRequestTold(session, "https://example.org/1", [], 1, goes_on=True, reason="")
            return [
                wording.session_over(session, cut_off=False).title,
                wording.pull_request_told(told).title,
                to_plain(telegram.session_text(session, where)),
                to_plain(telegram.session_line(session, where)),
                to_plain(telegram.pull_request_text(told, where)),
                opened(db, session.id).title,
            ]

        for text in await place.storage.read(said):
            assert "Mine" in text


async def test_sessions_are_found_by_their_own_title_and_apart_from_the_archived(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path / "db.sqlite3") as place:
        first = await inserted(place, title="The slow query", **ENDED)
        second = await inserted(place, title="A slow build", archived=True, **ENDED)
        await place.storage.write(lambda tx: tasks.update(tx, first.task_id, title="Renamed"))
        asked: list[tuple[dict[str, Any], str | None, list[int]]] = [
            ({}, "slow", [first.id, second.id]),
            ({"archived": False}, "slow", [first.id]),
            ({"archived": True}, None, [second.id]),
            ({}, f"#{second.id}", [second.id]),
            ({}, "renamed", []),
        ]

        def ids(db: Database, where: dict[str, Any], words: str | None) -> list[int]:
            return [row.id for row in sessions.page(db, where, words=words, limit=9).items]

        for where, words, wanted in asked:
            found = await place.storage.read(partial(ids, where=where, words=words))
            assert wanted == found, (where, words)
