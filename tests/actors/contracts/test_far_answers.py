"""Work that another machine's answer breaks."""

from __future__ import annotations

import pytest
import trio

from command_center.actors.contracts.far_answers import HostMisread, contained, note_asked, spared
from command_center.actors.rules.errors import Conflict


async def broken(*hosts: str) -> None:
    """Ask hosts, each in a task of its own, and fail."""
    async with trio.open_nursery() as nursery:
        for host in hosts:

            async def ask(host: str = host) -> None:
                await trio.lowlevel.checkpoint()
                note_asked(host)

            nursery.start_soon(ask)
    raise KeyError("data")


async def refusing() -> None:
    note_asked("box")
    raise Conflict("No.")


async def test_work_that_has_asked_another_machine_is_refused_where_it_fails() -> None:
    with pytest.raises(HostMisread, match="The answer of host a, box could not be made sense of"):
        await contained(broken)("box", "a")
    await spared(broken, "box")


async def test_work_of_this_machine_alone_fails_as_ever_and_refusals_are_passed_on() -> None:
    with pytest.raises(KeyError):
        await contained(broken)()
    with pytest.raises(KeyError):
        await spared(broken)
    with pytest.raises(Conflict):
        await contained(refusing)()
