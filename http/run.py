"""A run of the server from the command line: the log, the greeting, and refusals told in a line."""

from __future__ import annotations

import gc
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

import click
import structlog
import trio

from command_center.actors.hosts.local.tailscale import TailscaleUnusable
from command_center.actors.rules.errors import Unavailable
from command_center.http.config.logs import configure_logging
from command_center.http.config.runner import choose_runner
from command_center.http.config.settings import Settings, SettingsError
from command_center.http.config.urls import is_loopback_url
from command_center.http.serve import serve
from command_center.http.transport.accept import ask_for_descriptors
from command_center.http.transport.encryption import UnusableCertificate
from command_center.http.wire.problems import AddressInUse, AddressUnavailable, UntestedHypercorn
from command_center.http.wire.socket_owner import tells_owners
from command_center.runtime.threads import switch_often
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


def run(settings: Settings, greet: Greeting | None = None) -> int:
    """Serve until told to stop, and return the exit code; `greet` is told when it is up, and where.

    If the garbage collector is off, it is on from then, and leaves alone what there is by then.

    Raises:
        StartRefused: where the address, the data folder or the database cannot be used. Any other
            error is a fault of the program and comes as it is.
    """
    configure_logging(settings)
    ask_for_descriptors()
    switch_often()
    try:
        return trio.run(
            partial(serve, settings, on_ready=partial(_ready, greet or _greet, settings))
        )
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


def _greet(settings: Settings, address: str, urls: Sequence[str]) -> None:
    """Tell the operator that the server is up, what runs sessions, and what to try next."""
    runner = choose_runner(settings)
    authorization = ' -H "Authorization: Bearer $CC_API_TOKEN"' if settings.api_token else ""
    body = shlex.quote(json.dumps({"localPath": str(Path.cwd())}))
    pages = "\n         ".join(f"{url}{_caution(url)}" for url in urls)
    pair = "Pair:    command-center pair lets a phone in\n" if settings.api_token else ""
    others = ""
    if settings.api_token is None and not tells_owners():
        others = "Users:   any user of this machine may use it; set CC_API_TOKEN to change that\n"
    click.echo(
        f"Command Center {version('command-center')} listens on {address}\n"
        f"Open:    {pages or address}\n"
        f"{pair}"
        f"{others}"
        f"Runner:  {runner.mode}. {runner.reason}\n"
        f"Data:    {settings.data_dir}\n"
        f"Check:   curl {address}/health\n"
        f"Begin:   curl {address}/api/repos{authorization}"
        f" -H 'Content-Type: application/json' -d {body}\n"
        f"Stop:    Ctrl-C"
    )


def _caution(url: str) -> str:
    """Return what a browser will not do at an address, and who else may read along."""
    if url.startswith("https://") or is_loopback_url(url):
        return ""
    return "  (not encrypted; the browser shows no notifications there)"
