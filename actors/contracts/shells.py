"""The messages about terminals that people have in the folder of a session: a shell in each."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import attrs
import msgspec
import trio

from command_center.runtime import Address, Request

MOST_COLUMNS: Final = 1000

Cells: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=MOST_COLUMNS)]
"""The number of columns or rows of a terminal."""


@attrs.frozen
class ShellEnded:
    """Nothing more comes: the shell has ended, or is shown elsewhere.

    `exit_code` is None unless it ended by itself.
    """

    exit_code: int | None
    reason: str


ShellNews: TypeAlias = bytes | ShellEnded
"""Output of a shell, as it writes it; or its end, after which nothing more comes."""

Outlet: TypeAlias = trio.MemorySendChannel[ShellNews]
"""The way to who looks at a terminal."""


@attrs.frozen
class ShellSize:
    """The size of a terminal, in characters."""

    columns: int
    rows: int


@attrs.frozen
class OpenShell(Request[str]):
    """Show the shell that somebody has where a session works, or start one; the answer names it.

    `outlet` takes what it has written of late, and what it tells from now on. Whoever looked at it
    before is told that it is shown elsewhere. `device_id` is that of the device whose shell it is.
    """

    session_id: int
    device_id: int | None
    size: ShellSize
    outlet: Outlet
    requested_by: str


@attrs.frozen
class WriteShell(Request[None]):
    """Hand on what somebody types."""

    shell_id: str
    data: bytes


@attrs.frozen
class ResizeShell(Request[None]):
    """Give a terminal another size."""

    shell_id: str
    size: ShellSize


@attrs.frozen
class LeaveShell:
    """Look no more at what is told by an outlet; the shell waits a while for who comes back."""

    outlet: Outlet


@attrs.frozen
class EndShell:
    """End a shell with all that runs in its terminal."""

    shell_id: str


class OpenTerminal(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A terminal that somebody has where a session works.

    Attributes:
        device_id: whose it is; None for who needs to be no device.
        requested_by: what its owner said of themselves.
        is_seen: somebody looks at it now; otherwise it waits a while for its owner.
    """

    id: str
    session_id: int
    device_id: int | None
    requested_by: str
    opened_at: str
    is_seen: bool


class OpenTerminals(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The terminals of a host that are open."""

    host: str
    items: list[OpenTerminal]


@attrs.frozen
class ListShells(Request[OpenTerminals]):
    """List the terminals that are open, whoever has them."""


@attrs.frozen
class CloseShell(Request[OpenTerminals]):
    """End somebody's shell; the answer has the others. NotFound: there is none of that id."""

    shell_id: str
    requested_by: str


ShellMessage: TypeAlias = (
    OpenShell | WriteShell | ResizeShell | LeaveShell | EndShell | ListShells | CloseShell
)


def shells_on(host: str) -> Address[ShellMessage]:
    """Return the address of the actor that has the terminals of a host."""
    return Address(f"/shells/{host}")
