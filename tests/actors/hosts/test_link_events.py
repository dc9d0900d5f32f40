"""The word that a link is there."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any, cast

import attrs
import trio
import trio.testing

from command_center.actors.contracts.events.hosts import HostRefused
from command_center.actors.hosts.link.channels import Channels
from command_center.actors.hosts.link.events import LinkEvents
from command_center.actors.hosts.link.standing import Standing
from command_center.runtime import Actor, ChildSpec
from command_center.store import EventData, Transaction, orphaned_turns
from tests.actors.rows import insert_repository, insert_session, insert_task, rig

WAITED_FOR = (
    "SELECT s.host FROM stray_turns t JOIN sessions s ON s.id = t.session_id "
    "WHERE t.abandoned_at IS NULL"
)


class Keeper(Actor):
    """Keeps no link: it only lends its context."""


async def test_a_turn_that_was_given_up_is_waited_for_before_its_host_is_there_again(
    tmp_path: Path,
) -> None:
    keeper = Keeper()
    async with rig(tmp_path / "db", ChildSpec("link", lambda: keeper)) as found:

        def insert(tx: Transaction) -> None:
            for host in ("box", "other"):
                task = insert_task(tx, insert_repository(tx, local_path=f"/srv/{host}", host=host))
                session = insert_session(tx, task, status="interrupted", host=host)
                orphaned_turns.note(tx, session.id)
                orphaned_turns.abandon(tx, session.id)

        await found.storage.write(insert)
        waited_for: list[str] = []

        class Noting(Standing):
            """Reads what others wait for as the host becomes there."""

            def connected(self, link: Channels) -> None:
                """Read it."""
                with contextlib.closing(sqlite3.connect(tmp_path / "db")) as db:
                    waited_for.extend(host for (host,) in db.execute(WAITED_FOR))
                super().connected(link)

        stream, _ = trio.testing.memory_stream_pair()
        standing = Noting("box")
        events = LinkEvents(found.storage, standing, keeper.ctx)
        await events.connected(Channels(stream, stream))
        assert (["box"], None) == (waited_for, standing.absence)


@attrs.define
class Telling(LinkEvents):
    """Notes what would be told."""

    reasons: list[str] = attrs.field(factory=list)

    async def tell(self, event: EventData) -> None:
        """Note it."""
        assert isinstance(event, HostRefused)
        self.reasons.append(event.reason)


async def test_answers_that_make_no_sense_are_told_of_once_an_hour(
    autojump_clock: trio.testing.MockClock,
) -> None:
    standing = Standing("box")
    events = Telling(cast("Any", None), standing, cast("Any", None))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(events.tell_misread)
        for count in range(100):
            standing.misread(f"Answer {count} made no sense.")
            await trio.sleep(1)
        assert ["Answer 0 made no sense."] == events.reasons
        await trio.sleep(3600)
        assert ["Answer 0 made no sense.", "Answer 99 made no sense."] == events.reasons
        nursery.cancel_scope.cancel()
