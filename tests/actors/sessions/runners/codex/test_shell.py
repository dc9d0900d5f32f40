"""A shell goes on while somebody looks, and for a while after that."""

from __future__ import annotations

import math

import trio
from trio.testing import MockClock

from command_center.actors.contracts.shells import ShellNews, ShellSize
from command_center.actors.sessions.runners.codex.shell import (
    LINGER_SECONDS,
    UNUSED_SECONDS,
    Shell,
)


def make_shell() -> Shell:
    return Shell(device_id=None, actor="ada", size=ShellSize(80, 24))


async def test_a_shell_that_nobody_came_to_see_ends_by_itself(autojump_clock: MockClock) -> None:
    shell = make_shell()
    shell.begin()
    outlet, news = trio.open_memory_channel[ShellNews](1)
    news.close()  # its connection has ended while it was opened
    shell.show(outlet)
    assert [None] == [shell.outlet]
    outlet, news = trio.open_memory_channel[ShellNews](1)
    shell.show(outlet)  # the next one leaves before they have typed
    assert outlet is shell.outlet
    shell.hide()
    with shell.scope:
        await trio.sleep_forever()
    assert UNUSED_SECONDS == trio.current_time()
    assert "left before anything was typed" in shell.reason


async def test_a_shell_waits_for_who_has_left_without_a_word(autojump_clock: MockClock) -> None:
    shell = make_shell()
    shell.begin()
    outlet, news = trio.open_memory_channel[ShellNews](1)
    shell.show(outlet)
    assert math.inf == shell.scope.deadline
    shell.is_used = True
    news.close()
    shell.wrote(b"to nobody")
    assert (None, LINGER_SECONDS) == (shell.outlet, shell.scope.deadline)
    assert "Nobody has looked" in shell.reason
    outlet, news = trio.open_memory_channel[ShellNews](2)
    shell.show(outlet)
    assert (b"to nobody", "It was closed.") == (await news.receive(), shell.reason)
    shell.end("Its repository has changed.")
    shell.hide()  # who looked leaves before it has ended
    assert "Its repository has changed." == shell.reason
