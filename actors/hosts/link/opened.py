"""Types of what is no single answer of the port: a call, and answers of what lives on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from command_center.actors.contracts.bridges import AppServer

CALL: Final[Any] = tuple[str, str, bytes]
"""A call: the part, its method, and the arguments as the method declares them."""

WAY: Final[Any] = tuple[int | None, AppServer, str, str | None]
"""A wire that is open: the process behind it, whose app-server, why that one, why not for long."""

STARTED: Final[Any] = int
"""A process that was started: its id."""

PROCESS: Final[Mapping[str, Any]] = {
    "wait_for_end": tuple[int | None, str],
    "end": None,
}
"""Questions about a process, with their answers: the exit code, and what it said last."""
