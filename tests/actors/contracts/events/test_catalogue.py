"""Every type of event has its class, and what was stored under it is read again."""

import json
from pathlib import Path

import msgspec
import pytest

from command_center.actors.contracts.events import sessions
from command_center.actors.contracts.events.catalogue import EVENTS, read_event
from command_center.store import EventData, event_type
from command_center.store.events import EventDamaged, EventRemoved, plain_data
from tests.checkout import ROOT

STORED = [
    json.loads(line)
    for line in (Path(__file__).parent / "stored.jsonl").read_text(encoding="utf-8").splitlines()
]
"""Events as version 0.1.0 stored them, one of each type and of each set of fields."""


@pytest.mark.parametrize("stored", STORED, ids=lambda event: f"{event['type']}-{event['id']}")
def test_an_event_that_was_stored_before_is_read_and_says_the_same(
    stored: dict[str, object],
) -> None:
    data = stored["data"]
    assert isinstance(data, dict)
    event = read_event(str(stored["type"]), data)
    assert data == plain_data(event)
    assert stored["type"] == event_type(type(event))


def test_data_that_is_not_of_its_type_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="seconds"):
        read_event("clock.jumped", {})
    with pytest.raises(KeyError):
        read_event("clock.stopped", {})


def test_an_event_says_what_it_is_and_each_of_its_fields_has_a_type() -> None:
    assert issubclass(EVENTS["session.queued"], sessions.SessionMoved)
    event = sessions.SessionQueued(from_="created", to="queued")
    assert {"from": "created", "to": "queued"} == plain_data(event)
    assert {"event": "session.queued", "from": "created", "to": "queued"} == msgspec.to_builtins(
        event
    )


def test_every_class_of_an_event_is_in_the_catalogue() -> None:
    declared = {kind for kind in _subclasses(EventData) if "." in event_type(kind)}
    ours = {kind for kind in declared if kind.__module__.startswith("command_center.")}
    assert ours == set(EVENTS.values())
    for module in {kind.__module__ for kind in ours - {EventDamaged, EventRemoved}}:
        path = module.removeprefix("command_center.").replace(".", "/") + ".py"
        assert "actors/contracts/events/" in path
        assert (ROOT / path).is_file()


def _subclasses(kind: type[EventData]) -> set[type[EventData]]:
    below = set(kind.__subclasses__())
    return below.union(*(_subclasses(one) for one in below))
