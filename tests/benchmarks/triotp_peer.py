"""The same adder in triotp, which takes OTP's words over trio as well.

Its package names an old trio, so it is installed by hand, if at all; the table has it where it is::

    uv pip install --no-deps triotp && uv pip install logbook tenacity
"""

from __future__ import annotations

import importlib.util
import time
from types import SimpleNamespace
from typing import Any

import trio
import trio.testing

IS_HERE = importlib.util.find_spec("triotp") is not None


def _run(count: int, *, asks: bool) -> float:
    from triotp import gen_server, mailbox  # noqa: PLC0415 - it may be absent

    async def init(_argument: object) -> int:
        return 0

    async def handle_call(number: int, _caller: object, total: int) -> tuple[Any, int]:
        return gen_server.Reply(payload=total + number), total + number

    async def handle_cast(number: int, total: int) -> tuple[Any, int]:
        return gen_server.NoReply(), total + number

    adder = SimpleNamespace(
        __name__="adder", init=init, handle_call=handle_call, handle_cast=handle_cast
    )

    async def main() -> float:
        mailbox._init()  # as its node does
        async with trio.open_nursery() as nursery:
            nursery.start_soon(gen_server.start, adder, None, "adder")
            await trio.testing.wait_all_tasks_blocked()
            began = time.process_time()
            send = gen_server.call if asks else gen_server.cast
            for _ in range(count):
                await send("adder", 1)
            total = await gen_server.call("adder", 0)
            ended = time.process_time()
            nursery.cancel_scope.cancel()
        if total != count:
            raise AssertionError((count, total))
        return count / (ended - began)

    return trio.run(main)


def tell_triotp(count: int) -> float:
    """Cast to a generic server."""
    return _run(count, asks=False)


def ask_triotp(count: int) -> float:
    """Call a generic server."""
    return _run(count, asks=True)
