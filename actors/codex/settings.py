"""The settings of the bridge: how it reaches Codex, and how long it waits for what."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from pathlib import Path

import attrs

from command_center.runtime import Backoff


class Transport(enum.Enum):
    """The carrier of the app-server's messages."""

    AUTO = "auto"
    """An app-server that listens on Codex's control socket, else one of our own that outlives us,
    else one that is spawned."""
    SPAWN = "spawn"
    """An app-server of our own, over its standard input and output."""
    PROXY = "proxy"
    """An app-server that runs already, through `codex app-server proxy`."""
    WEBSOCKET = "websocket"
    """An app-server that runs already, at a URL."""


@attrs.frozen
class Deadlines:
    """The seconds that the bridge waits."""

    handshake: float = 20.0
    """From the start of a connection to the answer of `initialize`."""
    quiet: float = 5.0
    """A connection on which nothing came for so long is probed."""
    probe: float = 10.0
    """A connection whose probe is not answered for so long is given up."""
    close: float = 2.0
    """For the other side to end by itself, before it is made to."""
    reconnect: Backoff = attrs.field(default=Backoff(initial=0.25, cap=30.0, jitter=0.5))
    """Between attempts to connect."""
    overload: Backoff = attrs.field(default=Backoff(initial=0.4, cap=5.0, jitter=0.5))
    """Between requests that Codex is too busy to look at."""


@attrs.frozen
class BridgeSettings:
    """The Codex to reach, and the transport.

    `command` is a program, looked up on `PATH`, or a program with its first arguments.
    `environment` is what the child inherits (None: this process's own), always without what
    `agent_environment` takes away. `own_urls` are the addresses of Command Center itself. Where
    `state_folder` is given, child processes are recorded in it, and those of a former life are
    found there and ended. `disabled` is a reason not to connect at all.
    """

    command: str | tuple[str, ...] = "codex"
    transport: Transport = attrs.field(default=Transport.SPAWN, converter=Transport)
    socket: Path | None = None
    url: str | None = None
    token_file: Path | None = None
    environment: Mapping[str, str] | None = None
    secrets: tuple[str, ...] = ()
    own_urls: tuple[str, ...] = ()
    state_folder: Path | None = None
    disabled: str | None = None
    deadlines: Deadlines = Deadlines()

    @property
    def program(self) -> tuple[str, ...]:
        """Return the program and its first arguments."""
        return (self.command,) if isinstance(self.command, str) else self.command

    @property
    def arguments(self) -> tuple[str, ...]:
        """Return what the transport adds to the program; nothing for a WebSocket."""
        match self.transport:
            case Transport.AUTO:
                return ("app-server",)
            case Transport.SPAWN:
                return ("app-server", "--listen", "stdio://")
            case Transport.PROXY:
                socket = () if self.socket is None else ("--sock", str(self.socket))
                return ("app-server", "proxy", *socket)
            case Transport.WEBSOCKET:
                return ()

    @property
    def described(self) -> str:
        """Return what an operator is shown as the command: the program and its arguments."""
        return " ".join((*self.program, *self.arguments))
