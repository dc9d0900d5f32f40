"""Keep totals of what a summary and the metrics count, and find what one session said by its index.

`totals` has one row for each kind, repository, day and word: how many there are, and their amount.
The repository 0 stands for all of them, and an empty day for all days. Triggers keep it in the
transaction of what it sums, whatever SQL that comes from. Each view `counted_…` counts a kind from
the rows themselves: a total is right where it is as the view says (`store.totals`).

Sessions are in the totals once they have finished: those that live are few, and change often.

Each text has two words more in its index, one of its session and one of its repository. They
begin with a character that nobody types, and are in a column of their own.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from sqlite_utils import Database

from command_center.store.database.migrations.m0005_search import TEXT_OF_ITEM


class _Kind(NamedTuple):
    """A kind of thing that is counted of a row, in SQL where `row.` stands before its columns."""

    name: str
    condition: str
    day: str = "''"
    word: str = "''"
    amount: str = "0"
    repositories: Sequence[str] = ("0",)


def migrate(db: Database) -> None:
    """Create the totals and fill them; create the index of words anew."""
    db.executescript(_TOTALS)
    for table, kinds in _KINDS.items():
        for kind in kinds:
            db.execute(f"CREATE VIEW counted_{kind.name} AS {_counted(table, kind)}")
            db.execute(f"INSERT INTO totals SELECT * FROM counted_{kind.name}")  # noqa: S608 - constants
        db.executescript(_triggers(table, kinds))
    db.executescript(_SEARCH)


def _counted(table: str, kind: _Kind) -> str:
    rows = " UNION ALL ".join(_parts(kind, table, f"FROM {table}"))
    return f"""
        SELECT kind, repository_id, day, word, count(*) AS count, sum(amount) AS amount
        FROM ({rows}) GROUP BY repository_id, day, word
    """  # noqa: S608 - constants


def _triggers(table: str, kinds: Sequence[_Kind]) -> str:
    take, add = _change(kinds, "old", "-"), _change(kinds, "new", "+")
    columns = ", ".join(_COLUMNS[table])
    is_counted = {
        row: _WHEN.get(table, "true").replace("row.", f"{row}.") for row in ("old", "new")
    }
    return f"""
        CREATE TRIGGER {table}_are_counted AFTER INSERT ON {table}
            WHEN {is_counted["new"]} BEGIN {add} END;
        CREATE TRIGGER {table}_are_counted_no_more AFTER DELETE ON {table}
            WHEN {is_counted["old"]} BEGIN {take} END;
        CREATE TRIGGER {table}_are_counted_anew AFTER UPDATE OF {columns} ON {table}
            WHEN ({is_counted["old"]}) OR ({is_counted["new"]}) BEGIN {take} {add} END;
    """


def _change(kinds: Sequence[_Kind], row: str, sign: str) -> str:
    parts = " UNION ALL ".join(part for kind in kinds for part in _parts(kind, row, ""))
    return f"""
        INSERT INTO totals SELECT kind, repository_id, day, word, {sign}1, {sign}amount
        FROM ({parts}) WHERE true
        ON CONFLICT (kind, repository_id, day, word)
        DO UPDATE SET count = count + excluded.count, amount = amount + excluded.amount;
    """  # noqa: S608 - constants


def _parts(kind: _Kind, row: str, source: str) -> list[str]:
    selects = []
    for repository in kind.repositories:
        named = "true" if repository == "0" else f"{repository} IS NOT NULL"
        select = (
            f"SELECT '{kind.name}' AS kind, {repository} AS repository_id, {kind.day} AS day, "
            f"{kind.word} AS word, {kind.amount} AS amount {source} "
            f"WHERE {kind.condition} AND {named}"
        )
        selects.append(select.replace("row.", f"{row}."))
    return selects


_OF_EACH: Final = ("row.repository_id", "0")
_HAS_ENDED: Final = "row.finished_at IS NOT NULL"
_SECONDS: Final = "round((julianday(row.finished_at) - julianday(row.started_at)) * 86400, 3)"
_USED: Final = """max(0, ifnull(
    json_extract(row.token_usage, '$.total.totalTokens'), 0
) - row.token_baseline)"""
_CLASS: Final = f"""CASE
    WHEN {_SECONDS} < 60 THEN max(0, CAST({_SECONDS} AS INTEGER) / 15 * 15)
    WHEN {_SECONDS} < 600 THEN CAST({_SECONDS} AS INTEGER) / 60 * 60
    WHEN {_SECONDS} < 3600 THEN CAST({_SECONDS} AS INTEGER) / 150 * 150
    WHEN {_SECONDS} < 86400 THEN CAST({_SECONDS} AS INTEGER) / 3600 * 3600
    ELSE CAST({_SECONDS} AS INTEGER) / 86400 * 86400
