"""Make anew what is made of other rows: totals, and indexes of words.

Each has a name: of an index its own, of a kind of totals ``totals made`` and the like.
"""

from typing import Final

from sqlite_utils import Database

from command_center.store import totals
from command_center.store.database.word_indexes import WORD_INDEXES, make_index_anew

TOTALS: Final = {f"totals {kind}": kind for kind in totals.KINDS}
"""The kinds of totals by their names here."""


def make_anew(db: Database, name: str) -> None:
    """Make it anew of what it is made of, in the transaction of the caller."""
    if name in WORD_INDEXES:
        make_index_anew(db, name)
    else:
        totals.make_anew(db, TOTALS[name])
