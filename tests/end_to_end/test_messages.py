"""One way to say something, whatever the session's state, with the real Codex."""

from __future__ import annotations

from pathlib import Path

from tests.codex.script import Gate, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client


async def test_what_is_said_reaches_the_thread_whatever_the_sessions_state(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    gate, begun = Gate(), Gate()
    scripted_model.script = (
        Say.text("I begin", gate, "."),
        Say.text("With the smaller one, then", begun, "."),
    )
    session = await codex_client.run(await codex_client.register(repository), "Begin.")
    path = f"/api/sessions/{session['id']}/messages"
    gate.wait_until_reached()
    said = await codex_client.post(path, {"message": "Use less."})
    running = await codex_client.session(session)
    assert ("steer", running["codexTurnId"], session["id"]) == (
        said["how"],
        said["turnId"],
        said["session"]["id"],
    )
    gate.open()
    begun.wait_until_reached()
    waits = await codex_client.post(path, {"message": "And then?", "how": "followup"})
    assert ("followup", "And then?") == (waits["how"], waits["followup"]["message"])
    begun.open()
    first = await codex_client.until_session(session, "completed")
    sent = await codex_client.get(f"/api/followups/{waits['followup']['id']}")
    second = await codex_client.until_session({"id": sent["sentSessionId"]}, "completed")

    # The session that is spoken to has ended, and so has what followed it.
    late = await codex_client.http.post(path, json={"message": "More.", "how": "steer"})
    assert (409, "Session 1 is completed; it has ended.") == (
        late.status_code,
        late.json()["error"]["message"],
    )
    order, key = {"message": "And last?"}, {"Idempotency-Key": "last"}
    answers = [await codex_client.http.post(path, json=order, headers=key) for _ in range(2)]
    assert [200, 200] == [answer.status_code for answer in answers]
    assert answers[0].content == answers[1].content
    third = await codex_client.until_session(answers[0].json()["session"], "completed")
    assert ("continue", second["id"]) == (answers[0].json()["how"], third["previousSessionId"])
    assert 1 == len({one["codexThreadId"] for one in (first, second, third)})
    assert ["Begin.", "Use less.", "And then?", "And last?"] == scripted_model.requests[
        -1
    ].user_texts[-4:]
    listed = await codex_client.get("/api/sessions")
    assert [3, 2, 1] == [one["id"] for one in listed["items"]]
