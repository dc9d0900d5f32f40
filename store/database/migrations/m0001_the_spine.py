"""Begin with what all else stands on: repositories, tasks, sessions, approvals and events."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE repositories (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    name TEXT NOT NULL,
    host TEXT NOT NULL,
    local_path TEXT NOT NULL,
    allow_write INTEGER NOT NULL,
    allow_network INTEGER NOT NULL,
    allow_commit INTEGER NOT NULL,
    require_worktree INTEGER NOT NULL,
    default_branch TEXT,
    current_branch TEXT,
    head_sha TEXT,
    is_dirty INTEGER,
    ahead INTEGER,
    behind INTEGER,
    facts TEXT NOT NULL,
    scanned_at TEXT
) STRICT;

CREATE TABLE automations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    title TEXT NOT NULL,
    schedule_expr TEXT NOT NULL,
    timezone TEXT,
    enabled INTEGER NOT NULL,
    missed_runs TEXT NOT NULL,
    payload TEXT NOT NULL,
    next_run_at TEXT,
    last_run_at TEXT,
    last_outcome TEXT,
    last_session_id INTEGER REFERENCES sessions (id),
    consecutive_failures INTEGER NOT NULL,
    paused_reason TEXT,
    requested_by TEXT NOT NULL
) STRICT;
CREATE INDEX automations_by_repository ON automations (repository_id);

CREATE TABLE tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    type TEXT NOT NULL,
    title TEXT NOT NULL,
    prompt TEXT NOT NULL,
    priority TEXT NOT NULL,
    approval_required INTEGER NOT NULL,
    requested_by TEXT NOT NULL,
    status TEXT NOT NULL,
    on_interrupt TEXT NOT NULL,
    max_attempts INTEGER NOT NULL,
    turn_limit INTEGER,
    token_budget INTEGER,
    codex_thread_id TEXT,
    automation_id INTEGER REFERENCES automations (id),
    correlation_id TEXT NOT NULL,
    causation_id INTEGER
) STRICT;
CREATE INDEX tasks_by_repository ON tasks (repository_id);
CREATE INDEX tasks_by_status ON tasks (status);
CREATE INDEX tasks_by_automation ON tasks (automation_id) WHERE automation_id IS NOT NULL;
CREATE INDEX tasks_by_codex_thread ON tasks (codex_thread_id) WHERE codex_thread_id IS NOT NULL;

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    status TEXT NOT NULL,
    runner TEXT NOT NULL,
    codex_ref TEXT,
    codex_thread_id TEXT,
    codex_turn_id TEXT,
    model TEXT,
    sandbox TEXT NOT NULL,
    allow_network INTEGER NOT NULL,
    allow_commit INTEGER NOT NULL,
    cwd TEXT NOT NULL,
    worktree_path TEXT,
    branch_name TEXT,
    prompt TEXT NOT NULL,
    priority TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    origin TEXT NOT NULL,
    previous_session_id INTEGER REFERENCES sessions (id),
    attempt INTEGER NOT NULL,
    begin_after TEXT,
    token_budget INTEGER,
    token_baseline INTEGER NOT NULL,
    wait_reason TEXT,
    stop_requested TEXT,
    started_at TEXT,
    finished_at TEXT,
    exit_reason TEXT,
    token_usage TEXT,
    last_message TEXT,
    plan TEXT,
    diff TEXT,
    runner_instance TEXT,
    correlation_id TEXT NOT NULL,
    causation_id INTEGER
) STRICT;
CREATE INDEX sessions_by_task ON sessions (task_id);
CREATE INDEX sessions_by_repository ON sessions (repository_id);
CREATE INDEX sessions_by_status ON sessions (status);
CREATE INDEX sessions_by_previous ON sessions (previous_session_id)
    WHERE previous_session_id IS NOT NULL;
CREATE INDEX sessions_unfinished ON sessions (id) WHERE finished_at IS NULL;
CREATE INDEX sessions_by_codex_thread ON sessions (codex_thread_id)
    WHERE codex_thread_id IS NOT NULL;

CREATE TABLE approvals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    title TEXT NOT NULL,
    details TEXT NOT NULL,
    repository_id INTEGER REFERENCES repositories (id),
    task_id INTEGER REFERENCES tasks (id),
    session_id INTEGER REFERENCES sessions (id),
    codex_thread_id TEXT,
    codex_turn_id TEXT,
    codex_item_id TEXT,
    codex_request_id TEXT,
    codex_request TEXT,
    requested_by TEXT NOT NULL,
    scope TEXT,
    answers TEXT,
    expires_at TEXT,
    resolved_at TEXT,
    resolved_by TEXT,
    resolution_note TEXT,
    delivered_at TEXT,
    correlation_id TEXT
) STRICT;
CREATE INDEX approvals_by_status ON approvals (status);
CREATE INDEX approvals_by_repository ON approvals (repository_id) WHERE repository_id IS NOT NULL;
CREATE INDEX approvals_by_task ON approvals (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX approvals_by_session ON approvals (session_id) WHERE session_id IS NOT NULL;

CREATE TABLE items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    session_id INTEGER NOT NULL REFERENCES sessions (id),
    turn_id TEXT NOT NULL,
    item_id TEXT NOT NULL,
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (session_id, turn_id, item_id)
) STRICT;

CREATE TABLE followups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    session_id INTEGER NOT NULL REFERENCES sessions (id),
    status TEXT NOT NULL,
    message TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    sent_session_id INTEGER REFERENCES sessions (id)
) STRICT;
CREATE INDEX followups_by_task ON followups (task_id);
CREATE INDEX followups_by_session ON followups (session_id);
CREATE INDEX followups_by_sent_session ON followups (sent_session_id);

CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    ts TEXT NOT NULL,
    repository_id INTEGER,
    task_id INTEGER,
    session_id INTEGER,
    approval_id INTEGER,
    automation_id INTEGER,
    correlation_id TEXT,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_type ON events (type);
CREATE INDEX events_by_ts ON events (ts);
CREATE INDEX events_by_repository ON events (repository_id, id, type)
    WHERE repository_id IS NOT NULL;
CREATE INDEX events_by_task ON events (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX events_by_session ON events (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX events_by_approval ON events (approval_id) WHERE approval_id IS NOT NULL;
CREATE INDEX events_by_automation ON events (automation_id, id, type)
    WHERE automation_id IS NOT NULL;
CREATE INDEX events_by_correlation ON events (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never removed'); END;
"""


def migrate(db: Database) -> None:
    """Create the tables."""
    db.executescript(_SQL)
