"""The schema, as the list of steps that lead to it.

A migration that has been released is never edited: a change is a new one at the end, named
``NNNN_what_it_does``. Each runs in a transaction together with the note that it ran. The last
name is, in effect, the schema's version.

Tables are STRICT, so a column holds what it says. Ids of records are never given twice
(AUTOINCREMENT). Events refer to records by plain numbers: history outlives what it tells of.
Records, events and what is trusted have checksums; a migration that changes the columns of such a
table seals its rows anew (`seal_rows`).
"""

import json

from sqlite_utils import Database, Migrations

from command_center.store.database.checksums import seal_rows, sealed_tables
from command_center.store.long_texts.shortening import LONGEST, shorten, shorten_text

MIGRATIONS = Migrations("command_center")


@MIGRATIONS(name="0001_the_spine")
def _the_spine(db: Database) -> None:
    db.executescript(_SPINE)


_SPINE = """
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


@MIGRATIONS(name="0002_telegram")
def _telegram(db: Database) -> None:
    db.executescript(_TELEGRAM)


_TELEGRAM = """
CREATE TABLE telegram_updates (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    update_id INTEGER NOT NULL UNIQUE,
    body TEXT NOT NULL,
    status TEXT NOT NULL
) STRICT;
CREATE INDEX telegram_updates_open ON telegram_updates (status) WHERE status <> 'done';

CREATE TABLE telegram_chats (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    chat_id INTEGER NOT NULL UNIQUE,
    muted TEXT NOT NULL,
    quiet_hours TEXT,
    silent_until TEXT,
    waits_for TEXT NOT NULL,
    migrated_to INTEGER,
    unreachable TEXT
) STRICT;

CREATE TABLE telegram_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    chat_id INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    content TEXT NOT NULL,
    status TEXT NOT NULL,
    edits INTEGER REFERENCES telegram_messages (id),
    approval_id INTEGER,
    session_id INTEGER,
    message_id INTEGER,
    attempts INTEGER NOT NULL,
    not_before TEXT,
    error TEXT
) STRICT;
CREATE INDEX telegram_messages_waiting ON telegram_messages (chat_id, id)
    WHERE status = 'waiting';
CREATE INDEX telegram_messages_by_number ON telegram_messages (chat_id, message_id);
CREATE INDEX telegram_messages_by_edited ON telegram_messages (edits) WHERE edits IS NOT NULL;
CREATE INDEX telegram_messages_by_approval ON telegram_messages (approval_id)
    WHERE approval_id IS NOT NULL;
CREATE INDEX telegram_messages_by_session ON telegram_messages (session_id)
    WHERE session_id IS NOT NULL;

CREATE TABLE telegram_buttons (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    nonce TEXT NOT NULL UNIQUE,
    chat_id INTEGER NOT NULL,
    message INTEGER NOT NULL REFERENCES telegram_messages (id),
    approval_id INTEGER,
    action TEXT NOT NULL,
    used_by INTEGER
) STRICT;
CREATE INDEX telegram_buttons_by_message ON telegram_buttons (message);
CREATE INDEX telegram_buttons_by_approval ON telegram_buttons (approval_id)
    WHERE approval_id IS NOT NULL;

CREATE TABLE telegram_marks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    value INTEGER NOT NULL
) STRICT;
"""


@MIGRATIONS(name="0003_runs_of_automations")
def _runs_of_automations(db: Database) -> None:
    db.executescript(_RUNS_OF_AUTOMATIONS)


_RUNS_OF_AUTOMATIONS = """
ALTER TABLE automations ADD COLUMN deleted_at TEXT;
CREATE INDEX automations_enabled ON automations (id) WHERE enabled = 1;

