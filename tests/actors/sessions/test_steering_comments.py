"""Comments that are said to the running turn: once, and open again where it did not hear them."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest
import trio

from command_center.actors.codex.messages import Call
from command_center.actors.contracts.comments import SentComments, SteerComments
from command_center.actors.rules.errors import Conflict
from command_center.actors.sessions.steering import steer_id
from command_center.runtime import ActorCrashed, ActorStopped
from command_center.store import Comment, Transaction, comments, sessions
from tests.actors.sessions.live import Live, live_session


async def comment(live: Live, line: int = 1) -> Comment:
    def write(tx: Transaction) -> Comment:
        task_id = sessions.get(tx.db, 1).task_id
        return comments.insert(
            tx,
            task_id=task_id,
            session_id=1,
            path="a.py",
            side="after",
            line=line,
            end_line=line,
            text=f"Say more in {line}.",
            quote="x = 1",
            requested_by="ada",
        )

    return await live.rig.storage.write(write)


async def statuses(live: Live) -> list[str]:
    found = await live.rig.storage.read(lambda db: comments.every(db, {"session_id": 1}))
    return [comment.status for comment in found]


async def test_all_open_comments_are_said_to_the_turn_as_one_message(tmp_path: Path) -> None:
    async with live_session(tmp_path / "db") as live:
        await comment(live, 2)
        await comment(live, 1)
        sent: SentComments = await live.ref.ask(SteerComments(requested_by="ada"))
        (call,) = [
            asked
            for asked in live.bridge.asked
            if isinstance(asked, Call) and asked.method == "turn/steer"
        ]
        text = call.params["input"][0]["text"]
        assert text.index("a.py, line 1:\n> x = 1\n\nSay more in 1.") < text.index("a.py, line 2:")
        assert ([1, 1], None) == ([c.sent_session_id for c in sent.comments], sent.followup)
        assert ["sent", "sent"] == await statuses(live)
        with pytest.raises(Conflict, match="No comment is open"):
            await live.ref.ask(SteerComments())
        (told,) = await live.events("session.comments.")
        assert {"commentIds": [2, 1], "how": "steer"} == told["data"]


async def test_comments_that_the_turn_refuses_are_open_again(tmp_path: Path) -> None:
    async with live_session(tmp_path / "db") as live:

        def refuse(_: object) -> NoReturn:
            raise Conflict("The turn takes nothing now.")

        live.bridge.replies["turn/steer"] = refuse
        await comment(live)
        with pytest.raises(Conflict, match="takes nothing"):
            await live.ref.ask(SteerComments())
        assert ["open"] == await statuses(live)
        told = [event["type"] for event in await live.events("session.comments.")]
        assert ["session.comments.sent", "session.comments.reopened"] == told


@pytest.mark.parametrize("heard", [True, False])
async def test_comments_that_a_crash_cut_off_are_sent_only_if_the_turn_heard_them(
    tmp_path: Path, *, heard: bool
) -> None:
    async with live_session(tmp_path / "db") as live:
        live.bridge.gate("turn/steer")
        await comment(live)
        async with trio.open_nursery() as nursery:

            async def steer() -> None:
                with pytest.raises((ActorStopped, ActorCrashed)):
                    await live.ref.ask(SteerComments())

            nursery.start_soon(steer)
            await live.bridge.until_called("turn/steer")
            await live.rig.system.restart(live.ref.path, reason="a test")
        if heard:
            asked = (await live.events("session.steer."))[0]
            said = {"id": "m", "type": "userMessage", "clientId": steer_id(1, asked["id"])}
            await live.notify("item/completed", item=said)
        await live.complete()
        await live.gone()
        assert ["sent" if heard else "open"] == await statuses(live)
