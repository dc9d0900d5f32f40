"""The size of the database's file."""

from sqlite_utils import Database


def used_bytes(db: Database) -> int:
    """Return the bytes of the file that hold something; what was freed is used again first."""
    sql = """
        SELECT (page_count - freelist_count) * page_size
        FROM pragma_page_count, pragma_freelist_count, pragma_page_size
    """
    found: int = db.execute(sql).fetchone()[0]
    return found
