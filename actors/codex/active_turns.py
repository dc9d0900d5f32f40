"""The work in an app-server, whoever began it: turns that run, and commands that they have left.

It can be left, or ended, only while no turn runs; and a folder is deleted only where nothing works.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from command_center.actors.codex import requests
from command_center.actors.codex.errors import CodexError
from command_center.actors.codex.pages import Ask, Pages


async def has_turns(ask: Ask) -> bool:
    """Return whether a turn runs in a thread that the app-server has loaded.

    Raises what `ask` raises.
    """
    return any(map(is_active, await loaded_threads(ask)))


async def working_folders(ask: Ask) -> list[str]:
    """Return the folders in which turns run, or commands that one has left; some of them twice.

    Raises what `ask` raises.
    """
    found: list[str] = []
    for thread in await loaded_threads(ask):
        left = await _left_in(ask, str(thread["id"]))
        if left or is_active(thread):
            found += [str(thread["cwd"]), *left]
    return found


async def loaded_threads(ask: Ask) -> list[dict[str, Any]]:
    """Return what the app-server knows of each thread that it has loaded."""
    found: list[dict[str, Any]] = []
    async for page in Pages(ask, requests.threads_loaded()):
        for thread_id in page:
            with contextlib.suppress(CodexError):  # it was unloaded meanwhile
                found.append(dict((await ask(requests.thread_read(thread_id)))["thread"]))
    return found


async def _left_in(ask: Ask, thread_id: str) -> list[str]:
    """Return the folders of the commands that a thread's turns have left running."""
    found: list[str] = []
    with contextlib.suppress(CodexError):  # it was unloaded meanwhile, and its commands ended
        async for page in Pages(ask, requests.terminals_list(thread_id)):
            found += [str(one["cwd"]) for one in page]
    return found


def is_active(thread: Mapping[str, Any]) -> bool:
    """Return whether a turn runs in the thread."""
    return (thread.get("status") or {}).get("type") == "active"
