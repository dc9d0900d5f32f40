"""A run of the server from the command line: the log, and refusals told in a line."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeAlias

import structlog
import trio

from command_center.actors.hosts.local.tailscale import TailscaleUnusable
from command_center.actors.rules.cluster import ClusterRefused
from command_center.actors.rules.errors import Unavailable
from command_center.http.config.logs import configure_logging
from command_center.http.config.settings import ResolvedSettings, Settings, SettingsError
from command_center.http.greeting import greet
from command_center.http.serve import serve
from command_center.http.transport.accept import ask_for_descriptors
from command_center.http.transport.encryption import UnusableCertificate
from command_center.http.wire.problems import AddressInUse, AddressUnavailable, UntestedHypercorn
from command_center.runtime.threads import share_memory, switch_often
from command_center.store.errors import (
    AcknowledgedLost,
    CannotOpenDatabase,
    CorruptDatabase,
    DatabaseClaimed,
    DataFolderInUse,
    DataFolderUnusable,
    ForeignDatabase,
    MigrationFailed,
    NewerSchema,
    SqliteTooOld,
)

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_REFUSALS = (
    AcknowledgedLost,
    AddressInUse,
    AddressUnavailable,
    CannotOpenDatabase,
    ClusterRefused,
    CorruptDatabase,
    DatabaseClaimed,
    DataFolderInUse,
    DataFolderUnusable,
    ForeignDatabase,
    MigrationFailed,
    NewerSchema,
    SettingsError,
    SqliteTooOld,
    TailscaleUnusable,
    Unavailable,
    UntestedHypercorn,
    UnusableCertificate,
)


class StartRefused(Exception):
    """The server cannot start here; its text is one line for the operator."""


Greeting: TypeAlias = Callable[[Settings, str, Sequence[str]], None]
"""Told the settings, the server's address, and each address under which the page opens."""


def run(resolved: ResolvedSettings, greet: Greeting = greet) -> int:
    """Serve until told to stop, and return the exit code; `greet` is told when it is up, and where.

    If the garbage collector is off, it is on from then, and leaves alone what there is by then.

    Raises:
        StartRefused: where the address, the data folder or the database cannot be used. Any other
            error is a fault of the program and comes as it is.
    """
    settings = resolved.settings
    configure_logging(settings)
    ask_for_descriptors()
    switch_often()
    share_memory()
    try:
        return trio.run(partial(serve, resolved, on_ready=partial(_ready, greet, settings)))
    except Exception as error:
        reason = _refusal(error)
        if reason is None:
            raise
        raise StartRefused(reason) from error


def _ready(greet: Greeting, settings: Settings, address: str, urls: Sequence[str]) -> None:
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
    try:
        greet(settings, address, urls)
    except OSError as error:
        log.warning("server.greeting_lost", address=address, reason=str(error))
        _give_up_stdout()


def _give_up_stdout() -> None:
    """Let what was not written go nowhere: nobody reads it, or the disk is full.

    Else the interpreter, which writes it again as it ends, would call that a failure.
    Source: "Note on SIGPIPE" in the documentation of Python's `signal`.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _refusal(error: Exception) -> str | None:
    """Return one line on why the start was refused, if the error is of that sort."""
    refusals = [str(leaf) for leaf in _leaves(error) if isinstance(leaf, _REFUSALS)]
    return refusals[0] if refusals else None


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors in an error group, which is how trio reports those of its tasks."""
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _leaves(part)
    else:
        yield error
