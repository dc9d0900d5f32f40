"""The transcript of a turn while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import trio

from command_center.actors.contracts.turns import HookAnswered, ItemSeen, ModelDecided, OutputDelta
from command_center.actors.ledger import drafts
from command_center.actors.ledger.hook_answers import settle_unseen
from command_center.actors.sessions.state import SessionState
from command_center.actors.sessions.transcript import MOST_STREAMS, Transcript
from command_center.store import EventFilter, Session, Transaction, hook_answers, items
from tests.actors.rows import Rig, rig
from tests.actors.sessions.units import running

HALVES = ("Use ghp_" + "aB3d" * 4, "aB3d" * 5 + " now")
"""Two pieces of one text: a token is cut between them."""


def make_session(tx: Transaction) -> Session:
    return running(tx)[1]


async def transcript_in(made: Rig) -> Transcript:
    """The transcript of a new session."""
    session = await made.storage.write(make_session)
    return Transcript(SessionState(session, made.storage), made.storage)


async def shown(made: Rig, *facts: OutputDelta | ItemSeen) -> list[Any]:
    """The data of the events that a session shows of these facts, the deltas' and the items'."""
    transcript = await transcript_in(made)
    kinds = ("session.output.delta", "session.item")
    with made.fanout.subscribe(EventFilter(types=kinds)) as subscription:
        for fact in facts:
            await transcript.observe(fact)
        bodies: list[bytes] = []
        while not bodies or b'"type":"session.item"' not in bodies[-1]:
            bodies += await subscription.drain()
    return [msgspec.json.decode(body)["data"] for body in bodies]


def item(name: str) -> ItemSeen:
    """A message that is complete."""
    body = {"id": name, "type": "agentMessage", "text": "".join(HALVES)}
    return ItemSeen(turn_id="u1", item_id=name, type="agentMessage", completed=True, body=body)


async def test_a_secret_that_is_cut_between_two_pieces_is_not_shown(tmp_path: Path) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        *deltas, whole = await shown(
            made, *(OutputDelta(item_id="i", delta=half) for half in HALVES), item("i")
        )
    assert ["Use ", "[redacted] now"] == [delta["delta"] for delta in deltas]
    assert "Use [redacted] now" == whole["item"]["text"]


async def test_two_texts_are_told_apart(tmp_path: Path) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        *deltas, _ = await shown(
            made,
            OutputDelta(item_id="i", delta="a1"),
            OutputDelta(item_id="i", delta="b2", stream="reasoning"),
            OutputDelta(item_id="j", delta="c3"),
            OutputDelta(item_id="i", delta="d4 "),
            item("i"),
        )
    told = [(delta["itemId"], delta["stream"], delta["delta"]) for delta in deltas]
    assert [("i", "message", "a1d4 "), ("i", "reasoning", "b2")] == told


async def test_what_waits_does_not_grow_without_bound(tmp_path: Path) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        transcript = await transcript_in(made)
        for number in range(2 * MOST_STREAMS):
            await transcript.observe(OutputDelta(item_id=str(number), delta="a1"))
        assert MOST_STREAMS == len(transcript._streams)


async def texts_of(made: Rig, session: Session) -> list[tuple[str, str]]:
    """The state of each item, and its text."""
    found = await made.storage.read(lambda db: items.every(db, {"session_id": session.id}))
    return [(one.status, one.body["text"]) for one in found]


def begun(name: str) -> ItemSeen:
    """A message of which nothing was said yet."""
    body = {"id": name, "type": "agentMessage", "text": ""}
    return ItemSeen(turn_id="u1", item_id=name, type="agentMessage", completed=False, body=body)


async def test_what_is_said_is_kept_as_it_grows_without_secrets_until_it_is_complete(
    tmp_path: Path,
) -> None:
    asked: list[bool] = []
    async with rig(tmp_path / "db.sqlite3") as made:
        session = await made.storage.write(make_session)
        transcript = Transcript(
            SessionState(session, made.storage), made.storage, lambda: asked.append(True)
        )
        await transcript.observe(begun("i"))
        for half in HALVES:
            await transcript.observe(OutputDelta(item_id="i", delta=half))
        await transcript.keep_drafts()
        assert [("in_progress", "Use [redacted] now")] == await texts_of(made, session)
        await transcript.observe(OutputDelta(item_id="i", delta=", and then "))
        await transcript.keep_drafts()
        assert [("in_progress", "Use [redacted] now, and then ")] == await texts_of(made, session)
        await transcript.observe(item("i"))
        await transcript.keep_drafts()
        assert [("completed", "Use [redacted] now")] == await texts_of(made, session)
    assert [True, True] == asked


async def test_what_a_former_life_had_heard_of_a_message_is_told_from_what_came_later(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        session = await made.storage.write(make_session)
        former, transcript = (
            Transcript(SessionState(session, made.storage), made.storage) for _ in range(2)
        )
        for life, said in ((former, "One two "), (transcript, "four "), (transcript, "five ")):
            await life.observe(OutputDelta(item_id="i", delta=said))
            await life.keep_drafts()
        assert [("in_progress", "One two  … four five ")] == await texts_of(made, session)
        await made.storage.write(lambda tx: drafts.cut(tx, session.id))
        assert [("cut", "One two  … four five ")] == await texts_of(made, session)


async def test_what_a_person_was_asked_about_no_hook_has_approved(tmp_path: Path) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        transcript = await transcript_in(made)
        with made.fanout.subscribe(EventFilter(types=("session.auto_review",))) as subscription:
            for name in ("i", "j", "k"):
                answer = HookAnswered(item_id=name, hook="h", denied=False, rationale=None)
                await transcript.observe(answer)
            await transcript.hooks.drop("i")
            await transcript.observe(item("i"))
            declined = msgspec.structs.replace(item("j"), body={"id": "j", "status": "declined"})
            await transcript.observe(declined)
            await transcript.observe(item("k"))
            (body,) = await subscription.drain()
    assert "k" == msgspec.json.decode(body)["data"]["itemId"]


async def test_an_answer_of_a_hook_is_told_by_a_later_life_or_as_unknown(tmp_path: Path) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        session = await made.storage.write(make_session)
        former, transcript = (
            Transcript(SessionState(session, made.storage), made.storage) for _ in range(2)
        )
        with made.fanout.subscribe(EventFilter(types=("session.auto_review",))) as subscription:
            for name in ("i", "j"):
                answer = HookAnswered(item_id=name, hook="h", denied=False, rationale=None)
                await former.observe(answer)
            kept = await made.storage.read(lambda db: hook_answers.every(db, session.id))
            transcript.hooks.recall(kept)
            await transcript.observe(item("i"))
            await made.storage.write(lambda tx: settle_unseen(tx, session.id))
            bodies: list[bytes] = []
            with trio.fail_after(30):
                while len(bodies) < 2:
                    bodies += await subscription.drain()
    told = [msgspec.json.decode(body)["data"] for body in bodies]
    assert [("i", "approved"), ("j", "unknown")] == [
        (one["itemId"], one["decision"]) for one in told
    ]


async def test_what_a_model_decides_no_hook_has_approved(tmp_path: Path) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        transcript = await transcript_in(made)
        with made.fanout.subscribe(EventFilter(types=("session.auto_review",))) as subscription:
            await transcript.observe(
                HookAnswered(item_id="i", hook="h", denied=False, rationale=None)
            )
            await transcript.observe(
                ModelDecided(
                    item_id="i",
                    decision="approved",
                    rationale="Fine.",
                    risk=None,
                    authorization=None,
                    action={},
                )
            )
            await transcript.observe(item("i"))
            (body,) = await subscription.drain()
    assert "Fine." == msgspec.json.decode(body)["data"]["rationale"]
