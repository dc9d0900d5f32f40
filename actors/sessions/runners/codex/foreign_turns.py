"""`/foreign-turns/…`: notices the turns that Codex begins in threads of ours without a session.

Codex tells all its clients when a thread becomes active, also those that are not subscribed to it.
So no thread is kept in Codex's memory for it. What was not told is found by a look at the threads
that Codex has loaded: over each connection, where too much was told at once, and now and then.

A turn that policy lets in becomes a session's (see `adoption`). Any other is interrupted, what it
began is ended, and the goal of its thread is paused, for otherwise Codex would begin the next one.
So is each turn of a sub-agent that goes on when the session has ended for which that worked. One
that has ended before it was looked at is kept as it was (see `missed_turns`), also one that was
over before this life of the server, or that a Codex of its own has carried out. Of one that has no
end yet, the thread is looked at again.

Where another client loads such a thread, or a turn begins in it, the worktree that it works in is
made again if it is gone.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
import trio
from sqlite_utils import Database

from command_center.actors.codex import requests
from command_center.actors.codex.active_turns import is_active, working_folders
from command_center.actors.codex.errors import BridgeUnavailable, CodexError
from command_center.actors.codex.inbox import STATUS
from command_center.actors.codex.messages import (
    Call,
    CodexLagged,
    CodexNotification,
    codex_on,
)
from command_center.actors.codex.pages import Pages
from command_center.actors.codex.ports import CodexHost
from command_center.actors.contracts.addresses import REPOSITORIES, SLOTS, TASKS, session_at
from command_center.actors.contracts.bridges import (
    BridgeConnected,
    BridgeLost,
)
from command_center.actors.contracts.sessions import SessionCommitted, SlotsChanged, ThreadsReleased
from command_center.actors.contracts.turns import FindRunningTurns
from command_center.actors.contracts.worktrees import FindBounds, RemakeWorktree
from command_center.actors.core.storage import Storage
from command_center.actors.ledger.adoption import (
    ForeignTurn,
    Thread,
    adopt,
    changed_since,
    is_idle_here,
    last_session,
    message_of,
    refuse,
    settle_released,
    thread_of_session,
    working_session,
)
from command_center.actors.ledger.missed_turns import keep, known_turns
from command_center.actors.rules.errors import Conflict, Unavailable
from command_center.actors.rules.paths import same_place
from command_center.actors.rules.policy import PolicyDenied
from command_center.actors.sessions.runner import FAILURES
from command_center.actors.sessions.runners.codex.missed_turns import missed_turns
from command_center.actors.sessions.runners.codex.thread_goal import pause_goal, read_goal
from command_center.actors.sessions.runners.codex.turns import (
    LOOK_SECONDS,
    ask_bridge,
    end_what_is_left,
    interrupt_active,
    is_turn_of,
    message_id,
)
from command_center.actors.sessions.runners.codex.watcher import BridgeWatcher
from command_center.runtime import ActorNotFound, AskTimeout, Deferred, Down, handles
from command_center.store import (
    Session,
    orphaned_turns,
    released_threads,
    repositories,
    sessions,
)

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

PAUSE_SECONDS: Final = 2.0
"""Seconds to wait where Codex or the store does not answer, before a thread is looked at again."""

LOOK_AGAIN_SECONDS: Final = 60.0
"""Seconds between two looks at the threads that Codex has loaded, whatever it told."""

ALIKE_SECONDS: Final = 5.0
"""Seconds by which two clocks may differ and count as alike: the way of the answer is in it."""

MESSAGE_SECONDS: Final = 1.0
"""Seconds that the message that began a turn may take to be listed in it."""

TRUST_SECONDS: Final = 10.0
"""Seconds that it may take to find out whether a folder's files are trusted."""

REMAKE_SECONDS: Final = 300.0
"""Seconds that it may take to make a worktree again."""

MOST_PAGES: Final = 10
"""Hundreds of the threads used last that are looked at for turns of another process."""

AT_ONCE: Final = 4
"""Threads that are looked at, at the same time."""


