"""Deltas of one item, joined: the texts and the order of a session's events stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from command_center.actors.center import Center
from command_center.actors.contracts.events.sessions import DeltaShown, StartDelayed
from command_center.actors.core.events import Fanout, Published, PublishLive
from command_center.http.wire.event_stream import Feed
from command_center.http.wire.joined_deltas import DELTA, joined
from command_center.store import EventFilter, StoredEvent

NO_CENTER = cast("Center", None)
"""Of what is only live, nothing is read from the log."""


def delta(text: str, item: str = "i", session: int = 1, **more: Any) -> StoredEvent:
    told = DeltaShown(item_id=item, delta=text, stream="message", **more)
    return PublishLive(told=told, session_id=session).event()


def other(session: int = 1) -> StoredEvent:
    return PublishLive(told=StartDelayed(reason="r"), session_id=session).event()


def texts(batch: Sequence[Published]) -> list[str | None]:
    """The text of each delta, and None for anything else."""
    bodies = [msgspec.json.decode(one.event.body) for one in batch]
    return [body["data"]["delta"] if body["type"] == DELTA else None for body in bodies]


def join(*events: StoredEvent) -> list[str | None]:
    return texts(joined(map(Published, events)))


def test_deltas_that_follow_each_other_become_one_with_all_their_text() -> None:
    assert ["abc"] == join(delta("a"), delta("b"), delta("c"))


def test_deltas_of_other_sessions_do_not_part_them() -> None:
    several = join(delta("a"), delta("x", session=2), delta("b"), delta("y", session=2))
    assert ["ab", "xy"] == several


def test_what_else_is_told_of_their_session_parts_them() -> None:
    assert ["a", None, "b"] == join(delta("a"), other(), delta("b"))
    assert ["ab", None] == join(delta("a"), other(session=2), delta("b"))


def test_another_item_agent_or_stream_is_another_text() -> None:
    assert ["a", "b", "c"] == join(delta("a"), delta("b", item="j"), delta("c"))
    assert ["a", "b"] == join(delta("a"), delta("b", agent_id=7))


def test_a_delta_that_was_shortened_is_left_as_it_is() -> None:
    body = msgspec.json.decode(delta("b").body) | {"shortened": True}
    cut = msgspec.structs.replace(delta("b"), body=msgspec.json.encode(body))
    assert ["a", "b", "c"] == join(delta("a"), cut, delta("c"))


def test_the_event_is_that_of_the_last_of_them() -> None:
    first, last = delta("a"), delta("b")
    last = msgspec.structs.replace(last, body=last.body.replace(last.ts.encode(), b"later"))
    (one,) = joined([Published(first), Published(last)])
    assert last.body.replace(b'"b"', b'"ab"') == one.event.body


@given(
    st.lists(
        st.tuples(st.integers(1, 2), st.sampled_from("ijk"), st.sampled_from(["a", "bc", None]))
    )
)
def test_nothing_is_lost_and_each_session_keeps_its_order(
    told: list[tuple[int, str, str | None]],
) -> None:
    """A client puts the texts of an item together until something else comes."""

    def seen(batch: Sequence[Published], session: int) -> list[Any]:
        story: list[Any] = []
        for one in batch:
            if one.event.session_id != session:
                continue
            body = msgspec.json.decode(one.event.body)["data"]
            item, text = body.get("itemId"), body.get("delta")
            if text is not None and story and story[-1][0] == item:
                story[-1] = (item, story[-1][1] + text)
            else:
                story.append((item, text))
        return story

    batch = [
        Published(other(session) if text is None else delta(text, item, session))
        for session, item, text in told
    ]
    for session in (1, 2):
        assert seen(batch, session) == seen(joined(batch), session)
        parts = [one for one in joined(batch) if one.event.session_id == session]
        assert len(seen(batch, session)) == len(parts)


@pytest.fixture
def fanout() -> Fanout:
    return Fanout()


async def test_a_delta_waits_for_others_as_long_as_was_asked(
    fanout: Fanout, autojump_clock: MockClock
) -> None:
    with fanout.subscribe(EventFilter()) as subscription:
        feed = Feed(NO_CENTER, subscription, None, coalesce=0.1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_publish_each, fanout, [delta(letter) for letter in "abcdef"], 0.03)
            assert ["abcd"] == texts(await feed.next())
            assert 0.1 == pytest.approx(trio.current_time())
            assert ["ef"] == texts(await feed.next())


async def test_what_is_no_delta_is_sent_at_once_behind_what_waited(
    fanout: Fanout, autojump_clock: MockClock
) -> None:
    with fanout.subscribe(EventFilter()) as subscription:
        feed = Feed(NO_CENTER, subscription, None, coalesce=1.0)
        async with trio.open_nursery() as nursery:
            told = [delta("a"), delta("b"), other()]
            nursery.start_soon(_publish_each, fanout, told, 0.03)
            assert ["ab", None] == texts(await feed.next())
            assert 0.06 == pytest.approx(trio.current_time())


async def test_who_is_cancelled_while_deltas_wait_misses_none(
    fanout: Fanout, autojump_clock: MockClock
) -> None:
    with fanout.subscribe(EventFilter()) as subscription:
        feed = Feed(NO_CENTER, subscription, None, coalesce=0.1)
        fanout.publish([delta("a")])
        with trio.move_on_after(0.05) as heartbeat:
            await feed.next()
        assert heartbeat.cancelled_caught
        fanout.publish([delta("b")])
        assert ["ab"] == texts(await feed.next())


async def test_what_waits_is_sent_when_the_stream_ends(
    fanout: Fanout, autojump_clock: MockClock
) -> None:
    with fanout.subscribe(EventFilter()) as subscription:
        feed = Feed(NO_CENTER, subscription, None, coalesce=1.0)
        began = trio.current_time()
        fanout.publish([delta("a")])
        fanout.close()
        assert ["a"] == texts(await feed.next())
        assert [] == await feed.next()
        assert began == trio.current_time()


async def _publish_each(fanout: Fanout, told: Sequence[StoredEvent], seconds: float) -> None:
    for event in told:
        fanout.publish([event])
        await trio.sleep(seconds)
