"""A hundred old leaders wake at once, and none of them acknowledges anything."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest
import trio

from command_center.actors.cluster.stream_log import StreamLog, from_thread
from command_center.store import NotReplicated, Writer, open_database
from command_center.store.replication.page_sender import PageSender
from tests.nats_servers import ON_LINUX, three_keeping
from tests.store.units import add_task

pytestmark = [ON_LINUX, pytest.mark.chaos, pytest.mark.timeout(900)]

LEADERS = 100


async def test_of_a_hundred_old_leaders_none_acknowledges_anything(tmp_path: Path) -> None:
    first = tmp_path / "first"
    open_database(first).close()
    token = trio.lowlevel.current_trio_token()
    limiter = trio.CapacityLimiter(LEADERS)
    awake, led, late = trio.Event(), trio.Semaphore(0), []

    def lead(number: int, log: StreamLog) -> None:
        """Commit as the leader, sleep while others lead, and commit again."""
        path = tmp_path / f"leader-{number}"
        shutil.copy(first, path)
        sender = PageSender(path, from_thread(log, token), commit=0, limit=200_000)
        with closing(Writer(path, is_checked=True, replica=sender)) as writer:
            writer.commit([add_task])
            trio.from_thread.run_sync(led.release, trio_token=token)
            trio.from_thread.run(awake.wait, trio_token=token)
            try:
                writer.commit([add_task])
            except NotReplicated:
                return
            late.append(number)

    async with three_keeping(tmp_path / "nats", "pages") as (_, jetstream):
        async with trio.open_nursery() as leaders:
            for number in range(LEADERS):
                last = (await jetstream.stream_info("pages")).state.last_seq
                log = StreamLog(jetstream, "pages", "pages.all", last=last)
                await log.publish(b"claim", subject="pages.lead")

                async def run(number: int = number, log: StreamLog = log) -> None:
                    await trio.to_thread.run_sync(lead, number, log, limiter=limiter)

                leaders.start_soon(run)
                await led.acquire()
            last = (await jetstream.stream_info("pages")).state.last_seq
            await jetstream.publish("pages.lead", b"the last claim", expect_last=last)
            awake.set()
        assert [] == late
        assert last + 1 == (await jetstream.stream_info("pages")).state.last_seq
