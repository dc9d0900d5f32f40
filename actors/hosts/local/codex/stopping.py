"""The end of what works in a folder: turns in an app-server, and the commands that they have left.

It needs no connection of anybody's to that app-server: it makes one of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path, PurePath
from typing import Any, Final

import trio

from command_center.actors.codex import protocol, requests
from command_center.actors.codex.active_turns import is_active, loaded_threads
from command_center.actors.codex.connection import Connection, RefusedRequest
from command_center.actors.codex.errors import BridgeUnavailable, CodexError, WireClosed
from command_center.actors.codex.messages import Call
from command_center.actors.codex.pages import Ask
from command_center.actors.codex.settings import Deadlines
from command_center.actors.hosts.local.codex.transports import open_unix

SECONDS: Final = 8.0
"""Seconds that the turns may take to end."""

_LOOK_SECONDS: Final = 0.1


@asynccontextmanager
async def asking(socket: Path) -> AsyncIterator[Ask]:
    """Ask the app-server at a socket, for the length of the block; `WireClosed` without one."""
    async with trio.open_nursery() as nursery:
        wire = await open_unix(socket, nursery, Deadlines().close)
        try:
            connection = Connection(wire, _Deaf(), Deadlines())
            nursery.start_soon(connection.run)
            await connection.handshake("0")

            async def ask(call: Call) -> dict[str, Any]:
                answer: dict[str, Any] = await connection.call(
                    call.method, call.params, call.timeout
                )
                return answer

            yield ask
        except (BridgeUnavailable, CodexError) as error:
            raise WireClosed(str(error)) from None
        finally:
            await wire.aclose()
            nursery.cancel_scope.cancel()


async def stop_work_in(socket: Path, folders: Callable[[], Collection[str]]) -> int:
    """Interrupt the turns in and below some folders, and end the commands there.

    Return how many turns there were. `folders` is called after the turns were listed, each time: a
    turn is spared that began in one of them after that was given to another run.

    Raises:
        WireClosed: the app-server does not answer, or a turn there goes on after SECONDS.
    """
    async with asking(socket) as ask:
        stopped: set[str] = set()
        with trio.move_on_after(SECONDS):
            while True:
                threads = await loaded_threads(ask)
                turns = [await _newest_turn(ask, one) for one in threads if is_active(one)]
                wanted = await trio.to_thread.run_sync(folders)
                there = [str(one["id"]) for one in threads if _is_in(one, wanted)]
                left = [(one, turn) for one, turn in turns if one in there]
                for thread_id, turn_id in left:
                    stopped.add(thread_id)
                    with contextlib.suppress(CodexError):  # it has ended by itself
                        await ask(requests.turn_interrupt(thread_id, turn_id))
                if not left:
                    for thread_id in there:
                        with contextlib.suppress(CodexError):  # it has none, or was unloaded
                            await ask(requests.terminals_clean(thread_id))
                    return len(stopped)
                await trio.sleep(_LOOK_SECONDS)
    raise WireClosed(f"A turn goes on that was interrupted {SECONDS:g} seconds ago.")


def _is_in(thread: Mapping[str, Any], folders: Collection[str]) -> bool:
    place = PurePath(str(thread.get("cwd", "")))
    return any(place.is_relative_to(folder) for folder in folders)


async def _newest_turn(ask: Ask, thread: Mapping[str, Any]) -> tuple[str, str]:
    """Return the ids of a thread and of its newest turn; of none where it is not listed yet."""
    thread_id = str(thread["id"])
    with contextlib.suppress(CodexError):  # it was unloaded
        listed = await ask(requests.turns_list(thread_id, limit=1, items=False))
        for turn in listed.get("data", ())[:1]:
            return thread_id, str(turn["id"])
    return thread_id, ""


class _Deaf:
    """Hears nothing of what Codex says."""

    def on_notification(self, notification: protocol.Notification, size: int) -> None:
        """Leave it."""

    def on_request(self, request: protocol.ServerRequest) -> RefusedRequest | None:
        """Leave it to whoever is subscribed."""
        del request
        return None
