"""The clinic: examines the server that it is in, and loads the checks when it is first asked."""

from __future__ import annotations

import math

import attrs
import trio

from command_center.http.doctor.check import Subject
from command_center.http.doctor.findings import Diagnosis


@attrs.define(eq=False)
class Clinic:
    """Examines a server; however many ask at once, one examination answers them."""

    subject: Subject
    _last: Diagnosis | None = attrs.field(default=None, init=False)
    _begun: float = attrs.field(default=-math.inf, init=False)
    _lock: trio.Lock = attrs.field(factory=trio.Lock, init=False)

    async def diagnosis(self) -> Diagnosis:
        """Return an examination that was begun after this was called."""
        from command_center.http.doctor.examination import examine  # noqa: PLC0415 - a start needs none of it

        asked = trio.current_time()
        async with self._lock:
            if self._last is None or self._begun < asked:
                begun = trio.current_time()
                self._last = await examine(self.subject)
                self._begun = begun  # of what it goes with: one that was cut off never was
            return self._last
