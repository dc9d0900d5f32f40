"""The size of the database's file, and the pages in it that hold nothing.

A file that was made by a version that knew of it can give such pages back to the disk: they are
filled with pages of its end, which is cut off then (`auto_vacuum = INCREMENTAL`). An older file
has to be written anew once.
"""

from typing import Final

from sqlite_utils import Database

SPARE: Final = 20
"""The part of the pages in use, a twentieth, that is left free for what is written next."""

LEAST: Final = 1024
"""Pages that have to be free beyond that before any is given back."""

_INCREMENTAL: Final = 2


def used_bytes(db: Database) -> int:
    """Return the bytes of the file that hold something; what was freed is used again first."""
    sql = """
        SELECT (page_count - freelist_count) * page_size
        FROM pragma_page_count, pragma_freelist_count, pragma_page_size
    """
    found: int = db.execute(sql).fetchone()[0]
    return found


def can_shrink(db: Database) -> bool:
    """Say whether pages of the file can be given back one by one."""
    found: int = db.execute("PRAGMA auto_vacuum").fetchone()[0]
    return found == _INCREMENTAL


def free_bytes(db: Database) -> int:
    """Return the bytes of the file that hold nothing."""
    sql = "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size"
    found: int = db.execute(sql).fetchone()[0]
    return found


def spare_pages(db: Database) -> int:
    """Return how many pages are free beyond what is left for what is written next."""
    sql = f"""
        SELECT freelist_count - (page_count - freelist_count) / {SPARE}
        FROM pragma_page_count, pragma_freelist_count
    """  # noqa: S608 - a constant
    found: int = db.execute(sql).fetchone()[0]
    return found


def give_back(db: Database, pages: int) -> None:
    """Fill so many free pages with pages of the file's end, which ends before these then.

    In a transaction. The file is cut when the log is folded into it.
    """
    for _ in range(pages):
        # Python takes one step of a statement without columns, which is one page, whatever it says.
        db.execute("PRAGMA incremental_vacuum(1)").fetchall()
