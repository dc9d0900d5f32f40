"""`tui`: what waits on a person, decided by key, in a small terminal."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Static
from textual.widgets.option_list import Option

from command_center.http.cli.client import screens, tui
from command_center.http.cli.client.screens import ThingScreen
from command_center.http.cli.client.tui import TerminalDesk, Things
from command_center_client.connection import CommandCenter
from tests.codex.script import Gate, Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Server
from tests.http.cli.client.fixtures import Person, person
from tests.http.cli.client.test_run import Terminal, terminals, typed

__all__ = ["person", "terminals"]

HOSTILE = "May I?\x1b]0;own\x07 [bold red]markup[/]"


def asked(server: Server, title: str = HOSTILE, **fields: object) -> int:
    body = {"title": title, **fields}
    answer = httpx.post(f"{server.url}/api/approvals", json=body, trust_env=False)
    number: int = answer.json()["id"]
    return number


def status_of(server: Server, number: int) -> str:
    found = httpx.get(f"{server.url}/api/approvals/{number}", trust_env=False).json()
    status: str = found["status"]
    return status


def reject(server: Server, number: int) -> None:
    path = f"{server.url}/api/approvals/{number}/resolve"
    httpx.post(path, json={"status": "rejected"}, trust_env=False)


async def until(pilot: Pilot[Any], is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():
            await pilot.pause(0.02)


def footer_of(desk: TerminalDesk) -> str:
    return str(desk.screen.query_one("#asked", Static).content)


def test_two_keys_decide_what_was_read_to_its_end(  # noqa: PLR0915 - one long story
    stub_server: Server,
) -> None:
    number = asked(stub_server)
    hidden = asked(stub_server, "Just make", details={"command": "make" + "\n" * 60 + "rm -rf ~"})
    center = CommandCenter(stub_server.url)

    async def use() -> None:
        desk = TerminalDesk(center)
        async with desk.run_test(size=(80, 24)) as pilot:
            waiting = desk.query_one("#approvals", Things)

            def rows() -> dict[str | None, str]:
                return {option.id: str(option.prompt) for option in waiting.options}

            async def show(shown: int) -> None:
                await until(pilot, lambda: str(shown) in rows())
                waiting.focus()
                waiting.highlighted = [*rows()].index(str(shown))
                await pilot.press("enter")
                await until(pilot, lambda: isinstance(desk.screen, ThingScreen))
                await until(pilot, lambda: "[Esc] Back" in footer_of(desk))

            await until(pilot, lambda: str(number) in rows())
            assert r"May I?\x1b]0;own\x07 [bold red]markup[/]" in rows()[str(number)]
            assert "Needs you: " in str(waiting.border_title)
            await show(number)
            await pilot.press("y", "a", "x", "y")  # a yes counts only right after what it is to
            assert isinstance(desk.screen, ThingScreen)
            assert "pending" == status_of(stub_server, number)
            await pilot.press("a")
            assert "Approve: really? Press y." == footer_of(desk)
            await pilot.press("y")
            await until(pilot, lambda: str(number) not in rows())
            assert "approved" == status_of(stub_server, number)

            # What stands below the terminal's edge is read before it is approved.
            await show(hidden)
            assert "[PgDn] More" in footer_of(desk)
            await pilot.press("a")
            assert "read it to its end first" in footer_of(desk)
            await pilot.press("y")
            assert isinstance(desk.screen, ThingScreen)
            await pilot.press("end")
            await until(pilot, lambda: "More" not in footer_of(desk))
            await pilot.press("a", "home")  # who looks up again has not said yes
            await until(pilot, lambda: "More" in footer_of(desk))
            await pilot.press("y")
            assert isinstance(desk.screen, ThingScreen)
            await pilot.press("a", "y")
            await until(pilot, lambda: str(hidden) not in rows())
            assert "approved" == status_of(stub_server, hidden)

            # What somebody else decides goes away, also from in front of a person.
            other = asked(stub_server, "Another?")
            await show(other)
            reject(stub_server, other)
            await until(pilot, lambda: not isinstance(desk.screen, ThingScreen))
            # The key may come before the list knows.
            gone = Option("gone", id=str(other))
            waiting.post_message(Things.OptionSelected(waiting, gone, 0))
            await pilot.pause()
            assert 1 == len(desk.screen_stack)
            await pilot.press("q")
        assert desk.failure is None

    asyncio.run(use())


def test_an_approval_that_is_read_stays_while_nobody_has_decided(
    stub_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tui, "MOST", 1)
    read = asked(stub_server, "Read me")

    async def use() -> None:
        desk = TerminalDesk(CommandCenter(stub_server.url))
        async with desk.run_test(size=(80, 24)) as pilot:
            waiting = desk.query_one("#approvals", Things)

            def rows() -> list[str | None]:
                return [option.id for option in waiting.options]

            await until(pilot, lambda: rows() == [str(read)])
            waiting.focus()
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(desk.screen, ThingScreen))
            newer = asked(stub_server, "Newer")
            await until(pilot, lambda: rows() == [str(newer)])
            assert isinstance(desk.screen, ThingScreen)
            reject(stub_server, read)
            await until(pilot, lambda: not isinstance(desk.screen, ThingScreen))
            await pilot.press("q")

    asyncio.run(use())


def test_a_long_story_keeps_its_newest_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens, "MOST_PARTS", 3)

    async def use() -> None:
        async with App[None]().run_test(size=(80, 24)) as pilot:
            screen = ThingScreen("Session 1", "What it is", {})
            await pilot.app.push_screen(screen)
            for number in range(6):
                screen.add(f"part {number}")
                await pilot.pause()
            shown = [
                str(part.visual) for part in screen.query("VerticalScroll Static").results(Static)
            ]
            assert ["What it is", "part 3", "part 4", "part 5"] == shown

    asyncio.run(use())


def test_a_session_is_read_as_it_goes_on(
    codex_server: Server, scripted_model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Run("echo one"), Say.text("Wait", gate, " for [bold]it[/]."))
    person = Person(codex_server.url, tmp_path / "home")
    person.sees("run", "Slowly.", "--detach", "--register", "--repo", str(repository))
    gate.wait_until_reached()

    async def use() -> None:
        desk = TerminalDesk(CommandCenter(codex_server.url))
        async with desk.run_test(size=(80, 24)) as pilot:
            sessions = desk.query_one("#sessions", Things)
            await until(pilot, lambda: sessions.option_count == 1)
            sessions.focus()
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(desk.screen, ThingScreen))

            def shown() -> str:
                return "\n".join(str(part.visual) for part in desk.screen.query(Static))

            await until(pilot, lambda: "echo one" in shown())
            assert "Stop" in footer_of(desk)
            assert "for [bold]it[/]." not in shown()
            gate.open()
            await until(pilot, lambda: "for [bold]it[/]." in shown())
            await until(pilot, lambda: "Stop" not in footer_of(desk))
            assert "completed" in shown()
            assert 1 == shown().count("echo one")
            await pilot.press("escape", "q")

    asyncio.run(use())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
def test_it_is_used_in_a_real_terminal_and_needs_one(
    stub_server: Server, person: Person, terminals: list[Terminal]
) -> None:
    number = asked(stub_server, "Shall it be?")
    shell = typed(terminals, person, "tui", LINES="24")
    shell.until("Shall it be?")
    shell.type_keys("\r")
    shell.until("Reject")
    shell.type_keys("r")
    shell.until("Press")
    shell.type_keys("y")
    shell.until(f"Approval {number} is rejected.")
    shell.type_keys("q")
    assert 0 == shell.end()
    assert "\x1b[?1049l" in shell.shown  # the terminal is as it was
    assert "rejected" == status_of(stub_server, number)
    assert "needs a terminal" in person.is_told(2, "tui")
    shell = typed(terminals, person, "tui", TERM="dumb")
    assert 2 == shell.end()
    assert "can only print lines" in shell.shown

    # Who is let in no more is told so, and sees nothing old.
    devices = f"{stub_server.url}/api/devices"
    body = {"name": "A terminal", "scopes": ["read"]}
    device = httpx.post(devices, json=body, trust_env=False).json()
    shell = typed(terminals, person, "tui", LINES="24", CC_TOKEN=device["token"])
    shell.until("Needs you:")
    httpx.delete(f"{devices}/{device['id']}", trust_env=False)
    assert 1 == shell.end()
    assert "The token is wrong." in shell.shown.rpartition("\x1b[?1049l")[2]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
@pytest.mark.usefixtures("stub_server")
def test_it_ends_with_its_terminal_also_where_no_signal_says_so(
    person: Person, terminals: list[Terminal]
) -> None:
    shell = typed(terminals, person, "tui", LINES="24")
    shell.until("Needs you")
    os.close(shell.master)
    terminals.remove(shell)
    try:
        assert 129 == shell.process.wait(20)
    finally:
        shell.process.kill()
        shell.process.wait()
