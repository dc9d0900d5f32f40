"""Centres of a cluster in one process, each with a folder of its own and a writer that leads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import trio

from command_center.actors.cluster.leadership import Leadership
from command_center.actors.cluster.membership import Membership, open_membership
from command_center.actors.cluster.settings import ClusterSettings
from command_center.actors.cluster.view import ClusterView
from command_center.store import DataFolderLock, Unit, Writer, take_claim
from command_center.store.backups.contents import DATABASE
from command_center.store.database.opening import registered_names
from tests.nats_servers import NatsServer, options_of

KEY = bytes(range(32))


def settings_of(folder: Path, *servers: NatsServer, **more: Any) -> ClusterSettings:
    """Return the settings of a centre that is soon impatient, though not on a busy machine."""
    quick: dict[str, Any] = {"silence": 2.0, "grace": 1.0, "beat": 0.3}
    return ClusterSettings(
        **{
            "nats": options_of(*servers, backoff=0.02),
            "name": "test",
            "key": KEY,
            "data_dir": folder,
            "database": folder / DATABASE,
            "url": f"http://{folder.name}.example",
            "version": "1",
            "steps": frozenset(registered_names()),
            "allows_single": True,
            **quick,
            **more,
        }
    )


@attrs.define
class Centre:
    """A centre: its membership, why it was deposed, and the writer while it leads."""

    settings: ClusterSettings
    membership: Membership
    deposed: list[str]
    leadership: Leadership | None = None

    async def lead(self) -> Leadership:
        """Wait until it leads."""
        with trio.fail_after(30):
            self.leadership = await self.membership.leadership()
        return self.leadership

    async def write(self, *batches: Sequence[Unit[object]]) -> int:
        """Take the claim, write the batches one by one, and close; return how many were kept."""
        assert self.leadership is not None
        return await trio.to_thread.run_sync(partial(self._write, self.leadership, batches))

    def _write(self, leadership: Leadership, batches: Sequence[Sequence[Unit[object]]]) -> int:
        with DataFolderLock(self.settings.data_dir) as lock:
            claim = take_claim(leadership.database, lock, replica=leadership.replica())
            writer = Writer(
                leadership.database, is_checked=True, claim=claim, replica=leadership.replica()
            )
            with closing(writer):
                for batch in batches:
                    writer.commit(batch)
        return len(batches)

    async def until(self, holds: Callable[[Centre], bool]) -> None:
        """Wait until something holds."""
        with trio.fail_after(30):
            while not holds(self):  # noqa: ASYNC110 - nothing tells of it
                await trio.sleep(0.02)


@asynccontextmanager
async def centre(settings: ClusterSettings) -> AsyncIterator[Centre]:
    """Run a centre; left by an exception it ends without a word, as a killed one."""
    deposed: list[str] = []
    view = ClusterView()
    async with open_membership(settings, view, on_deposed=deposed.append) as membership:
        yield Centre(settings, membership, deposed)
