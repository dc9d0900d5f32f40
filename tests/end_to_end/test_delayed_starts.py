"""An app-server that never answers: what a session says that waits for it, and how it ends."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.codex.fake_app_server import COMMAND
from tests.end_to_end.server import Client, Server, client_of


@pytest.fixture(params=["spawn", "auto"])
async def waiting(
    request: pytest.FixtureRequest, tmp_path: Path, codex_home: Path
) -> AsyncIterator[Client]:
    """A client of a server whose Codex starts and never answers."""
    mute = tmp_path / "mute-codex"
    mute.write_text(f"#!/bin/sh\nexec {shlex.join(COMMAND)} mute\n")
    mute.chmod(0o755)
    server = Server(
        tmp_path / "data",
        {
            "CC_CODEX_RUNNER_MODE": "app-server",
            "CC_CODEX_TRANSPORT": request.param,
            "CC_CODEX_COMMAND": str(mute),
            "CODEX_HOME": str(codex_home),
        },
    ).start()
    try:
        async with client_of(server) as client:
            yield client
    finally:
        server.end()


async def test_a_session_says_that_codex_has_not_answered_and_is_stopped_at_once(
    waiting: Client, repository: Path
) -> None:
    async with waiting.watch() as stream:
        session = await waiting.run(await waiting.register(repository), "Begin.")
        told = await stream.until("session.start.delayed")
    assert session["id"] == told["sessionId"]
    shown = await waiting.session(session)
    assert ("starting", told["data"]["reason"]) == (shown["status"], shown["waitReason"])
    assert "Codex was started and has not answered yet" in shown["waitReason"]
    assert "The session fails if Codex does not answer within 60 seconds." in shown["waitReason"]
    listed = (await waiting.get("/api/sessions", status="starting"))["items"]
    assert [shown["waitReason"]] == [one["waitReason"] for one in listed]
    stopped = await waiting.post(f"/api/sessions/{session['id']}/stop")
    assert ("stopped", None) == (stopped["session"]["status"], stopped["session"]["waitReason"])
