"""Units of work that the store's tests share, and how to run one."""

from collections.abc import Callable
from typing import Any, TypeVar

from command_center.store import (
    Done,
    Failed,
    Repository,
    Session,
    Task,
    Transaction,
    Writer,
    repositories,
    sessions,
    tasks,
)
from tests.made_up import made_up

T = TypeVar("T")


def run(writer: Writer, unit: Callable[[Transaction], T]) -> T:
    """Commit one unit by itself: what it returned, or raise what it raised."""
    (outcome,) = writer.commit([unit]).outcomes
    if isinstance(outcome, Failed):
        raise outcome.error
    assert isinstance(outcome, Done)
    value: T = outcome.value
    return value


def add_repository(tx: Transaction, **fields: Any) -> Repository:
    return repositories.insert(tx, **{"name": "a", "local_path": "/srv/a", **fields})


def add_task(tx: Transaction, **fields: Any) -> Task:
    if "repository_id" not in fields:
        fields["repository_id"] = add_repository(tx).id
    given = {"title": "t", "prompt": "p", "requested_by": "web", "correlation_id": "c", **fields}
    return tasks.insert(tx, **given)


def add_session(tx: Transaction, **fields: Any) -> Session:
    task = add_task(tx)
    given = {
        "task_id": task.id,
        "repository_id": task.repository_id,
        "runner": "stub",
        "sandbox": "read-only",
        "cwd": "/srv/a",
        "prompt": "p",
        "requested_by": "web",
        "correlation_id": "c",
        **fields,
    }
    return sessions.insert(tx, **given)


def tell(tx: Transaction) -> int:
    """Emit an event about nothing in particular."""
    return tx.emit(made_up("thing.happened"), actor="test")


def fail(tx: Transaction) -> int:
    """Emit an event, and then raise."""
    tell(tx)
    raise LookupError("the unit's own reason")