CREATE TABLE automation_runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    automation_id INTEGER NOT NULL REFERENCES automations (id),
    trigger TEXT NOT NULL,
    due_at TEXT,
    fired_at TEXT NOT NULL,
    missed INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    task_id INTEGER REFERENCES tasks (id),
    session_id INTEGER REFERENCES sessions (id),
    finished_at TEXT,
    UNIQUE (automation_id, due_at)
) STRICT;
CREATE INDEX automation_runs_by_task ON automation_runs (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX automation_runs_by_session ON automation_runs (session_id)
    WHERE session_id IS NOT NULL;
"""


@MIGRATIONS(name="0004_kinds_and_results_of_sessions")
def _kinds_and_results_of_sessions(db: Database) -> None:
    db.executescript(_KINDS_AND_RESULTS_OF_SESSIONS)


_KINDS_AND_RESULTS_OF_SESSIONS = """
ALTER TABLE sessions ADD COLUMN type TEXT NOT NULL DEFAULT 'prompt_task';
ALTER TABLE sessions ADD COLUMN result TEXT;
"""


@MIGRATIONS(name="0005_search")
def _search(db: Database) -> None:
    db.executescript(_SEARCH)


# What is searched is copied by triggers, so that no way to write an item or a prompt passes it by,
# and so that the rows of one session go when it goes. It is as redacted as what it is copied from.
_TEXT_OF_ITEM = """(
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
    FROM (SELECT {_TEXT_OF_ITEM} AS said) WHERE said IS NOT NULL;
END;
CREATE TRIGGER items_that_finish_are_texts AFTER UPDATE OF body, status ON items
WHEN new.status = 'completed' BEGIN
    DELETE FROM texts WHERE item = new.id;
    INSERT INTO texts (session_id, item, kind, at, text)
    SELECT new.session_id, new.id, new.type, new.updated_at, said
    FROM (SELECT {_TEXT_OF_ITEM} AS said) WHERE said IS NOT NULL;
END;

INSERT INTO texts (session_id, kind, at, text)
SELECT id, 'prompt', created_at, prompt FROM sessions;
UPDATE items SET body = body WHERE status = 'completed';
"""  # noqa: S608 - put together from a constant


@MIGRATIONS(name="0006_what_is_counted")
def _what_is_counted(db: Database) -> None:
    db.executescript(_WHAT_IS_COUNTED)


# The expressions are those of `telemetry`, which reads them from the index and not from the rows.
_WHAT_IS_COUNTED = """
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


@MIGRATIONS(name="0007_warnings_of_deadlines")
def _warnings_of_deadlines(db: Database) -> None:
    db.executescript("ALTER TABLE approvals ADD COLUMN warned_at TEXT;")


@MIGRATIONS(name="0008_kept_answers")
def _kept_answers(db: Database) -> None:
    db.executescript(_KEPT_ANSWERS)


_KEPT_ANSWERS = """
CREATE TABLE kept_answers (
    key TEXT PRIMARY KEY,
    created_at TEXT NOT NULL,
    request TEXT NOT NULL,
    instance TEXT NOT NULL,
    status INTEGER,
    body BLOB
) STRICT;
CREATE INDEX kept_answers_by_age ON kept_answers (created_at);
"""


@MIGRATIONS(name="0009_long_spans_and_short_beginnings")
def _long_spans_and_short_beginnings(db: Database) -> None:
    db.executescript(_LONG_SPANS_AND_SHORT_BEGINNINGS)


# Each index has the order in which `telemetry` groups, so that nothing is sorted, and the
# expressions are again its own. The beginnings of words of one and two letters, which nearly every
# text has, are found in lists of their own, and need not be put together from those of all words.
_LONG_SPANS_AND_SHORT_BEGINNINGS = """
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


@MIGRATIONS(name="0010_numbers_of_a_repository")
def _numbers_of_a_repository(db: Database) -> None:
    db.executescript(_NUMBERS_OF_A_REPOSITORY)


# What `telemetry` counts of one repository is found in the indexes in which it counts all, which
# therefore end with it. Of the log, which is longer than all else, each thousand events are counted
# by repository when they are full; they are never changed.
_NUMBERS_OF_A_REPOSITORY = """
DROP INDEX sessions_by_status_and_creation;
DROP INDEX sessions_by_status_and_finish;
DROP INDEX sessions_by_duration;
DROP INDEX approvals_by_status_and_resolution;
CREATE INDEX sessions_by_status_and_creation ON sessions (status, created_at, repository_id);
CREATE INDEX sessions_by_status_and_finish ON sessions (
    status, finished_at, round((julianday(finished_at) - julianday(started_at)) * 86400, 3),
    repository_id
);
CREATE INDEX sessions_by_duration ON sessions (
    round((julianday(finished_at) - julianday(started_at)) * 86400, 3), finished_at, repository_id
) WHERE round((julianday(finished_at) - julianday(started_at)) * 86400, 3) IS NOT NULL;
CREATE INDEX approvals_by_status_and_resolution ON approvals (status, resolved_at, repository_id)
    WHERE resolved_at IS NOT NULL;
CREATE INDEX tasks_by_repository_and_status ON tasks (repository_id, status);

CREATE TABLE thousands_of_events (
    repository_id INTEGER NOT NULL,
    thousand INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (repository_id, thousand)
) STRICT, WITHOUT ROWID;
INSERT INTO thousands_of_events
SELECT repository_id, (id - 1) / 1000, count(*) FROM events
WHERE repository_id IS NOT NULL AND id <= (SELECT max(id) / 1000 * 1000 FROM events)
GROUP BY repository_id, (id - 1) / 1000;
"""


@MIGRATIONS(name="0011_stray_turns")
def _stray_turns(db: Database) -> None:
    db.executescript(_STRAY_TURNS)


_STRAY_TURNS = """
CREATE TABLE stray_turns (
    session_id INTEGER PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    created_at TEXT NOT NULL
) STRICT;
"""


@MIGRATIONS(name="0012_trust")
def _trust(db: Database) -> None:
    db.executescript(_TRUST)


_TRUST = """
ALTER TABLE repositories ADD COLUMN codex_config TEXT NOT NULL DEFAULT 'ignore';
ALTER TABLE repositories ADD COLUMN reviewer TEXT NOT NULL DEFAULT 'user';

CREATE TABLE trusted_configurations (
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    texts TEXT NOT NULL,
    trusted_at TEXT,
    approval_id INTEGER REFERENCES approvals (id) ON DELETE SET NULL,
    PRIMARY KEY (repository_id, digest)
) STRICT, WITHOUT ROWID;
"""


@MIGRATIONS(name="0013_agents")
def _agents(db: Database) -> None:
    db.executescript(_AGENTS)


# The entries of a session's own and of each of its sub-agents are paged apart.
_AGENTS = """
CREATE TABLE agents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    thread_id TEXT NOT NULL,
    parent_id INTEGER REFERENCES agents (id) ON DELETE CASCADE,
    parent_thread_id TEXT NOT NULL,
    path TEXT,
    name TEXT,
    model TEXT,
    prompt TEXT,
    status TEXT NOT NULL,
    last_message TEXT,
    token_usage TEXT,
    diff TEXT,
    finished_at TEXT,
    UNIQUE (session_id, thread_id)
) STRICT;
CREATE INDEX agents_by_parent ON agents (parent_id);
ALTER TABLE items ADD COLUMN agent_id INTEGER REFERENCES agents (id) ON DELETE CASCADE;
CREATE INDEX items_by_agent ON items (session_id, agent_id, id);
CREATE INDEX items_of_agents ON items (agent_id) WHERE agent_id IS NOT NULL;
"""


@MIGRATIONS(name="0014_goals")
def _goals(db: Database) -> None:
    db.executescript(_GOALS)


_GOALS = """
ALTER TABLE sessions ADD COLUMN goal TEXT;
ALTER TABLE sessions ADD COLUMN turns INTEGER NOT NULL DEFAULT 1;

CREATE TABLE released_threads (
    thread_id TEXT PRIMARY KEY,
    repository_id INTEGER NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
"""


@MIGRATIONS(name="0015_messages_that_are_cut")
def _messages_that_are_cut(db: Database) -> None:
    db.executescript(_MESSAGES_THAT_ARE_CUT)


# A message that was cut is searched as one that is complete; one that is being written is not: its
# text changes each second.
_MESSAGES_THAT_ARE_CUT = f"""
CREATE TRIGGER items_that_are_cut_are_texts AFTER UPDATE OF status ON items
WHEN new.status = 'cut' BEGIN
    DELETE FROM texts WHERE item = new.id;
    INSERT INTO texts (session_id, item, kind, at, text)
    SELECT new.session_id, new.id, new.type, new.updated_at, said
    FROM (SELECT {_TEXT_OF_ITEM} AS said) WHERE said IS NOT NULL;
END;
"""  # noqa: S608 - put together from a constant


@MIGRATIONS(name="0016_log_identity")
def _log_identity(db: Database) -> None:
    db.executescript(_LOG_IDENTITY)


# `life` is null until the first start that keeps a mark beside the database.
_LOG_IDENTITY = """
CREATE TABLE log_identity (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    log_id TEXT NOT NULL,
    life TEXT,
    former_life TEXT
) STRICT;
INSERT INTO log_identity (id, log_id) VALUES (1, lower(hex(randomblob(8))));
"""


@MIGRATIONS(name="0017_hosts_of_sessions")
def _hosts_of_sessions(db: Database) -> None:
    db.executescript(_HOSTS_OF_SESSIONS)


_HOSTS_OF_SESSIONS = """
ALTER TABLE sessions ADD COLUMN host TEXT NOT NULL DEFAULT 'local';
"""


@MIGRATIONS(name="0018_claim")
def _claim(db: Database) -> None:
    db.executescript(_CLAIM)


# `proofs` counts writes that only prove that one can write.
# `lock` is the device and the inode of the lock that the holder holds.
_CLAIM = """
CREATE TABLE claim (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    life TEXT NOT NULL,
    pid INTEGER NOT NULL,
    host TEXT NOT NULL,
    folder TEXT NOT NULL,
    lock TEXT NOT NULL,
    since TEXT NOT NULL,
    renewed TEXT NOT NULL
) STRICT;
ALTER TABLE log_identity ADD COLUMN proofs INTEGER NOT NULL DEFAULT 0;
"""


@MIGRATIONS(name="0019_agents_by_thread")
def _agents_by_thread(db: Database) -> None:
    db.executescript(_AGENTS_BY_THREAD)


# Whose thread it is, is asked whenever Codex tells that a turn runs in one.
_AGENTS_BY_THREAD = """
CREATE INDEX agents_by_thread ON agents (thread_id);
"""


@MIGRATIONS(name="0020_checksums")
def _checksums(db: Database) -> None:
    for table in _SEALED:
        db.execute(f"ALTER TABLE {table} ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0")
    for table in sealed_tables(db):
        seal_rows(db, table)
    db.executescript(_SEAL_EVENTS)


_SEALED = (
    *("repositories", "tasks", "sessions", "approvals", "agents", "items", "followups"),
    *("automations", "automation_runs", "trusted_configurations", "events"),
    *("telegram_updates", "telegram_chats", "telegram_messages", "telegram_buttons"),
    "telegram_marks",
)

# A body that is no text any more must be read all the same, to be told from what was written.
_SEAL_EVENTS = """
DROP TRIGGER events_are_never_changed;
UPDATE events SET checksum = row_checksum(
    id, type, ts, repository_id, task_id, session_id, approval_id, automation_id, correlation_id,
    CAST(body AS BLOB)
);
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
"""


@MIGRATIONS(name="0021_hosts_of_released_threads")
def _hosts_of_released_threads(db: Database) -> None:
    db.executescript(_HOSTS_OF_RELEASED_THREADS)


_HOSTS_OF_RELEASED_THREADS = """
ALTER TABLE released_threads ADD COLUMN host TEXT NOT NULL DEFAULT 'local';
"""


@MIGRATIONS(name="0022_whole_values")
def _whole_values(db: Database) -> None:
    db.executescript(_WHOLE_VALUES)
    for table, fields in _LONG_FIELDS.items():
        db.executescript(_SHORTENED.format(table=table))
        _shorten_rows(db, table, fields)
        seal_rows(db, table)
    seal_rows(db, "whole_values")


# Beside a row that is shortened, and with it gone: what the row had no room for.
_LONG_FIELDS = {
    "sessions": {
        "exit_reason": False,
        "last_message": False,
        "plan": True,
        "diff": False,
        "result": True,
        "goal": True,
    },
    "approvals": {"title": False, "details": True, "codex_request": True},
    "agents": {"prompt": False, "last_message": False, "diff": False},
    "items": {"body": True},
}
"""The fields that may be too long for their row, and whether each is JSON."""

_PART = 256 * 1024

_WHOLE_VALUES = """
CREATE TABLE whole_values (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_table TEXT NOT NULL,
    record_id INTEGER NOT NULL,
    field TEXT NOT NULL,
    part INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    text BLOB NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0,
    UNIQUE (record_table, record_id, field, part)
) STRICT;
"""

_SHORTENED = """
ALTER TABLE {table} ADD COLUMN shortened TEXT NOT NULL DEFAULT '[]';
CREATE TRIGGER whole_values_of_{table} AFTER DELETE ON {table} WHEN old.shortened <> '[]' BEGIN
    DELETE FROM whole_values WHERE record_table = '{table}' AND record_id = old.id;
END;
"""


def _shorten_rows(db: Database, table: str, fields: dict[str, bool]) -> None:
    """Shorten what older versions kept in rows, however long, one row after the other."""
    for field, is_json in fields.items():
        sql = f"SELECT id FROM {table} WHERE length({field}) > ?"  # noqa: S608 - names of this module
        for (id_,) in db.execute(sql, [LONGEST]).fetchall():
            sql = f"SELECT {field}, shortened FROM {table} WHERE id = ?"  # noqa: S608 - as above
            whole, shortened = db.execute(sql, [id_]).fetchone()
            size = len(whole.encode())
            for part, begin in enumerate(range(0, len(whole), _PART)):
                text = whole[begin : begin + _PART].encode()
                db.execute(
                    "INSERT INTO whole_values (record_table, record_id, field, part, bytes, text) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    [table, id_, field, part, size, text],
                )
            named = [*json.loads(shortened), _camel(field)]
            shown = json.dumps(shorten(json.loads(whole))) if is_json else shorten_text(whole)
            sql = f"UPDATE {table} SET {field} = ?, shortened = ? WHERE id = ?"  # noqa: S608 - as above
            db.execute(sql, [shown, json.dumps(sorted(named)), id_])


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@MIGRATIONS(name="0023_events_of_kept_answers")
def _events_of_kept_answers(db: Database) -> None:
    db.executescript(_EVENTS_OF_KEPT_ANSWERS)


# Of what older versions claimed nothing was noted, so that no event (NULL) says nothing.
_EVENTS_OF_KEPT_ANSWERS = """
ALTER TABLE kept_answers ADD COLUMN event_id INTEGER;
UPDATE kept_answers SET event_id = 0;
"""
