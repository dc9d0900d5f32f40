"""Stored threads are copied so far as they go, go on where they were cut off, and are forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from sqlite_utils import Database

from command_center.actors.codex.errors import AnswerTooLong, BridgeUnavailable, CodexError
from command_center.actors.contracts.bridges import BridgeConnected, BridgeLost
from command_center.actors.contracts.threads import DeleteThread, ImportThreads, ThreadsImported
from command_center.actors.ledger.repositories import delete_repository
from command_center.actors.rules.errors import Conflict, Unavailable
from command_center.actors.sessions.runners.codex import thread_acts, thread_import
from command_center.actors.sessions.runners.codex.thread_acts import ThreadActs
from command_center.actors.sessions.runners.codex.thread_import import (
    LONGEST,
    LONGEST_TITLE,
    texts_in,
    thread_in,
)
from command_center.runtime import ActorRef, ChildSpec
from command_center.store import Transaction
from command_center.store.queries import stored_threads
from command_center.store.queries.stored_threads import StoredThread, ThreadText
from tests.actors.hosts.machines import this_machine
from tests.actors.rows import Rig, insert_repository, insert_session, insert_task, rig
from tests.actors.sessions.live import PlayedBridge, played


class Shelf:
    """The threads that the played Codex has stored, each with its last change."""

    def __init__(self, bridge: PlayedBridge) -> None:
        self.bridge = bridge
        self.threads: dict[str, int] = {}
        self.unread: set[str] = set()
        self.names: dict[str, str] = {}
        self.archived: set[str] = set()
        self.said: dict[str, dict[str, str]] = {}
        self.most: dict[str, int] = {}
        self.loses = False
        self.read: list[str] = []
        bridge.replies["thread/list"] = self._list
        bridge.replies["thread/turns/list"] = self._turns

    def _list(self, asked: Any) -> dict[str, Any]:
        is_archived = bool(asked.get("archived"))
        made = [
            {"id": one, "cwd": "/w", "updatedAt": changed, "name": self.names.get(one)}
            | ({"path": "/h/archived_sessions/a.jsonl"} if is_archived else {})
            for one, changed in self.threads.items()
            if is_archived == (one in self.archived)
        ]
        return {"data": ["odd", {}, *made], "nextCursor": None}

    def _turns(self, asked: Any) -> dict[str, Any]:
        thread_id = asked["threadId"]
        if thread_id in self.unread:
            raise CodexError("thread/turns/list", -32600, "it is damaged")
        most = self.most.get(thread_id, asked["limit"])
        if asked["limit"] > most:
            if self.loses:
                raise BridgeUnavailable("It was too long.")
            raise AnswerTooLong("thread/turns/list", 1)
        self.read.append(thread_id)
        turns = self.said.get(thread_id, {"t": f"said in {thread_id}"})
        made = [
            {"id": one, "items": [{"type": "agentMessage", "text": text}, "odd"]}
            for one, text in turns.items()
        ]
        return {"data": [*made, "odd"] if made else [], "nextCursor": None}


@asynccontextmanager
async def opened(
    folder: Path, *, imports: bool = True, hosts: Collection[str] = ()
) -> AsyncIterator[tuple[Rig, ActorRef[Any], Shelf]]:
    bridge = PlayedBridge()
    shelf = Shelf(bridge)
    host = this_machine(folder).named("local")
    async with rig(folder / "store.db", played(bridge)) as found:
        spec = ChildSpec(
            id="acts",
            start=lambda: ThreadActs(found.storage, host, imports=imports, hosts=hosts),
        )
        yield found, await found.system.start_child("/", spec), shelf


async def look(ref: ActorRef[Any]) -> ThreadsImported:
    told: ThreadsImported = await ref.ask(ImportThreads(), timeout=10)
    return told


async def said(found: Rig) -> list[str]:
    page = await found.storage.read(lambda db: stored_threads.search_threads(db, "said", limit=50))
    return sorted(one.thread_id for one in page.items)


async def test_what_has_changed_is_read_again_and_what_is_gone_is_forgotten(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (found, ref, shelf):
        shelf.threads = {"a": 1, "b": 1, "c": 1}
        shelf.unread = {"c"}
        assert (2, 0, True) == ((told := await look(ref)).threads, told.removed, told.is_whole)
        shelf.threads = {"a": 1, "b": 2, "c": 1}
        await look(ref)
        assert ["a", "b", "b"] == shelf.read
        assert ["a", "b"] == await said(found)
        shelf.threads = {"b": 2}
        assert 2 == (await look(ref)).removed
        assert ["b"] == await said(found)


async def test_a_thread_whose_turns_are_listed_later_is_found_though_it_did_not_change(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (found, ref, shelf):
        shelf.threads, shelf.said = {"a": 1}, {"a": {}}
        assert (0, 0) == ((told := await look(ref)).threads, told.removed)
        shelf.said = {}
        assert (1, 0) == ((told := await look(ref)).threads, told.removed)
        assert ["a"] == await said(found)
        assert 0 == (await look(ref)).threads
        assert ["a", "a"] == shelf.read


async def test_a_thread_whose_turns_are_too_long_is_read_turn_by_turn_and_keeps_no_other_back(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (found, ref, shelf):
        shelf.threads = {"gone": 1}
        await look(ref)
        shelf.threads = {"far-too-long": 3, "too-long": 2, "b": 1}
        shelf.most = {"far-too-long": 0, "too-long": 1}
        assert (2, 1) == ((told := await look(ref)).threads, told.removed)
        assert ["b", "too-long"] == await said(found)
        assert 0 == (await look(ref)).threads
        assert ["gone", "too-long", "b"] == shelf.read


async def test_a_connection_that_turns_ended_is_asked_for_fewer_of_them_the_next_time(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (found, ref, shelf):
        shelf.threads = {"too-long": 2, "gone": 1}
        await look(ref)
        shelf.threads = {"too-long": 3, "b": 1}
        shelf.most, shelf.loses = {"too-long": 1}, True
        for _ in range(2):
            with pytest.raises(Unavailable, match="too long"):
                await look(ref)
        assert ["too-long"] == await said(found)
        assert 2 == (await look(ref)).threads
        assert ["b", "too-long"] == await said(found)


async def test_no_more_threads_are_kept_than_are_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread_import, "MOST_THREADS", 2)
    monkeypatch.setattr(thread_import, "MOST_CHARACTERS", len("said in middle"))
    async with opened(tmp_path) as (found, ref, shelf):
        shelf.threads = {"new": 3, "middle": 2, "old": 1}
        assert (2, False) == ((told := await look(ref)).threads, told.is_whole)
        assert ["middle", "new"] == await said(found)
        shelf.threads = {"too-long": 4}
        assert 0 == (await look(ref)).texts


async def test_a_thread_that_is_deleted_while_it_is_read_is_not_kept(tmp_path: Path) -> None:
    def unknown(_asked: object) -> dict[str, Any]:
        raise CodexError("thread/read", -32600, "no rollout found")

    async with opened(tmp_path) as (found, ref, shelf):
        shelf.threads = {"a": 1, "b": 1}
        shelf.bridge.status = {"type": "idle"}
        is_read = shelf.bridge.gate("thread/turns/list")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(look, ref)
            await shelf.bridge.until_called("thread/turns/list")
            await ref.ask(DeleteThread("a"), timeout=10)
            read = shelf.bridge.replies["thread/read"]
            shelf.bridge.replies["thread/read"] = lambda asked: (
                unknown(asked) if asked["threadId"] == "a" else read(asked)
            )
            is_read.set()
        assert ["b"] == await said(found)
        assert {"b"} == (
            await found.storage.read(lambda db: stored_threads.known_threads(db, "local"))
        ).keys()


async def test_another_name_and_place_of_a_thread_are_kept_without_reading_it(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (found, ref, shelf):
        shelf.threads = {"a": 1}
        await look(ref)
        shelf.names, shelf.archived = {"a": "Wombats"}, {"a"}
        assert (0, 0) == ((told := await look(ref)).threads, told.removed)
        page = await found.storage.read(
            lambda db: stored_threads.search_threads(db, "said", limit=50)
        )
        assert [("Wombats", True)] == [(one.title, one.is_archived) for one in page.items]
        assert ["a"] == shelf.read


async def test_of_a_thread_that_has_changed_only_what_is_new_is_added(tmp_path: Path) -> None:
    def kept(db: Database) -> dict[str, int]:
        texts = stored_threads.kept_texts(db, "local", "a")
        return {text.text: id_ for id_, text in texts}

    async with opened(tmp_path) as (found, ref, shelf):
        shelf.threads, shelf.said = {"a": 1}, {"a": {"2": "then this", "1": "said first"}}
        await look(ref)
        before = await found.storage.read(kept)
        shelf.threads, shelf.said = {"a": 2}, {"a": {"3": "at last", "1": "said first"}}
        await look(ref)
        after = await found.storage.read(kept)
        assert {"said first", "at last"} == after.keys()
        assert before["said first"] == after["said first"]


async def test_a_fork_of_a_session_s_thread_is_not_found_twice(tmp_path: Path) -> None:
    def have_said(tx: Transaction) -> None:
        place = insert_repository(tx)
        insert_session(tx, insert_task(tx, place), codex_thread_id="ours", codex_turn_id="t")

    async with opened(tmp_path) as (found, ref, shelf):
        await found.storage.write(have_said)
        shelf.threads = {"fork": 1}
        assert 0 == (await look(ref)).texts


async def test_what_a_deleted_repository_s_sessions_said_does_not_come_back(tmp_path: Path) -> None:
    def have_said(tx: Transaction) -> int:
        place = insert_repository(tx)
        insert_session(
            tx,
            insert_task(tx, place),
            status="completed",
            finished_at=tx.now,
            codex_thread_id="ours",
            codex_turn_id="1",
        )
        return place.id

    async with opened(tmp_path) as (found, ref, shelf):
        place = await found.storage.write(have_said)
        shelf.threads = {"ours": 1, "fork": 1, "other": 1}
        shelf.said = {
            "ours": {"2": "said elsewhere", "1": "said here"},
            "fork": {"3": "said in the fork", "1": "said here"},
        }
        await look(ref)
        assert ["fork", "other", "ours"] == await said(found)
        await found.storage.write(lambda tx: delete_repository(tx, place, "test"))
        assert ["fork", "other"] == await said(found)
        shelf.threads = {"ours": 2, "fork": 2, "other": 1}
        assert 1 == (await look(ref)).removed
        assert ["fork", "other"] == await said(found)
        kept = await found.storage.read(lambda db: stored_threads.known_threads(db, "local"))
        assert {"fork", "other"} == kept.keys()


async def test_a_look_that_is_cut_off_goes_on_with_the_others(tmp_path: Path) -> None:
    async with opened(tmp_path) as (found, ref, shelf):
        shelf.threads = {"a": 1, "b": 1}
        await look(ref)
        await found.storage.write(lambda tx: stored_threads.hide_threads(tx, "local", ["b"]))
        assert ["a"] == await said(found)
        await found.storage.write(lambda tx: stored_threads.forget_part(tx, "local", "b"))
    async with opened(tmp_path) as (found, ref, shelf):
        shelf.threads = {"a": 1, "b": 1}
        await look(ref)
        assert (["b"], ["a", "b"]) == (shelf.read, await said(found))


async def test_where_it_is_off_nothing_is_kept(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, ref, shelf):
        shelf.threads = {"a": 1}
        await look(ref)
    async with opened(tmp_path, imports=False) as (found, ref, _):
        with pytest.raises(Conflict, match="CC_IMPORT_THREADS"):
            await look(ref)
        with trio.fail_after(30):
            while await said(found):
                await trio.lowlevel.checkpoint()


async def test_what_was_copied_of_a_host_that_is_no_more_is_forgotten_at_the_start(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (found, ref, shelf):
        shelf.threads = {"here": 1}
        await look(ref)
        for host in ("gone", "known"):
            thread = StoredThread(
                host=host, thread_id=host, title="", cwd="", changed=1, is_archived=False
            )
            text = ThreadText(turn_id="t", kind="plan", at=None, text="said there")
            await found.storage.write(
                partial(stored_threads.keep_thread, thread=thread, texts=[text])
            )
    async with opened(tmp_path, hosts=["local", "known"]) as (found, _, _):
        with trio.fail_after(30):
            while "gone" in await said(found):
                await trio.lowlevel.checkpoint()
        assert ["here", "known"] == await said(found)


async def test_each_connection_has_them_looked_at_and_again_while_it_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread_acts, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(thread_acts, "AGAIN_SECONDS", 0.01)
    connected = BridgeConnected(server_version=None, process_id=None)
    async with opened(tmp_path) as (found, ref, shelf):
        for thread_id in ("a", "b"):
            await ref.tell(connected)
            shelf.threads[thread_id] = 1
            with trio.fail_after(30):
                while thread_id not in await said(found):
                    await trio.lowlevel.checkpoint()
            await ref.tell(BridgeLost(reason="gone"))


def test_texts_are_those_that_were_said_and_no_longer_than_they_may_be() -> None:
    items = [
        {"type": "userMessage", "content": [{"type": "text", "text": "Hi"}, {"type": "image"}, 1]},
        {"type": "reasoning", "text": "thought"},
        {"type": "commandExecution", "command": "ls", "aggregatedOutput": "secret.txt"},
        {"type": "agentMessage", "text": "x" * (LONGEST + 1)},
        {"type": "agentMessage", "text": 7},
        {"type": "userMessage", "content": None},
    ]
    found = [*texts_in({"id": "t", "startedAt": 5, "items": items})]
    assert ["agentMessage", "commandExecution", "userMessage"] == [one.kind for one in found]
    assert (LONGEST, "ls", "Hi", 5) == (
        len(found[0].text),
        found[1].text,
        found[2].text,
        found[2].at,
    )
    assert [] == [*texts_in({"id": "t", "items": None})]


@pytest.mark.parametrize("secret", ["ghp_" + "a1B2" * 9, "hunter2-of-mine"])
def test_secrets_are_taken_out_before_texts_are_cut(secret: str) -> None:
    secrets = ["hunter2-of-mine"]
    items = [{"type": "agentMessage", "text": "w " * (LONGEST // 2 - 4) + secret}]
    (text,) = texts_in({"id": "t", "items": items}, secrets)
    named = {"id": "t", "preview": "w " * (LONGEST_TITLE // 2 - 4) + secret, "cwd": f"/{secret}"}
    thread = thread_in(named, "local", secrets)
    assert thread is not None
    for kept in (text.text, thread.title, thread.cwd):
        assert secret[:7] not in kept
    assert (LONGEST, LONGEST_TITLE) == (len(text.text), len(thread.title))
