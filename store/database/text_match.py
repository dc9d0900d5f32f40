"""Match texts with what somebody looks for, word by word.

SQLite itself takes only ASCII letters of either case for the same. Where all of a row's texts are
ASCII, SQL finds the words, for a microsecond; of another row the function ``holds_words`` is asked,
which takes some more. Transcripts have an index of their own (`search`).
"""

import sqlite3
from collections.abc import Sequence


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


def words_held(words: str, number: str, texts: Sequence[str]) -> tuple[str, list[str]]:
    """Return the SQL for whether the columns hold the words, as `holds_words` says; its values."""
    wanted = words.lower().split()
    are_ascii = (f"length({text}) = length(CAST({text} AS BLOB))" for text in texts)
    places = " OR ".join(
        (f"instr({number}, ?) = 1", *(f"instr(lower({text}), ?)" for text in texts))
    )
    held = " AND ".join([f"({places})"] * len(wanted)) or "true"
    asked = f"holds_words({', '.join(('?', number, *texts))})"
    values = [word for word in wanted for _ in (number, *texts)]
    return f"CASE WHEN {' AND '.join(are_ascii)} THEN {held} ELSE {asked} END", [*values, words]


def teach_words(conn: sqlite3.Connection) -> None:
    """Let the SQL of this connection ask ``holds_words(words, number, text, …)``."""
    conn.create_function("holds_words", -1, holds_words, deterministic=True)
