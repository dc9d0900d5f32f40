"""Terminals of people where sessions work, run by the real Codex in its sandbox."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection

from command_center.actors.sessions.runners.codex.shell import MOST_KEPT
from tests.codex.script import Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, Server, client_of

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}

PHONE = {"name": "Phone", "scopes": ["read", "work", "operate"]}


@attrs.define
class Typed:
    """A terminal, and all that it has shown."""

    socket: WebSocketConnection
    shown: str = ""
    ended: dict[str, Any] | None = None

    async def type(self, text: str) -> None:
        await self.socket.send_message(text.encode())

    async def control(self, **wanted: object) -> None:
        await self.socket.send_message(json.dumps(wanted))

    async def until(self, text: str) -> None:
        """Wait until it shows that."""
        with trio.fail_after(30):
            while text not in self.shown:
                assert self.ended is None, (self.ended, self.shown)
                await self._read()

    async def until_ended(self) -> dict[str, Any]:
        with trio.fail_after(30):
            while self.ended is None:
                await self._read()
        return self.ended

    async def _read(self) -> None:
        frame = await self.socket.get_message()
        if isinstance(frame, str):
            self.ended = json.loads(frame)
        else:
            self.shown += frame.decode(errors="replace")


@asynccontextmanager
async def terminal(client: Client, session: Any) -> AsyncIterator[Typed]:
    path = f"/api/sessions/{session['id']}/terminal"
    async with client.websocket(path, columns=100, rows=30, requestedBy="ada") as socket:
        yield Typed(socket)


async def kinds(client: Client) -> list[str]:
    found = (await client.get("/api/events", limit=500))["items"]
    return [one["type"] for one in found if ".terminal." in one["type"]]


async def test_a_terminal_is_a_shell_in_the_sandbox_of_its_session(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (Say.text("Done."),)
    place = await codex_client.register(repository)
    session = await codex_client.run(place, "Go.")
    session = await codex_client.until_session(session, "completed")
    refused = await codex_client.http.get(
        f"/api/sessions/{session['id']}/terminal", headers=HANDSHAKE
    )
    assert (409, True) == (refused.status_code, "allows no terminal" in refused.text)
    await codex_client.patch(f"/api/repos/{place['id']}", {"allowTerminal": True})
    async with terminal(codex_client, session) as typed:
        await typed.type("stty size; pwd; tty; echo in-it > typed.txt; echo wr''itten\r")
        await typed.until("written")
        assert "30 100" in typed.shown
        assert str(repository) in typed.shown
        assert "/dev/pts/" in typed.shown
        assert "in-it\n" == (repository / "typed.txt").read_text()
        outside = Path.home() / f"outside-of-{repository.parent.name}"
        await typed.type(f"touch {outside}; touch .git/inside; echo tr''ied\r")
        await typed.until("tried")
        assert not outside.exists()
        assert not (repository / ".git" / "inside").exists()
        data = codex_client.server.data_dir
        assert (data / "sign-in.key").exists()
        await typed.type(
            f"cat {data}/*.sqlite3; cat {data}/sign-in.key && echo re''ad; echo n''ext\r"
        )
        await typed.until("next")
        assert ("SQLite" in typed.shown, "read\r" in typed.shown) == (False, False)
        # One process for both: a Ctrl-C that comes while the shell starts another is lost to it.
        await typed.type("sh -c \"echo sl''eeping; exec sleep 600\"\r")
        await typed.until("sleeping")
        await typed.type("\x03")
        await typed.type("echo go''ing on\r")
        await typed.until("going on")
        await typed.control(type="resize", columns=120, rows=40)
        await typed.type("while [ $COLUMNS = 100 ]; do sleep 0.1; done; stty size; echo si''zed\r")
        await typed.until("sized")
        assert "40 120" in typed.shown
        await typed.type(f"yes {'x' * 200} | head -c 1500000; echo a l''ot\r")
        await typed.until("a lot")
    async with terminal(codex_client, session) as typed:
        await typed.until("a lot")
        assert MOST_KEPT // 2 < len(typed.shown) <= MOST_KEPT
        await typed.type("while [ $COLUMNS = 120 ]; do sleep 0.1; done; stty size; exit 3\r")
        await typed.until("30 100")
        assert 3 == (await typed.until_ended())["exitCode"]
        with pytest.raises(ConnectionClosed):
            await typed.socket.get_message()
    opened, closed = [
        one
        for one in (await codex_client.get("/api/events", limit=500))["items"]
        if ".terminal." in one["type"]
    ]
    assert ("ada", "workspace-write") == (opened["actor"], opened["data"]["sandbox"])
    assert (session["id"], 3) == (closed["sessionId"], closed["data"]["exitCode"])
    assert "typed.txt" not in json.dumps([opened, closed])


async def test_a_terminal_waits_for_who_comes_back_and_ends_with_their_leave(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (Say.text("Done."),)
    place = await codex_client.register(repository, allowTerminal=True)
    session = await codex_client.run(place, "Go.")
    session = await codex_client.until_session(session, "completed")
    alive = repository / "alive"
    beats = f"while :; do touch {alive}; sleep 0.1; done & echo be''gun\r"

    async def until_dead() -> None:
        with trio.fail_after(30):
            while True:
                alive.unlink(missing_ok=True)
                await trio.sleep(1)
                if not alive.exists():
                    return

    async with codex_client.watch(after=0, sessionId=session["id"]) as stream:
        async with terminal(codex_client, session) as typed:
            await typed.type(beats)
            await typed.until("begun")
        async with terminal(codex_client, session) as typed:
            await typed.until("begun")
            async with terminal(codex_client, session) as elsewhere:
                await elsewhere.until("begun")
                assert "shown elsewhere" in (await typed.until_ended())["reason"]
                await end_of_another(codex_client, session)
                assert "bob ended it." == (await elsewhere.until_ended())["reason"]
        await stream.until("session.terminal.closed")
        await until_dead()
        async with terminal(codex_client, session) as typed:
            await typed.control(type="nonsense")
            with pytest.raises(ConnectionClosed) as closed:
                await typed.until_ended()
                await typed.socket.get_message()
            assert closed.value.reason is not None
            assert 1003 == closed.value.reason.code
        device = await codex_client.post("/api/devices", PHONE, status=201)
        async with client_of(codex_client.server, token=device["token"]) as phone:
            async with terminal(phone, session) as typed:
                await typed.type(beats)
                await typed.until("begun")
            await codex_client.http.delete(f"/api/devices/{device['id']}")
            ended = await stream.until("session.terminal.closed")
            assert "access of its device" in ended["data"]["reason"]
        await until_dead()
        async with terminal(codex_client, session) as typed:
            await codex_client.patch(f"/api/repos/{place['id']}", {"name": "Another"})
            await codex_client.patch(f"/api/repos/{place['id']}", {"requireWorktree": True})
            assert "allows has changed" in (await typed.until_ended())["reason"]
    opened = [
        one
        for one in (await codex_client.get("/api/events", limit=500))["items"]
        if one["type"] == "session.terminal.opened"
    ]
    named = 'device:1 "Phone"'
    assert ["ada"] * len(opened) == [one["actor"] for one in opened]
    assert [named] == [one["device"] for one in opened if "device" in one]
    assert "requires a worktree" in await refusal(codex_client, session)


async def test_a_terminal_that_ends_as_it_begins_ends_once_the_sandbox_holds_it(
    tmp_path: Path,
    codex_binary: Path,
    codex_home: Path,
    scripted_model: ScriptedModel,
    repository: Path,
) -> None:
    began, held = tmp_path / "began", tmp_path / "held"
    slow = tmp_path / "slow-codex"
    slow.write_text(
        "#!/bin/sh\n"
        f'if [ "$1" = sandbox ]; then echo waits; touch {began}; sleep 4; touch {held}; fi\n'
        f'exec {codex_binary} "$@"\n'
    )
    slow.chmod(0o700)
    settings = {"CC_CODEX_COMMAND": str(slow), "CODEX_HOME": str(codex_home)}
    scripted_model.script = (Say.text("Done."),)
    server = Server(tmp_path / "data", settings).start()
    try:
        async with client_of(server) as client, client.watch(after=0) as stream:
            place = await client.register(repository, allowTerminal=True)
            session = await client.run(place, "Go.")
            session = await client.until_session(session, "completed")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(shown_its_end, client, session)
                with trio.fail_after(30):
                    while not began.exists():  # noqa: ASYNC110 - a program makes it
                        await trio.sleep(0.01)
                (one,) = (await client.get("/api/terminals"))["items"]
                assert (one["isSeen"], held.exists()) == (False, False)
                await client.http.delete(f"/api/terminals/{one['id']}")
                await stream.until("session.terminal.closed")
                assert held.exists()
            async with terminal(client, session) as typed:
                assert b"" == await typed.socket.get_message()
                await typed.type("echo sh''own\r")
                await typed.until("shown")
                assert "waits" not in typed.shown
                await typed.control(type="end")
                await typed.until_ended()
    finally:
        server.end()


async def shown_its_end(client: Client, session: Any) -> None:
    """Open a terminal that somebody ends meanwhile."""
    async with terminal(client, session) as typed:
        assert {"exitCode": None, "reason": "api ended it."} == await typed.until_ended()


async def end_of_another(client: Client, session: Any) -> None:
    """End the only terminal that is open, which nobody's device has."""
    (one,) = (await client.get("/api/terminals"))["items"]
    assert (session["id"], None, True) == (one["sessionId"], one["deviceId"], one["isSeen"])
    path = f"/api/terminals/{one['id']}"
    left = await client.http.delete(path, params={"requestedBy": "bob"})
    assert (200, []) == (left.status_code, left.json()["items"])
    assert 404 == (await client.http.delete("/api/terminals/none")).status_code


