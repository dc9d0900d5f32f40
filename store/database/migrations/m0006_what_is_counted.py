"""Find what telemetry counts in indexes.

The expressions are those of `telemetry`, which reads them from the index and not from the rows.
"""

from sqlite_utils import Database

_SQL = """
CREATE INDEX sessions_by_creation ON sessions (created_at, status);
CREATE INDEX sessions_by_finish ON sessions (
    finished_at, status, repository_id,
    max(0, ifnull(json_extract(token_usage, '$.total.totalTokens'), 0) - token_baseline),
    round((julianday(finished_at) - julianday(started_at)) * 86400, 3)
);
CREATE INDEX approvals_by_resolution ON approvals (resolved_at, status)
    WHERE resolved_at IS NOT NULL;
CREATE INDEX automations_by_next_run ON automations (next_run_at) WHERE enabled = 1;
"""


def migrate(db: Database) -> None:
    """Create the indexes."""
    db.executescript(_SQL)
