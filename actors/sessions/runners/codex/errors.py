"""The errors of a question to Codex, by what may be done after them."""

from __future__ import annotations

import re
from typing import Final

from command_center.actors.codex.errors import BridgeUnavailable, CodexError, CodexTimeout
from command_center.actors.rules.errors import HostUnreachable, TooBusy
from command_center.runtime import ActorCrashed, ActorStopped, AskTimeout

UNCERTAIN: Final = (
    BridgeUnavailable,
    HostUnreachable,
    CodexTimeout,
    ActorStopped,
    ActorCrashed,
    AskTimeout,
)
"""Errors after which the request may still have taken effect."""

SLOW: Final = (CodexTimeout, AskTimeout, TooBusy)
"""Errors while Codex is there and the turn goes on."""

NOTHING_KEPT: Final = re.compile("no rollout found|rollout at .* is empty")
"""The words of Codex for a thread whose app-server ended before it had kept any of it."""

PUT_AWAY: Final = re.compile(r"session \S+ is archived")
"""Matches the words of Codex for a thread that somebody has archived."""

NOT_OPENED: Final = "thread not found"
"""The words of Codex for a thread that was opened in an app-server before this one."""


def may_pass(error: Exception) -> bool:
    """Return whether what failed so may succeed when it is tried again."""
    is_elsewhere = isinstance(error, CodexError) and NOT_OPENED in error.reason
    return is_elsewhere or isinstance(error, UNCERTAIN)
