"""The installation's own secrets, which no form tells, where somebody says them all the same."""

from __future__ import annotations

from pathlib import Path

from tests.codex.script import Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, Server, client_of

API_TOKEN = "correct-horse-battery-staple-and-more"
BOT_TOKEN = "123456789:correct-horse-battery-staple"
HOOK_SECRET = "another-horse-another-battery"
OURS = (API_TOKEN, BOT_TOKEN, HOOK_SECRET)


async def test_the_installations_own_secrets_are_neither_stored_nor_shown_nor_logged(
    tmp_path: Path,
    codex_binary: Path,
    codex_home: Path,
    repository: Path,
    scripted_model: ScriptedModel,
) -> None:
    said = " ".join(OURS)
    pieces = [said[place : place + 7] for place in range(0, len(said), 7)]
    scripted_model.script = (Run("env; " + f"echo {said}"), Say.text(*pieces))
    settings = {
        "CC_CODEX_COMMAND": str(codex_binary),
        "CODEX_HOME": str(codex_home),
        "CC_API_TOKEN": API_TOKEN,
        "CC_TELEGRAM_MODE": "webhook",
        "CC_TELEGRAM_BOT_TOKEN": BOT_TOKEN,
        "CC_TELEGRAM_WEBHOOK_SECRET": HOOK_SECRET,
        "CC_TELEGRAM_API_BASE": "http://127.0.0.1:9",
        "CC_LOG_LEVEL": "debug",
    }
    server = Server(tmp_path / "data", settings).start()
    try:
        async with client_of(server, token=API_TOKEN) as client:
            told = await work_told(client, repository, said)
    finally:
        assert 0 == server.stop()
    (output,) = scripted_model.requests[-1].tool_outputs
    assert said in output  # the agent itself did see what it printed
    assert "CC_" not in output
    told += server.log.read_text()
    for kept in (file for file in server.data_dir.rglob("*") if file.is_file()):
        told += kept.read_bytes().decode("latin-1")
    assert "[redacted]" in told
    assert [] == [secret for secret in OURS if secret in told]


async def work_told(client: Client, repository: Path, said: str) -> str:
    """All that a client is told of a run that has the secrets everywhere."""
    registered = await client.register(repository)
    async with client.watch(after=0) as stream:
        session = await client.run(registered, f"Say {said}.", requestedBy=said)
        asked = {"title": said, "details": {"said": said}, "requestedBy": said}
        await client.post("/api/approvals", asked, status=201)
        await stream.until("session.completed")
    paths = ["/api/tasks", "/api/sessions", "/api/approvals", "/api/events", "/api/runtime"]
    paths += [f"/api/sessions/{session['id']}/items"]
    seen = stream.seen + [await client.get(path) for path in paths]
    live = [event["data"].get("delta", "") for event in stream.seen if event["id"] is None]
    metrics = await client.http.get("/metrics")
    await client.http.get(f"/api/{said}")  # which the log tells
    return f"{seen}{''.join(live)}{metrics.text}"
