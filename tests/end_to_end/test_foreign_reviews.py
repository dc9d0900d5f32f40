"""Reviews past Command Center: Codex tells of them by another turn than it lists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from command_center.actors.codex.settings import Transport
from tests.codex.script import Gate, Hold, Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, client_of
from tests.end_to_end.test_foreign_turns import Beside, beside
from tests.end_to_end.test_missed_turns import say, sessions_of, told_of
from tests.end_to_end.test_transports import Reached, reached_by


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture
def reached(tmp_path: Path, codex_binary: Path, model: ScriptedModel) -> Iterator[Reached]:
    with reached_by(Transport.PROXY, tmp_path, codex_binary, model) as reached:
        yield reached


async def begin_review(at: Beside) -> None:
    """Begin it in the thread, past Command Center."""
    await at.other.call("thread/resume", {"threadId": at.thread_id, "excludeTurns": True})
    target = {"type": "custom", "instructions": "Look at it."}
    review = {"threadId": at.thread_id, "target": target, "delivery": "inline"}
    await at.other.call("review/start", review)


async def check_kept(client: Client, at: Beside, model: ScriptedModel) -> None:
    """See that the review is one session, also once the thread has been looked at again."""
    model.script = (Say.text("Last."),)
    await told_of(at.other, at.thread_id)
    last = await say(at.other, at.thread_id, "The last one.")
    async with client.watch(after=0) as stream:
        while (event := await stream.next())["data"].get("turnId") != last:
            pass
        await client.until_session({"id": event["sessionId"]}, "completed")
    _, review, _ = await sessions_of(client)
    assert ("completed", "Look at it.", "All is fine.") == (
        review["status"],
        review["prompt"],
        review["lastMessage"],
    )
    items = (await client.get(f"/api/sessions/{review['id']}/items"))["items"]
    assert {"commandExecution", "exitedReviewMode"} <= {item["type"] for item in items}


async def test_a_review_that_another_client_begins_is_a_session_that_ends_with_it(
    reached: Reached, model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    async with beside(reached, repository) as at:
        model.script = (Hold(gate, Run("echo looking")), Say.text("All is fine."))
        async with at.client.watch(after=0) as stream:
            await begin_review(at)
            adopted = await stream.until("session.turn.adopted")
            gate.open()
            await at.client.until_session({"id": adopted["sessionId"]}, "completed")
        await check_kept(at.client, at, model)


async def test_a_review_that_was_over_before_it_was_looked_at_is_one_session(
    reached: Reached, model: ScriptedModel, repository: Path
) -> None:
    async with beside(reached, repository) as at:
        reached.server.kill()
        model.script = (Run("echo looking"), Say.text("All is fine."))
        await told_of(at.other, at.thread_id)
        await begin_review(at)
        await at.other.until_told("turn/completed")
        reached.server.start()
        async with client_of(reached.server) as client:
            async with client.watch(after=0) as stream:
                await stream.until("session.turn.found", outcome="completed", cause="message")
            await check_kept(client, at, model)


async def test_a_review_of_ours_is_no_turn_of_another_client(
    reached: Reached, model: ScriptedModel, repository: Path
) -> None:
    model.script = (Say.text("All is fine."),)
    async with beside(reached, repository) as at:
        task = await at.client.task(at.repository, "Look at it.", type="review_task")
        run = await at.client.post(f"/api/tasks/{task['id']}/run", status=201)
        review = await at.client.until_session(run["session"], "completed")
        reviewed = Beside(at.client, at.other, at.repository, review)
        model.script = (Say.text("Last."),)
        await told_of(at.other, reviewed.thread_id)
        last = await say(at.other, reviewed.thread_id, "The last one.")
        async with at.client.watch(after=0) as stream:
            while (event := await stream.next())["data"].get("turnId") != last:
                pass
            await at.client.until_session({"id": event["sessionId"]}, "completed")
        assert 3 == len(await sessions_of(at.client))
