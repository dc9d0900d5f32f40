"""A rehearsal of the migrations: on a copy, by the version that is to come.

`python -m command_center.store.database.rehearsal COPY` migrates the file as a start would, reads
all of it, and ends with the exit code 0. An update calls it in the new version's own environment.
Else it says in a line why not, and ends with 1.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlite_utils import Migrations

from command_center.store.database.migrations import MIGRATIONS
from command_center.store.database.opening import (
    check_database,
    open_database,
    open_for_reading,
)
from command_center.store.errors import (
    CannotOpenDatabase,
    CorruptDatabase,
    ForeignDatabase,
    MigrationFailed,
    NewerSchema,
    SqliteTooOld,
)

FAILED: Final = 1


def rehearse(copy: Path, *, migrations: Migrations = MIGRATIONS) -> list[str]:
    """Migrate a copy as a start would, check it, and return the names of the steps that ran.

    Raises:
        Exception: what `open_database` and `check_database` raise.
    """
    with closing(open_for_reading(copy)) as db:
        ran = [step.name for step in migrations.pending(db)]
    open_database(copy, migrations=migrations).close()
    check_database(copy, takes_damaged=True, migrations=migrations)
    return ran


def steps_beyond(
    path: Path, known: Collection[str], *, migrations: Migrations = MIGRATIONS
) -> set[str]:
    """Return the steps of a database that are not among the known ones.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    with closing(open_for_reading(path)) as db:
        return {step.name for step in migrations.applied(db)} - {*known}


def main() -> None:
    """Rehearse on the file that is named, and tell the outcome by the exit code."""
    try:
        ran = rehearse(Path(sys.argv[1]))
    except (
        CannotOpenDatabase,
        CorruptDatabase,
        ForeignDatabase,
        MigrationFailed,
        NewerSchema,
        SqliteTooOld,
    ) as error:
        sys.stdout.write(f"{error}\n")
        sys.exit(FAILED)
    sys.stdout.write(f"{' '.join(ran)}\n")


if __name__ == "__main__":
    main()
