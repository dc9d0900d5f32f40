"""Questions beside commands and files, and failures: over HTTP, with a fake app-server.

The real Codex asks these only of a model that is offered the tools for it, and can't be made to
hang or to be overloaded.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from command_center.actors.center import open_center
from command_center.actors.codex.approvals import ELICITATION, PERMISSIONS, USER_INPUT
from command_center.actors.contracts.addresses import REPOSITORIES, TASKS
from command_center.actors.contracts.repositories import CreateRepository
from command_center.actors.contracts.tasks import CreateTask, RunTask
from command_center.actors.rules.policy import RunInput
from command_center.actors.tree import CenterSettings
from command_center.store import open_database, sessions
from tests.codex.bridging import SOON, faked
from tests.codex.fake_app_server import COMMAND
from tests.codex.test_approvals import FORM_PARAMS, INPUT_PARAMS, PERMISSION_PARAMS
from tests.end_to_end.server import Client, Server, client_of


def server_with(folder: Path, *behaviours: str) -> Server:
    """A server whose Codex is the fake."""
    command = shlex.join((*COMMAND, *behaviours))
    settings = {"CC_CODEX_COMMAND": command, "CC_CODEX_RUNNER_MODE": "app-server"}
    return Server(folder / "data", settings).start()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = server_with(tmp_path_factory.mktemp("fake"))
    yield server
    server.end()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with client_of(server) as client:
        yield client


def asking(method: str, params: dict[str, Any]) -> str:
    """The prompt of a turn that asks, and then says what it was answered."""
    of_the_turn = {key: value for key, value in params.items() if key not in {"threadId", "turnId"}}
    return json.dumps([{"ask": method, "params": of_the_turn}, {"echo": True}])


async def asked(client: Client, repository: Path, prompt: str) -> tuple[Any, Any]:
    """A session that waits for an answer, and its approval."""
    session = await client.run(await client.register(repository), prompt)
    await client.until_session(session, "waiting_approval")
    pending = await client.get("/api/approvals", sessionId=session["id"], status="pending")
    (approval,) = pending["items"]
    return session, approval


async def answered(client: Client, session: Any) -> Any:
    """Return what the fake was answered, once its turn has ended."""
    return json.loads((await client.until_session(session, "completed"))["lastMessage"])


def resolution_of(approval: Any) -> str:
    return f"/api/approvals/{approval['id']}/resolve"


async def test_questions_are_answered_by_answers_and_a_bad_answer_changes_nothing(
    client: Client, repository: Path
) -> None:
    session, approval = await asked(client, repository, asking(USER_INPUT, INPUT_PARAMS))
    assert ("user_input", "Which database? (and 1 more)") == (approval["kind"], approval["title"])
    options = approval["details"]["questions"][0]["options"]
    assert ["SQLite", "Postgres"] == [option["label"] for option in options]
    bad: list[dict[str, Any]] = [
        {},
        {"db": "SQLite"},
        {"db": "Oracle", "key": "abc"},
        {"db": "SQLite", "key": 7},
        {"db": "SQLite", "key": "abc", "more": "x"},
    ]
    for answers in bad:
        refused = await client.http.post(
            resolution_of(approval), json={"status": "approved", "answers": answers}
        )
        assert 400 == refused.status_code, refused.text
        (detail,) = refused.json()["error"]["details"]
        assert detail["path"].startswith("answers.")
    unchanged = await client.get(f"/api/approvals/{approval['id']}")
    assert ("pending", None) == (unchanged["status"], unchanged["answers"])
    resolved = await client.post(
        resolution_of(approval),
        {"status": "approved", "answers": {"db": "SQLite", "key": "hunter2"}},
    )
    assert {"db": "SQLite", "key": "[secret]"} == resolved["answers"]
    told = await answered(client, session)
    assert {"answers": ["SQLite"]} == told["answers"]["db"]
    events = await client.http.get(f"/api/sessions/{session['id']}/events", params={"limit": 500})
    before_the_echo = events.text.partition('"session.item"')[0]
    assert "hunter2" not in before_the_echo


async def test_questions_that_are_rejected_are_answered_with_nothing(
    client: Client, repository: Path
) -> None:
    session, approval = await asked(client, repository, asking(USER_INPUT, INPUT_PARAMS))
    await client.post(resolution_of(approval), {"status": "rejected"})
    assert {"answers": {}} == await answered(client, session)


async def test_a_form_is_answered_with_its_content(client: Client, repository: Path) -> None:
    session, approval = await asked(client, repository, asking(ELICITATION, FORM_PARAMS))
    assert "elicitation" == approval["kind"]
    refused = await client.http.post(
        resolution_of(approval), json={"status": "approved", "answers": {"project": "z"}}
    )
    assert 400 == refused.status_code
    answers = {"project": "a", "urgent": True}
    wish = {"status": "approved", "answers": answers, "scope": "session"}
    await client.post(resolution_of(approval), wish)
    told = await answered(client, session)
    assert ("accept", answers) == (told["action"], told["content"])
    assert {"persist": "session"} == told["_meta"]


@pytest.mark.parametrize(("scope", "told_as"), [("once", "turn"), ("session", "session")])
async def test_permissions_are_granted_for_the_turn_or_the_session(
    client: Client, repository: Path, scope: str, told_as: str
) -> None:
    session, approval = await asked(client, repository, asking(PERMISSIONS, PERMISSION_PARAMS))
    assert "permissions" == approval["kind"]
    await client.post(resolution_of(approval), {"status": "approved", "scope": scope})
    told = await answered(client, session)
    assert {"enabled": True} == told["permissions"]["network"]
    assert told_as == told["scope"]


async def test_what_nobody_here_understands_is_refused_and_told_of(
    client: Client, repository: Path
) -> None:
    prompt = json.dumps([{"ask": "item/tool/sing", "params": {"song": "x"}}, {"echo": True}])
    session = await client.run(await client.register(repository), prompt)
    told = await answered(client, session)
    assert -32601 == told["error"]["code"]
    events = await client.get(
        f"/api/sessions/{session['id']}/events", type="session.request.refused"
    )
    (event,) = events["items"]
    assert "item/tool/sing" == event["data"]["method"]


async def test_without_a_bridge_codexs_lists_are_503_and_say_what_to_do(tmp_path: Path) -> None:
    server = server_with(tmp_path, "crash")
    async with client_of(server) as client:
        answer = await client.http.get("/api/codex/threads")
        assert 503 == answer.status_code, answer.text
        assert int(answer.headers["Retry-After"]) >= 1
        assert "no such config" in answer.text
        assert "sk-proj" not in answer.text
        prompted = await client.http.get("/api/codex/threads/loaded")
        assert 503 == prompted.status_code
        health = await client.get("/api/codex/bridge/health")
        assert "unavailable" == health["status"]
        assert "degraded" == (await client.get("/health"))["status"]
    server.stop()


async def test_what_a_suspended_bridge_is_asked_is_answered_at_once(tmp_path: Path) -> None:
    server = server_with(tmp_path)
    path = "/api/runtime/actors/bridges/local"
    async with client_of(server) as client:
        assert "connected" == (await client.get("/api/codex/bridge/health"))["status"]
        await client.post(f"{path}/suspend", {"reason": "A look."})
        with trio.fail_after(14):  # before Codex would have to answer
            for name in ("threads", "threads/loaded", "models"):
                answer = await client.http.get(f"/api/codex/{name}")
                assert (503, True) == (answer.status_code, f"POST {path}/resume" in answer.text)
            health = await client.get("/api/codex/bridge/health")
        assert ("unavailable", True) == (health["status"], "is suspended" in health["message"])
        await client.post(f"{path}/resume", {"reason": "Seen."})
        assert "connected" == (await client.get("/api/codex/bridge/health"))["status"]
    server.stop()


@pytest.mark.timeout(60)
async def test_an_overload_that_persists_is_429_with_the_time_to_try_again(tmp_path: Path) -> None:
    server = server_with(tmp_path, "overloaded=1000000")
    async with client_of(server) as client:
        answer = await client.http.get("/api/codex/threads", params={"query": "x"})
    server.stop()
    assert 429 == answer.status_code, answer.text
    assert int(answer.headers["Retry-After"]) >= 1


async def test_a_turn_on_an_app_server_that_hangs_is_interrupted(
    tmp_path: Path, repository: Path
) -> None:
    database = tmp_path / "center.sqlite3"
    open_database(database).close()
    settings = CenterSettings(
        database=database,
        data_dir=tmp_path,
        runner="app-server",
        bridge=faked(deadlines=attrs.evolve(SOON, quiet=0.3, probe=0.3)),
        max_sessions=4,
        approval_seconds=60,
    )
    async with open_center(settings) as center:
        made = await center.ask(REPOSITORIES, CreateRepository(local_path=str(repository)))
        prompt = json.dumps([{"hang": True}])
        task = await center.ask(
            TASKS, CreateTask(repository_id=made.id, title="Hang", prompt=prompt)
        )
        outcome = await center.ask(TASKS, RunTask(task.id, RunInput()))
        with trio.fail_after(20):
            while True:
                session = await center.storage.read(lambda db: sessions.get(db, outcome.session.id))
                if session.finished_at is not None:
                    break
                await trio.sleep(0.02)
    assert "interrupted" == session.status
    assert session.exit_reason is not None
    assert "answer" in session.exit_reason
