"""Find the tasks that hold a word without looking through all of them.

Of each three letters that follow each other in a title or a prompt it is noted which tasks have
them. That is all that is noted: whatever is found so is looked at. `text_match` keeps it in step.
"""

from sqlite_utils import Database

_SQL = """
CREATE VIRTUAL TABLE tasks_search USING fts5 (
    text, content = '', columnsize = 0, detail = none, tokenize = 'trigram case_sensitive 1'
);
INSERT INTO tasks_search (rowid, text)
SELECT id, lowered(CAST(title AS BLOB), CAST(prompt AS BLOB)) FROM tasks;
"""


def migrate(db: Database) -> None:
    """Create the index, and fill it."""
    db.executescript(_SQL)
