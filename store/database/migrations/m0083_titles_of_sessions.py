"""Give each session a title of its own, by which it is found, and have some of them archived.

Of each three letters that follow each other in a title it is noted which sessions have them, as
for tasks (`m0075`). `text_match` keeps it in step.
"""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows

_SQL = """
ALTER TABLE sessions ADD COLUMN title TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET title = (SELECT title FROM tasks WHERE tasks.id = sessions.task_id);
CREATE INDEX sessions_archived ON sessions (id) WHERE archived = 1;
CREATE VIRTUAL TABLE sessions_search USING fts5 (
    text, content = '', columnsize = 0, detail = none, tokenize = 'trigram case_sensitive 1'
);
INSERT INTO sessions_search (rowid, text)
SELECT id, lowered(CAST(title AS BLOB)) FROM sessions;
"""


def migrate(db: Database) -> None:
    """Add the columns, name each session after its task, and fill the index."""
    db.executescript(_SQL)
    seal_rows(db, "sessions")
