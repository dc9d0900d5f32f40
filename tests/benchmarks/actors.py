"""Prints what actors cost, as ratios against peers in the same run.

    python -m tests.benchmarks.actors

Ratios, because the machine and its load are the same for both sides; still, a busy machine
disturbs pykka's threads more than one trio thread, so compare on a quiet one.
"""

from __future__ import annotations

from collections.abc import Callable

import rich.console
import rich.table

from tests.benchmarks import messages, scale

ROUNDS = 5


def rates(count: int) -> rich.table.Table:
    """Measure telling and asking."""
    table = rich.table.Table("what", "peer", "runtime/s", "peer/s", "ratio", "aim")

    def row(
        what: str,
        ours: float,
        peer: str,
        theirs: Callable[[], float],
        aim: str = "",
    ) -> None:
        rate = messages.best(theirs, ROUNDS)
        table.add_row(what, peer, f"{ours:,.0f}", f"{rate:,.0f}", f"{ours / rate:.2f}", aim)

    told = messages.best(lambda: messages.tell_runtime(count), ROUNDS)
    row("tell", told, "pykka", lambda: messages.tell_pykka(count), "≥ 3")
    row("tell", told, "trio memory channel", lambda: messages.tell_memory_channel(count))
    row("tell", told, "asyncio.Queue", lambda: messages.tell_asyncio_queue(count))
    row("tell", told, "bare deque and lot", lambda: messages.tell_bare(count))
    few = count // 5
    asked = messages.best(lambda: messages.ask_runtime(few), ROUNDS)
    row("ask", asked, "pykka", lambda: messages.ask_pykka(few), "≥ 6")
    row("ask", asked, "trio memory channel", lambda: messages.ask_memory_channel(few))
    row("ask", asked, "asyncio.Queue", lambda: messages.ask_asyncio_queue(few))
    row("ask", asked, "bare deque and lot", lambda: messages.ask_bare(few))
    many = messages.best(lambda: messages.ask_runtime(few, 32), ROUNDS)
    row(
        "ask, 32 askers",
        many,
        "asyncio.Queue",
        lambda: messages.ask_asyncio_queue(few, 32),
        "≥ 0.5",
    )
    row(
        "ask, 32 askers",
        many,
        "asyncio.Queue, with a timeout",
        lambda: messages.ask_asyncio_queue(few, 32, timeout=True),
    )
    row("ask, 32 askers", many, "bare deque and lot", lambda: messages.ask_bare(few, 32))
    return table


def footprints(count: int) -> rich.table.Table:
    """Measure idle things."""
    table = rich.table.Table("idle", "bytes each", "ratio", "start s", "ratio", "stop s")
    plain = scale.measure(scale.plain_tasks, count)
    for name, run, number in (
        ("plain trio task", scale.plain_tasks, count),
        ("task, scope and nursery", scale.tasks_with_scope_and_nursery, count),
        ("supervised actor (aims: 2.2, 3.2)", scale.supervised_actors, count),
        (f"pykka actor ({count // 10} of them)", scale.pykka_actors, count // 10),
    ):
        it = scale.measure(run, number)
        share = number / count
        table.add_row(
            name,
            f"{it.bytes_each:,.0f}",
            f"{it.bytes_each / plain.bytes_each:.2f}",
            f"{it.start_seconds:.3f}",
            f"{it.start_seconds / share / plain.start_seconds:.2f}",
            f"{it.stop_seconds:.3f}",
        )
    return table


def main() -> None:
    """Print both tables."""
    console = rich.console.Console()
    console.print(rates(100_000))
    console.print(footprints(10_000))
    console.print(f"snapshot of 10,000 actors: {scale.snapshot_seconds(10_000):.3f} s")


if __name__ == "__main__":
    main()
