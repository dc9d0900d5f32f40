"""The demo's past: a week of tasks and sessions, as if they had been."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import attrs

from command_center.actors.automations.clock import machine_zone
from command_center.actors.contracts.addresses import automation_at
from command_center.actors.contracts.events.sessions import SessionStarted
from command_center.actors.ledger.repositories import registered
from command_center.actors.ledger.sessions import ENDINGS, created
from command_center.actors.rules.schedule import parse, upcoming
from command_center.http.demo.fake_codex import MODEL
from command_center.store import (
    EventData,
    Failed,
    Transaction,
    Writer,
    approvals,
    automation_runs,
    automations,
    items,
    repositories,
    sessions,
    tasks,
    to_timestamp,
)
from command_center.store.records import Session, SessionStatus

DAYS = 7

_WORK: Sequence[tuple[str, str, str]] = (
    (
        "Review the login flow",
        "review_task",
        "Two risks: sessions outlive a password change, and the reset link has no limit.",
    ),
    (
        "Write the release notes",
        "prompt_task",
        "The notes are in `CHANGELOG.md`, in the order that users will care about.",
    ),
    (
        "Find why the nightly build fails",
        "investigate_failure",
        "A fixture expects the year 2024; it is computed now.",
    ),
    (
        "Remove the old discount code",
        "prompt_task",
        "Gone, with 340 lines and three tests that covered nothing else.",
    ),
    (
        "Type the billing client",
        "prompt_task",
        "All of it is typed; two `Any` stay at the edge of JSON.",
    ),
)
_AUTOMATIONS: Sequence[tuple[int, str, str, str, str]] = (
    (
        1,
        "Daily health check",
        "daily@09:00",
        "repo_health_check",
        "All tests pass; two dependencies are a minor version behind.",
    ),
    (
        2,
        "Weekly look at dependencies",
        "weekly@mon@08:00",
        "prompt_task",
        "One is behind: `payment-client` 4.1.0 is there, and we have 3.9.2.",
    ),
)
_RUNS = 30
_ENDS: Sequence[SessionStatus] = ("completed",) * 8 + ("failed", "stopped")
_REASONS: Mapping[str, str] = {
    "failed": "The model could not be reached: 3 attempts, the last at 502.",
    "stopped": "Stopped by web: Enough for today.",
}


@attrs.frozen
class Past:
    """One session that ended."""

    began: datetime
    minutes: float
    work: tuple[str, str, str]
    repository: int
    status: SessionStatus
    tokens: int
    automation: int | None = None


def write_history(database: Path, folders: Mapping[str, Path], now: datetime) -> None:
    """Fill a new database: repositories, then a week of work in them in the order of time."""
    with closing(Writer(database)) as writer:
        units = [lambda tx: _repositories(tx, folders, now), lambda tx: _automations(tx, now)]
        units += [partial(_session, past=one) for one in _past(now)]
        for outcome in writer.commit(units).outcomes:
            if isinstance(outcome, Failed):
                raise outcome.error


def _past(now: datetime) -> list[Past]:
    """Return what automations ran when it was due, and what people ran between."""
    chance = random.Random(7)  # noqa: S311 - the same past each time, no secret

    def run(
        began: datetime, work: tuple[str, str, str], repository: int, automation: int | None = None
    ) -> Past:
        return Past(
            began=began,
            minutes=chance.lognormvariate(1.6, 0.7),
            work=work,
            repository=repository,
            status="completed" if automation else chance.choice(_ENDS),
            tokens=int(chance.lognormvariate(10.6, 0.6)),
            automation=automation,
        )

    by_automation = [
        run(due, (title, kind, said), repository, number)
        for number, (repository, title, expression, kind, said) in enumerate(_AUTOMATIONS, 1)
        for due in _due_times(expression, now)
    ]
    by_hand = [
        run(
            now - timedelta(days=chance.uniform(0.05, DAYS)),
            chance.choice(_WORK),
            chance.choice((1, 1, 2)),
        )
        for _ in range(_RUNS - len(by_automation))
    ]
    return sorted(by_automation + by_hand, key=lambda past: past.began)


def _due_times(expression: str, now: datetime) -> list[datetime]:
    """Return the due times of the week before the last hour; what was due then has ended by now."""
    until = now - timedelta(hours=1)
    times = upcoming(parse(expression), machine_zone(), until - timedelta(days=DAYS), DAYS)
    return [due for due in times if due <= until]


def _repositories(tx: Transaction, folders: Mapping[str, Path], now: datetime) -> None:
    tx.now = to_timestamp(now - timedelta(days=DAYS, hours=2))
    for name, folder in folders.items():
        made = repositories.insert(
            tx,
            name=name,
            local_path=str(folder),
            allow_write=True,
            allow_commit=name.startswith("billing"),
            default_branch="main",
            current_branch="main",
            is_dirty=False,
        )
        tx.emit(registered(made), actor="web", repository_id=made.id)


def _session(tx: Transaction, past: Past) -> None:
    """Insert a task, its one session with what it said, and the events of both."""
    title, kind, said = past.work
    began, ended = (
        to_timestamp(past.began),
        to_timestamp(past.began + timedelta(minutes=past.minutes)),
    )
    tx.now = began
    about = f"demo-{began}-{past.automation or 'web'}"
    asked_by = automation_at(past.automation) if past.automation else "web"
    task = tasks.insert(
        tx,
        repository_id=past.repository,
        type=kind,
        title=title,
        prompt=f"{title}. Be brief.",
        requested_by=asked_by,
        status=past.status,
        automation_id=past.automation,
        correlation_id=about,
    )
    total = {
        "totalTokens": past.tokens,
        "inputTokens": past.tokens * 4 // 5,
        "cachedInputTokens": past.tokens // 2,
        "outputTokens": past.tokens // 5,
    }
    session = sessions.insert(
        tx,
        task_id=task.id,
        title=title,
        repository_id=past.repository,
        type=kind,
        status=past.status,
        runner="app-server",
        codex_ref=f"app-server:demo-past-{task.id}:1",
        model=MODEL,
        sandbox="workspace-write",
        cwd=repositories.get(tx.db, past.repository).local_path,
        prompt=task.prompt,
        requested_by=asked_by,
        started_at=began,
        finished_at=ended,
        exit_reason=_REASONS.get(past.status),
        token_usage={"total": total},
        last_message=said if past.status == "completed" else None,
        correlation_id=about,
    )

    def tell(event: EventData, actor: str = "system") -> None:
        tx.emit(
            event,
            actor=actor,
            repository_id=past.repository,
            task_id=task.id,
            session_id=session.id,
            correlation_id=about,
        )

    tell(created(session), asked_by)
    tell(
        SessionStarted(
            from_="starting",
            to="running",
            codex_ref=str(session.codex_ref),
            runner=session.runner,
            model=session.model,
        )
    )
    said_by_both: tuple[dict[str, object], ...] = (
        {"type": "userMessage", "content": [{"type": "text", "text": task.prompt}]},
        {"type": "agentMessage", "text": said},
    )
    for number, body in enumerate(said_by_both):
        name = f"demo-item-{number}"
        items.insert(
            tx,
            session_id=session.id,
            turn_id="1",
            item_id=name,
            type=str(body["type"]),
            status="completed",
            body={"id": name, **body},
        )
    tx.now = ended
    ended_as = ENDINGS[past.status]
    tell(
        ended_as(
            from_="running",
            to=past.status,
            exit_reason=session.exit_reason,
            token_usage=session.token_usage,
        )
    )
    if past.automation is not None:
        _automation_run(tx, past.automation, session)
    if task.id % 5 == 0:
        _settled_approval(tx, past, task.id, session.id)


def _automation_run(tx: Transaction, automation: int, session: Session) -> None:
    automation_runs.insert(
        tx,
        automation_id=automation,
        trigger="schedule",
        due_at=session.started_at,
        fired_at=session.started_at,
        outcome=session.status,
        task_id=session.task_id,
        session_id=session.id,
        finished_at=session.finished_at,
    )
    automations.update(
        tx,
        automation,
        last_run_at=session.started_at,
        last_outcome=session.status,
        last_session_id=session.id,
    )


def _settled_approval(tx: Transaction, past: Past, task_id: int, session_id: int) -> None:
    tx.now = to_timestamp(past.began + timedelta(minutes=past.minutes / 2))
    approvals.insert(
        tx,
        kind="command",
        status="approved",
        title="Run: python -m pytest",
        details={"command": "python -m pytest", "reason": "May the tests use the network?"},
        repository_id=past.repository,
        task_id=task_id,
        session_id=session_id,
        requested_by="codex",
        scope="once",
        resolved_at=tx.now,
        resolved_by="mobile-web",
        resolution_note="Fine.",
        delivered_at=tx.now,
    )


def _automations(tx: Transaction, now: datetime) -> None:
    tx.now = to_timestamp(now - timedelta(days=DAYS, hours=2))
    for repository, title, expression, kind, _ in _AUTOMATIONS:
        due = parse(expression).after(now, machine_zone())
        automations.insert(
            tx,
            repository_id=repository,
            title=title,
            schedule_expr=expression,
            payload={
                "prompt": f"{title}. Be brief.",
                "taskType": kind,
                "runInput": {"sandbox": "read-only"},
            },
            next_run_at=due and to_timestamp(due),
            requested_by="web",
        )
