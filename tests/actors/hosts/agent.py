"""The agent on the far machine: it does there what it is told, as that machine's own `local` does.

A message is a length and a pickle. A request is `(number, part, method, arguments)`, or a number
alone, which gives it up; an answer is `(number, kind, value)`.
"""

from __future__ import annotations

import importlib
import io
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import trio

from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.git import Git
from command_center.actors.hosts.local.host import LocalHost

SIZE = 4


def packed(value: object) -> bytes:
    """A message; the git of a checkout is whichever is at the other end."""
    buffer = io.BytesIO()
    _Pickler(buffer).dump(value)
    raw = buffer.getvalue()
    return len(raw).to_bytes(SIZE, "big") + raw


def unpacked(raw: bytes, git: Git) -> Any:
    """Return what a message says."""
    found = _Unpickler(io.BytesIO(raw))
    found.git = git
    return found.load()


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> str | None:
        return "git" if hasattr(obj, "commit_folders") else None

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, BaseException):
            kind = type(obj)
            return _error, (kind.__module__, kind.__qualname__, obj.args, vars(obj))
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    git: Git

    def persistent_load(self, pid: Any) -> Git:
        assert "git" == pid
        return self.git


def _error(module: str, name: str, args: tuple[object, ...], facts: dict[str, Any]) -> Any:
    kind = getattr(importlib.import_module(module), name)
    made = kind.__new__(kind, *args)
    made.args = args
    vars(made).update(facts)
    return made


async def receive(stream: trio.abc.ReceiveStream, buffer: bytearray) -> bytes | None:
    """The next message; None at the end."""

    async def until(size: int) -> bool:
        while len(buffer) < size:
            chunk = await stream.receive_some(64 * 1024)
            if not chunk:
                return False
            buffer.extend(chunk)
        return True

    if not await until(SIZE):
        return None
    size = SIZE + int.from_bytes(buffer[:SIZE], "big")
    if not await until(size):
        return None
    raw = bytes(buffer[SIZE:size])
    del buffer[:size]
    return raw


def _stream(number: int) -> trio.abc.Stream:
    if sys.platform == "win32":
        raise AssertionError("There is no such machine on Windows.")
    else:  # noqa: RET506 - mypy knows the platform only so
        return trio.lowlevel.FdStream(os.dup(number))


async def main(data_dir: str) -> None:
    """Serve until nobody asks any more."""
    host = LocalHost.of(Path(data_dir), BridgeSettings(), name="far")
    asked, out = _stream(0), _stream(1)
    lock = trio.Lock()
    scopes: dict[int, trio.CancelScope] = {}

    async def answer(number: int, kind: str, value: object) -> None:
        async with lock:
            await out.send_all(packed((number, kind, value)))

    async def perform(number: int, part: str, method: str, arguments: Any) -> None:
        with trio.CancelScope() as scope:
            scopes[number] = scope
            pieces: list[bytes] = []
            positional, named = arguments
            if named.pop("streamed", False):
                named["sink"] = pieces.append
            try:
                result = await getattr(getattr(host, part), method)(*positional, **named)
            except Exception as error:  # noqa: BLE001 - whatever it is, who asked is told
                result, kind = error, "error"
            else:
                kind = "result"
            await answer(number, kind, (result, b"".join(pieces)))
        del scopes[number]

    buffer = bytearray()
    async with trio.open_nursery() as nursery:
        while (raw := await receive(asked, buffer)) is not None:
            message = unpacked(raw, host.git)
            if isinstance(message, int):
                if message in scopes:
                    scopes[message].cancel()
            else:
                nursery.start_soon(perform, *message)
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main, sys.argv[1])
