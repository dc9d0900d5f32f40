"""The same adder in tractor, whose actors are processes of their own.

Its newest release, of 2022, names an old trio and a debugger that no registry has. So it gets an
environment of its own, if any; the table has it where `CC_TRACTOR_PYTHON` names the Python there::

    uv venv tractor
    uv pip install --python tractor/bin/python --no-deps tractor==0.1.0a5
    uv pip install --python tractor/bin/python "trio<0.23" async_generator colorlog msgspec \
        pdbpp tricycle trio_typing wrapt

That Python runs this file, which is why nothing of the project is imported here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

PYTHON = os.environ.get("CC_TRACTOR_PYTHON", "")
IS_HERE = PYTHON != ""

_added: list[int] = []


def ask_tractor(count: int) -> float:
    """Run a function in the process of an actor."""
    told = subprocess.run(
        [PYTHON, "-W", "ignore", __file__, str(count)], capture_output=True, text=True, check=True
    )
    return float(told.stdout.split()[-1])


async def add(number: int) -> int:
    """Add one message; runs in the actor's process."""
    _added.append(number)
    return len(_added)


async def processor() -> float:
    """Return the seconds of the processor that the actor's process has used."""
    return time.process_time()


async def _main(count: int) -> None:
    import tractor  # noqa: PLC0415 - it is not here when the project's own Python reads this

    async with tractor.open_nursery() as nursery:
        portal = await nursery.start_actor("adder", enable_modules=[__name__])
        there, here = await portal.run(processor), time.process_time()
        total = 0
        for _ in range(count):
            total = await portal.run(add, number=1)
        took = time.process_time() - here + await portal.run(processor) - there
        await portal.cancel_actor()
    if total != count:
        raise AssertionError((count, total))
    print(count / took)  # noqa: T201 - read by the process that started this one


if __name__ == "__main__":
    import trio

    trio.run(_main, int(sys.argv[1]))
