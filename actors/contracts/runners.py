"""The runners by name, with what each can do.

Whoever needs to know whether a session can be steered, or a thread listed, asks here and compares
no names, so that another runner is one more row. `sessions.runners.registry` makes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import msgspec

from command_center.actors.rules.errors import Conflict
from command_center.store import Session
from command_center.store.records import Runner


class Capabilities(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The things that a runner can do.

    Attributes:
        is_real: it does the work; one that is not plays it, without an agent.
        can_steer: a turn that runs can be told something more.
        asks_approval: a person is asked before anything beyond the run's leave is done.
        has_threads: threads are kept that can be listed, joined and prompted again, and models
            are listed.
        plans: a turn can be in plan mode.
        pursues_goals: a session can have turn after turn until its goal is reached.
        survives_restart: a turn can go on while the server is restarted.
        shows_review: a review is an item of its own; otherwise it is the last message.
        takes_images: a prompt can have images.
    """

    is_real: bool = False
    can_steer: bool = False
    asks_approval: bool = False
    has_threads: bool = False
    plans: bool = False
    pursues_goals: bool = False
    survives_restart: bool = False
    shows_review: bool = False
    takes_images: bool = False


Lacking: TypeAlias = Literal["can_steer", "pursues_goals"]
"""The capabilities that a person can ask for where there is none of them."""

WITHOUT: Final[Mapping[Lacking, str]] = MappingProxyType(
    {
        "can_steer": "only an active app-server turn can be steered",
        "pursues_goals": "only an app-server turn pursues a goal",
    }
)
"""The words for what lacks, after the name of the runner."""


def lacks_capability(session: Session, runner: str, capability: Lacking) -> Conflict:
    """Return the refusal of what the session's runner cannot do."""
    return Conflict(
        f"Session {session.id} runs on the {runner} runner; {WITHOUT[capability]}.", runner=runner
    )


def needs_threads(runner: str) -> Conflict:
    """Return the refusal of what only a runner can do that has threads."""
    return Conflict(
        f"This needs CC_CODEX_RUNNER_MODE=app-server; the runner here is {runner}.", runner=runner
    )


RUNNERS: Final[Mapping[Runner, Capabilities]] = MappingProxyType(
    {
        "app-server": Capabilities(
            is_real=True,
            can_steer=True,
            asks_approval=True,
            has_threads=True,
            plans=True,
            pursues_goals=True,
            survives_restart=True,
            shows_review=True,
            takes_images=True,
        ),
        "cli": Capabilities(is_real=True, takes_images=True),
        "stub": Capabilities(plans=True),
    }
)
"""The capabilities of each runner, at the best."""
