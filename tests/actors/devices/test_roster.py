"""The roster of who is let in."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import trio
import trio.testing

from command_center.actors.devices import roster as rosters
from command_center.actors.devices.roster import Roster, hash_of, new_token
from command_center.store import Device, Scope

MOMENT = "2025-06-02T08:30:00.000Z"


def device(id_: int = 1, *scopes: Scope, expires_at: str | None = None) -> Device:
    return Device(
        id=id_,
        created_at=MOMENT,
        updated_at=MOMENT,
        name='My "Phone"',
        scopes=[*scopes],
        expires_at=expires_at,
    )


def test_a_device_is_found_by_its_token_until_it_is_removed() -> None:
    roster, token = Roster(), new_token()
    roster.put(device(1, "read"), hash_of(token))
    found = roster.by_token(token)
    assert found is roster.by_id(1)
    assert found is not None
    assert frozenset({"read"}) == found.scopes
    assert roster.by_token(new_token()) is None
    roster.remove(1)
    assert roster.by_token(token) is None is roster.by_id(1)
    roster.remove(1)


def test_a_device_is_named_as_it_is_written_in_events() -> None:
    roster = Roster()
    roster.put(device(), "hash")
    assert 'device:1 "My \\"Phone\\""' == str(roster.by_id(1))
    assert "hash" not in repr(roster.by_id(1))


def test_who_is_not_in_the_store_is_removed_as_it_is_loaded() -> None:
    roster = Roster()
    for id_ in (1, 2):
        roster.put(device(id_), f"hash {id_}")
    roster.load([device(2, "work"), device(3), device(4)], {2: "hash 2", 3: "hash 3"})
    assert [None, frozenset({"work"}), frozenset(), None] == [
        None if (known := roster.by_id(id_)) is None else known.scopes for id_ in (1, 2, 3, 4)
    ]
    assert 2 == len(roster)


def test_who_was_seen_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rosters, "now_timestamp", lambda: MOMENT)
    told: list[None] = []
    roster = Roster()
    roster.on_seen = lambda: told.append(None)
    roster.put(device(), "hash")
    known = roster.by_id(1)
    assert known is not None
    for address in ("10.0.0.1", "10.0.0.2"):
        roster.note_seen(known, address)
    assert [(MOMENT, "10.0.0.2")] == [one.seen for one in roster.take_unsaved()]
    assert [] == roster.take_unsaved()
    assert 2 == len(told)


async def test_streams_end_with_what_is_changed_of_a_devices_access() -> None:
    roster = Roster()
    roster.put(device(1, "read"), "hash")
    known = roster.by_id(1)
    assert known is not None
    changes: list[Callable[[], None]] = [
        lambda: roster.put(device(1, "read", "work")),
        lambda: roster.put(device(1, "read", "work", expires_at="2999-01-01T00:00:00.000Z")),
        lambda: roster.remove(1),
    ]
    for change in changes:
        scope = trio.CancelScope()
        known.add_stream(scope)
        change()
        assert scope.cancel_called


async def test_streams_go_on_where_only_a_name_changes_and_when_they_have_ended() -> None:
    roster = Roster()
    roster.put(device(1, "read"), "hash")
    known = roster.by_id(1)
    assert known is not None
    scopes = [trio.CancelScope(), trio.CancelScope()]
    for scope in scopes:
        known.add_stream(scope)
    known.drop_stream(scopes[1])
    roster.put(device(1, "read"))
    assert not scopes[0].cancel_called
    roster.remove(1)
    assert [True, False] == [scope.cancel_called for scope in scopes]


async def test_a_stream_ends_at_its_devices_expiry(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rosters, "seconds_until", lambda _: 30.0)
    roster = Roster()
    roster.put(device(1, "read", expires_at=MOMENT), "hash")
    known = roster.by_id(1)
    assert known is not None
    began = trio.current_time()
    with trio.CancelScope() as scope:
        known.add_stream(scope)
        await trio.sleep_forever()
    assert scope.cancelled_caught
    assert 30.0 == pytest.approx(trio.current_time() - began)


async def test_what_runs_for_somebody_ends_with_their_access_and_as_they_sign_out() -> None:
    roster = Roster()
    roster.put(device(1), "hash 1")
    roster.put(device(2), "hash 2")
    ended: list[int | None] = []

    async def run(device_id: int | None) -> None:
        with roster.access_of(device_id):
            await trio.sleep(math.inf)
        ended.append(device_id)

    async with trio.open_nursery() as nursery:
        for device_id in (1, 2, None, 3):
            nursery.start_soon(run, device_id)
        await trio.testing.wait_all_tasks_blocked()
        assert [3] == ended
        for device_id in (2, 3, None):
            roster.sign_out(device_id)
            await trio.testing.wait_all_tasks_blocked()
        roster.remove(1)
    assert [3, 2, None, 1] == ended
