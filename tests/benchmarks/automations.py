"""The cost of ten thousand automations, idle and when a thousand are due at once.

Run it with `python -m tests.benchmarks.automations [folder]`. It keeps 10,000 enabled automations,
starts the whole tree on the machine's own clock, and prints how long the start takes, what the
process uses while nothing is due, and how long after their common due time each of 1,000 was fired:
its task and session committed, and the event published.

The runs end at once, since the folder is no git repository; the actors of their sessions are
started all the same, while the others are still being fired.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
import trio

from command_center.actors.center import open_center
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.rules.schedule import parse
from command_center.actors.tree import CenterSettings
from command_center.store import (
    EventFilter,
    Transaction,
    Writer,
    automations,
    repositories,
    to_timestamp,
)

ALL = 10_000
AT_ONCE = 1_000
IDLE_SECONDS = 20.0
LEAD_SECONDS = 60.0
"""From the start of the process to the common due time."""


def prepare(database: Path, due: datetime) -> None:
    """Keep the automations: of each ten, one is due at `due`, and the others on a leap day."""
    never = parse("cron:0 0 29 2 *").after(due, ZoneInfo("UTC"))
    assert never is not None

    def unit(tx: Transaction) -> None:
        repository = repositories.insert(tx, name="r", local_path=str(database.parent))
        for number in range(ALL):
            soon = number % (ALL // AT_ONCE) == 0
            automations.insert(
                tx,
                repository_id=repository.id,
                title=f"Automation {number}",
                schedule_expr=f"daily@{due:%H:%M}" if soon else "cron:0 0 29 2 *",
                timezone="UTC",
                payload={"prompt": "Look.", "runInput": {"sandbox": "read-only"}},
                next_run_at=to_timestamp(due if soon else never),
                requested_by="benchmark",
            )

    writer = Writer(database)
    writer.commit([unit])
    writer.close()


def say(text: str) -> None:
    """Print a figure."""
    sys.stdout.write(f"{text}\n")


def percentile(values: list[float], share: float) -> float:
    """The value that so large a share does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def measure(database: Path, due: datetime) -> None:
    """Run the tree until the thousand have fired, and print the figures."""
    settings = CenterSettings(
        database=database,
        data_dir=database.parent,
        runner="stub",
        bridge=BridgeSettings(disabled="not wanted"),
        max_sessions=4,
        approval_seconds=3600.0,
        timezone="UTC",
    )
    began = time.perf_counter()
    async with open_center(settings) as center:
        while center.system.snapshot_of("/scheduler").description["alarms"] != ALL:  # noqa: ASYNC110 - seen from outside
            await trio.sleep(0.05)
        memory = psutil.Process().memory_info().rss / 2**20
        say(f"{ALL} actors started in {time.perf_counter() - began:.1f} s, {memory:.0f} MiB")
        used = time.process_time()
        await trio.sleep(IDLE_SECONDS)
        share = (time.process_time() - used) / IDLE_SECONDS
        say(f"idle: {share:.2%} of one processor")
        late: list[float] = []
        used = time.process_time()
        wanted = EventFilter(types=("automation.fired",))
        with center.fanout.subscribe(wanted) as subscription:
            while len(late) < AT_ONCE:
                frames = await subscription.drain()
                passed = (datetime.now(UTC) - due).total_seconds()
                late += [passed] * len(frames)
        say(
            f"{AT_ONCE} due at once were fired after {min(late):.2f} s (first), "
            f"{statistics.median(late):.2f} s (median), {percentile(late, 0.99):.2f} s (99 %), "
            f"{max(late):.2f} s (last); {time.process_time() - used:.2f} s of processor time"
        )


def main() -> None:
    """Prepare, measure, print."""
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        moment = datetime.now(UTC) + timedelta(seconds=LEAD_SECONDS)
        due = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        database = Path(folder, "center.sqlite3")
        prepare(database, due)
        trio.run(measure, database, due)


if __name__ == "__main__":
    main()
