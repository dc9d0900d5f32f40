"""Restarts in the midst of it: queues, threads, other runners, and stops that were cut off."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import trio
from sqlite_utils import Database

from command_center.store import sessions
from command_center.store.backups.contents import DATABASE
from command_center.store.database.checksums import teach_checksums
from command_center.store.database.migrations import MIGRATIONS
from command_center.store.database.text_match import teach_words
from tests.codex.fixtures import both_models
from tests.codex.script import Gate, Run, Say, Script, SpawnAgent
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, Server, client_of, wait_for_no_process

PROMPT = "Say this only once."


async def completed(client: Client, repository: Path) -> dict[str, object]:
    """A session that has completed, and its repository's id."""
    registered = await client.register(repository)
    session = await client.run(registered, "Begin.")
    ended: dict[str, object] = await client.until_session(session, "completed")
    return ended


@both_models
async def test_a_prompt_that_waits_for_its_thread_over_a_restart_is_sent_once(
    spawning_server: Server, scripted_model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    scripted_model.script = (Say.text("Done."),)
    spawning_server.settings = {**spawning_server.settings, "CC_MAX_SESSIONS": "1"}
    spawning_server.stop()
    spawning_server.start()
    gate = Gate()
    async with client_of(spawning_server) as client:
        first = await completed(client, repository)
        scripted_model.script = (Say.text("Work", gate, "ing."),)
        busy = await client.run({"id": first["repositoryId"]}, "Work.", sandbox="read-only")
        gate.wait_until_reached()
        outcome = await client.post(
            f"/api/codex/threads/{first['codexThreadId']}/prompt",
            {"repositoryId": first["repositoryId"], "prompt": PROMPT},
            status=201,
        )
        waiting = outcome["session"]
    spawning_server.kill()
    gate.open()
    wait_for_no_process(str(tmp_path / "codex-home"))
    scripted_model.script = (Say.text("Said."),)
    spawning_server.start()
    async with client_of(spawning_server) as client:
        await client.until_session(busy, "interrupted")
        await client.until_session(waiting, "completed")
        items = await client.get(f"/api/sessions/{waiting['id']}/items")
        said = [item for item in items["items"] if item["type"] == "userMessage"]
        assert 1 == len(said)
    assert 1 == sum(text == PROMPT for text in scripted_model.requests[-1].user_texts)


async def test_a_session_whose_runner_is_gone_ends_and_frees_its_slot(
    codex_server: Server, scripted_model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Work", gate, "ing."),)
    async with client_of(codex_server) as client:
        registered = await client.register(repository)
        session = await client.run(registered, "Work.")
        gate.wait_until_reached()
    codex_server.kill()
    gate.open()
    codex_server.settings = {
        **codex_server.settings,
        "CC_CODEX_RUNNER_MODE": "stub",
        "CC_MAX_SESSIONS": "1",
    }
    codex_server.start()
    async with client_of(codex_server) as client:
        ended = await client.until_session(session, "interrupted")
        assert ended["exitReason"]
        await client.until_session(await client.run(registered, "Next."), "completed")


async def test_a_queued_session_goes_on_when_the_one_before_it_was_cut_off(
    spawning_server: Server, scripted_model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Work", gate, "ing."),)
    async with client_of(spawning_server) as client:
        registered = await client.register(repository)
        first = await client.run(registered, "Write here.")
        gate.wait_until_reached()
        second = await client.run(registered, "Write here too.")
        assert "is writing in" in (await client.session(second))["waitReason"]
    spawning_server.kill()
    gate.open()
    scripted_model.script = (Say.text("Done."),)
    spawning_server.start()
    async with client_of(spawning_server) as client:
        await client.until_session(first, "interrupted")
        await client.until_session(second, "completed")


@both_models
async def test_a_stop_that_a_crash_cut_off_is_carried_out(
    spawning_server: Server, scripted_model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Work", gate, "ing."),)
    async with client_of(spawning_server) as client:
        session = await client.run(await client.register(repository), "Work.")
        gate.wait_until_reached()
    spawning_server.kill()
    gate.open()
    wish = {"reason": "Enough.", "requestedBy": "ada", "outcome": "stopped"}
    spawning_server.write(lambda tx: sessions.update(tx, session["id"], stop_requested=wish))
    async with client_of(spawning_server) as client:
        ended = await client.until_session(session, "stopped")
        assert "Stopped by ada: Enough." == ended["exitReason"]


async def test_a_session_whose_actor_was_stopped_gets_another(
    stub_client: Client, repository: Path
) -> None:
    task = await stub_client.task(
        await stub_client.register(repository), "Ask first.", approvalRequired=True
    )
    blocked = await stub_client.post(f"/api/tasks/{task['id']}/run", {}, status=202)
    session = blocked["session"]
    order = {"reason": "To see.", "confirm": True}
    await stub_client.post(f"/api/runtime/actors/sessions/{session['id']}/stop", order)
    with trio.fail_after(30):
        stopped = await stub_client.post(f"/api/sessions/{session['id']}/stop")
    assert "stopped" == stopped["session"]["status"]


@both_models
async def test_a_turn_that_stays_silent_is_asked_for_and_then_interrupted(
    codex_server: Server, scripted_model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Work", gate, "ing."),)
    codex_server.settings = {**codex_server.settings, "CC_STALL_SECONDS": "1"}
    codex_server.stop()
    codex_server.start()
    async with client_of(codex_server) as client:
        session = await client.run(await client.register(repository), "Work.")
        gate.wait_until_reached()
        async with client.watch(after=0) as stream:
            await stream.until("session.stalled")
        ended = await client.until_session(session, "interrupted")
        assert "was silent for" in ended["exitReason"]
    gate.open()


@both_models
async def test_a_turn_that_waits_for_a_sub_agent_is_not_silent_while_that_works(
    codex_server: Server, scripted_model: ScriptedModel, repository: Path
) -> None:
    def choose(prompt: str) -> Script:
        if "agent" in prompt:
            return (Run("for i in $(seq 45); do echo beat; sleep 0.1; done"),)
        return (SpawnAgent("You are the agent."), Run("sleep 4"))

    scripted_model.choose = choose
    codex_server.settings = {**codex_server.settings, "CC_STALL_SECONDS": "1"}
    codex_server.stop()
    codex_server.start()
    async with client_of(codex_server) as client:
        session = await client.run(await client.register(repository), "Work.")
        await client.until_session(session, "completed")


async def test_what_was_said_of_a_message_that_a_crash_cuts_is_kept_and_shown_as_cut(
    spawning_server: Server, scripted_model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Half of", " a thought", gate, " is lost."),)

    async def said(client: Client) -> list[tuple[str, str]]:
        items = await client.get(f"/api/sessions/{session['id']}/items")
        return [
            (item["status"], item["body"]["text"])
            for item in items["items"]
            if item["type"] == "agentMessage"
        ]

    async with client_of(spawning_server) as client:
        session = await client.run(await client.register(repository), "Think.")
        gate.wait_until_reached()
        with trio.fail_after(30):
            while [("in_progress", "Half of a thought")] != await said(client):  # noqa: ASYNC110 - what is kept meanwhile is told by no event
                await trio.sleep(0.05)
    spawning_server.kill()
    gate.open()
    spawning_server.start()
    async with client_of(spawning_server) as client:
        await client.until_session(session, "interrupted")
        assert [("cut", "Half of a thought")] == await said(client)
        (told,) = (await client.get("/api/events", type="session.item.cut_off"))["items"]
        assert ("agentMessage", "Half of a thought") == (
            told["data"]["type"],
            told["data"]["item"]["text"],
        )
        found = await client.get("/api/search", q="thought", sessionId=session["id"])
        assert ["agentMessage"] == [item["kind"] for item in found["items"]]


def test_a_start_on_an_older_database_says_in_the_log_which_migrations_run(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    with closing(sqlite3.connect(data / DATABASE, isolation_level=None)) as conn:
        conn.execute("PRAGMA synchronous = OFF")
        teach_words(conn)
        teach_checksums(conn)
        db = Database(conn)
        MIGRATIONS.apply(db, stop_before="0081_totals")
        names = [step.name for step in MIGRATIONS.pending(db)]
    server = Server(data, {"CC_CODEX_RUNNER_MODE": "stub", "CC_LOG_FORMAT": "json"}).start()
    server.stop()
    told = [msgspec.json.decode(line) for line in server.log.read_text().splitlines()]
    assert [(name, number, len(names)) for number, name in enumerate(names, 1)] == [
        (one["migration"], one["number"], one["count"])
        for one in told
        if one["event"] == "database.migrating"
    ]
