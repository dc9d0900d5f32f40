"""A center that is killed at a chosen point of a firing.

Given a folder, the point and a wall time, it opens the center at that time and waits to be killed:

- `before`: its due time, or its event, has come, and the transaction that claims it has begun;
- `between`: the claim, the task and the session are written, and not committed;
- `after`: they are committed, and nobody has been told.

With `any` as the point it fires one due time after the other until somebody else kills it; it
prints each that has been answered.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import trio
import trio.testing

from command_center.actors.automations.actor import AutomationActor
from command_center.actors.ledger import event_firing
from command_center.actors.ledger import firing as claims
from command_center.http.config.logs import write_logs
from command_center.store import automation_runs
from tests.actors.automations.rig import ManualClock, opened


def die(*_: Any, **__: Any) -> NoReturn:
    """End as by `kill -9`: no handler, no cleanup."""
    if sys.platform == "win32":
        os.kill(os.getpid(), signal.SIGTERM)
    else:
        os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def then_die(unit: Callable[..., Any], *args: Any, **named: Any) -> NoReturn:
    unit(*args, **named)
    die()


async def wait_for_the_end(folder: Path, moment: datetime) -> None:
    async with opened(folder, ManualClock(moment)):
        await trio.sleep_forever()


async def fire_until_killed(folder: Path, moment: datetime) -> None:
    clock = ManualClock(moment)
    async with opened(folder, clock) as rig:
        while True:
            clock.advance(minutes=1)
            runs = await rig.center.storage.read(partial(_fired_at, clock.now()))
            while not runs:
                await trio.testing.wait_all_tasks_blocked()
                runs = await rig.center.storage.read(partial(_fired_at, clock.now()))
            sys.stdout.write(f"{clock.now().isoformat()}\n")
            sys.stdout.flush()


def _fired_at(moment: datetime, db: Any) -> bool:
    due_at = f"{moment:%Y-%m-%dT%H:%M}:00.000Z"
    return automation_runs.find(db, {"due_at": due_at}) is not None


def main() -> None:
    write_logs("warning", "console")  # to stderr: stdout is for what the test reads
    folder, point, moment = Path(sys.argv[1]), sys.argv[2], datetime.fromisoformat(sys.argv[3])
    match point:
        case "before":
            claims.claim = event_firing.claim_event = die
        case "between":
            claims.claim = partial(then_die, claims.claim)
            event_firing.claim_event = partial(then_die, event_firing.claim_event)
        case "after":
            settled = AutomationActor._arm

            async def arm(self: AutomationActor, *, begun: int | None = None) -> None:
                if begun is not None:
                    die()
                await settled(self)

            AutomationActor._arm = arm  # type: ignore[method-assign]
        case _:
            trio.run(fire_until_killed, folder, moment)
    trio.run(wait_for_the_end, folder, moment)


if __name__ == "__main__":
    main()
