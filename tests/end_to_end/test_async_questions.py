"""Questions for which the real Codex does not wait: it works on, and hears the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from tests.codex.script import CallTool, Gate, Hold, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client

pytestmark = pytest.mark.parametrize("codex_model", [None], ids=["default-model"])
"""The catalogue's own default model is offered the tool."""

QUESTIONS = [{"title": "Which database?", "options": ["SQLite", "Postgres"]}, {"title": "Why?"}]
ASK = CallTool("request_user_input_async", {"questions": QUESTIONS})
ANSWERS = {"question-1": "DuckDB", "question-2": "It is fast."}
WORDS = "> Which database?\n\nDuckDB\n\n> Why?\n\nIt is fast."


async def asked(client: Client, repository: Path) -> tuple[Any, Any]:
    """A session whose turn has asked and works on, and the approval."""
    session = await client.run(await client.register(repository), "Choose.")
    async with client.watch(after=0, sessionId=session["id"]) as stream:
        event = await stream.until("approval.requested")
    return session, await client.get(f"/api/approvals/{event['approvalId']}")


def answer(approval: Any) -> tuple[str, Any]:
    """Return what a person posts, and where."""
    body = {"status": "approved", "answers": ANSWERS, "resolvedBy": "Ada"}
    return f"/api/approvals/{approval['id']}/resolve", body


async def until_delivered(client: Client, approval: Any) -> None:
    """Wait until Codex has the answer, of which no event tells."""
    with trio.fail_after(20):
        while True:
            now = await client.get(f"/api/approvals/{approval['id']}")
            if now["deliveredAt"] is not None:
                return
            await trio.sleep(0.05)


async def test_an_answer_is_said_to_the_turn_that_works_on(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    scripted_model.script = (ASK, Hold(gate, Say.text("I went on.")), Say.text("I heard."))
    session, approval = await asked(codex_client, repository)
    assert ("user_input", "pending") == (approval["kind"], approval["status"])
    assert "Which database? (and 1 more)" == approval["title"]
    assert "async" == approval["details"]["delivery"]
    assert "running" == (await codex_client.session(session))["status"]
    gate.wait_until_reached()
    await codex_client.post(*answer(approval))
    await until_delivered(codex_client, approval)
    gate.open()
    ended = await codex_client.until_session(session, "completed")
    assert "I heard." == ended["lastMessage"]
    assert WORDS == scripted_model.requests[-1].user_texts[-1]
    (only,) = (await codex_client.get("/api/sessions"))["items"]
    assert session["id"] == only["id"]


async def test_an_answer_that_comes_when_the_turn_has_ended_is_said_in_its_thread(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (ASK, Say.text("I went on without."))
    session, approval = await asked(codex_client, repository)
    ended = await codex_client.until_session(session, "completed")
    still = await codex_client.get(f"/api/approvals/{approval['id']}")
    assert "pending" == still["status"]
    refused = await codex_client.http.post(
        answer(approval)[0], json={"status": "approved", "answers": {"question-1": "SQLite"}}
    )
    assert 400 == refused.status_code
    scripted_model.script = (Say.text("I heard."),)
    await codex_client.post(*answer(approval))
    newest, _ = (await codex_client.get("/api/sessions"))["items"]
    assert ("followup", "Ada", WORDS) == tuple(
        newest[key] for key in ("origin", "requestedBy", "prompt")
    )
    assert (session["id"], ended["codexThreadId"]) == (
        newest["previousSessionId"],
        newest["codexThreadId"],
    )
    said = await codex_client.until_session(newest, "completed")
    assert "I heard." == said["lastMessage"]


async def test_an_answer_that_is_not_given_is_nothing_that_codex_hears(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (ASK, Say.text("I went on without."))
    session, approval = await asked(codex_client, repository)
    await codex_client.until_session(session, "completed")
    await codex_client.post(answer(approval)[0], {"status": "rejected"})
    (only,) = (await codex_client.get("/api/sessions"))["items"]
    assert session["id"] == only["id"]


async def test_nobody_is_asked_any_more_for_a_task_that_is_cancelled(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (ASK, Say.text("I went on without."))
    session, approval = await asked(codex_client, repository)
    await codex_client.until_session(session, "completed")
    await codex_client.patch(f"/api/tasks/{session['taskId']}", {"status": "cancelled"})
    settled = await codex_client.get(f"/api/approvals/{approval['id']}")
    assert "cancelled" == settled["status"]
