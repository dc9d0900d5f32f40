"""Messages of commits: proposed of what is known, and written by the real Codex when asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from command_center.actors.codex.settings import Transport
from command_center.actors.contracts.addresses import COMMIT_MESSAGES, REPOSITORIES, TASKS
from command_center.actors.contracts.landing import AskForMessage, MessageRequest
from command_center.actors.contracts.repositories import CreateRepository
from command_center.actors.contracts.tasks import CreateTask, RunTask
from command_center.actors.rules.errors import Unavailable
from command_center.actors.rules.policy import RunInput
from command_center.actors.sessions.runners.codex import commit_messages
from tests.codex.script import CallTool, Gate, Refuse, Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.test_chaos import AppServer
from tests.end_to_end.test_fault_domains import center_on, until_ended
from tests.end_to_end.test_transports import reached_by

HARMLESS = {"request_user_input"}
"""The tool that Codex takes from nobody: what it asks is refused."""


@attrs.frozen
class Left:
    """A server, and a session that has left two files in its worktree."""

    client: httpx.Client
    session: dict[str, Any]
    model: ScriptedModel

    @property
    def path(self) -> str:
        return f"/api/sessions/{self.session['id']}/commit-message"

    def ask(self, *script: Any, **body: Any) -> httpx.Response:
        """Ask Codex for a message; the model says that."""
        self.model.script = script
        return self.client.post(self.path, json=body)


@pytest.fixture
def left(tmp_path: Path, codex_binary: Path, repository: Path) -> Iterator[Left]:
    with (
        ScriptedModel() as model,
        reached_by(Transport.SPAWN, tmp_path, codex_binary, model) as reached,
        httpx.Client(base_url=reached.server.url, trust_env=False, timeout=60) as client,
    ):
        with (tmp_path / "codex-home" / "config.toml").open("a", encoding="utf-8") as config:
            started = json.dumps([str(tmp_path / "started")])
            config.write(f'[mcp_servers.canary]\ncommand = "touch"\nargs = {started}\n')
        model.script = (
            Run("echo '# Ours' > README.md; echo 1 > one.txt"),
            Say.text("It is ours now."),
        )
        flags = {"localPath": str(repository), "allowWrite": True}
        registered = client.post("/api/repos", json=flags).json()
        wanted = {"repositoryId": registered["id"], "title": "Make it ours.", "prompt": "Do it."}
        task = client.post("/api/tasks", json=wanted).json()
        session = client.post(f"/api/tasks/{task['id']}/run", json={}).json()["session"]
        ended = f"/api/events/stream?sessionId={session['id']}"
        with client.stream("GET", ended, headers={"Accept": "text/event-stream"}) as lines:
            next(line for line in lines.iter_lines() if "session.completed" in line)
        yield Left(client, client.get(f"/api/sessions/{session['id']}").json(), model)


def test_a_message_is_proposed_and_is_what_an_unnamed_commit_has(left: Left) -> None:
    proposed = left.client.get(left.path).json()
    assert {"message": "Make it ours\n\nIt is ours now.", "by": "turn"} == proposed
    who = {"name": "Ada", "email": "ada@example.org"}
    made = left.client.post(f"/api/sessions/{left.session['id']}/commit", json={"author": who})
    assert 201 == made.status_code, made.text
    assert proposed["message"] == made.json()["message"]


def test_codex_writes_a_message_of_the_changes_and_can_do_nothing_else(
    left: Left, tmp_path: Path
) -> None:
    before = len(left.model.requests)
    (tmp_path / "started").unlink()  # the session had the user's MCP servers
    answer = left.ask(Say.text("Make the project ours.\n\nOne file is new."), requestedBy="ada")
    assert {"message": "Make the project ours\n\nOne file is new.", "by": "codex"} == answer.json()
    (asked,) = left.model.requests[before:]
    told = "\n".join(asked.user_texts)
    assert "Do it." in told
    assert "It is ours now." in told
    assert "+# Ours" in told
    assert "one.txt" in told
    assert {tool.get("name") for tool in asked.body.get("tools", [])} <= HARMLESS
    assert not (tmp_path / "started").exists()
    (event,) = left.client.get("/api/events", params={"type": "session.message.asked"}).json()[
        "items"
    ]
    assert ("ada", answer.json()["message"]) == (event["actor"], event["data"]["message"])
    assert event["data"]["tokens"] > 0
    stored = left.client.get("/api/codex/threads").json()["items"]
    assert [left.session["codexThreadId"]] == [thread["id"] for thread in stored]


def test_of_some_files_only_their_changes_are_told(left: Left) -> None:
    left.ask(Say.text("Add one"), paths=["one.txt"])
    told = "\n".join(left.model.requests[-1].user_texts)
    assert "one.txt" in told
    assert "# Ours" not in told
    nothing = left.ask(Say.text("None"), paths=["two.txt"])
    assert (409, True) == (nothing.status_code, "nothing to commit" in nothing.text)


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (Refuse(), "The scripted model refuses this."),
        (Say.text(" "), "it said nothing"),
    ],
)
def test_an_answer_that_is_none_is_told(left: Left, step: Any, reason: str) -> None:
    answer = left.ask(step)
    assert 409 == answer.status_code
    assert reason in answer.json()["error"]["message"]


def test_a_tool_that_the_model_wants_all_the_same_is_not_there(left: Left, tmp_path: Path) -> None:
    call = CallTool("exec_command", {"cmd": f"touch {tmp_path / 'escaped'}"})
    answer = left.ask(call, Say.text("Add it"))
    assert answer.status_code in {200, 409}
    assert not (tmp_path / "escaped").exists()
    ask = {"questions": [{"id": "q", "header": "H", "question": "Q?", "options": []}]}
    left.ask(CallTool("request_user_input", ask), Say.text("Add it"))
    assert [] == left.client.get("/api/approvals").json()["items"]


@pytest.fixture
def app_server(tmp_path: Path, codex_binary: Path, codex_home: Path) -> Iterator[AppServer]:
    server = AppServer(codex_binary, codex_home, tmp_path / "codex.sock")
    server.start()
    yield server
    server.kill()


async def test_codex_is_waited_for_so_long_only(
    app_server: AppServer,
    scripted_model: ScriptedModel,
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commit_messages, "ANSWER_SECONDS", 3.0)
    async with center_on(app_server, tmp_path / "data") as center:
        scripted_model.script = (Run("echo 1 > one.txt"), Say.text("Done."))
        made = await center.ask(
            REPOSITORIES, CreateRepository(local_path=str(repository), allow_write=True)
        )
        wanted = CreateTask(repository_id=made.id, title="Work", prompt="Work.")
        task = await center.ask(TASKS, wanted)
        run = await center.ask(TASKS, RunTask(task.id, RunInput()))
        await until_ended(center, run.session.id)
        gate = Gate()
        scripted_model.script = (Say.text("Never", gate, "."),)
        ask = AskForMessage(run.session.id, MessageRequest())
        with pytest.raises(Unavailable, match="within 3 s"):
            await center.ask(COMMIT_MESSAGES, ask, timeout=60)
        gate.open()
        scripted_model.script = (Say.text("Add one"),)
        monkeypatch.setattr(commit_messages, "ANSWER_SECONDS", 30.0)
        assert "Add one" == (await center.ask(COMMIT_MESSAGES, ask, timeout=60)).message
