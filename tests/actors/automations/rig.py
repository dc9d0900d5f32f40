"""The whole tree on the stub runner, with a clock that the test sets."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pytest
import trio
import trio.testing

from command_center.actors.center import Center, open_center
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.contracts.addresses import SCHEDULER
from command_center.actors.contracts.automations import (
    AutomationChanges,
    AutomationPayload,
    CreateAutomation,
    PatchAutomation,
)
from command_center.actors.rules.policy import RunInput
from command_center.actors.tree import CenterSettings
from command_center.store import (
    Automation,
    AutomationRun,
    EventFilter,
    automation_runs,
    automations,
    events,
    repositories,
    to_timestamp,
)
from tests.actors.rows import make_database

WAIT_SECONDS = 20.0
"""A test that waits longer for something has failed."""

START = datetime(2025, 6, 2, 8, 30, tzinfo=UTC)
"""A Monday morning."""


class ManualClock:
    """A wall clock that moves only when the test says so."""

    def __init__(self, moment: datetime = START) -> None:
        self._moment = moment
        self._set = trio.Event()

    def now(self) -> datetime:
        return self._moment

    async def pause(self, seconds: float, sooner: trio.Event) -> None:
        del seconds
        was_set = self._set
        async with trio.open_nursery() as nursery:
            for event in (was_set, sooner):
                nursery.start_soon(_cancel_after, event, nursery.cancel_scope)

    def set(self, moment: datetime) -> None:
        """Show this moment from now on, before or after the present one."""
        self._moment = moment
        self._set.set()
        self._set = trio.Event()

    def advance(self, **by: float) -> None:
        """Let so much time pass."""
        self.set(self._moment + timedelta(**by))


async def _cancel_after(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


@attrs.define
class Rig:
    """A running center, and what a test asks of it."""

    center: Center
    clock: ManualClock
    repository_id: int

    async def create(self, schedule: str = "daily@09:00", **fields: Any) -> Automation:
        """An automation that reads, unless its fields say otherwise."""
        run = fields.pop("run", RunInput(sandbox="read-only"))
        pay = {"prompt": "Look around.", **fields.pop("pay", {})}
        payload = AutomationPayload(run_input=run, **pay)
        message = CreateAutomation(
            repository_id=self.repository_id,
            title=fields.pop("title", "Look"),
            schedule_expr=schedule,
            payload=payload,
            timezone=fields.pop("timezone", "UTC"),
            **fields,
        )
        return await self.center.ask(SCHEDULER, message)

    async def patch(self, automation: Automation, **changes: Any) -> Automation:
        message = PatchAutomation(automation.id, AutomationChanges(**changes))
        return await self.center.ask(SCHEDULER, message)

    async def automation(self, automation: Automation) -> Automation:
        """Return it as it is now."""
        return await self.center.storage.read(lambda db: automations.get(db, automation.id))

    async def runs(self, automation: Automation) -> list[AutomationRun]:
        """Its history, oldest first."""
        return await self.center.storage.read(
            lambda db: automation_runs.every(db, {"automation_id": automation.id})
        )

    async def events(self, *types: str, **subject: Any) -> list[Any]:
        """The events of these types, oldest first."""
        wanted = EventFilter(types=types, **subject)
        found, _ = await self.center.storage.read(
            lambda db: events.after(db, 0, limit=500, wanted=wanted)
        )
        return [msgspec.json.decode(event.body) for event in found]

    async def until_event(self, event_type: str, *, count: int = 1, **subject: Any) -> list[Any]:
        """The events of that type, once there are so many."""
        wanted = EventFilter(types=(event_type,), **subject)
        with trio.fail_after(WAIT_SECONDS), self.center.fanout.subscribe(wanted) as subscription:
            while len(found := await self.events(event_type, **subject)) < count:
                await subscription.drain()
            return found

    async def until_ended(self, automation: Automation, count: int) -> list[AutomationRun]:
        """Its history, once so many runs are over."""
        with trio.fail_after(WAIT_SECONDS), self.center.fanout.subscribe(EventFilter()) as watch:
            while True:
                runs = await self.runs(automation)
                if sum(run.outcome != "started" for run in runs) >= count:
                    return runs
                await watch.drain()

    async def until_next(self, automation: Automation, moment: datetime) -> None:
        """Return once this is its next due time."""
        wanted = to_timestamp(moment)
        await self._poll(automation, lambda row: row.next_run_at == wanted)

    async def until_actor(self, automation: Automation, *, there: bool) -> None:
        """Return once it has an actor, or none."""
        await self._poll(automation, lambda _: self.has_actor(automation) is there)

    async def _poll(self, automation: Automation, done: Callable[[Automation], bool]) -> None:
        with trio.fail_after(WAIT_SECONDS):
            while not done(await self.automation(automation)):
                await trio.testing.wait_all_tasks_blocked()

    async def settled(self, automation: Automation) -> Automation:
        """The automation, when it has acted on the clock as it stands now.

        The watch has no thread to wait for, so it has seen the clock once all tasks are blocked;
        and a change that changes nothing comes to the automation's actor after what it was told.
        """
        await trio.testing.wait_all_tasks_blocked()
        return await self.patch(automation)

    def has_actor(self, automation: Automation) -> bool:
        """Return whether an actor stands for it."""
        return self.center.system.find(f"/automations/{automation.id}") is not None


@asynccontextmanager
async def opened(
    folder: Path, clock: ManualClock | None = None, **settings: Any
) -> AsyncIterator[Rig]:
    """A center on the database in `folder`, with one repository in which a run may write.

    The folder is the repository's too: unless it is a git working tree, runs in it fail.
    """
    clock = clock or ManualClock()
    database = folder / "center.sqlite3"
    make_database(database)
    wanted = CenterSettings(
        database=database,
        data_dir=folder,
        runner="stub",
        bridge=BridgeSettings(disabled="the test needs none"),
        max_sessions=8,
        approval_seconds=3600.0,
        timezone=settings.pop("timezone", "UTC"),
        **settings,
    )
    async with open_center(wanted, clock=clock) as center:
        found = await center.storage.read(lambda db: repositories.find(db, {}))
        if found is None:
            found = await center.storage.write(
                lambda tx: repositories.insert(
                    tx, name="r", local_path=str(folder), allow_write=True
                )
            )
        yield Rig(center, clock, found.id)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A git working tree, so that runs in it complete."""
    work = tmp_path / "work"
    work.mkdir()
    subprocess.run(["git", "init", "-q", work], check=True)  # noqa: S607 - git is on the PATH
    return work


def at(moment: datetime) -> str:
    """Return it as it is shown."""
    return to_timestamp(moment)


NINE = START.replace(hour=9, minute=0)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
