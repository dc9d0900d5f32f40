"""The turns that run in an app-server: it can be left, or ended, only while there are none."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from command_center.actors.codex import requests
from command_center.actors.codex.errors import CodexError
from command_center.actors.codex.messages import Call


async def has_turns(ask: Callable[[Call], Awaitable[dict[str, Any]]]) -> bool:
    """Return whether a turn runs in a thread that the app-server has loaded.

    Raises what `ask` raises.
    """
    return bool(await active_threads(ask))


async def active_threads(
    ask: Callable[[Call], Awaitable[dict[str, Any]]],
) -> list[dict[str, Any]]:
    """Return the threads in which a turn runs, as Codex describes them.

    Raises what `ask` raises.
    """
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await ask(requests.threads_loaded(cursor=cursor))
        for thread_id in page["data"]:
            with contextlib.suppress(CodexError):  # it was unloaded meanwhile
                thread = dict((await ask(requests.thread_read(thread_id)))["thread"])
                if (thread.get("status") or {}).get("type") == "active":
                    found.append(thread)
        cursor = page.get("nextCursor")
        if cursor is None:
            return found
