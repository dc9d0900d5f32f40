"""The writer of a thread: one process at a time, which holds a lock on a file of the thread.

Source: Codex 0.163 and 0.169, whose refusal is "already has an active writer". An app-server that
has once loaded a thread goes on writing it until half an hour after its last subscriber has left.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform != "win32":
    import fcntl


def is_written(codex_home: Path, thread_id: str) -> bool:
    """Return True if a process writes the thread now; on Windows, which cannot tell, False."""
    if sys.platform == "win32":
        return False
    else:  # noqa: RET505 - mypy knows the platform only so
        lock = codex_home / "thread-writer-locks" / f"{Path(thread_id).name}.lock"
        try:
            descriptor = os.open(lock, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False
