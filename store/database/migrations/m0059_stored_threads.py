"""Search what was said in an agent's threads that nobody began here."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE stored_threads (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    host TEXT NOT NULL,
    thread_id TEXT NOT NULL,
    title TEXT NOT NULL,
    cwd TEXT NOT NULL,
    changed INTEGER NOT NULL,
    is_archived INTEGER NOT NULL,
    UNIQUE (host, thread_id)
) STRICT;
CREATE TABLE thread_texts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    thread INTEGER NOT NULL REFERENCES stored_threads (id) ON DELETE CASCADE,
    turn_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX thread_texts_by_thread ON thread_texts (thread);

CREATE VIRTUAL TABLE thread_texts_search USING fts5 (
    text, content = 'thread_texts', content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER thread_texts_are_searched AFTER INSERT ON thread_texts BEGIN
    INSERT INTO thread_texts_search (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER thread_texts_are_searched_no_more AFTER DELETE ON thread_texts BEGIN
    INSERT INTO thread_texts_search (thread_texts_search, rowid, text)
    VALUES ('delete', old.id, old.text);
END;
"""


def migrate(db: Database) -> None:
    """Make the tables, and have triggers keep what is searched."""
    db.executescript(_SQL)
