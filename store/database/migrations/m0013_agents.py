"""Keep the sub-agents of sessions, and whose items are whose.

The entries of a session's own and of each of its sub-agents are paged apart.
"""

from sqlite_utils import Database

_SQL = """
CREATE TABLE agents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    thread_id TEXT NOT NULL,
    parent_id INTEGER REFERENCES agents (id) ON DELETE CASCADE,
    parent_thread_id TEXT NOT NULL,
    path TEXT,
    name TEXT,
    model TEXT,
    prompt TEXT,
    status TEXT NOT NULL,
    last_message TEXT,
    token_usage TEXT,
    diff TEXT,
    finished_at TEXT,
    UNIQUE (session_id, thread_id)
) STRICT;
CREATE INDEX agents_by_parent ON agents (parent_id);
ALTER TABLE items ADD COLUMN agent_id INTEGER REFERENCES agents (id) ON DELETE CASCADE;
CREATE INDEX items_by_agent ON items (session_id, agent_id, id);
CREATE INDEX items_of_agents ON items (agent_id) WHERE agent_id IS NOT NULL;
"""


def migrate(db: Database) -> None:
    """Create the table, and the column of an item."""
    db.executescript(_SQL)
