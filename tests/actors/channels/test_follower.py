"""The follower hands each notice to its channel once, whatever ends in between."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import trio

from command_center.actors.channels.follower import Follower
from command_center.actors.channels.notices import (
    ApprovalAsked,
    ApprovalSettledBySomebody,
    Notice,
)
from command_center.actors.contracts.addresses import APPROVALS
from command_center.actors.contracts.approvals import Resolution, ResolveApproval
from command_center.runtime import ActorRef, ChildSpec
from command_center.store import Transaction
from tests.actors.telegram.rig import Rig, rig


@attrs.define
class Notebook:
    """A channel that notes what it is told; nothing is sent."""

    mark: str = "notebook"
    told: list[Notice] = attrs.field(factory=list)
    begun: int = 0
    news: trio.Event = attrs.field(factory=trio.Event)

    def begin(self, _tx: Transaction, /) -> None:
        self.begun += 1

    def tell(self, _tx: Transaction, notice: Notice, /) -> None:
        self.told.append(notice)

    def wake(self, _find: Callable[[str], ActorRef[Any] | None], /) -> None:
        self.news.set()

    async def until(self, count: int) -> list[Notice]:
        with trio.fail_after(30):
            while len(self.told) < count:
                self.news = trio.Event()
                await self.news.wait()
        return self.told


async def follow(r: Rig, notebook: Notebook) -> None:
    """Start a follower beside Telegram's own."""
    start = partial(Follower, notebook, r.center.storage, r.center.fanout)
    await r.center.system.start_child("/telegram", ChildSpec(id="notebook", start=start))


async def test_a_second_channel_is_told_what_is_pending_and_then_what_happens(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as r:
        first = await r.ask("Already there")
        notebook = Notebook()
        await follow(r, notebook)
        assert [ApprovalAsked(first)] == await notebook.until(1)
        second = await r.ask("New")
        assert [ApprovalAsked(first), ApprovalAsked(second)] == await notebook.until(2)


async def test_what_was_told_is_not_told_again_after_a_restart_and_what_was_missed_is(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as r:
        notebook = Notebook()
        await follow(r, notebook)
        asked = await r.ask("Told")
        await notebook.until(1)
        await r.center.system.stop_child("/telegram/notebook", reason="test")
        decision = Resolution(status="approved", resolved_by="me")
        await r.center.ask(APPROVALS, ResolveApproval(asked.id, decision))
        again = Notebook()
        await follow(r, again)
        (notice,) = await again.until(1)
        assert isinstance(notice, ApprovalSettledBySomebody)
        assert "approved" == notice.approval.status
        assert 1 == again.begun
