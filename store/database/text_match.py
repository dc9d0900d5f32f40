"""Match texts with what somebody looks for, word by word.

SQLite itself takes only ASCII letters of either case for the same. Where all of a row's texts are
ASCII, SQL finds the words, for a microsecond; of another row the function ``holds_words`` is asked,
which takes some more.

So that not all rows are looked through, an index (FTS5, of trigrams) has the texts as ``lowered``
gives them: a row that holds a word of three letters or more has all of its trigrams. Transcripts,
of which whole words are found, have an index of their own (`search`).
"""

import re
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

from sqlite_utils import Database

SEARCHED: Final[Mapping[str, Sequence[str]]] = {
    "tasks": ("title", "prompt"),
    "sessions": ("title",),
}
"""The tables that have an index of trigrams, `<table>_search`, and the columns that are in it."""


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


def lowered(*texts: bytes) -> str:
    """Return texts as an index of trigrams has them: in small letters, each in a line."""
    # At a zero the tokenizer would end.
    return "\n".join(text.decode(errors="replace").lower().replace("\0", " ") for text in texts)


def trigrams_of(words: str) -> str:
    """Return FTS5's expression for the trigrams of words; empty where no word has one.

    A word that may be a number's beginning, such as `#12`, is left out, as no text need have it.
    """
    found = {
        word[at : at + 3]
        for word in words.lower().split()
        if not is_number(word)
        for at in range(len(word) - 2)
    }
    return " ".join(quoted(gram) for gram in sorted(found) if "\0" not in gram)


def lowered_texts(row: str, columns: Sequence[str]) -> str:
    """Return the SQL for the columns of a row as an index of trigrams has them."""
    return f"lowered({', '.join(f'CAST({row}.{column} AS BLOB)' for column in columns)})"


def keep_trigrams(db: Database) -> None:
    """Let every write by this connection keep the indexes of trigrams, whatever SQL it is of."""
    there = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    for table, columns in SEARCHED.items():
        if f"{table}_search" in there:
            db.executescript(_keep(table, columns))


def _keep(table: str, columns: Sequence[str]) -> str:
    new, old = lowered_texts("new", columns), lowered_texts("old", columns)
    into = f"INSERT INTO {table}_search"
    note = f"{into} (rowid, text) VALUES (new.id, {new});"
    forget = f"{into} ({table}_search, rowid, text) VALUES ('delete', old.id, {old});"
    return f"""
        CREATE TEMP TRIGGER {table}_are_searched AFTER INSERT ON {table} BEGIN {note} END;
        CREATE TEMP TRIGGER {table}_are_searched_no_more AFTER DELETE ON {table}
            BEGIN {forget} END;
        CREATE TEMP TRIGGER {table}_are_searched_anew AFTER UPDATE OF {", ".join(columns)}
            ON {table} BEGIN {forget} {note} END;
    """


def is_number(word: str) -> bool:
    """Say whether a word may be the beginning of a record's number."""
    return re.fullmatch("#[0-9]*", word) is not None


def quoted(text: str) -> str:
    """Return a text as FTS5's expressions have it."""
    return '"' + text.replace('"', '""') + '"'


def numbers_that_begin(word: str) -> list[tuple[int, int]]:
    """Return the first and the last of the numbers that begin so, for each length."""
    digits = word[1:]
    if not digits or digits.startswith("0") or len(digits) > _MOST_DIGITS:
        return []
    first = int(digits)
    powers = (10**more for more in range(_MOST_DIGITS - len(digits) + 1))
    return [(first * power, (first + 1) * power - 1) for power in powers]


_MOST_DIGITS = 18


def teach_words(conn: sqlite3.Connection) -> None:
    """Let the SQL of this connection call ``holds_words`` and ``lowered``."""
    conn.create_function("lowered", -1, lowered, deterministic=True)
    conn.create_function("holds_words", -1, holds_words, deterministic=True)
