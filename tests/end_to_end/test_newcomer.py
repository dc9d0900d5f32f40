"""The newcomer's story, with the real Codex: from a folder to a turn that is steered."""

from __future__ import annotations

from pathlib import Path

from tests.codex.fixtures import both_models
from tests.codex.script import Gate, Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Server, client_of, wait_for_no_process


@both_models
async def test_a_newcomer_runs_watches_approves_steers_stops_and_finds_it_all_after_a_crash(
    codex_server: Server, scripted_model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.txt"
    gate, gate_after_steering = Gate(), Gate()
    scripted_model.script = (
        Run(f"echo made > {outside}", justification="May I write outside?"),
        Say.text("Working", gate, " on."),
        Say.text("With the smaller one, then", gate_after_steering, "."),
    )
    async with client_of(codex_server) as client:
        health = await client.get("/health")
        assert (health["status"], health["runnerMode"]) == ("ok", "app-server")
        registered = await client.register(repository)
        task = await client.task(registered, "Make a file outside.")

        async with client.watch(after=0) as stream:
            outcome = await client.post(f"/api/tasks/{task['id']}/run", {}, status=201)
            session = outcome["session"]
            asked = await stream.until("approval.requested", kind="command")
            assert str(outside) in asked["data"]["details"]["command"]
            assert not outside.exists()
            assert (await client.session(session))["status"] == "waiting_approval"

            resolved = await client.post(
                f"/api/approvals/{asked['approvalId']}/resolve",
                {"status": "approved", "resolvedBy": "mobile-web", "resolutionNote": "Fine."},
            )
            assert (resolved["status"], resolved["resolvedBy"]) == ("approved", "mobile-web")
            await stream.until("session.item", type="commandExecution")
            assert outside.read_text() == "made\n"

            gate.wait_until_reached()
            receipt = await client.post(
                f"/api/sessions/{session['id']}/steer",
                {"message": "Use the smaller fixture.", "requestedBy": "mobile-web"},
            )
            now = await client.session(session)
            assert receipt["status"] == "acknowledged"
            thread, turn = now["codexRef"].removeprefix("app-server:").split(":")
            assert (thread, turn) == (now["codexThreadId"], receipt["turnId"])
            await stream.until("session.steer.acknowledged")

            gate.open()  # 0.154 tells the model only when it has said all
            gate_after_steering.wait_until_reached()
            stopped = await client.post(
                f"/api/sessions/{session['id']}/stop", {"reason": "Enough.", "requestedBy": "ada"}
            )
            assert stopped["session"]["status"] == "stopped"
            assert stopped["session"]["exitReason"] == "Stopped by ada: Enough."
            again = await client.post(f"/api/sessions/{session['id']}/stop")
            assert again == stopped
            await stream.until("session.stopped")
        gate_after_steering.open()
        before = await client.get("/api/events", limit=500)
        types = [event["type"] for event in before["items"]]
        assert types.count("session.steer.requested") == 1
        assert types.count("session.steer.acknowledged") == 1
        assert [event["id"] for event in before["items"]] == list(range(1, len(types) + 1))

    codex_server.kill()
    codex_server.start()
    async with client_of(codex_server) as client:
        after = await client.get("/api/events", limit=500)
        assert before["items"] == after["items"][: len(before["items"])]
        assert stopped["session"] == await client.session(session)
        assert (
            resolved["status"] == (await client.get(f"/api/approvals/{resolved['id']}"))["status"]
        )


@both_models
async def test_a_turn_that_is_cut_off_by_a_crash_is_interrupted_with_its_reason(
    spawning_server: Server, scripted_model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Run("echo first"), Say.text("Working", gate, " on."))
    async with client_of(spawning_server) as client:
        session = await client.run(await client.register(repository), "Work.")
        gate.wait_until_reached()
        await client.until_session(session, "running")
        async with client.watch(after=0, sessionId=session["id"]) as stream:
            await stream.until("session.item", type="commandExecution")
        before = await client.get(f"/api/sessions/{session['id']}/events")
    spawning_server.kill()
    wait_for_no_process(str(tmp_path / "codex-home"))
    spawning_server.start()
    async with client_of(spawning_server) as client:
        ended = await client.until_session(session, "interrupted")
        assert "restarted" in ended["exitReason"]
        after = await client.get(f"/api/sessions/{session['id']}/events")
        assert before["items"] == after["items"][: len(before["items"])]
        first, *others = [event["type"] for event in after["items"][len(before["items"]) :]]
        assert "session.interrupted" == first
        assert {"session.item.cut_off"} >= {*others}  # of a message that was kept by then
    gate.open()
