"""Codex's own threads, also those that were begun elsewhere: what Codex is asked about them.

A thread has one local task in a repository, made when it is first prompted here; each prompt is a
session of that task. What Codex says of a thread is passed on as Codex says it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from command_center.actors.codex import requests
from command_center.actors.codex.errors import (
    BridgeUnavailable,
    CodexError,
    CodexTimeout,
    NoAnswer,
    ThreadElsewhere,
)
from command_center.actors.codex.messages import BridgeMessage, Call, ReachWriter, codex_on
from command_center.actors.contracts.bridges import CheckVersion
from command_center.actors.contracts.threads import IdleThread, ThreadBusy
from command_center.actors.rules.errors import Conflict, Invalid, NotFound, Unavailable
from command_center.actors.sessions.runners.codex.turns import (
    ask_bridge,
    count_queued,
    queue_reason,
)
from command_center.actors.sessions.runners.workshop import Lookup
from command_center.runtime import (
    ActorCrashed,
    ActorNotFound,
    ActorRef,
    ActorStopped,
    AskTimeout,
    Refusal,
)

UNKNOWN = (
    "no rollout found",
    "thread not loaded",
    "invalid session id",
    "invalid thread id",
    "not found",
)
"""The text by which Codex says that there is no such thread."""

GONE = (AskTimeout, ActorStopped, ActorCrashed)
"""Errors with which the bridge may fail to answer."""

CHECK_SECONDS = 2.0
"""Seconds that the bridge may take to say which Codex it has."""

REACH_SECONDS = 40.0
"""Seconds that a change to the app-server that writes a thread may take."""

MODELS = 100
"""Models that are asked for."""

ARCHIVE = "archived_sessions"
"""The name of Codex's folder for threads that were archived."""

NO_CURSOR = "invalid cursor"
"""The text by which Codex says that a cursor is not its own."""


async def ask_codex(bridge: ActorRef[Call], call: Call) -> dict[str, Any]:
    """Return Codex's answer to a request of the API.

    Raises:
        NotFound: Codex knows no such thread.
        Invalid: the cursor is none of Codex's.
        Conflict: Codex refuses for another reason.
        Unavailable: there is no connection, or no answer in time (`NoAnswer`, if Codex gave none).
    """
    try:
        return await ask_bridge(bridge, call)
    except BridgeUnavailable as error:
        raise Unavailable(str(error), retry_after=error.retry_after or 1.0) from error
    except CodexTimeout as error:
        raise NoAnswer(str(error), retry_after=1.0) from error
    except GONE as error:
        raise Unavailable(str(error), retry_after=1.0) from error
    except CodexError as error:
        thread_id = call.params.get("threadId")
        if thread_id is not None and any(words in error.reason for words in UNKNOWN):
            raise NotFound("Thread", thread_id) from error
        if "cursor" in call.params and NO_CURSOR in error.reason:
            raise Invalid.field("cursor", "Not one that this list gave out.") from error
        raise Conflict(str(error), code=error.code) from error


@attrs.frozen
class CodexThreads:
    """The threads of Codex, through the bridge of each host; see `contracts.threads`."""

    _lookup: Lookup

    async def check_version(self, host: str) -> None:
        """Ask the bridge, which may not answer in time."""
        with contextlib.suppress(ActorNotFound, *GONE):
            await self._lookup(codex_on(host)).ask(CheckVersion(), timeout=CHECK_SECONDS)

    async def list_models(self, host: str) -> list[dict[str, Any]]:
        """Ask for the first hundred, which are all that there are."""
        call = attrs.evolve(requests.models_list(limit=MODELS), timeout=CHECK_SECONDS)
        try:
            listed = (await ask_codex(self._lookup(codex_on(host)), call))["data"]
        except (Refusal, ActorNotFound):
            return []
        return [model for model in listed if isinstance(model, dict)]

    async def read_idle(self, host: str, thread_id: str) -> IdleThread:
        """Read it once whoever writes it is reached, and its own queue is seen to be empty."""
        bridge = self._lookup(codex_on(host))
        thread = await reach_idle(bridge, thread_id)
        check_not_archived(thread)
        await check_queue_empty(bridge, thread_id)
        return IdleThread(
            cwd=str(thread["cwd"]) if thread.get("cwd") else None,
            title=str(thread.get("name") or thread.get("preview") or ""),
        )


def is_archived(thread: Mapping[str, Any]) -> bool:
    """Return whether a thread was put away: Codex keeps the files of those in a folder apart."""
    return ARCHIVE in Path(str(thread.get("path"))).parts


def check_not_archived(thread: Mapping[str, Any]) -> None:
    """See that a thread takes turns.

    Raises:
        Conflict: it is archived.
    """
    if is_archived(thread):
        raise Conflict(
            f'Thread {thread["id"]} is archived. Bring it back first: {{"archived": false}} to '
            f"PATCH /api/codex/threads/{thread['id']}.",
            threadId=thread["id"],
        )


async def check_queue_empty(bridge: ActorRef[Call], thread_id: str) -> None:
    """See that no message waits in Codex's own queue for the thread.

    Raises:
        Conflict: one does.
        Unavailable: there is no connection, or no answer in time.
    """
    try:
        queued = await count_queued(partial(ask_bridge, bridge), thread_id)
    except (BridgeUnavailable, CodexTimeout, *GONE) as error:
        raise Unavailable(str(error), retry_after=1.0) from error
    if queued:
        raise Conflict(queue_reason(thread_id, queued), threadId=thread_id, queued=queued)


async def reach_idle(bridge: ActorRef[BridgeMessage], thread_id: str) -> dict[str, Any]:
    """Reach whoever writes the thread, and return it as it is; no turn runs in it.

    Raises:
        ThreadBusy: one does.
        Conflict: another process writes the thread.
        NotFound: Codex knows no such thread.
        Unavailable: there is no connection, or no answer in time.
    """
    await ask_codex(bridge, requests.thread_read(thread_id))
    try:
        await bridge.ask(ReachWriter(thread_id), timeout=REACH_SECONDS)
    except ThreadElsewhere as error:
        raise Conflict(str(error), threadId=thread_id) from error
    except (BridgeUnavailable, CodexError, CodexTimeout, *GONE) as error:
        raise Unavailable(str(error), retry_after=1.0) from error
    answer = await ask_codex(bridge, requests.thread_read(thread_id))
    thread: dict[str, Any] = answer["thread"]
    if thread.get("status", {}).get("type") == "active":
        raise ThreadBusy(thread_id)
    return thread
