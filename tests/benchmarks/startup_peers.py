"""A server such as ours on FastAPI, uvicorn and what goes with them, to compare a start with.

It does little, but has loaded and started what a server needs that does what ours does:

- fastapi and pydantic, with a model for what is shown and one for what is sent of each noun, and
  as many routes as ours has;
- uvicorn, with uvloop and httptools, which it takes by itself;
- sqlalchemy: a table for each noun, in a SQLite file in WAL, made at the first start, and a session
  for each request in a worker thread, as FastAPI does it for a function that is not async;
- apscheduler for automations, running; httpx for a bot's API; websockets for the connection to an
  agent; prometheus-client for `/metrics`, and a counter around each request; structlog, configured;
  pydantic-settings for settings from the environment.

No tool for migrations, no command line and no dashboard: they would only make it slower.
Needs the dependency group `benchmarks`.
"""

import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import prometheus_client
import structlog
import websockets.asyncio.client
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, Field
from pydantic_settings import BaseSettings
from sqlalchemy import JSON, Engine, ForeignKey, String, create_engine, event, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Settings(BaseSettings):
    """The settings from the environment."""

    home: Path
    peer_limit: int = 500


class Base(DeclarativeBase):
    """Of all tables."""


class Kept:
    """The columns of each row."""

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(40), index=True)
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]
    details: Mapped[dict[str, Any]] = mapped_column(JSON)


class RepositoryRow(Kept, Base):
    """A repository."""

    __tablename__ = "repositories"
    local_path: Mapped[str] = mapped_column(unique=True)
    allow_write: Mapped[bool]


class TaskRow(Kept, Base):
    """A task."""

    __tablename__ = "tasks"
    repository_id: Mapped[int] = mapped_column(ForeignKey("repositories.id"), index=True)
    prompt: Mapped[str]


class SessionRow(Kept, Base):
    """A session."""

    __tablename__ = "sessions"
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id"), index=True)
    model: Mapped[str | None]


class ApprovalRow(Kept, Base):
    """An approval."""

    __tablename__ = "approvals"
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id"), index=True)
    resolved_by: Mapped[str | None]


class AutomationRow(Kept, Base):
    """An automation."""

    __tablename__ = "automations"
    repository_id: Mapped[int] = mapped_column(ForeignKey("repositories.id"), index=True)
    schedule: Mapped[str]


class EventRow(Kept, Base):
    """An event."""

    __tablename__ = "events"
    type: Mapped[str] = mapped_column(index=True)


class Sent(BaseModel):
    """The body that a client sends for a noun."""

    title: str = Field(min_length=1, max_length=200)
    details: dict[str, Any] = Field(default_factory=dict)


class SentRepository(Sent):
    """A repository that is sent."""

    local_path: str
    allow_write: bool = False


class SentTask(Sent):
    """A task that is sent."""

    repository_id: int
    prompt: str = Field(min_length=1)


class SentSession(Sent):
    """A session that is sent."""

    task_id: int
    model: str | None = None


class SentApproval(Sent):
    """An approval that is sent."""

    session_id: int
    resolved_by: str | None = None


class SentAutomation(Sent):
    """An automation that is sent."""

    repository_id: int
    schedule: str


class SentEvent(Sent):
    """An event that is sent."""

    type: str


class Shown(BaseModel):
    """The body that shows a noun."""

    id: int
    status: str
    created_at: dt.datetime
    updated_at: dt.datetime


class Repository(Shown, SentRepository):
    """A repository that is shown."""


class Task(Shown, SentTask):
    """A task that is shown."""


class RunSession(Shown, SentSession):
    """A session that is shown."""


class Approval(Shown, SentApproval):
    """An approval that is shown."""


class Automation(Shown, SentAutomation):
    """An automation that is shown."""


class Event(Shown, SentEvent):
    """An event that is shown."""


NOUNS: dict[str, tuple[Any, Any, Any]] = {
    "repositories": (RepositoryRow, SentRepository, Repository),
    "tasks": (TaskRow, SentTask, Task),
    "sessions": (SessionRow, SentSession, RunSession),
    "approvals": (ApprovalRow, SentApproval, Approval),
    "automations": (AutomationRow, SentAutomation, Automation),
    "events": (EventRow, SentEvent, Event),
}
ACTS = ("run", "stop", "scan", "resolve", "check")

settings = Settings()
log = structlog.get_logger()
counted = prometheus_client.Counter("requests", "Requests.", ["method", "status"])


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the database, and start what runs beside the requests."""
    structlog.configure(processors=[structlog.processors.JSONRenderer()])
    engine: Engine = create_engine(f"sqlite:///{settings.home / 'peer.sqlite3'}")
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA journal_mode = WAL"))
    Base.metadata.create_all(engine)
    scheduler = AsyncIOScheduler(timezone="UTC")
    scheduler.start()
    async with httpx.AsyncClient() as client:
        app.state.engine = engine
        app.state.client = client
        app.state.connect = websockets.asyncio.client.connect
        log.info("started")
        yield
    scheduler.shutdown()
    engine.dispose()


def database(request: Request) -> Iterator[Session]:
    """A session for a request."""
    with Session(request.app.state.engine) as session:
        yield session


Connected = Annotated[Session, Depends(database)]


def routes(noun: str, row: Any, sent: Any, shown: Any) -> APIRouter:
    """Those of a noun: list, create, show, change, delete, and acts."""
    api = APIRouter(prefix=f"/api/{noun}", tags=[noun])

    @api.get("", response_model=list[shown])
    def listed(session: Connected, limit: int = 50) -> Any:
        return session.scalars(select(row).limit(min(limit, settings.peer_limit))).all()

    @api.post("", response_model=shown, status_code=201)
    def create(session: Connected, body: sent) -> Any:
        now = dt.datetime.now(dt.UTC)
        made = row(**body.model_dump(), status="open", created_at=now, updated_at=now)
        session.add(made)
        session.commit()
        return made

    @api.get("/{number}", response_model=shown)
    def show(session: Connected, number: int) -> Any:
        found = session.get(row, number)
        if found is None:
            raise HTTPException(404)
        return found

    @api.patch("/{number}", response_model=shown)
    def change(session: Connected, number: int, body: sent) -> Any:
        found = show(session, number)
        for name, value in body.model_dump().items():
            setattr(found, name, value)
        session.commit()
        return found

    @api.delete("/{number}", status_code=204)
    def delete(session: Connected, number: int) -> None:
        session.delete(show(session, number))
        session.commit()

    for act in ACTS:

        @api.post(f"/{{number}}/{act}", response_model=shown)
        def act_on(session: Connected, number: int, body: sent) -> Any:
            return change(session, number, body)

    return api


app = FastAPI(lifespan=lifespan)
for each, parts in NOUNS.items():
    app.include_router(routes(each, *parts))


@app.middleware("http")
async def count(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Count each answer."""
    answer = await call_next(request)
    counted.labels(request.method, answer.status_code).inc()
    return answer


@app.get("/metrics")
def metrics() -> Response:
    """Return what was counted."""
    return Response(prometheus_client.generate_latest(), media_type="text/plain")


@app.get("/health")
def health(session: Connected) -> dict[str, str]:
    """Return whether the database answers."""
    session.execute(text("SELECT max(id) FROM events"))
    return {"status": "ok"}
