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
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from command_center.http.cli.client.tui import DecisionScreen, TerminalDesk
from command_center_client.connection import CommandCenter
from tests.end_to_end.server import Server
from tests.http.cli.client.fixtures import Person, person
from tests.http.cli.client.test_run import Terminal, terminals, typed

__all__ = ["person", "terminals"]

HOSTILE = "May I?\x1b]0;own\x07 [bold red]markup[/]"


def asked(server: Server, title: str = HOSTILE) -> int:
    answer = httpx.post(f"{server.url}/api/approvals", json={"title": title}, trust_env=False)
    number: int = answer.json()["id"]
    return number


def status_of(server: Server, number: int) -> str:
    found = httpx.get(f"{server.url}/api/approvals/{number}", trust_env=False).json()
    status: str = found["status"]
    return status


async def until(pilot: Pilot[Any], is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():
            await pilot.pause(0.02)


def test_two_keys_decide_and_one_does_not(stub_server: Server) -> None:
    number = asked(stub_server)
    center = CommandCenter(stub_server.url)

    def reject(other: int) -> None:
        path = f"{stub_server.url}/api/approvals/{other}/resolve"
        httpx.post(path, json={"status": "rejected"}, trust_env=False)

    async def use() -> None:
        desk = TerminalDesk(center)
        async with desk.run_test(size=(80, 24)) as pilot:
            waiting = desk.query_one("#approvals", OptionList)

            def named() -> list[str]:
                return [str(option.prompt) for option in waiting.options]

            def is_waiting() -> bool:
                return any(option.id == str(number) for option in waiting.options)

            await until(pilot, is_waiting)
            (shown,) = (name for name in named() if name.split()[0] == str(number))
            assert r"May I?\x1b]0;own\x07 [bold red]markup[/]" in shown
            waiting.focus()
            waiting.highlighted = [option.id for option in waiting.options].index(str(number))
            await pilot.press("enter")
            assert isinstance(desk.screen, DecisionScreen)
            await pilot.press("y", "a", "x", "y")  # a yes counts only right after what it is to
            assert isinstance(desk.screen, DecisionScreen)
            assert "pending" == status_of(stub_server, number)
            await pilot.press("a")
            said = desk.screen.query_one("#asked", Static)
            assert "Approve: really? Press y." == str(said.content)
            await pilot.press("y")
            await until(pilot, lambda: not is_waiting())
            assert "approved" == status_of(stub_server, number)

            # What somebody else decides goes away, also from in front of a person.
            other = asked(stub_server, "Another?")
            await until(pilot, lambda: any(o.id == str(other) for o in waiting.options))
            waiting.highlighted = [option.id for option in waiting.options].index(str(other))
            await pilot.press("enter")
            assert isinstance(desk.screen, DecisionScreen)
            reject(other)
            await until(pilot, lambda: not isinstance(desk.screen, DecisionScreen))
            await pilot.press("q")

    asyncio.run(use())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
def test_it_is_used_in_a_real_terminal_and_needs_one(
    stub_server: Server, person: Person, tmp_path: Path, terminals: list[Terminal]
) -> None:
    del tmp_path
    number = asked(stub_server, "Shall it be?")
    shell = typed(terminals, person, "tui", LINES="24")
    shell.until("Shall it be?")
    shell.type_keys("\r")
    shell.until("[r]")
    shell.type_keys("r")
    shell.until("Press")
    shell.type_keys("y")
    shell.until(f"Approval {number} is rejected.")
    shell.type_keys("q")
    assert 0 == shell.end()
    assert "\x1b[?1049l" in shell.shown  # the terminal is as it was
    assert "rejected" == status_of(stub_server, number)
    assert "needs a terminal" in person.is_told(2, "tui")


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
