"""Match texts with what somebody looks for, word by word; SQL calls it ``holds_words``.

SQLite's own LIKE takes only ASCII letters of either case for the same. A row costs some
microseconds, so this is for tables of thousands; transcripts have an index of their own (`search`).
"""

import sqlite3


def holds_words(words: str, number: str, *texts: str) -> bool:
    """Return True if each word stands somewhere in one of the texts, in letters of either case.

    Or begins the number, such as `#12`. Words are what white space separates; nothing else in them
    has a meaning. No words at all are held by every text.
    """
    lowered = [text.lower() for text in texts]
    return all(
        number.startswith(word) or any(word in text for text in lowered)
        for word in words.lower().split()
    )


def teach_words(conn: sqlite3.Connection) -> None:
    """Let the SQL of this connection ask ``holds_words(words, number, text, …)``."""
    conn.create_function("holds_words", -1, holds_words, deterministic=True)
