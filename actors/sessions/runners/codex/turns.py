"""A session's turn, as Codex lists it in its thread, and what it has begun beside itself.

Source: the app-server protocol as the binary prints it (`codex app-server generate-json-schema`).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import structlog
import trio

from command_center.actors.codex import requests
from command_center.actors.codex.active_turns import is_active
from command_center.actors.codex.errors import CodexError
from command_center.actors.codex.messages import Call
from command_center.actors.codex.pages import Ask, Pages
from command_center.actors.codex.ports import Codex
from command_center.actors.sessions.runners.codex.agent_threads import find_agents
from command_center.actors.sessions.runners.codex.thread_goal import pause_goal, read_goal
from command_center.runtime import ActorRef
from command_center.store import Session
from command_center.store.timestamps import from_timestamp, now_timestamp

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

GRACE_SECONDS = 5.0
"""Seconds that the bridge may take, beyond those that Codex may take, to say that it did."""

SETTLE_SECONDS = 5.0
"""Seconds that a prompt may take to be listed in its thread."""

LOOK_SECONDS = 0.1
"""Seconds between two looks for a turn that is not listed yet."""

LOST_SECONDS = 0.5
"""Seconds after which a turn without an end is lost, whose thread is idle."""


async def ask_bridge(bridge: ActorRef[Call], call: Call) -> dict[str, Any]:
    """Ask Codex; the bridge's word that there is no answer comes before the timeout."""
    return await bridge.ask(call, timeout=call.timeout + GRACE_SECONDS)


def message_id(session: Session) -> str:
    """Return the id that the session's prompt carries."""
    return f"command-center-{session.id}"


async def find_turn(ask: Ask, session: Session, thread_id: str) -> dict[str, Any] | None:
    """Find the session's turn as Codex has it: by its id, or by the prompt's id of ours.

    A review carries no id of ours, but is the first turn of a thread of its own. Nor does what
    makes a thread's history shorter: it is the newest turn, since no other begins meanwhile. An
    earlier one that still is the newest has left nothing that could be made shorter.
    """
    is_newest = True
    async for page in Pages(ask, requests.turns_list(thread_id, limit=20)):
        for turn in page:
            was_newest, is_newest = is_newest, False
            if session.codex_turn_id is not None:
                if is_turn_of(session, turn):
                    return dict(turn)
            elif session.type == "review_task":
                return dict(turn)
            elif session.origin == "compact":
                makes_shorter = all(
                    item.get("type") == "contextCompaction" for item in turn["items"]
                )
                return dict(turn) if was_newest and makes_shorter else None
            elif any(item.get("clientId") == message_id(session) for item in turn["items"]):
                return dict(turn)
    return None


def is_turn_of(session: Session, turn: Mapping[str, Any]) -> bool:
    """Return whether the session knows the turn to be its own; a review's is inside of it."""
    ids = {turn["id"], turn.get("rootTurnId") if session.type == "review_task" else None}
    return session.codex_turn_id in ids - {None}


async def _find_turns_since(ask: Ask, session: Session, thread_id: str) -> list[dict[str, Any]]:
    """Find the session's turn and those that Codex has begun after it, the oldest first."""
    later: list[dict[str, Any]] = []
    async for page in Pages(ask, requests.turns_list(thread_id, limit=20)):
        for turn in page:
            later.append(dict(turn))
            if is_turn_of(session, turn):
                return later[::-1]
    return []


async def settled_turns(ask: Ask, session: Session, thread_id: str) -> list[dict[str, Any]]:
    """Find the session's turn and those that Codex has begun after it, the oldest first.

    They are as `settled` gives them; none, where Codex does not know the turn any more, which may
    not be listed yet.
    """
    find = partial(_find_turns_since, ask, session, thread_id)
    return await settled(ask, thread_id, find, awaits_one=True)


async def settled(
    ask: Ask,
    thread_id: str,
    find: Callable[[], Awaitable[list[dict[str, Any]]]],
    *,
    awaits_one: bool = False,
) -> list[dict[str, Any]]:
    """Return the turns of a thread that `find` gives, once the last one is as Codex has it.

    A turn that begins or ends in this moment may be listed as interrupted, without an end. Such a
    list is read again for `SETTLE_SECONDS`, or until it is the same `LOST_SECONDS` after the thread
    was idle: a turn that ended between the two looks is listed as it ended then, and may have a
    next one. A list that is empty is read again where it `awaits_one`.
    """
    patience = trio.current_time() + SETTLE_SECONDS
    idle: tuple[str, float] | None = None
    while True:
        turns = await find()
        now = trio.current_time()
        is_known = not _seems_lost(turns[-1]) if turns else not awaits_one
        if is_known or now > patience:
            return turns
        if turns:
            newest = str(turns[-1]["id"])
            if is_active((await ask(requests.thread_read(thread_id)))["thread"]):
                idle = None
            elif idle is None or idle[0] != newest:
                idle = newest, now
            elif now - idle[1] >= LOST_SECONDS:
                return turns
        await trio.sleep(LOOK_SECONDS)


