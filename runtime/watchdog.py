"""A watch over the loop: one thread that sees when nothing else is served.

All actors share one thread, so one that computes for long stops every other, and no task can tell
of it. The watchdog lets the loop answer it now and then. Where no answer comes, it reads where the
loop's thread stands: the frames of a running handler lie inside those of its life, which names the
actor.
"""

from __future__ import annotations

import inspect
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import attrs
import trio

from command_center.runtime.background_tasks import BackgroundTasks
from command_center.runtime.life import Life
from command_center.runtime.signals import Stalled

_BEGIN = inspect.unwrap(Life.begin).__code__
_LIFE = inspect.unwrap(Life.run).__code__
_AT_ONCE = inspect.unwrap(Life.handle_at_once).__code__
_TASK = inspect.unwrap(BackgroundTasks.run).__code__


class Watchdog:
    """Tells when the loop has answered nothing for `seconds`.

    `on_stall` is called in the watchdog's own thread, while the loop still stands: once for each
    actor that is found there. `on_recovery` is called on the loop, once it goes on.
    """

    def __init__(
        self,
        seconds: float,
        on_stall: Callable[[Stalled], None],
        on_recovery: Callable[[Stalled], None],
    ) -> None:
        self._seconds = seconds
        self._on_stall = on_stall
        self._on_recovery = on_recovery
        self._loop = threading.get_ident()
        self._token = trio.lowlevel.current_trio_token()
        self._stopped = threading.Event()
        self._answer = threading.Event()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """End the watch; its thread ends at once, unless it is telling of a stall."""
        self._stopped.set()
        self._answer.set()

    def _watch(self) -> None:
        while True:
            # The answer before the look: `stop` does the two in the other order.
            self._answer = answer = threading.Event()
            if self._stopped.is_set():
                return
            try:
                self._token.run_sync_soon(answer.set)
                stalled = self._wait_for(answer)
                if stalled is not None and not self._stopped.is_set():
                    self._token.run_sync_soon(self._on_recovery, stalled)
            except trio.RunFinishedError:
                return
            self._stopped.wait(self._seconds / 4)

    def _wait_for(self, answer: threading.Event) -> Stalled | None:
        """Wait until the loop answers, and tell whom it waits for, if it does not in time."""
        told: Stalled | None = None
        waited = 0.0
        # In two halves: after the whole process was stopped, the loop has another half to answer.
        while not (answer.wait(self._seconds / 2) or answer.wait(self._seconds / 2)):
            waited += self._seconds
            seen = self._look(waited)
            if told is None or told.path != seen.path:
                self._on_stall(seen)
                told = seen
            told = attrs.evolve(told, seconds=waited)
        return told

    def _look(self, waited: float) -> Stalled:
        path, stack = None, []
        # Named as private, but documented: the one way to see where another thread is.
        frames: dict[int, FrameType] = sys._current_frames()  # noqa: SLF001
        frame = frames.get(self._loop)
        for inner, line in traceback.walk_stack(frame):
            stack.append(f"{inner.f_code.co_name} ({Path(inner.f_code.co_filename).name}:{line})")
            if inner.f_code in (_AT_ONCE, _BEGIN, _LIFE):
                path = inner.f_locals["self"].cell.path
            elif inner.f_code is _TASK:
                path = inner.f_locals["self"].path
            if path is not None:
                break
        return Stalled(path, waited, tuple(reversed(stack)))
