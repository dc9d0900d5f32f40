"""A shell goes on while somebody looks, and for a while after that."""

from __future__ import annotations

import math

import trio
from trio.testing import MockClock

from command_center.actors.codex.requests import shell_mark
from command_center.actors.contracts.shells import ShellEnded, ShellNews, ShellSize
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
    assert b"" == await news.receive()
    shell.is_used = True
    news.close()
    shell.wrote(shell_mark(shell.id) + b"to nobody")
    assert (None, LINGER_SECONDS) == (shell.outlet, shell.scope.deadline)
    assert "Nobody has looked" in shell.reason
    outlet, news = trio.open_memory_channel[ShellNews](2)
    shell.show(outlet)
    assert (b"to nobody", "It was closed.") == (await news.receive(), shell.reason)
    shell.end("Its repository has changed.")
    shell.hide()  # who looked leaves before it has ended
    assert "Its repository has changed." == shell.reason


async def test_what_is_written_before_a_shell_says_that_it_is_there_is_not_its_own() -> None:
    shell = make_shell()
    mark = shell_mark(shell.id)
    for piece in (b"\x1b[33mWARNING: no\r\n", b"aliases\x1b_another\x1b\\", mark[:5]):
        shell.wrote(piece)
        assert not shell.begun.is_set()
    shell.wrote(mark[5:] + b"first")
    assert shell.begun.is_set()
    assert "[33mWARNING: no aliases_another\\" == shell.said()
    outlet, news = trio.open_memory_channel[ShellNews](5)
    shell.show(outlet)
    shell.wrote(mark)
    assert [b"", b"first", mark] == [await news.receive() for _ in range(3)]


async def test_a_shell_of_whose_output_some_is_lost_as_it_begins_counts_as_begun() -> None:
    shell = make_shell()
    shell.wrote(b"\r\n")
    assert not shell.has_begun_unheard()  # nothing is lost: the sandbox is late
    shell.lose()
    shell.wrote(b"$ ")
    assert shell.has_begun_unheard()
    outlet, news = trio.open_memory_channel[ShellNews](5)
    shell.show(outlet)
    assert [b"", b"\r\n$ "] == [await news.receive() for _ in range(2)]


async def test_who_comes_as_a_shell_ends_is_shown_its_end_alone() -> None:
    shell = make_shell()
    shell.wrote(shell_mark(shell.id) + b"secret")
    shell.end("It was revoked.")
    outlet, news = trio.open_memory_channel[ShellNews](5)
    shell.show_end(outlet)
    assert [b"", ShellEnded(None, "It was revoked.")] == [each async for each in news]


async def test_what_a_shell_shows_again_comes_in_one_piece_and_alone() -> None:
    shell = make_shell()
    shell.wrote(shell_mark(shell.id))
    outlet, news = trio.open_memory_channel[ShellNews](5)
    shell.show(outlet)
    shell.wrote(b"one")
    shell.wrote(b"two")
    again, shown = trio.open_memory_channel[ShellNews](5)
    shell.show(again)
    shell.wrote(b"three")
    assert [b"", b"one", b"two"] == [await news.receive() for _ in range(3)]
    assert [b"onetwo", b"three"] == [await shown.receive() for _ in range(2)]
