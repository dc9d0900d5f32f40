"""Comments on what a session has changed: the lines that they speak of, and sending them once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from command_center.actors.contracts.addresses import REPOSITORIES
from command_center.actors.contracts.comments import (
    MOST_OPEN,
    CreateComment,
    NewComment,
    PlaceComments,
    PlacedComment,
    SentComments,
)
from command_center.actors.contracts.reviews import QuoteFindings
from command_center.actors.ledger.comments import change_comment, send_comments
from command_center.actors.rules.errors import Conflict, Invalid, NotFound
from command_center.store import Comment, comments, followups, sessions
from tests.actors.git.repository import commit
from tests.actors.repositories.rig import Rig
from tests.actors.repositories.work import Work

CODE = "".join(f"line {number}\n" for number in range(1, 21))


async def say(work: Work, **fields: Any) -> Comment:
    wanted = {"path": "code.py", "line": 5, "text": "Why?", "requested_by": "ada", **fields}
    return await work.rig.ask(CreateComment(work.session.id, NewComment(**wanted)))


async def placed(work: Work) -> PlacedComment:
    found = await work.rig.storage.read(lambda db: comments.every(db, {}))
    return (await work.rig.ask(PlaceComments(work.session.id, found)))[0]


async def quotes(work: Work) -> list[str]:
    found = await work.rig.storage.read(lambda db: comments.every(db, {}))
    return [comment.quote for comment in found]


async def send(work: Work) -> SentComments:
    return await work.rig.storage.write(
        lambda tx: send_comments(tx, work.session.id, actor="ada", approval_seconds=60)
    )


@pytest.fixture
def changed(work: Work) -> Work:
    commit(work.folder, {"code.py": CODE})
    work.write(code_py=CODE.replace("line 5\n", "line five\n"))
    return work


async def test_a_comment_has_the_lines_that_it_speaks_of(changed: Work) -> None:
    comment = await say(changed, line=6, end_line=5)
    assert ("line five\nline 6", 5, 6, "open") == (
        comment.quote,
        comment.line,
        comment.end_line,
        comment.status,
    )
    event = (await changed.rig.events())[-1]
    assert ("session.comment.added", "ada", "Why?") == (
        event["type"],
        event["actor"],
        event["data"]["text"],
    )


async def test_lines_before_the_change_can_be_spoken_of_too(work: Work) -> None:
    (work.folder / "readme.txt").unlink()
    assert "hello" == (await say(work, path="readme.txt", line=1, side="before")).quote
    with pytest.raises(Conflict, match="no such lines after"):
        await say(work, path="readme.txt", line=1)


@pytest.mark.parametrize("line", [21, 10_000_000])
async def test_lines_that_are_not_there_are_refused(changed: Work, line: int) -> None:
    with pytest.raises(Conflict, match="no such lines"):
        await say(changed, line=line)


async def test_what_cannot_be_spoken_of_is_refused(changed: Work) -> None:
    with pytest.raises(NotFound):
        await say(changed, path="source.py")
    with pytest.raises(Invalid):
        await say(changed, path="../code.py")
    with pytest.raises(Invalid):
        await say(changed, text=" \n")
    with pytest.raises(Conflict, match="at most"):
        await say(changed, line=1, end_line=5000)


async def test_a_comment_is_outdated_once_its_lines_have_changed(changed: Work) -> None:
    await say(changed)
    assert (False, 5) == ((await placed(changed)).is_outdated, (await placed(changed)).current_line)
    changed.write(code_py="# new\n" + CODE.replace("line 5\n", "line five\n"))
    assert (False, 6) == ((await placed(changed)).is_outdated, (await placed(changed)).current_line)
    changed.write(code_py=CODE)
    assert (True, None) == (
        (await placed(changed)).is_outdated,
        (await placed(changed)).current_line,
    )
    (changed.folder / "code.py").unlink()
    assert (await placed(changed)).is_outdated


async def test_all_open_comments_begin_the_next_turn_once(changed: Work) -> None:
    await say(changed, line=7, text="And this?")
    await say(changed)
    sent = await send(changed)
    assert (
        "Comments on the changes:\n\ncode.py, line 5:\n> line five\n\nWhy?\n\n"
        "code.py, line 7:\n> line 7\n\nAnd this?"
    ) == sent.session.prompt
    assert ("followup", changed.session.id, None) == (
        sent.session.origin,
        sent.session.previous_session_id,
        sent.followup,
    )
    assert {("sent", sent.session.id)} == {(c.status, c.sent_session_id) for c in sent.comments}
    with pytest.raises(Conflict, match="No comment is open"):
        await send(changed)


async def test_while_a_turn_runs_they_are_one_follow_up_of_it(changed: Work) -> None:
    await say(changed)
    await changed.rig.storage.write(
        lambda tx: sessions.update(
            tx, changed.session.id, status="running", finished_at=None, started_at=tx.now
        )
    )
    sent = await send(changed)
    (followup,) = await changed.rig.storage.read(lambda db: followups.every(db, {}))
    assert (followup, changed.session.id) == (sent.followup, sent.session.id)
    assert "Why?" in followup.message
    assert [followup.id] == [comment.followup_id for comment in sent.comments]


async def test_a_comment_can_be_changed_and_taken_back_until_it_is_sent(changed: Work) -> None:
    storage = changed.rig.storage
    first, second = await say(changed), await say(changed, line=7)
    await storage.write(lambda tx: change_comment(tx, first.id, text="Really?", actor="ada"))
    await storage.write(lambda tx: change_comment(tx, second.id, text=None, actor="ada"))
    assert ["Really?"] == [comment.text for comment in (await send(changed)).comments]
    with pytest.raises(Conflict, match="is sent and"):
        await storage.write(lambda tx: change_comment(tx, first.id, text="x", actor="ada"))
    with pytest.raises(Conflict, match="is cancelled and"):
        await storage.write(lambda tx: change_comment(tx, second.id, text="x", actor="ada"))


async def test_only_so_many_are_open_at_a_time(changed: Work) -> None:
    first = await say(changed)

    def fill(tx: Any) -> None:
        for _ in range(MOST_OPEN - 1):
            comments.insert(
                tx,
                task_id=first.task_id,
                session_id=first.session_id,
                path=first.path,
                side="after",
                line=1,
                end_line=1,
                text="x",
                quote="x",
                requested_by="ada",
            )

    await changed.rig.storage.write(fill)
    with pytest.raises(Conflict, match="are open"):
        await say(changed)


async def test_in_the_main_checkout_lines_that_the_agent_told_of_can_be_spoken_of(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project)
    diff = "--- a/code.py\n+++ b/code.py\n@@ -4,2 +4,2 @@\n line 4\n-line 5\n+line five\n"
    session = await rig.start_session(repository, diff=diff)
    work = Work(rig, session, project)
    assert "line five" == (await say(work)).quote
    assert "line 5" == (await say(work, side="before")).quote
    with pytest.raises(Conflict, match="no such lines"):
        await say(work, line=9)


async def test_a_comment_whose_path_leads_elsewhere_is_outdated_and_stops_nothing(
    changed: Work,
) -> None:
    session = changed.session

    def found(tx: Any, path: str) -> Comment:
        return comments.insert(
            tx,
            task_id=session.task_id,
            session_id=session.id,
            path=path,
            side="after",
            line=5,
            end_line=5,
            text="x",
            quote="",
            requested_by="ada",
            review_session_id=session.id,
        )

    await changed.rig.storage.write(lambda tx: [found(tx, "../x"), found(tx, "code.py")])
    await changed.rig.system.lookup(REPOSITORIES).tell(QuoteFindings(session.id))
    with trio.fail_after(30):
        while True:
            if await quotes(changed) == ["", "line five"]:
                break
            await trio.sleep(0.05)
    assert (await placed(changed)).is_outdated