async def refusal(client: Client, session: Any) -> str:
    """The reason for which a session has no terminal."""
    answer = await client.http.get(f"/api/sessions/{session['id']}/terminal", headers=HANDSHAKE)
    assert 409 == answer.status_code, answer.text
    return answer.text


async def test_a_terminal_is_opened_in_no_other_folder_and_in_no_session_that_was_not_let_in(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (Say.text("Done."),)
    place = await codex_client.register(repository, allowTerminal=True)
    async with codex_client.watch() as stream:
        session = await codex_client.run(place, "Go.", workplace="worktree")
        await stream.until("worktree.removed")  # by itself, as nothing was changed in it
    session = await codex_client.until_session(session, "completed")
    kept = Path(session["cwd"])
    assert (False, True) == (kept.exists(), kept != repository)
    assert "is not there any more" in await refusal(codex_client, session)
    kept.symlink_to(repository)
    assert "is not there any more" in await refusal(codex_client, session)
    path = f"/api/repos/{place['id']}/worktrees"
    made = (await codex_client.post(path, {"branchName": "work"}, status=201))["path"]
    session = await codex_client.run(place, "Go.", worktreePath=made, sandbox="read-only")
    await codex_client.until_session(session, "completed")
    async with terminal(codex_client, session) as typed:
        await typed.type("pwd; cat ../../../*.key && echo re''ad; touch new || echo un''written\r")
        await typed.until("unwritten")
        assert (True, False) == (made in typed.shown, "read\r" in typed.shown)
        gone = await codex_client.http.request("DELETE", path, params={"path": made})
        assert 200 == gone.status_code, gone.text
        assert "allows has changed" in (await typed.until_ended())["reason"]
    task = await codex_client.task(place, "Ask first.", approvalRequired=True)
    asked = await codex_client.post(f"/api/tasks/{task['id']}/run", {}, status=202)
    assert "blocked" == asked["session"]["status"]
    assert "it is blocked" in await refusal(codex_client, asked["session"])
    await codex_client.post(f"/api/sessions/{asked['session']['id']}/stop", {})
    await codex_client.until_session(asked["session"], "stopped")
    assert "it is stopped" in await refusal(codex_client, asked["session"])