class ForeignTurns(BridgeWatcher):
    """Gives each turn of a host's Codex that no session began a session, or an end."""

    def __init__(
        self, storage: Storage, host: CodexHost, *, instance_id: str, max_sessions: int
    ) -> None:
        """Look on `host`; at most `max_sessions` that Codex began work at once."""
        self._storage = storage
        self._host = host
        self._instance = instance_id
        self._limit = max_sessions
        self._at_once = trio.CapacityLimiter(AT_ONCE)
        self._examined: set[str] = set()
        self._again: set[str] = set()
        self._waiting: dict[str, set[str]] = {}
        """The threads to look at when a session's actor is gone, by its path."""
        self._changed: dict[str, object] = {}
        """The last change of each thread, as it was looked at."""
        self._seen: dict[str, str] = {}
        """The turn of each thread behind which all are known."""
        self._open: set[str] = set()
        """The threads in which another process may carry on a turn."""
        self._loaded: set[str] = set()
        """The threads that Codex is known to have loaded."""
        self._adopted = 0
        self._refused = 0
        self._missed = 0

    async def on_start(self) -> None:
        """Ask to be told of every thread's status, and of the connection."""
        self.ctx.start_task(self.watch, self._host.name, STATUS)
        self.ctx.start_task(self._look_now_and_then)

    def describe(self) -> Mapping[str, object]:
        """Return how many turns were given a session, or an end, or were found at their end.

        `open` is in how many threads one may go on in another process.
        """
        return {
            "adopted": self._adopted,
            "refused": self._refused,
            "missed": self._missed,
            "open": len(self._open),
        }

    @handles(CodexNotification)
    def told(self, message: CodexNotification) -> None:
        """Look at a thread that has become active, and at one that was loaded for its folder."""
        thread_id = message.thread_id
        match message.params.get("status"):
            case {"type": "active"}:
                self._loaded.add(thread_id)
                self._examine_soon(thread_id)
            case {"type": "idle"} if thread_id not in self._loaded:
                self._loaded.add(thread_id)
                self.ctx.start_task(self._try, partial(self._see_folder, thread_id))
            case {"type": "notLoaded"}:
                self._loaded.discard(thread_id)

    @handles(FindRunningTurns)
    def find_running(self, _message: FindRunningTurns) -> Deferred[list[str]]:
        """Say in which folders turns run now, or commands that they have left."""
        return self.ctx.answer_later(self._find_running)

    async def _find_running(self) -> list[str]:
        """Ask Codex.

        Raises:
            Unavailable: it cannot be asked now.
        """
        if self._host.codex.settings.disabled is not None:
            return []
        try:
            return await working_folders(self._ask)
        except (*FAILURES, ActorNotFound) as error:
            raise Unavailable(str(error), retry_after=PAUSE_SECONDS) from error

    @handles(Down)
    def gone(self, message: Down) -> None:
        """Look at its thread: its actor is gone, and what runs there now is no turn of its own."""
        for thread_id in self._waiting.pop(message.path, ()):
            self._examine_soon(thread_id)

    @handles(ThreadsReleased)
    def released(self, _message: ThreadsReleased) -> None:
        """End what goes on in the threads of a repository that was deleted."""
        self.ctx.start_task(self._try, self._settle_released)

    def connected(self, _message: BridgeConnected) -> None:
        """Look at all threads: what began while there was no connection was told to nobody."""
        self.ctx.start_task(self._try, self._look)
        self.ctx.start_task(self._try, self._settle_released)

    def lagged(self, _message: CodexLagged) -> None:
        """Look at all threads."""
        self.ctx.start_task(self._try, self._look)

    def lost(self, _message: BridgeLost) -> None:
        """Wait for the next connection, and then look at all again: some may not have been."""
        self._changed.clear()
        self._loaded.clear()
        self._open.clear()

    async def _look_now_and_then(self) -> None:
        while True:
            await trio.sleep(LOOK_AGAIN_SECONDS)
            await self._try(self._look)

    async def _try(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Do it; False where it is to be tried again. The next connection tries all anew."""
        try:
            await work()
        except BridgeUnavailable:
            return True
        except Unavailable as later:
            log.info("foreign_turns.later", reason=str(later))
            return False
        except (*FAILURES, ActorNotFound) as error:
            log.warning("foreign_turns.failed", reason=str(error))
            return False
        return True

    async def _ask(self, call: Call) -> dict[str, Any]:
        return await ask_bridge(self.ctx.lookup(codex_on(self._host.name)), call)

    def _thread(self, thread_id: str) -> Thread:
        return Thread(self._host.name, thread_id)

    async def _look(self) -> None:
        """Examine each thread of ours in which a turn runs, or that has changed.

        Of those that Codex has not loaded, another process may have changed some.
        """
        async for page in Pages(self._ask, requests.threads_loaded()):
            self._loaded.update(map(str, page))
            for thread_id in map(str, page):
                idle_here = partial(is_idle_here, thread=self._thread(thread_id))
                if await self._storage.read(idle_here):
                    self._examine_if_changed(await self._read_thread(thread_id))
        await self._look_at_stored()
        for thread_id in self._open:
            self._examine_soon(thread_id)

    async def _look_at_stored(self) -> None:
        ahead = await self._read_ahead()
        async for page in Pages(self._ask, requests.threads_stored(limit=100), most=MOST_PAGES):
            changed = partial(changed_since, host=self._host.name, threads=page, ahead=ahead)
            for thread in await self._storage.read(changed):
                self._examine_if_changed(thread)

    async def _read_ahead(self) -> float:
        """Return the seconds by which the host's clock is ahead of ours; none for a few of them.

        Codex says by that clock when a turn began.
        """
        ahead = await self._host.folders.clock() - time.time()
        return ahead if abs(ahead) > ALIKE_SECONDS else 0.0

    def _examine_if_changed(self, thread: Mapping[str, Any]) -> None:
        """Examine it, unless nothing has changed in it since it was looked at last."""
        thread_id = str(thread.get("id"))
        is_new = self._changed.get(thread_id) != thread.get("updatedAt")
        if is_active(thread) or (thread.get("id") and is_new):
            self._changed[thread_id] = thread.get("updatedAt")
            self._examine_soon(thread_id)

    async def _read_thread(self, thread_id: str) -> dict[str, Any]:
        """Return the thread as Codex describes it; empty, where it does not know it."""
        try:
            return dict((await self._ask(requests.thread_read(thread_id)))["thread"])
        except CodexError as error:
            log.info("foreign_turns.unknown", thread=thread_id, reason=str(error))
            return {}

    async def _is_active(self, thread_id: str) -> bool:
        return is_active(await self._read_thread(thread_id))

    def _examine_soon(self, thread_id: str) -> None:
        if thread_id in self._examined:
            self._again.add(thread_id)
        else:
            self._examined.add(thread_id)
            self.ctx.start_task(self._examine_until_known, thread_id)

    async def _examine_until_known(self, thread_id: str) -> None:
        while True:
            self._again.discard(thread_id)
            async with self._at_once:
                known = await self._try(partial(self._examine, thread_id))
            if not known:
                await trio.sleep(PAUSE_SECONDS)
            elif thread_id not in self._again:
                break
        self._examined.discard(thread_id)

    async def _examine(self, thread_id: str) -> None:
        """See whose the thread's turn is; where it is nobody's, adopt or refuse it.

        Raises:
            Unavailable: that will be known soon.
        """
        thread = self._thread(thread_id)

        def find(db: Database) -> tuple[Thread, Session | None, Session | None, bool]:
            root = thread_of_session(db, thread)
            last = last_session(db, root)
            is_left = last is not None and orphaned_turns.is_noted(db, last.id)
            return root, last, working_session(db, root), is_left

        root, last, working, is_left = await self._storage.read(find)
        if last is None:
            return  # no thread of ours
        if is_left:
            raise Unavailable(f"What session {last.id} left in thread {root.id} is ended first.")
        path = session_at((working or last).id)
        actor = self.ctx.find(path)
        if actor is not None and not actor.is_dead:
            self._waiting.setdefault(path, set()).add(thread_id)
            self.ctx.monitor(actor)
            return
        if working is not None:
            raise Unavailable(f"Session {working.id} gets its actor soon, or has just ended.")
        turn = await self._running_turn(thread_id)
        await self._keep_missed(root, thread, running=None if turn is None else str(turn["id"]))
        if turn is None:
            return
        await self._see_folder(thread_id)
        if root != thread:
            await self._examine_agent(last, root.id, thread_id, str(turn["id"]))
        else:
            await self._examine_own(last, turn, thread_id)

    async def _see_folder(self, thread_id: str) -> None:
        """Have the worktree made again that the thread works in, if it is gone."""

        def find(db: Database) -> Session | None:
            root = thread_of_session(db, self._thread(thread_id))
            unfinished = {"codex_thread_id": root.id, "host": root.host, "finished_at": None}
            # A session that is to work there has its own folder made.
            return None if sessions.find(db, unfinished) else last_session(db, root)

        last = await self._storage.read(find)
        if last is None or last.workplace != "worktree":
            return
        ask = RemakeWorktree(last.id)
        try:
            await self.ctx.lookup(REPOSITORIES).ask(ask, timeout=REMAKE_SECONDS)
        except Conflict as error:
            log.warning("foreign_turns.without_folder", session=last.id, reason=str(error))

    async def _keep_missed(self, root: Thread, thread: Thread, *, running: str | None) -> None:
        """Keep what has ended in the thread and is known to nobody, but for the turn that ran.

        Raises:
            Unavailable: a session has just begun in it.
        """
        ahead = await self._read_ahead()
        known = await self._storage.read(lambda db: known_turns(db, root, thread, ahead=ahead))
        if known is None:
            return
        try:
            seen = self._seen.get(thread.id)
            missed = await missed_turns(self._ask, thread.id, known, seen=seen, besides=running)
        except CodexError as error:
            log.info("foreign_turns.unknown", thread=thread.id, reason=str(error))
            return
        if missed.turns:
            opened = await self._read_thread(thread.id)
            self._missed += await self._storage.write(
                lambda tx: keep(
                    tx, root, thread, opened, missed.turns, instance=self._instance, ahead=ahead
                )
            )
        if missed.newest is not None:
            self._seen[thread.id] = missed.newest
        if missed.has_open:
            self._open.add(thread.id)
        else:
            self._open.discard(thread.id)

    async def _examine_own(self, last: Session, turn: dict[str, Any], thread_id: str) -> None:
        opened = await self._ask(requests.thread_join(thread_id))
        found = ForeignTurn.of(self._host.name, opened, turn, await read_goal(self._ask, thread_id))
        if is_of_session(last, turn):
            reason = f"Session {last.id}, which began it, has ended."
            await self._refuse(last, thread_id, found.turn_id, reason)
            return
        try:
            await self._check_files(last, found)
            session = await self._storage.write(
                lambda tx: adopt(tx, found, instance=self._instance, limit=self._limit)
            )
        except Unavailable:
            raise
        except (Conflict, PolicyDenied) as refusal:
            await self._refuse(last, thread_id, found.turn_id, str(refusal))
            return
        if session is not None:
            self._adopted += 1
            log.info("foreign_turns.adopted", session=session.id, cause=found.cause)
            await self.ctx.lookup(TASKS).tell(SessionCommitted(session.id))
            await self.ctx.lookup(SLOTS).tell(SlotsChanged())

    async def _check_files(self, last: Session, turn: ForeignTurn) -> None:
        """See that the turn's thread can obey no files which nobody has trusted.

        Whether it does cannot be asked: that is up to whoever has loaded the thread.

        Raises:
            Conflict: it may.
        """
        main = await self._storage.read(lambda db: repositories.get(db, last.repository_id))
        place = (Path(turn.cwd), Path(main.local_path))
        obeyed = (await self._host.codex.project_files(*place)).obeyed
        if not obeyed:
            return
        if same_place(turn.cwd, last.cwd):
            # The turn runs meanwhile, so an answer that is late is no trust.
            with suppress(AskTimeout):
                ask = FindBounds(last.id)
                bounds = await self.ctx.lookup(REPOSITORIES).ask(ask, timeout=TRUST_SECONDS)
                if bounds.trusted:
                    return
        raise Conflict(
            f"Its thread may obey {', '.join(obeyed)}, which nobody has trusted here. Set the "
            "repository's codexConfig to ask, and begin a run in which you trust it."
        )

    async def _examine_agent(
        self, last: Session, root_id: str, thread_id: str, turn_id: str
    ) -> None:
        """Refuse the turn of a sub-agent, unless one runs for which it may work.

        Raises:
            Unavailable: one does, and whose that is will be known soon.
        """
        if await self._is_active(root_id):
            raise Unavailable(f"A turn runs in thread {root_id}.", retry_after=PAUSE_SECONDS)
        reason = f"It is a sub-agent's, and session {last.id}, for which that worked, has ended."
        await self._refuse(last, thread_id, turn_id, reason)

    async def _running_turn(self, thread_id: str) -> dict[str, Any] | None:
        """Return the turn that runs in the thread, with the message that began it, if one did.

        Raises:
            Unavailable: one runs that Codex does not list yet.
        """
        patience = trio.current_time() + MESSAGE_SECONDS
        while True:
            page = await self._ask(requests.turns_list(thread_id, limit=1))
            turn: dict[str, Any] | None = next(iter(page["data"]), None)
            if turn is None or turn.get("status") != "inProgress":
                if not await self._is_active(thread_id):
                    return None
                if trio.current_time() > patience:
                    reason = f"The turn that runs in thread {thread_id} is not listed yet."
                    raise Unavailable(reason, retry_after=PAUSE_SECONDS)
            elif message_of(turn) is not None or turn["items"] or trio.current_time() > patience:
                return turn
            await trio.sleep(LOOK_SECONDS)

    async def _refuse(self, last: Session, thread_id: str, turn_id: str, reason: str) -> None:
        """Say why, and end the turn, what it began, and the goal that would begin the next."""
        self._refused += 1
        log.warning("foreign_turns.refused", thread=thread_id, reason=reason)
        await self._storage.write(lambda tx: refuse(tx, last, thread_id, turn_id, reason=reason))
        await self._end(thread_id, last)

    async def _end(self, thread_id: str, last: Session) -> None:
        try:
            await pause_goal(self._ask, thread_id)
        except CodexError as error:  # of a newer sub-agent, Codex lets nobody change the goal
            log.info("foreign_turns.goal.stays", thread=thread_id, reason=str(error))
        await interrupt_active(self._ask, thread_id)
        await end_what_is_left(self._ask, self._host.codex, last, thread_id)
        await self._ask(requests.thread_unsubscribe(thread_id))

    async def _settle_released(self) -> None:
        """Pause the goals, and end the turns, of threads whose repository was deleted."""
        released = partial(released_threads.on_host, host=self._host.name)
        for thread_id, repository_id in await self._storage.read(released):
            interrupted: str | None = None
            try:
                await pause_goal(self._ask, thread_id)
                interrupted = await interrupt_active(self._ask, thread_id)
                if interrupted is not None:
                    await self._ask(requests.terminals_clean(thread_id))
            except CodexError as error:
                log.info("foreign_turns.unknown", thread=thread_id, reason=str(error))
            await self._storage.write(
                partial(
                    settle_released,
                    thread=self._thread(thread_id),
                    repository_id=repository_id,
                    turn_id=interrupted,
                )
            )


def is_of_session(session: Session, turn: Mapping[str, Any]) -> bool:
    """Return whether the session began the turn, which goes on though the session has ended."""
    said = {item.get("clientId") for item in turn["items"]}
    return is_turn_of(session, turn) or message_id(session) in said
