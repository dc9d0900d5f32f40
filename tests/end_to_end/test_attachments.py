"""Attachments reach the model, with the real Codex."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from tests.codex.script import Gate, Run, Say
from tests.codex.scripted_model import ModelRequest, ScriptedModel
from tests.end_to_end.server import Client, Server, client_of
from tests.sent_pictures import JPEG, SECRET, png


async def send(client: Client, content: bytes, name: str) -> Any:
    """An upload."""
    answer = await client.http.post(
        "/api/uploads",
        params={"name": name, "requestedBy": "ada"},
        content=content,
        headers={"Content-Type": "application/octet-stream"},
    )
    return client.expect(201, answer)


def pictures(request: ModelRequest) -> list[bytes]:
    """The pictures that the user's messages show, in order."""
    return [
        base64.b64decode(part["image_url"].partition(",")[2])
        for item in request.body["input"]
        if item.get("role") == "user"
        for part in item.get("content", [])
        if part.get("type") == "input_image"
    ]


async def test_a_prompt_and_what_is_said_later_show_pictures_and_files(
    codex_client: Client,
    codex_server: Server,
    scripted_model: ScriptedModel,
    repository: Path,
) -> None:
    screen = await send(codex_client, png(), "screen.png")
    notes = await send(codex_client, b"Mind the gap.\n", "notes.md")
    photo = await send(codex_client, JPEG, "IMG_1.jpg")
    folder = codex_server.data_dir / "uploads"
    gate = Gate()
    scripted_model.script = (Run(f"cat {folder / notes['file']}"), Say.text("I see", gate, "."))
    task = await codex_client.post(
        "/api/tasks",
        {
            "repositoryId": (await codex_client.register(repository))["id"],
            "title": "Look",
            "prompt": "Look at this.",
        },
        status=201,
    )
    run = {"sandbox": "read-only", "attachments": [screen["id"], notes["id"]]}
    begun = await codex_client.post(f"/api/tasks/{task['id']}/run", run, status=201)
    session = begun["session"]
    assert [screen["id"], notes["id"]] == [one["id"] for one in session["attachments"]]
    gate.wait_until_reached()
    asked = scripted_model.requests[-1]
    (shown,) = pictures(asked)
    assert SECRET not in shown
    assert shown == (folder / screen["file"]).read_bytes()
    assert any(f"notes.md: {folder / notes['file']}" in text for text in asked.user_texts)
    assert any("Mind the gap." in output for output in asked.tool_outputs)

    refused = await codex_client.http.delete(f"/api/uploads/{screen['id']}")
    assert 409 == refused.status_code
    path = f"/api/sessions/{session['id']}/messages"
    missing = await codex_client.http.post(path, json={"message": "This.", "attachments": [99]})
    assert (400, "attachments") == (
        missing.status_code,
        missing.json()["error"]["details"][0]["path"],
    )
    said = await codex_client.post(path, {"message": "And this.", "attachments": [photo["id"]]})
    assert "steer" == said["how"]
    gate.open()
    await codex_client.until_session(session, "completed")
    assert 2 == len(pictures(scripted_model.requests[-1]))
    content = await codex_client.get(f"/api/uploads/{photo['id']}/content")
    assert SECRET not in base64.b64decode(content["data"])


async def test_codex_exec_is_shown_pictures_too(
    tmp_path: Path,
    codex_binary: Path,
    codex_home: Path,
    scripted_model: ScriptedModel,
    repository: Path,
) -> None:
    settings = {
        "CC_CODEX_RUNNER_MODE": "cli",
        "CC_CODEX_COMMAND": str(codex_binary),
        "CODEX_HOME": str(codex_home),
    }
    server = Server(tmp_path / "data", settings).start()
    scripted_model.script = (Say.text("I see."),)
    try:
        async with client_of(server) as client:
            screen = await send(client, png(), "screen.png")
            photo = await send(client, JPEG, "IMG_1.jpg")
            registered = await client.register(repository)
            session = await client.run(registered, "Look.", attachments=[screen["id"]])
            await client.until_session(session, "completed")
            assert 1 == len(pictures(scripted_model.requests[-1]))
            path = f"/api/sessions/{session['id']}/messages"
            body = {"message": "And these?", "attachments": [screen["id"], photo["id"]]}
            said = await client.post(path, body)
            assert "continue" == said["how"]
            await client.until_session(said["session"], "completed")
            assert 3 == len(pictures(scripted_model.requests[-1]))
    finally:
        server.end()
