"""Search what was said in sessions.

What is searched is copied by triggers, so that no way to write an item or a prompt passes it by,
and so that the rows of one session go when it goes. It is as redacted as what it is copied from.
"""

from sqlite_utils import Database


def migrate(db: Database) -> None:
    """Create the tables, fill them, and have triggers keep them."""
    db.executescript(_SEARCH)


TEXT_OF_ITEM = """(
    SELECT group_concat(atom, char(10)) FROM json_tree(new.body)
    WHERE type = 'text'
      AND key NOT IN ('id', 'type', 'status', 'clientId', 'cwd', 'processId', 'source', 'phase')
      AND path NOT LIKE '$.commandActions%' AND path NOT LIKE '$.memoryCitation%'
)"""

_SEARCH = f"""
CREATE TABLE texts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    item INTEGER UNIQUE REFERENCES items (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    at TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX texts_by_session ON texts (session_id);

CREATE VIRTUAL TABLE texts_search USING fts5 (
    text, content = 'texts', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER texts_are_searched AFTER INSERT ON texts BEGIN
    INSERT INTO texts_search (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER texts_are_searched_no_more AFTER DELETE ON texts BEGIN
    INSERT INTO texts_search (texts_search, rowid, text) VALUES ('delete', old.id, old.text);
END;

CREATE TRIGGER prompts_are_texts AFTER INSERT ON sessions BEGIN
    INSERT INTO texts (session_id, kind, at, text)
    VALUES (new.id, 'prompt', new.created_at, new.prompt);
END;
CREATE TRIGGER finished_items_are_texts AFTER INSERT ON items WHEN new.status = 'completed' BEGIN
    INSERT INTO texts (session_id, item, kind, at, text)
    SELECT new.session_id, new.id, new.type, new.updated_at, said
    FROM (SELECT {TEXT_OF_ITEM} AS said) WHERE said IS NOT NULL;
END;
CREATE TRIGGER items_that_finish_are_texts AFTER UPDATE OF body, status ON items
WHEN new.status = 'completed' BEGIN
    DELETE FROM texts WHERE item = new.id;
    INSERT INTO texts (session_id, item, kind, at, text)
    SELECT new.session_id, new.id, new.type, new.updated_at, said
    FROM (SELECT {TEXT_OF_ITEM} AS said) WHERE said IS NOT NULL;
END;

INSERT INTO texts (session_id, kind, at, text)
SELECT id, 'prompt', created_at, prompt FROM sessions;
UPDATE items SET body = body WHERE status = 'completed';
"""  # noqa: S608 - put together from a constant
