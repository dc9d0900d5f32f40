"""Copies what was said in Codex's stored threads that nobody began here, so that it is searched.

Codex lists threads by their last change. Each that has changed since it was copied is read turn by
turn, without being loaded, and is copied whole in one transaction; so a look that is cut off goes
on where it was. What a session's transcript has is not copied again. One that Codex lists no more
is forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any, Final

import attrs

from command_center.actors.codex import requests
from command_center.actors.codex.accounts import typed
from command_center.actors.codex.errors import NoAnswer
from command_center.actors.codex.pages import Ask, Pages
from command_center.actors.contracts.threads import ThreadsImported
from command_center.actors.core.storage import Storage
from command_center.actors.rules.errors import Conflict, NotFound, Unavailable
from command_center.actors.sessions.runners.codex.threads import is_archived
from command_center.store.queries import stored_threads
from command_center.store.queries.stored_threads import StoredThread, ThreadText

MOST_THREADS: Final = 2000
"""Threads that are copied of a host, those that changed last."""

MOST_TURNS: Final = 200
"""Turns that are copied of a thread, the newest."""

LONGEST: Final = 20_000
"""Characters that are copied of a text."""

MOST_CHARACTERS: Final = 400_000
"""Characters that are copied of a thread, the newest, since one transaction takes them all."""

_PAGE: Final = 100
"""Threads that are listed at once."""

_TURNS: Final = (20, 5, 1)
"""Turns that are read at once; fewer of a thread once Codex gave no answer for as many."""


@attrs.frozen
class ThreadImport:
    """The looks at the stored threads of one host."""

    _storage: Storage
    _ask: Ask
    _host: str
    _shorter: dict[str, int] = attrs.field(factory=dict, init=False)
    """How often a thread's turns did not come, until they are copied."""

    async def look(self) -> ThreadsImported:
        """Copy all that has changed, and forget what is gone.

        Raises:
            Unavailable: Codex does not answer.
            Conflict: it does not list its threads.
        """
        known = await self._storage.read(lambda db: stored_threads.known_threads(db, self._host))
        listed, is_whole = await self._listed()
        gone = known.keys() - listed.keys()
        await self._storage.write(lambda tx: stored_threads.forget_threads(tx, self._host, gone))
        imported = texts = 0
        for thread in listed.values():
            if known.get(thread.thread_id) != thread.changed:
                copied = await self._copy(thread)
                imported += copied > 0
                texts += copied
        return ThreadsImported(
            host=self._host, threads=imported, texts=texts, removed=len(gone), is_whole=is_whole
        )

    async def _listed(self) -> tuple[dict[str, StoredThread], bool]:
        """Return the threads to keep, and whether they are all that Codex has."""
        listed: dict[str, StoredThread] = {}
        for archived in (False, True):
            call = requests.threads_stored(limit=_PAGE, archived=archived)
            async for page in Pages(self._ask, call):
                for thread in page:
                    found = _thread_in(thread, self._host)
                    if found is None or found.thread_id in listed:
                        continue
                    if len(listed) >= MOST_THREADS:
                        return listed, False
                    listed[found.thread_id] = found
        return listed, True

    async def _copy(self, thread: StoredThread) -> int:
        """Copy a thread, also one without a text, so that it is not read again."""
        ours = await self._storage.read(
            partial(stored_threads.turns_of_sessions, host=self._host, thread_id=thread.thread_id)
        )
        try:
            texts = await self._said(thread.thread_id, ours)
        except (Conflict, NotFound):
            texts = []  # a file that Codex cannot read; it is looked at again once it changes
        await self._storage.write(lambda tx: stored_threads.keep_thread(tx, thread, texts[::-1]))
        return len(texts)

    async def _said(self, thread_id: str, ours: Collection[str]) -> list[ThreadText]:
        """Read what was said in a thread, the last first, in shorter pages where none comes.

        An answer may be too long for the connection, which may end with it. Then the next look
        asks for less. What does not come turn by turn is left out, with what is older.
        """
        tried = self._shorter.get(thread_id, 0)
        texts: list[ThreadText] = []
        turns, left = 0, MOST_CHARACTERS
        pages = Pages(self._ask, requests.turns_list(thread_id))
        while tried < len(_TURNS) and turns < MOST_TURNS and left > 0:
            pages.shorten(_TURNS[tried])
            try:
                page = await anext(pages)
            except StopAsyncIteration:
                break
            except Unavailable as error:
                tried += 1
                if not isinstance(error, NoAnswer):
                    self._shorter[thread_id] = tried
                    raise
                continue
            turns += len(page)
            for turn in page:
                if isinstance(turn, dict) and turn.get("id") not in ours:
                    for text in texts_in(turn):
                        left -= len(text.text)
                        if left >= 0:
                            texts.append(text)
        self._shorter.pop(thread_id, None)
        return texts

    async def forget(self) -> None:
        """Forget all that was copied."""
        known = await self._storage.read(lambda db: stored_threads.known_threads(db, self._host))
        if known:
            await self._storage.write(
                lambda tx: stored_threads.forget_threads(tx, self._host, known)
            )


def _thread_in(thread: object, host: str) -> StoredThread | None:
    """Read an entry of Codex's list; None where it names no thread."""
    if not isinstance(thread, dict) or not isinstance(thread.get("id"), str):
        return None
    title = typed(thread.get("name"), str) or typed(thread.get("preview"), str) or ""
    return StoredThread(
        host=host,
        thread_id=thread["id"],
        title=title[:200],
        cwd=typed(thread.get("cwd"), str) or "",
        changed=typed(thread.get("updatedAt"), int) or 0,
        is_archived=is_archived(thread),
    )


def texts_in(turn: Mapping[str, Any]) -> Iterator[ThreadText]:
    """Yield what people and the agent said in a turn and which commands ran, the last first."""
    items = turn.get("items")
    for item in reversed(items if isinstance(items, list) else []):
        text = _text_of(item) if isinstance(item, dict) else None
        if text:
            yield ThreadText(
                turn_id=str(turn.get("id")),
                kind=str(item.get("type")),
                at=typed(turn.get("startedAt"), int),
                text=text[:LONGEST],
            )


def _text_of(item: Mapping[str, Any]) -> str | None:
    match item.get("type"):
        case "userMessage":
            parts = item.get("content")
            said = [part.get("text") for part in parts or () if isinstance(part, dict)]
            return "\n".join(text for text in said if isinstance(text, str))
        case "agentMessage" | "plan":
            return typed(item.get("text"), str)
        case "commandExecution":
            return typed(item.get("command"), str)
    return None