def _seems_lost(turn: Mapping[str, Any]) -> bool:
    """Return whether a turn counts as interrupted, though nobody has interrupted it."""
    return turn.get("status") == "interrupted" and turn.get("completedAt") is None


def is_inside(turn: Mapping[str, Any], review: Mapping[str, Any]) -> bool:
    """Return whether the turn is the one inside of the review, both as Codex lists them.

    It lists the turn while that runs, and then also the review, just behind it. The turn counts as
    interrupted.
    """
    root = turn.get("rootTurnId")
    is_its = turn.get("status") == "interrupted" if root is None else root == review["id"]
    entered = (item.get("type") == "enteredReviewMode" for item in review.get("items", ()))
    return is_its and any(entered)


async def interrupt_when_listed(
    ask: Ask, session: Session, thread_id: str, *, patience: float = math.inf
) -> bool:
    """Interrupt the turn, once it is listed; return False where there is none that runs.

    Looks for it again and again, and for `patience` seconds at the least.
    """
    began = trio.current_time()
    while (turn := await find_turn(ask, session, thread_id)) is None:
        if trio.current_time() - began > patience:
            return False
        await trio.sleep(LOOK_SECONDS)
    if turn.get("status") != "inProgress":
        return False
    await ask(requests.turn_interrupt(thread_id, str(turn["id"])))
    return True


async def count_queued(ask: Ask, thread_id: str) -> int:
    """Count the messages in Codex's own queue for the thread; none, where it knows no queue.

    With the next `thread/resume`, the first of them begins a turn.
    """
    try:
        return len((await ask(requests.queue_list(thread_id)))["data"])
    except CodexError as error:
        log.info("thread.queue.unknown", thread=thread_id, reason=str(error))
        return 0


def queue_reason(thread_id: str, queued: int) -> str:
    """Say why no turn can begin in a thread in which so many messages wait."""
    return (
        f"Codex's own queue of thread {thread_id} has {queued} message(s). The first of them would "
        "run instead. Send or delete them in the client of Codex that queued them."
    )


async def interrupt_active(ask: Ask, thread_id: str) -> str | None:
    """Interrupt the turn that runs in the thread, whose ever it is; return its id, or None."""
    while True:
        newest = (await ask(requests.turns_list(thread_id, limit=1)))["data"]
        running = [str(turn["id"]) for turn in newest if turn.get("status") == "inProgress"]
        if not running:
            return None
        try:
            await ask(requests.turn_interrupt(thread_id, running[0]))
        except CodexError as error:
            # It has just ended, and perhaps another one has begun.
            log.info("turn.interrupt.again", thread=thread_id, reason=str(error))
            await trio.sleep(LOOK_SECONDS)
        else:
            return running[0]


async def end_what_is_left(ask: Ask, codex: Codex, session: Session, thread_id: str) -> None:
    """End the commands that the session's turn has left, and its sub-agents with theirs."""
    await end_commands(ask, codex, session, thread_id)
    for agent in await find_agents(ask, thread_id):
        agent_id = str(agent["id"])
        with contextlib.suppress(CodexError):  # it has ended meanwhile
            for turn in (await ask(requests.turns_list(agent_id, limit=1)))["data"]:
                if turn.get("status") == "inProgress":
                    await ask(requests.turn_interrupt(agent_id, str(turn["id"])))
            await end_commands(ask, codex, session, agent_id)


async def pause_goals(ask: Ask, thread_id: str) -> None:
    """Have Codex begin no further turn for the goal of the thread, nor of its sub-agents.

    A sub-agent may set a goal of its own. A turn that is interrupted is followed by none.
    """
    await pause_goal(ask, thread_id)
    for agent in await find_agents(ask, thread_id):
        agent_id = str(agent["id"])
        if (await read_goal(ask, agent_id) or {}).get("status") == "active":
            with contextlib.suppress(CodexError):  # it has ended meanwhile
                await interrupt_active(ask, agent_id)


async def end_commands(ask: Ask, codex: Codex, session: Session, thread_id: str) -> None:
    """End those that Codex knows of, and then those of this session that it has lost."""
    await ask(requests.terminals_clean(thread_id))
    began = from_timestamp(session.started_at or session.created_at)
    age = from_timestamp(now_timestamp()) - began  # its host's clock may be another one
    lost = await codex.end_commands(thread_id, age.total_seconds())
    if lost:
        log.warning("session.commands.ended", thread=thread_id, process_ids=lost)
