"""The cost of importing the runtime: what it adds to trio and attrs, and all of it together."""

from __future__ import annotations

import subprocess
import sys

import attrs

_PROGRAM = """
import time
began = time.process_time()
import attrs, trio
between = time.process_time()
import command_center.runtime
print(between - began, time.process_time() - between)
"""


@attrs.frozen
class ImportTime:
    """Seconds of the processor."""

    trio: float
    """For trio and attrs, with all that they import."""
    runtime: float
    """For the runtime, where those have been imported."""


def measure(rounds: int) -> ImportTime:
    """Import them in an interpreter of their own, round by round; return the best of each."""
    found = [
        tuple(map(float, told.stdout.split()))
        for told in (
            subprocess.run(
                [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True
            )
            for _ in range(rounds)
        )
    ]
    return ImportTime(min(trio for trio, _ in found), min(runtime for _, runtime in found))
