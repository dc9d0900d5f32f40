"""A crash below never reaches a neighbour: each actor is crashed while the real Codex works.

The table names every actor of the tree. One that is missing from it fails the test, so whoever adds
an actor says here what its crash may disturb.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from command_center.actors.center import Center, open_center
from command_center.actors.codex.settings import BridgeSettings, Transport
from command_center.actors.contracts.addresses import REPOSITORIES, SCHEDULER, TASKS
from command_center.actors.contracts.automations import CreateAutomation
from command_center.actors.contracts.repositories import CreateRepository
from command_center.actors.contracts.tasks import CreateTask, RunTask
from command_center.actors.ledger.templates import TEMPLATES
from command_center.actors.notify.settings import NotifySettings
from command_center.actors.rules.policy import RunInput
from command_center.actors.tree import CenterSettings
from command_center.actors.webpush.settings import PushSettings, make_key
from command_center.runtime import Restarted
from command_center.runtime.cell import Cell
from command_center.store import Session, events, open_database, sessions
from tests.actors.telegram.rig import telegram_settings
from tests.codex.script import Gate, Run, Say
from tests.codex.scripted_model import ScriptedModel, write_codex_home
from tests.end_to_end.test_chaos import AppServer
from tests.end_to_end.test_faults import DATABASE
from tests.telegram_bot_api import FakeBotApi, fake_bot_api

CRASHED = (
    "/store",
    "/events",
    "/journal",
    "/devices",
    "/uploads",
    "/backups",
    "/event-compression",
    "/retention",
    "/file-shrinking",
    "/size-watch",
    "/store-check",
    "/repositories",
    "/bridges/local",
    "/bridge-watch/local",
    "/accounts/local",
    "/limits/local",
    "/threads/local",
    "/extensions/local",
    "/shells/local",
    "/sessions/1",
    "/orphaned-turns/local",
    "/fleet",
    "/foreign-turns/local",
    "/commit-messages",
    "/slots",
    "/approvals",
    "/clock",
    "/tasks",
    "/automations/1",
    "/scheduler",
    "/pull-requests",
    "/issues",
    "/notify/outbox",
    "/notify/targets",
    "/notify/notifier",
    "/webpush/outbox",
    "/webpush/subscriptions",
    "/webpush/notifier",
    "/webhooks/outbox",
    "/webhooks/registry",
    "/telegram/outbox",
    "/telegram/inbox",
    "/telegram/notifier",
    "/telegram/polling",
)
"""Every actor; after the crash of each the turn completes, and its events are told once."""


class Planted(Exception):
    """The crash that the test plants."""


@pytest.fixture(scope="module")
def scripted_model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture(scope="module")
def app_server(
    tmp_path_factory: pytest.TempPathFactory, codex_binary: Path, scripted_model: ScriptedModel
) -> Iterator[AppServer]:
    """One that goes on, whatever crashes at its clients: each test is a product of its own."""
    folder = tmp_path_factory.mktemp("codex")
    home = write_codex_home(folder / "home", scripted_model, called=None)
    server = AppServer(codex_binary, home, folder / "codex.sock")
    server.start()
    yield server
    server.kill()


@asynccontextmanager
async def center_on(app_server: AppServer, folder: Path) -> AsyncIterator[Center]:
    """The product, on a shared app-server."""
    await app_server.until_ready()
    open_database(folder / DATABASE).close()
    async with fake_bot_api() as api, open_center(settings_for(app_server, folder, api)) as center:
        yield center


def settings_for(app_server: AppServer, folder: Path, api: FakeBotApi) -> CenterSettings:
    """Everything that there is, so that each actor has something to crash in."""
    return CenterSettings(
        database=folder / DATABASE,
        data_dir=folder,
        telegram=telegram_settings(api, mode="polling", webhook_secret=None),
        notify=NotifySettings(targets=(), page=""),
        webpush=PushSettings(key=make_key()),
        runner="app-server",
        bridge=BridgeSettings(
            command=str(app_server.binary),
            transport=Transport.PROXY,
            socket=app_server.socket,
            state_folder=folder,
        ),
        max_sessions=4,
        approval_seconds=60,
    )


async def crash(center: Center, path: str) -> None:
    """Crash the actor's life, and wait until its supervisor has begun another."""
    cell = center.system._tree.children[path]
    assert isinstance(cell, Cell)
    assert cell.life is not None
    restarted = trio.Event()

    def observe(signal: object) -> None:
        if isinstance(signal, Restarted) and signal.path == path:
            restarted.set()

    async def fail() -> None:
        raise Planted

    forget = center.system.observe(observe)
    cell.life.start_task(fail, (), "planted crash")
    with trio.fail_after(20):
        await restarted.wait()
    forget()


async def until_ended(center: Center, session_id: int) -> Session:
    """The session, once it has ended."""
    with trio.fail_after(60):
        while True:
            session = await center.storage.read(lambda db: sessions.get(db, session_id))
            if session.finished_at is not None:
                return session
            await trio.sleep(0.05)


async def begin(center: Center, repository: Path) -> int:
    """A turn that is under way; its session's id."""
    made = await center.ask(
        REPOSITORIES, CreateRepository(local_path=str(repository), allow_write=True)
    )
    await center.ask(
        SCHEDULER, CreateAutomation(repository_id=made.id, template=next(iter(TEMPLATES)))
    )
    task = await center.ask(TASKS, CreateTask(repository_id=made.id, title="Work", prompt="Work."))
    outcome = await center.ask(TASKS, RunTask(task.id, RunInput()))
    return outcome.session.id


def check_told_once(told: list[Any]) -> None:
    """The story of one session, complete, each thing told once."""
    kinds = Counter(event.type for event in told if event.type != "session.item")
    for kind in ("session.created", "session.started", "session.completed"):
        assert 1 == kinds[kind], kinds
    assert {"userMessage": 1, "commandExecution": 2, "agentMessage": 1} == dict(
        Counter(item_type(event.body) for event in told if event.type == "session.item")
    )


def item_type(body: bytes) -> str:
    kind: str = json.loads(body)["data"]["type"]
    return kind


@pytest.mark.parametrize("path", CRASHED)
async def test_a_turn_survives_the_crash_of(
    path: str,
    app_server: AppServer,
    scripted_model: ScriptedModel,
    repository: Path,
    tmp_path: Path,
) -> None:
    gate = Gate()
    scripted_model.script = (Run("echo one"), Run("echo two"), Say.text("Work", gate, "ing."))
    async with center_on(app_server, tmp_path / "data") as center:
        session_id = await begin(center, repository)
        await trio.to_thread.run_sync(gate.wait_until_reached)
        await crash(center, path)
        gate.open()
        ended = await until_ended(center, session_id)
        assert ("completed", "Working.") == (ended.status, ended.last_message), ended
        told, _ = await center.storage.read(lambda db: events.after(db, 0, limit=500))
        check_told_once([event for event in told if event.session_id == session_id])


async def test_the_table_names_every_actor_of_the_tree(
    app_server: AppServer, scripted_model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Work", gate, "ing."),)
    async with center_on(app_server, tmp_path / "data") as center:
        await begin(center, repository)
        await trio.to_thread.run_sync(gate.wait_until_reached)
        actors = {
            path for path, child in center.system._tree.children.items() if isinstance(child, Cell)
        }
        assert set(CRASHED) == actors
        gate.open()
