"""Tell the log from a copy of it.

`life` is null until the first start that keeps a mark beside the database.
"""

from sqlite_utils import Database

_SQL = """
CREATE TABLE log_identity (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    log_id TEXT NOT NULL,
    life TEXT,
    former_life TEXT
) STRICT;
INSERT INTO log_identity (id, log_id) VALUES (1, lower(hex(randomblob(8))));
"""


def migrate(db: Database) -> None:
    """Create the table."""
    db.executescript(_SQL)
