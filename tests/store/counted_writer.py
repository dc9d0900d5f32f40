"""A program that does what is counted, and acknowledges it, until it is killed.

Each commit has several acts, one of which may raise. The number of each that is durable is printed.
"""

import random
import sys
from pathlib import Path

from command_center.store import Done, Transaction, Writer
from tests.store.test_totals import ACTS


def main() -> None:
    chance = random.Random(sys.argv[2])  # noqa: S311 - the same acts each time
    writer = Writer(Path(sys.argv[1]))

    def act(tx: Transaction) -> None:
        chance.choice(ACTS)(tx, chance)

    while True:
        acts = [act] * chance.randint(1, 9)
        done = [one for one in writer.commit(acts).outcomes if isinstance(one, Done)]
        sys.stdout.write("done\n" * len(done))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
