"""Prints what actors cost, as ratios against peers in the same run.

    python -m tests.benchmarks.actors

Ratios, because the machine and its load are the same for both sides: they take turns, round by
round. And seconds of the processor, of all threads, because what other programs take is no cost of
either side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import rich.console
import rich.table

from tests.benchmarks import imports, messages, scale, tractor_peer, triotp_peer

ROUNDS = 5

_Peer = tuple[Callable[[], float], str]
"""A peer's measure, and the ratio that is aimed at."""


def rates(count: int) -> rich.table.Table:
    """Measure telling and asking, each in turns with its peers."""
    table = rich.table.Table("what", "peer", "runtime/s", "peer/s", "ratio", "aim")

    def rows(
        what: str,
        ours: Callable[[], float],
        peers: Mapping[str, _Peer],
    ) -> None:
        measures = {"": ours} | {name: measure for name, (measure, _) in peers.items()}
        found = messages.in_turns(measures, ROUNDS)
        for name, (_, aim) in peers.items():
            ratio = found[""] / found[name]
            table.add_row(
                what, name, f"{found['']:,.0f}", f"{found[name]:,.0f}", f"{ratio:.2f}", aim
            )

    few = count // 5
    rows(
        "tell",
        lambda: messages.tell_runtime(count),
        {
            "pykka": (lambda: messages.tell_pykka(count), "≥ 4"),
            "trio memory channel": (lambda: messages.tell_memory_channel(count), ""),
            "asyncio.Queue": (lambda: messages.tell_asyncio_queue(count), ""),
            "bare deque and lot": (lambda: messages.tell_bare(count), ""),
        }
        | _of_triotp(lambda: triotp_peer.tell_triotp(few), ""),
    )
    rows(
        "ask",
        lambda: messages.ask_runtime(few),
        {
            "two bare task switches": (lambda: messages.switch_bare(few), "≥ 0.95"),
            "pykka": (lambda: messages.ask_pykka(few), ""),
            "trio memory channel": (lambda: messages.ask_memory_channel(few), ""),
            "asyncio.Queue": (lambda: messages.ask_asyncio_queue(few), ""),
            "bare deque and lot": (lambda: messages.ask_bare(few), ""),
        }
        | _of_triotp(lambda: triotp_peer.ask_triotp(few), "≥ 5")
        | _of_tractor(lambda: tractor_peer.ask_tractor(few // 20)),
    )
    rows(
        "ask, 32 askers",
        lambda: messages.ask_runtime(few, 32),
        {
            "asyncio.Queue": (lambda: messages.ask_asyncio_queue(few, 32), "≥ 0.6"),
            "asyncio.Queue, with a timeout": (
                lambda: messages.ask_asyncio_queue(few, 32, timeout=True),
                "",
            ),
            "bare deque and lot": (lambda: messages.ask_bare(few, 32), ""),
        },
    )
    return table


def _of_triotp(measure: Callable[[], float], aim: str) -> dict[str, _Peer]:
    """Return triotp as a peer, where it is installed."""
    return {"triotp": (measure, aim)} if triotp_peer.IS_HERE else {}


def _of_tractor(measure: Callable[[], float]) -> dict[str, _Peer]:
    """Return tractor as a peer, where there is a Python that has it."""
    return {"tractor": (measure, "")} if tractor_peer.IS_HERE else {}


def importing(rounds: int) -> str:
    """Import the runtime, and say what that costs with trio and alone."""
    it = imports.measure(rounds)
    return (
        f"import: {it.runtime * 1000:.0f} ms (aim: 60) where trio and attrs are imported, "
        f"{(it.trio + it.runtime) * 1000:.0f} ms with them"
    )


def coming_and_going(count: int) -> str:
    """Start dynamic children, stop them together, and say what each costs and the longest wait."""
    it = scale.dynamic_children(count)
    return (
        f"{count:,} dynamic children: {it.start_micros:.0f} µs to start each (aim: 120), "
        f"{it.stop_micros:.0f} µs to stop each, ended together with {it.longest * 1000:.0f} ms "
        "between two turns of another task at most (aim: 50)"
    )


def footprints(count: int) -> rich.table.Table:
    """Measure idle things."""
    table = rich.table.Table("idle", "bytes each", "ratio", "start s", "ratio", "stop s")
    plain = scale.measure(scale.plain_tasks, count)
    for name, run, number in (
        ("plain trio task", scale.plain_tasks, count),
        ("task, scope and nursery", scale.tasks_with_scope_and_nursery, count),
        ("supervised actor (aims: 2.0, 2.8)", scale.supervised_actors, count),
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
    console.print(coming_and_going(50_000))
    console.print(importing(9))
    console.print(f"snapshot of 10,000 actors: {scale.snapshot_seconds(10_000):.3f} s")


if __name__ == "__main__":
    main()
