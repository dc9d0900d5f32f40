"""The bot from outside: a server in a process of its own, and a Bot API that fails as it likes."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
import trio

from tests.codex.script import Gate, Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Server, client_of
from tests.telegram_bot_api import SECRET, TOKEN, FakeBotApi, Fault, fake_bot_api

ME = 4242


def server_for(folder: Path, api: FakeBotApi, mode: str) -> Server:
    return Server(
        folder / "data",
        {
            "CC_CODEX_RUNNER_MODE": "stub",
            "CC_TELEGRAM_MODE": mode,
            "CC_TELEGRAM_BOT_TOKEN": TOKEN,
            "CC_TELEGRAM_WEBHOOK_SECRET": SECRET,
            "CC_TELEGRAM_ALLOWED_IDS": str(ME),
            "CC_TELEGRAM_API_BASE": api.url,
            "CC_LOG_LEVEL": "debug",
        },
    )


def left_behind(folder: Path) -> bytes:
    """All that a run left on the disk: the database with its log and copies, and its own log."""
    return b"\0".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.parametrize("mode", ["polling", "webhook"])
async def test_nothing_that_a_failing_run_leaves_behind_holds_the_token(
    tmp_path: Path, mode: str
) -> None:
    told_back = Fault(400, f"Bad Request: https://api.telegram.org/bot{TOKEN}/x is odd")
    async with fake_bot_api() as api:
        api.chat(ME)
        api.fail_next(
            "sendMessage",
            Fault(drop=True),
            Fault(429, "Too Many Requests", {"retry_after": 0.1}),
            told_back,
        )
        api.fail_next("getUpdates", Fault(drop=True), told_back)
        api.fail_next("setMyCommands", Fault(200, garbage=f"<html>{TOKEN}</html>".encode()))
        server = await start(server_for(tmp_path, api, mode))
        try:
            async with httpx.AsyncClient(base_url=server.url) as client:
                for title in ("First?", f"With {TOKEN} in it?"):
                    body = {"title": title, "details": {"url": f"/bot{TOKEN}/sendMessage"}}
                    assert 201 == (await client.post("/api/approvals", json=body)).status_code
                if mode == "webhook":
                    hook = f"{server.url}/api/telegram/webhook"
                    await api.deliver(hook, api.said(f"/run {TOKEN}", user_id=ME))
                    await api.deliver(hook, b"no JSON", attempts=1)
                    await api.deliver(hook, api.said("/status", user_id=ME), secret="x", attempts=1)
                await api.message(ME, "in it?")
                api.token = "1:revoked"
                await client.post("/api/approvals", json={"title": "Unheard?"})
                seen = [
                    (await client.get(path)).text
                    for path in (
                        "/health",
                        "/api/events?limit=500",
                        "/api/approvals",
                        "/api/runtime",
                        "/api/runtime/actors/telegram/outbox?stack=true",
                        "/api/runtime/actors/telegram/inbox?stack=true",
                    )
                ]
        finally:
            server.kill()
    assert TOKEN.encode() not in left_behind(tmp_path)
    assert SECRET.encode() not in left_behind(tmp_path)
    assert b"telegram.message.postponed" in left_behind(tmp_path)
    assert TOKEN not in "".join(seen)
    assert TOKEN not in "".join(api.texts(ME))


async def test_a_decision_that_was_taken_in_survives_kill_9(tmp_path: Path) -> None:
    async with fake_bot_api() as api:
        api.chat(ME)
        server = await start(server_for(tmp_path, api, "webhook"))
        async with httpx.AsyncClient() as client:
            body = {"title": "Survive?"}
            made = (await client.post(f"{server.url}/api/approvals", json=body)).json()
            message = await api.message(ME, "Survive?")
            update = api.pressed(message, "Approve", user_id=ME)
            response = await api.deliver(f"{server.url}/api/telegram/webhook", update)
            server.kill()
            assert 200 == response.status_code
            await start(server)
            try:
                await api.message(ME, f"Approved by telegram:{ME}")
                path = f"{server.url}/api/approvals/{made['id']}"
                assert "approved" == (await client.get(path)).json()["status"]
                again = await api.deliver(f"{server.url}/api/telegram/webhook", update)
                assert 200 == again.status_code
            finally:
                server.kill()


async def test_a_whole_piece_of_work_is_done_from_the_phone(
    tmp_path: Path,
    codex_binary: Path,
    codex_home: Path,
    scripted_model: ScriptedModel,
    repository: Path,
) -> None:
    """Run, approve what Codex asks, steer, stop, and follow up, with the real Codex."""
    outside = tmp_path / "outside.txt"
    working, steered = Gate(), Gate()
    scripted_model.script = (
        Run(f"echo made > {outside}", justification="May I write outside?"),
        Say.text("Working", working, " on."),
        Say.text("With the smaller one, then", steered, "."),
    )
    async with fake_bot_api() as api:
        api.chat(ME)
        server = server_for(tmp_path, api, "polling")
        server.settings = {
            **server.settings,
            "CC_CODEX_RUNNER_MODE": "app-server",
            "CC_CODEX_COMMAND": str(codex_binary),
            "CODEX_HOME": str(codex_home),
        }
        await start(server)
        try:
            async with client_of(server) as client:
                await client.register(repository)
                api.queue(api.said("/run Make a file outside.", user_id=ME))
                asked = await api.message(ME, "May I write outside?")
                assert str(outside) in asked["text"]
                assert not outside.exists()
                api.queue(api.pressed(asked, "Approve", user_id=ME))
                await api.message(ME, f"Approved by telegram:{ME}")
                await trio.to_thread.run_sync(working.wait_until_reached)
                assert "made\n" == outside.read_text()
                api.queue(api.said("/steer Use the smaller fixture.", user_id=ME))
                await api.message(ME, "Session 1 has it.")
                working.open()
                await trio.to_thread.run_sync(steered.wait_until_reached)
                api.queue(api.said("/stop", user_id=ME))
                ended = await api.message(ME, "Session 1 stopped")
                steered.open()
                scripted_model.script = (Say.text("The tests pass."),)
                api.queue(api.said("And now the tests.", user_id=ME, reply_to=ended))
                await api.message(ME, "The tests pass.")
                both = (await client.get("/api/sessions"))["items"]
                assert ["completed", "stopped"] == [session["status"] for session in both]
                assert both[0]["codexThreadId"] == both[1]["codexThreadId"]
                assert {f"telegram:{ME}"} == {session["requestedBy"] for session in both}
        finally:
            working.open()
            steered.open()
            await trio.to_thread.run_sync(server.stop)


async def start(server: Server) -> Server:
    """Start it without holding up the fake, which it may call at once."""
    return await trio.to_thread.run_sync(server.start)
