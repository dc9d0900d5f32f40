"""All types of events, and how a stored event is read again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType, ModuleType
from typing import Any, Final

import msgspec

from command_center.actors.contracts.events import (
    accounts,
    approvals,
    automations,
    backups,
    devices,
    extensions,
    hosts,
    notify,
    operator,
    prompts,
    pull_requests,
    repositories,
    sessions,
    shells,
    streams,
    tasks,
    threads,
    uploads,
    usage_limits,
    webhooks,
    webpush,
)
from command_center.store import EventData, event_type
from command_center.store.events import TYPE_FIELD, EventDamaged, EventRemoved


def _declared_in(*modules: ModuleType) -> Iterator[type[EventData]]:
    for module in modules:
        for thing in vars(module).values():
            is_ours = isinstance(thing, type) and thing.__module__ == module.__name__
            if is_ours and "." in event_type(thing):  # the others are what several have in common
                yield thing


EVENTS: Final[Mapping[str, type[EventData]]] = MappingProxyType(
    {
        event_type(kind): kind
        for kind in _declared_in(
            repositories,
            prompts,
            pull_requests,
            tasks,
            sessions,
            shells,
            approvals,
            automations,
            backups,
            devices,
            webpush,
            notify,
            webhooks,
            uploads,
            accounts,
            threads,
            extensions,
            hosts,
            usage_limits,
            operator,
            streams,
        )
    }
    | {event_type(kind): kind for kind in (EventDamaged, EventRemoved)}
)
"""The class of each type of event, by the type."""

_OF_REPOSITORIES: Final = (
    repositories,
    prompts,
    pull_requests,
    tasks,
    sessions,
    approvals,
    automations,
)
_TOO_MANY: Final = "session.item"
_OF_RUNS: Final = frozenset({automations.AutomationFired, automations.AutomationSkipped})

BEGINNING: Final[frozenset[str]] = frozenset(
    event_type(kind)
    for kind in _declared_in(*_OF_REPOSITORIES)
    if not issubclass(kind, sessions.LiveEventData)
    and kind not in _OF_RUNS
    and not event_type(kind).startswith(_TOO_MANY)
)
"""The types of events by which a run may begin: those of a repository, but not each item.

What tells of a run, or that there was none, begins no other: of those a circle could be made.
"""


def read_event(kind: str, data: Mapping[str, Any]) -> EventData:
    """Make the data of a stored event its class again.

    Raises:
        KeyError: no event has that type.
        msgspec.ValidationError: the data is not that of an event of that type.
    """
    return msgspec.convert({**data, TYPE_FIELD: kind}, EVENTS[kind])
