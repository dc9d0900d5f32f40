"""Say in the database which process may write to it.

`proofs` counts writes that only prove that one can write. `lock` is the device and the inode of the
lock that the holder holds.
"""

from sqlite_utils import Database

_SQL = """
CREATE TABLE claim (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    life TEXT NOT NULL,
    pid INTEGER NOT NULL,
    host TEXT NOT NULL,
    folder TEXT NOT NULL,
    lock TEXT NOT NULL,
    since TEXT NOT NULL,
    renewed TEXT NOT NULL
) STRICT;
ALTER TABLE log_identity ADD COLUMN proofs INTEGER NOT NULL DEFAULT 0;
"""


def migrate(db: Database) -> None:
    """Create the table."""
    db.executescript(_SQL)
