"""The keeper of a detached app-server: its parent, which ends it when nobody needs it any more.

Started as a program of its own, so that it outlives the server that has started it, and with the
standard library alone, so that it is small. `detached` starts it and says what it keeps.

It goes by a lease, a file that each life of the server locks while it uses the app-server: a lock
ends with its process, however that ends. Free for `grace` seconds, and with no turn that runs, the
app-server is ended; with turns that run it is left to them, `limit` seconds at the most.

A host that is a pool notes beside the folder until when each run is leased. A run that is over by
that note is ended here, should the host's program have died, or hang. Where the note cannot be read
for as long as a lease lasts, each run in a folder of the host's is over.

On a machine that has only what was brought to it, it runs out of a folder that it keeps from being
swept away. Where a person has taken that away, it asks by another program that lies beside it;
where there is none, it cannot know of turns, and the limit counts.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

assert sys.platform != "win32"  # noqa: S101 - a type checker skips the rest there

import fcntl  # noqa: E402 - there is none on Windows

TICK_SECONDS = 2.0
"""Between two looks at the lease."""

UNREADABLE_SECONDS = 60.0
"""Seconds for which the note of leases may be unreadable: as long as a lease lasts by itself."""

TAIL_BYTES = 16 * 1024
"""Bytes of the app-server's last output that are kept when it has ended."""


_ROOT = Path(__file__).parents[5]
"""The folder that has this program, where it is not among the packages of this Python."""

_NAME = "[0-9a-f]" * 64
"""The pattern of such folders' names."""


def main(folder: str, grace: str, limit: str, *command: str) -> None:
    """Start the command apart, print its process id, and keep it until it ends."""
    _hold_program()
    if os.fork():
        os._exit(0)  # whoever has started us need not bury us
    os.setsid()
    try:
        child = subprocess.Popen(  # noqa: S603 - the program that the settings name
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            cwd=folder,  # where no project's `.codex` has a say in the process
        )
    except OSError as error:
        sys.stdout.write(f"`{command[0]}` could not be started: {error.strerror}.")
        return
    sys.stdout.write(str(child.pid))
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
    keep(child, Path(folder), float(grace), float(limit))


def keep(child: subprocess.Popen[bytes], folder: Path, grace: float, limit: float) -> None:
    """Wait for the child's end, and end it when it is not needed; then keep what it said last."""
    tail: deque[bytes] = deque(maxlen=64)
    lease = os.open(folder / "app-server.lease", os.O_RDWR | os.O_CREAT, 0o600)
    free_since: float | None = None
    looked_at = 0.0
    expiry = _Expiry(folder)
    with selectors.DefaultSelector() as selector:
        assert child.stderr is not None  # noqa: S101 - it was asked for
        os.set_blocking(child.stderr.fileno(), False)
        selector.register(child.stderr, selectors.EVENT_READ)
        while child.poll() is None:
            if selector.select(min(TICK_SECONDS, grace)):
                tail.append(child.stderr.read(TAIL_BYTES // 64) or b"")
                if not tail[-1]:
                    selector.unregister(child.stderr)
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        child.wait(TICK_SECONDS)
            if not expiry.stop_what_is_over():
                _end(child, folder)
            now = time.monotonic()
            if not _take(lease):
                free_since = None
                continue
            free_since = free_since or now
            if now - free_since > limit:
                _end(child, folder)
            elif now - max(free_since, looked_at) > grace:
                if not _is_working(folder):
                    _end(child, folder)
                looked_at = time.monotonic()
            fcntl.flock(lease, fcntl.LOCK_UN)
        with contextlib.suppress(OSError):
            tail.append(child.stderr.read() or b"")
    with contextlib.suppress(OSError):
        log = folder / "app-server.log"
        log.with_suffix(".partial").write_bytes(b"".join(tail)[-TAIL_BYTES:])
        log.with_suffix(".partial").replace(log)


class _Expiry:
    """Ends the runs whose leases are over, should the host's program be dead, or hang."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stopped: set[int] = set()
        self._unreadable_since: float | None = None

    def stop_what_is_over(self) -> bool:
        """End each such run once; return False where that cannot be done."""
        over = self._over()
        if over.keys() <= self._stopped:
            return True
        try:
            _import_package()
            import trio  # noqa: PLC0415 - needed once, at the end

            from command_center.actors.hosts.local.codex.detached import stop_in  # noqa: PLC0415 - the same

            trio.run(stop_in, self._folder, lambda: self._over().values())
        except Exception:  # noqa: BLE001 - whatever it is, nothing may work on
            return False
        self._stopped |= over.keys()
        return True

    def _over(self) -> dict[int, str]:
        """Return the folders of the leases that are over, by number; -1 stands for all of them."""
        clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
        now = time.clock_gettime(clock)
        note = self._folder.parent / "leases.json"
        try:
            known = json.loads(note.read_bytes())["held"]
            late = now - TICK_SECONDS
            over = {one["number"]: one["folder"] for one in known if one["until"] < late}
        except FileNotFoundError:  # no run was ever leased here
            over = {}
        except (OSError, ValueError, LookupError, TypeError):
            self._unreadable_since = self._unreadable_since or now
            is_over = now - self._unreadable_since > UNREADABLE_SECONDS
            return {-1: str(self._folder.parent)} if is_over else {}
        self._unreadable_since = None
        self._stopped.discard(-1)
        return over


def _take(lease: int) -> bool:
    try:
        fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _hold_program() -> None:
    """Hold the program's lock, if it is one that was brought here; no child inherits it."""
    with contextlib.suppress(OSError):
        fcntl.flock(os.open(_ROOT / "in-use", os.O_RDONLY), fcntl.LOCK_SH)


def _import_package() -> None:
    """Have our other modules be found, where they were brought here."""
    there = [one for one in (_ROOT, *_ROOT.parent.glob(_NAME)) if (one / "command_center").is_dir()]
    if there and str(there[0]) not in sys.path:
        sys.path.insert(0, str(there[0]))


def _is_working(folder: Path) -> bool:
    """Return True if a turn runs, or if that cannot be found out."""
    _import_package()
    try:
        import trio  # noqa: PLC0415 - needed once, at the end

        from command_center.actors.hosts.local.codex.detached import works_in  # noqa: PLC0415 - the same

        return trio.run(works_in, folder)
    except Exception:  # noqa: BLE001 - whatever it is, it says nothing of the turns
        return True


def _end(child: subprocess.Popen[bytes], folder: Path) -> None:
    """End what the record names, with all that it started; then the child, should it be another."""
    with contextlib.suppress(Exception):  # such as a part of ours that was taken away meanwhile
        from command_center.actors.hosts.local.codex.detached import end  # noqa: PLC0415 - needed once

        end(folder)
    if child.poll() is None:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(TICK_SECONDS)
    if child.poll() is None:
        child.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
