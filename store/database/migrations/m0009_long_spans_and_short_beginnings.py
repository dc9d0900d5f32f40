"""Count long spans without sorting, and find words by their first letters.

Each index has the order in which `telemetry` groups, so that nothing is sorted, and the expressions
are again its own. The beginnings of words of one and two letters, which nearly every text has, are
found in lists of their own, and need not be put together from those of all words.
"""

from sqlite_utils import Database

_SQL = """
DROP INDEX sessions_by_creation;
DROP INDEX sessions_by_finish;
DROP INDEX approvals_by_resolution;
CREATE INDEX sessions_by_status_and_creation ON sessions (status, created_at);
CREATE INDEX sessions_by_status_and_finish ON sessions (
    status, finished_at, round((julianday(finished_at) - julianday(started_at)) * 86400, 3)
);
CREATE INDEX sessions_by_duration ON sessions (
    round((julianday(finished_at) - julianday(started_at)) * 86400, 3), finished_at
) WHERE round((julianday(finished_at) - julianday(started_at)) * 86400, 3) IS NOT NULL;
CREATE INDEX sessions_by_last_day ON sessions (
    substr(finished_at, 1, 10), repository_id, finished_at,
    max(0, ifnull(json_extract(token_usage, '$.total.totalTokens'), 0) - token_baseline)
) WHERE finished_at IS NOT NULL;
CREATE INDEX sessions_that_use_tokens ON sessions (
    repository_id,
    max(0, ifnull(json_extract(token_usage, '$.total.totalTokens'), 0) - token_baseline)
) WHERE finished_at IS NULL;
CREATE INDEX approvals_by_status_and_resolution ON approvals (status, resolved_at)
    WHERE resolved_at IS NOT NULL;

DROP TABLE texts_search;
CREATE VIRTUAL TABLE texts_search USING fts5 (
    text, content = 'texts', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2',
    prefix = '1 2'
);
INSERT INTO texts_search (texts_search) VALUES ('rebuild');
"""


def migrate(db: Database) -> None:
    """Create the indexes anew, and the lists of beginnings."""
    db.executescript(_SQL)