END"""
"""The least seconds of the class that a duration is in."""

_KINDS: Final[Mapping[str, Sequence[_Kind]]] = {
    "sessions": (
        _Kind("sessions", _HAS_ENDED, word="row.status"),
        _Kind(
            "made",
            _HAS_ENDED,
            day="substr(row.created_at, 1, 10)",
            word="row.status",
            repositories=_OF_EACH,
        ),
        _Kind(
            "ended",
            _HAS_ENDED,
            day="substr(row.finished_at, 1, 10)",
            word="row.status",
            repositories=_OF_EACH,
        ),
        _Kind(
            "ran",
            f"{_HAS_ENDED} AND {_SECONDS} IS NOT NULL",
            day="substr(row.finished_at, 1, 10)",
            word=f"CAST({_CLASS} AS TEXT)",
            repositories=_OF_EACH,
        ),
        _Kind(
            "tokens",
            _HAS_ENDED,
            day="substr(row.finished_at, 1, 10)",
            word="CAST(row.repository_id AS TEXT)",
            amount=f"CAST(min({_USED}, 1000000000000) AS INTEGER)",  # a sum of them is an integer
        ),
    ),
    "tasks": (_Kind("tasks", "true", word="row.status", repositories=_OF_EACH),),
    "approvals": (
        _Kind("approvals", "true", word="row.status"),
        _Kind(
            "settled",
            "row.resolved_at IS NOT NULL",
            day="substr(row.resolved_at, 1, 10)",
            word="row.status",
            repositories=_OF_EACH,
        ),
    ),
    "uploads": (_Kind("uploads", "true", amount="row.size"),),
}
_COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "sessions": (
        *("repository_id", "status", "created_at", "started_at", "finished_at"),
        *("token_usage", "token_baseline"),
    ),
    "tasks": ("repository_id", "status"),
    "approvals": ("repository_id", "status", "resolved_at"),
    "uploads": ("size",),
}
_WHEN: Final[Mapping[str, str]] = {"sessions": _HAS_ENDED}

_TOTALS = f"""
CREATE TABLE totals (
    kind TEXT NOT NULL,
    repository_id INTEGER NOT NULL,
    day TEXT NOT NULL,
    word TEXT NOT NULL,
    count INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (kind, repository_id, day, word)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER totals_of_nothing_go AFTER UPDATE ON totals WHEN new.count = 0 BEGIN
    DELETE FROM totals WHERE kind = new.kind AND repository_id = new.repository_id
        AND day = new.day AND word = new.word;
END;
DROP INDEX sessions_that_use_tokens;
CREATE INDEX sessions_that_use_tokens ON sessions (
    repository_id, {_USED.replace("row.", "")}, status, created_at
) WHERE finished_at IS NULL;
CREATE INDEX sessions_by_creation ON sessions (
    created_at, repository_id, model, token_baseline,
    json_extract(token_usage, '$.total.totalTokens'),
    json_extract(token_usage, '$.total.inputTokens'),
    json_extract(token_usage, '$.total.cachedInputTokens'),
    json_extract(token_usage, '$.total.outputTokens')
) WHERE token_usage IS NOT NULL;
"""  # noqa: S608 - constants

_ITEM_SAID = f"""
    INSERT INTO texts (session_id, repository_id, item, kind, at, text)
    SELECT new.session_id, sessions.repository_id, new.id, new.type, new.updated_at, said
    FROM (SELECT {TEXT_OF_ITEM} AS said) JOIN sessions ON sessions.id = new.session_id
    WHERE said IS NOT NULL;
"""  # noqa: S608 - a constant

_SEARCH = f"""
ALTER TABLE texts ADD COLUMN repository_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE texts ADD COLUMN about TEXT GENERATED ALWAYS AS (
    char(57344) || 's' || session_id || ' ' || char(57344) || 'r' || repository_id
) VIRTUAL;
UPDATE texts SET repository_id = ifnull(
    (SELECT repository_id FROM sessions WHERE sessions.id = texts.session_id), 0
);
DROP TABLE texts_search;
CREATE VIRTUAL TABLE texts_search USING fts5 (
    text, about, content = 'texts', content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2'
);
INSERT INTO texts_search (texts_search) VALUES ('rebuild');

DROP TRIGGER texts_are_searched;
DROP TRIGGER texts_are_searched_no_more;
DROP TRIGGER prompts_are_texts;
DROP TRIGGER finished_items_are_texts;
DROP TRIGGER items_that_finish_are_texts;
DROP TRIGGER items_that_are_cut_are_texts;
CREATE TRIGGER texts_are_searched AFTER INSERT ON texts BEGIN
    INSERT INTO texts_search (rowid, text, about) VALUES (new.id, new.text, new.about);
END;
CREATE TRIGGER texts_are_searched_no_more AFTER DELETE ON texts BEGIN
    INSERT INTO texts_search (texts_search, rowid, text, about)
    VALUES ('delete', old.id, old.text, old.about);
END;
CREATE TRIGGER prompts_are_texts AFTER INSERT ON sessions BEGIN
    INSERT INTO texts (session_id, repository_id, kind, at, text)
    VALUES (new.id, new.repository_id, 'prompt', new.created_at, new.prompt);
END;
CREATE TRIGGER finished_items_are_texts AFTER INSERT ON items WHEN new.status = 'completed' BEGIN
    {_ITEM_SAID}
END;
CREATE TRIGGER items_that_finish_are_texts AFTER UPDATE OF body, status ON items
WHEN new.status = 'completed' BEGIN
    DELETE FROM texts WHERE item = new.id;
    {_ITEM_SAID}
END;
CREATE TRIGGER items_that_are_cut_are_texts AFTER UPDATE OF status ON items
WHEN new.status = 'cut' BEGIN
    DELETE FROM texts WHERE item = new.id;
    {_ITEM_SAID}
END;
"""  # noqa: S608 - constants
