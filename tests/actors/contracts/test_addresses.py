"""An address says of its actor what the actor's handlers say."""

from __future__ import annotations

from typing import Any, get_args, get_origin

import pytest

from command_center.actors.approvals.actor import Approvals
from command_center.actors.automations.actor import AutomationActor
from command_center.actors.automations.scheduler import Scheduler
from command_center.actors.codex.bridge import Bridge
from command_center.actors.codex.messages import (
    BridgeMessage,
    CodexLagged,
    CodexNotification,
    WatcherMessage,
)
from command_center.actors.contracts.addresses import (
    ApprovalsMessage,
    AutomationMessage,
    RepositoriesMessage,
    SchedulerMessage,
    SessionMessage,
    SlotsMessage,
    TasksMessage,
)
from command_center.actors.contracts.turns import RunnerReport
from command_center.actors.core.events import EventHub, EventsMessage
from command_center.actors.operator.bridge_watch import BridgeWatch
from command_center.actors.repositories.actor import Repositories
from command_center.actors.sessions.actor import SessionActor
from command_center.actors.sessions.runners.codex.foreign_turns import ForeignTurns
from command_center.actors.sessions.runners.codex.orphaned_turns import OrphanedTurns
from command_center.actors.sessions.slots import Slots
from command_center.actors.tasks.actor import Tasks
from command_center.runtime import Actor, Down
from command_center.runtime.handlers import find_handler


@pytest.mark.parametrize(
    ("messages", "actor"),
    [
        (ApprovalsMessage, Approvals),
        (BridgeMessage, Bridge),
        (EventsMessage, EventHub),
        (RepositoriesMessage, Repositories),
        (SchedulerMessage, Scheduler),
        (SlotsMessage, Slots),
        (TasksMessage, Tasks),
        (AutomationMessage, AutomationActor),
    ],
)
def test_what_an_address_takes_is_what_its_actor_handles(messages: Any, actor: type[Actor]) -> None:
    taken = {get_origin(message) or message for message in get_args(messages)}
    assert actor.handlers.keys() - {Down} == taken


def test_a_session_handles_what_others_have_for_it() -> None:
    assert set(get_args(SessionMessage)) <= SessionActor.handlers.keys()


def test_a_session_handles_what_its_runner_reports() -> None:
    unhandled = [
        message
        for message in get_args(RunnerReport)
        if find_handler(dict(SessionActor.handlers), message) is None
    ]
    assert [] == unhandled


OF_STATUSES = frozenset({CodexNotification, CodexLagged})


@pytest.mark.parametrize(
    ("watcher", "untold"),
    [(BridgeWatch, OF_STATUSES), (OrphanedTurns, OF_STATUSES), (ForeignTurns, frozenset())],
)
def test_a_watcher_handles_what_the_bridge_tells_it(
    watcher: type[Actor], untold: frozenset[type]
) -> None:
    assert set(get_args(WatcherMessage)) - untold <= watcher.handlers.keys()
