"""Copies what was said in Codex's stored threads that nobody began here, so that it is searched.

Codex lists threads by their last change. One that it lists no more is forgotten. Each that has
changed since it was copied is read turn by turn, without being loaded, and what is new is added.
That is done in parts, the last of which says how far it came; so a look that is cut off goes on
where it was. What a session's transcript has is not copied again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import attrs
import msgspec
import trio

from command_center.actors.codex import requests
from command_center.actors.codex.accounts import typed
from command_center.actors.codex.errors import NoAnswer
from command_center.actors.codex.pages import Ask, Pages
from command_center.actors.contracts.threads import ThreadsImported
from command_center.actors.core.locks import KeyedLocks
from command_center.actors.core.storage import Storage
from command_center.actors.rules.errors import Conflict, NotFound, Unavailable
from command_center.actors.sessions.runners.codex.threads import is_archived
from command_center.store import redact
from command_center.store.queries import stored_threads
from command_center.store.queries.stored_threads import StoredThread, ThreadText

MOST_THREADS: Final = 2000
"""Threads that are copied of a host, those that changed last."""

MOST_TURNS: Final = 200
"""Turns that are copied of a thread, the newest."""

LONGEST: Final = 20_000
"""Characters that are copied of a text."""

LONGEST_TITLE: Final = 200
"""Characters that are copied of a title."""

MOST_CHARACTERS: Final = 400_000
"""Characters that are copied of a thread, the newest."""

_PAGE: Final = 100
"""Threads that are listed at once."""

_TURNS: Final = (20, 5, 1)
"""Turns that are read at once; fewer of a thread once Codex gave no answer for as many."""

T = TypeVar("T")


@attrs.frozen
class ThreadImport:
    """The looks at the stored threads of one host."""

    _storage: Storage
    _ask: Ask
    _host: str
    _locks: KeyedLocks
    """Those of the acts on threads: one that is being deleted is not kept."""
    _shorter: dict[str, int] = attrs.field(factory=dict, init=False)
    """Counts how often a thread's turns did not come, until they are copied."""

    async def look(self) -> ThreadsImported:
        """Copy all that has changed, and forget what is gone.

        Raises:
            Unavailable: Codex does not answer.
            Conflict: it does not list its threads.
        """
        known = await self._storage.read(lambda db: stored_threads.known_threads(db, self._host))
        forgotten = await self._storage.read(
            lambda db: stored_threads.forgotten_threads(db, self._host)
        )
        listed, is_whole = await self._listed(forgotten)
        gone = known.keys() - listed.keys()
        await self.forget_threads(gone)
        imported = texts = 0
        for thread in listed.values():
            kept = known.get(thread.thread_id)
            if kept is None or kept.changed != thread.changed:
                copied = await self._copy(thread)
                imported += copied > 0
                texts += copied
            elif kept != thread:  # it is named or archived, which changes no turn
                async with self._locks.of(thread.thread_id):
                    await self._write(stored_threads.keep_thread, thread)
        return ThreadsImported(
            host=self._host, threads=imported, texts=texts, removed=len(gone), is_whole=is_whole
        )

    async def _listed(self, forgotten: Collection[str]) -> tuple[dict[str, StoredThread], bool]:
        """Return the threads to keep, and whether they are all that Codex has but the forgotten."""
        listed: dict[str, StoredThread] = {}
        for archived in (False, True):
            call = requests.threads_stored(limit=_PAGE, archived=archived)
            async for page in Pages(self._ask, call):
                for thread in page:
                    found = thread_in(thread, self._host, self._storage.secrets)
                    if found is None or found.thread_id in listed:
                        continue
                    if found.thread_id in forgotten:
                        continue
                    if len(listed) >= MOST_THREADS:
                        return listed, False
                    listed[found.thread_id] = found
        return listed, True

    async def _copy(self, thread: StoredThread) -> int:
        """Copy a thread, also one without a text, so that it is not read again."""
        thread_id = thread.thread_id
        ours = await self._storage.read(
            partial(stored_threads.turns_of_sessions, host=self._host, thread_id=thread_id)
        )
        try:
            texts = await self._said(thread_id, ours)
        except (Conflict, NotFound):
            texts = []  # a file that Codex cannot read; it is looked at again once it changes
        if texts is None:  # it is looked at again, though it may not change
            thread, texts = msgspec.structs.replace(thread, changed=0), []
        async with self._locks.of(thread_id):
            if not await self._is_there(thread_id):
                await self.forget_threads([thread_id])
                return 0
            await self._keep(thread, texts[::-1])
        return len(texts)

    async def _is_there(self, thread_id: str) -> bool:
        """Return whether a thread was not deleted while it was read."""
        try:
            await self._ask(requests.thread_read(thread_id))
        except NotFound:
            return False
        except Conflict:  # Codex has it, and cannot read it
            return True
        return True

    async def _keep(self, thread: StoredThread, texts: list[ThreadText]) -> None:
        """Add what is new in a thread, and forget what it says no more."""
        kept = await self._storage.read(
            partial(stored_threads.kept_texts, host=self._host, thread_id=thread.thread_id)
        )
        old = {text: id_ for id_, text in kept}
        new = set(texts)
        gone = [(id_, text) for id_, text in kept if text not in new or old[text] != id_]
        added = [text for text in dict.fromkeys(texts) if text not in old]
        for part in stored_threads.in_parts(gone, lambda entry: len(entry[1].text)):
            ids = [id_ for id_, _ in part]
            await self._write(stored_threads.keep_thread, thread, gone=ids, is_last=False)
        for these in stored_threads.in_parts(added, lambda text: len(text.text)):
            await self._write(stored_threads.keep_thread, thread, texts=these, is_last=False)
        await self._write(stored_threads.keep_thread, thread)

    async def _said(self, thread_id: str, ours: Collection[str]) -> list[ThreadText] | None:
        """Read what was said in a thread, the last first, in shorter pages where none comes.

        Return None where Codex lists no turn. So it is with a thread that a Codex wrote which had
        no database, as when another one was setting it up: until somebody resumes the thread.

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
            new = [one for one in page if isinstance(one, dict) and one.get("id") not in ours]
            for text in await trio.to_thread.run_sync(self._texts_in, new):
                left -= len(text.text)
                if left >= 0:
                    texts.append(text)
        self._shorter.pop(thread_id, None)
        return texts if turns or tried == len(_TURNS) else None

    def _texts_in(self, turns: list[dict[str, Any]]) -> list[ThreadText]:
        return [text for turn in turns for text in texts_in(turn, self._storage.secrets)]

    async def forget(self) -> None:
        """Forget all that was copied."""
        known = await self._storage.read(lambda db: stored_threads.known_threads(db, self._host))
        await self.forget_threads(known)

    async def forget_threads(self, thread_ids: Collection[str]) -> None:
        """Forget what was copied of these; from the first moment on nothing of it is found."""
        if thread_ids:
            await self._write(stored_threads.hide_threads, self._host, thread_ids)
        for thread_id in thread_ids:
            while await self._write(stored_threads.forget_part, self._host, thread_id):
                pass

    async def _write(self, unit: Callable[..., T], *args: Any, **named: Any) -> T:
        return await self._storage.write(lambda tx: unit(tx, *args, **named))


def thread_in(thread: object, host: str, secrets: Sequence[str] = ()) -> StoredThread | None:
    """Read an entry of Codex's list, without secrets; None where it names no thread."""
    if not isinstance(thread, dict) or not isinstance(thread.get("id"), str):
        return None
    title = typed(thread.get("name"), str) or typed(thread.get("preview"), str) or ""
    return StoredThread(
        host=host,
        thread_id=thread["id"],
        title=redact(title, secrets)[:LONGEST_TITLE],
        cwd=redact(typed(thread.get("cwd"), str) or "", secrets),
        changed=typed(thread.get("updatedAt"), int) or 0,
        is_archived=is_archived(thread),
    )


def texts_in(turn: Mapping[str, Any], secrets: Sequence[str] = ()) -> Iterator[ThreadText]:
    """Yield what people and the agent said in a turn and which commands ran, the last first.

    Secrets are taken out of a text before it is cut, since half of one would not be seen as one.
    """
    items = turn.get("items")
    for item in reversed(items if isinstance(items, list) else []):
        text = _text_of(item) if isinstance(item, dict) else None
        if text:
            yield ThreadText(
                turn_id=str(turn.get("id")),
                kind=str(item.get("type")),
                at=typed(turn.get("startedAt"), int),
                text=redact(text, secrets)[:LONGEST],
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
