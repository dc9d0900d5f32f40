"""The peers of the durable POST: FastAPI on uvicorn, with uvloop and httptools, at its best.

All write the same two rows as Command Center does, into the same tables, and answer with the task.
"""

from __future__ import annotations

import asyncio
import queue
import socket
import sqlite3
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec
import uvicorn
from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from command_center.actors.contracts.tasks import CreateTask
from command_center.actors.ledger.tasks import create_task
from command_center.store import Done, Task, Writer, open_database, repositories
from command_center.store.records import Priority, TaskType
from command_center.store.timestamps import now_timestamp

BATCH = 256


class NewTask(BaseModel):
    """The body that is posted."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    repository_id: int
    title: str = Field(max_length=200)
    prompt: str
    type: TaskType = "prompt_task"
    priority: Priority = "normal"
    approval_required: bool = False
    on_interrupt: Literal["stop", "continue"] = "stop"
    max_attempts: int = Field(default=1, ge=1, le=10)
    turn_limit: int | None = Field(default=None, ge=1)
    token_budget: int | None = Field(default=None, ge=1)
    requested_by: str = "api"


class KeptTask(NewTask):
    """The body of the answer."""

    id: int
    status: str
    codex_thread_id: str | None
    automation_id: int | None
    correlation_id: str
    causation_id: int | None
    created_at: str
    updated_at: str


class Plain:
    """Plain sqlite3: the two rows of a request, and a full flush to the disk."""

    def __init__(self, path: Path) -> None:
        """Take a database that was opened before."""
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self._db.execute(f"PRAGMA {pragma}")

    def write(self, new: NewTask) -> KeptTask:
        """Keep the task and its event; durable when this returns."""
        now = now_timestamp()
        fields = new.model_dump() | {
            "status": "open",
            "codex_thread_id": None,
            "automation_id": None,
            "correlation_id": uuid.uuid4().hex,
            "causation_id": None,
            "created_at": now,
            "updated_at": now,
        }
        insert = (
            f"INSERT INTO tasks ({', '.join(fields)}) "  # noqa: S608 - the names are the model's
            f"VALUES ({', '.join('?' * len(fields))})"
        )
        self._db.execute("BEGIN IMMEDIATE")
        try:
            task_id = self._db.execute(insert, tuple(fields.values())).lastrowid
            event = {
                "type": "task.created",
                "ts": now,
                "repositoryId": new.repository_id,
                "taskId": task_id,
                "actor": new.requested_by,
                "correlationId": fields["correlation_id"],
                "causationId": None,
                "data": {"title": new.title, "type": new.type, "priority": new.priority},
            }
            self._db.execute(
                "INSERT INTO events (type, ts, repository_id, task_id, correlation_id, body)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    "task.created",
                    now,
                    new.repository_id,
                    task_id,
                    fields["correlation_id"],
                    msgspec.json.encode(event).decode(),
                ),
            )
        except sqlite3.IntegrityError as error:
            self._db.execute("ROLLBACK")
            raise HTTPException(404) from error
        self._db.execute("COMMIT")
        kept: KeptTask = KeptTask.model_construct(id=task_id, **fields)
        return kept


class Grouped:
    """Our writer in a thread of its own: what has come meanwhile is committed together."""

    def __init__(self, path: Path) -> None:
        """Start the thread."""
        self._waiting: queue.SimpleQueue[tuple[CreateTask, asyncio.Future[Task]]]
        self._waiting = queue.SimpleQueue()
        self._path = path
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._run, daemon=True).start()

    async def write(self, new: NewTask) -> Task:
        """Keep the task and its event; durable when this returns."""
        kept: asyncio.Future[Task] = self._loop.create_future()
        self._waiting.put((CreateTask(**new.model_dump()), kept))
        return await kept

    def _run(self) -> None:
        writer = Writer(self._path, is_checked=True)
        while True:
            batch = [self._waiting.get()]
            while len(batch) < BATCH:
                try:
                    batch.append(self._waiting.get_nowait())
                except queue.Empty:
                    break
            commit = writer.commit([partial(create_task, wanted=wanted) for wanted, _ in batch])
            self._loop.call_soon_threadsafe(
                self._deliver, [kept for _, kept in batch], commit.outcomes
            )

    @staticmethod
    def _deliver(waiting: list[asyncio.Future[Task]], outcomes: tuple[Any, ...]) -> None:
        for kept, outcome in zip(waiting, outcomes, strict=True):
            if isinstance(outcome, Done):
                kept.set_result(outcome.value)
            else:
                kept.set_exception(HTTPException(404))


def in_loop(app: FastAPI, path: Path) -> None:
    """Commit each request in the event loop's own thread, while it waits."""
    plain = Plain(path)

    @app.post("/api/tasks", status_code=201)
    async def create(new: NewTask) -> KeptTask:
        return plain.write(new)


def in_thread(app: FastAPI, path: Path) -> None:
    """Commit each request in one worker thread, so that the loop goes on."""
    plain, pool = Plain(path), ThreadPoolExecutor(1)

    @app.post("/api/tasks", status_code=201)
    async def create(new: NewTask) -> KeptTask:
        return await asyncio.get_running_loop().run_in_executor(pool, plain.write, new)


def in_groups(app: FastAPI, path: Path) -> None:
    """Commit requests together, with our own writer."""
    grouped: list[Grouped] = []

    @app.post("/api/tasks", status_code=201)
    async def create(new: NewTask) -> Response:
        if not grouped:
            grouped.append(Grouped(path))
        task = await grouped[0].write(new)
        return Response(msgspec.json.encode(task), 201, media_type="application/json")


PEERS: dict[str, Callable[[FastAPI, Path], None]] = {
    "loop": in_loop,
    "thread": in_thread,
    "groups": in_groups,
}


def serve(name: str, folder: Path) -> None:
    """Be a peer on the port that is printed, until terminated."""
    path = folder / "peer.db"
    open_database(path).close()
    writer = Writer(path, is_checked=True)
    writer.commit([lambda tx: repositories.insert(tx, name="a", local_path=str(folder))])
    writer.close()
    app = FastAPI()
    PEERS[name](app, path)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        print(listening.getsockname()[1], flush=True)  # noqa: T201 - whoever started it reads it
        config = uvicorn.Config(app, access_log=False, log_level="warning")
        uvicorn.Server(config).run(sockets=[listening])
