"""Units of transactions, carried out by a writer alone, and rows to begin with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from command_center.store import Session, Task, Transaction, Writer
from command_center.store.writer import Failed
from tests.actors.rows import insert_repository, insert_session, insert_task

T = TypeVar("T")


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    """A writer of a database of the test's own."""
    made = Writer(tmp_path / "db.sqlite3")
    yield made
    made.close()


def done(writer: Writer, unit: Callable[[Transaction], T]) -> T:
    """Return what a unit returns; what it raises is raised."""
    outcome: Any = writer.commit([unit]).outcomes[0]
    if isinstance(outcome, Failed):
        raise outcome.error
    value: T = outcome.value
    return value


def running(tx: Transaction, **fields: Any) -> tuple[Task, Session]:
    """A session whose turn runs in thread t1; `fields` are its task's, `session` its own."""
    session_fields = fields.pop("session", {})
    task = insert_task(tx, insert_repository(tx), **fields)
    wanted = {
        "status": "running",
        "codex_thread_id": "t1",
        "codex_turn_id": "u1",
        **session_fields,
    }
    return task, insert_session(tx, task, **wanted)
