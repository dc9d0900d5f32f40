"""A program that writes and acknowledges until it is killed.

It commits batches of units, some of which raise, and prints a line for each unit that is durable:
the id of its repository and of its event. What is printed has been acknowledged.
"""

import itertools
import sys
from functools import partial
from pathlib import Path

from command_center.store import Done, Transaction, Writer, repositories
from tests.made_up import made_up


def write(tx: Transaction, number: int) -> tuple[int, int]:
    repository = repositories.insert(tx, name=f"r{number}", local_path=f"/srv/{number}")
    event = tx.emit(
        made_up("repo.created", {"n": number}), actor="test", repository_id=repository.id
    )
    if number % 3 == 0:
        raise LookupError(number)
    return repository.id, event


def main() -> None:
    writer = Writer(Path(sys.argv[1]))
    numbers = itertools.count()
    while True:
        units = [partial(write, number=next(numbers)) for _ in range(8)]
        outcomes = writer.commit(units).outcomes
        done = [outcome.value for outcome in outcomes if isinstance(outcome, Done)]
        lines = "".join(f"{repository} {event}\n" for repository, event in done)
        sys.stdout.write(lines)
        sys.stdout.flush()


main()
