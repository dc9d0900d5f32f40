"""Codex's own threads, also those that were begun elsewhere: what the API asks Codex about them.

A thread has one local task in a repository, made when it is first prompted here; each prompt is a
session of that task. What Codex says of a thread is passed on as Codex says it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from command_center.actors.codex import requests
from command_center.actors.codex.errors import (
    BridgeUnavailable,
    CodexError,
    CodexTimeout,
    ThreadElsewhere,
)
from command_center.actors.codex.messages import Call, ReachWriter
from command_center.actors.rules.errors import Conflict, Invalid, NotFound, Unavailable
from command_center.actors.sessions.runners.codex.turns import (
    ask_bridge,
    count_queued,
    queue_reason,
)
from command_center.runtime import ActorCrashed, ActorRef, ActorStopped, AskTimeout

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

REACH_SECONDS = 40.0
"""Seconds that a change to the app-server that writes a thread may take."""

NO_CURSOR = "invalid cursor"
"""The text by which Codex says that a cursor is not its own."""


def needs_app_server(runner: str) -> Conflict:
    """Return the refusal of what only an app-server can do."""
    return Conflict(
        f"This needs CC_CODEX_RUNNER_MODE=app-server; the runner here is {runner}.", runner=runner
    )


async def ask_codex(bridge: ActorRef[Call], call: Call) -> dict[str, Any]:
    """Codex's answer to a request of the API.

    Raises:
        NotFound: Codex knows no such thread.
        Invalid: the cursor is none of Codex's.
        Conflict: Codex refuses for another reason.
        Unavailable: there is no connection, or no answer in time.
    """
    try:
        return await ask_bridge(bridge, call)
    except BridgeUnavailable as error:
        raise Unavailable(str(error), retry_after=error.retry_after or 1.0) from error
    except (CodexTimeout, *GONE) as error:
        raise Unavailable(str(error), retry_after=1.0) from error
    except CodexError as error:
        thread_id = call.params.get("threadId")
        if thread_id is not None and any(words in error.reason for words in UNKNOWN):
            raise NotFound("Thread", thread_id) from error
        if "cursor" in call.params and NO_CURSOR in error.reason:
            raise Invalid.field("cursor", "Not one that this list gave out.") from error
        raise Conflict(str(error), code=error.code) from error


async def read_idle_thread(bridge: ActorRef[Call | ReachWriter], thread_id: str) -> dict[str, Any]:
    """Read what Codex has of a thread in which a turn may be started.

    Raises:
        ThreadBusy: a turn runs in it already; starting one would only steer that.
        Conflict: messages wait in Codex's own queue; the first one's turn would begin instead. Or
            another process of Codex writes it.
        NotFound, Unavailable: as `ask_codex`.
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
    queued = await count_queued(partial(ask_bridge, bridge), thread_id)
    if queued:
        raise Conflict(queue_reason(thread_id, queued), threadId=thread_id, queued=queued)
    return thread


class ThreadBusy(Conflict):
    """A turn runs in the thread that is no session's."""

    def __init__(self, thread_id: str) -> None:
        """Say what to do."""
        super().__init__(
            f"Thread {thread_id} has a turn that another client of Codex began; "
            "wait for its end, or stop it there.",
            threadId=thread_id,
        )
