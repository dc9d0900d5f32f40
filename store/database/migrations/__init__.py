"""The schema, as the list of steps that lead to it: each module `mNNNN_what_it_does` is one.

A migration that has been released is never edited: a change is a new one with the next number. Each
is found by its name, and its `migrate` runs in a transaction together with the note that it ran.
The last name is, in effect, the schema's version.

Tables are STRICT, so a column holds what it says. Ids of records are never given twice
(AUTOINCREMENT). Events refer to records by plain numbers: history outlives what it tells of.
Records, events and what is trusted have checksums; a migration that changes the columns of such a
table seals its rows anew (`seal_rows`).
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from sqlite_utils import Migrations


def _found() -> Migrations:
    found = Migrations("command_center")
    for module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        step = import_module(f"{__name__}.{module}")
        found(name=module.removeprefix("m"))(step.migrate)
    return found


MIGRATIONS = _found()
"""All of them, in order."""
