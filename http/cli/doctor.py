"""`command-center doctor`: ask the server that runs here, or look from here where none answers.

A server sees its own environment, such as the PATH of the service manager that started it. So its
own findings count before those of a terminal.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click
import msgspec

from command_center.http.cli.client.listening import ListenedByAnother
from command_center.http.cli.client.server import opened
from command_center.http.cli.client.terminal import echo, line_of, painted
from command_center.http.config.settings import ResolvedSettings, SettingsError, resolve_settings
from command_center.http.config.urls import url_of
from command_center.http.doctor.findings import Diagnosis, Finding, Level, diagnosis
from command_center_client import calls
from command_center_client.errors import (
    CallRefused,
    ClientError,
    NotCommandCenter,
    NotReachable,
)

ANSWER_SECONDS: Final = 60.0
ILL: Final = 1

REFUSED_SETTINGS: Final = "A start is refused with these settings, and nothing else is looked at."

COLOURS: Final[Mapping[Level, str]] = {"ok": "green", "warning": "yellow", "error": "red"}


def doctor(
    config_file: Path | None, flags: Mapping[str, str], *, server: str | None, as_json: bool
) -> int:
    """Examine the installation, show what is found, and return the exit code.

    Raises:
        SettingsError: the flags are wrong.
        ClientError: the server that was named does not answer, or refuses.
    """
    try:
        resolved = resolve_settings(os.environ, flags, config_file=config_file)
    except SettingsError as error:
        if flags and _are_well(config_file):
            raise  # by the flags alone
        told, where = _refused(error), "No server can start here."
    else:
        told, where = _examined(resolved, config_file, server)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(told)))
    else:
        _show(told, where)
    return ILL if told.status == "error" else 0


def _are_well(config_file: Path | None) -> bool:
    """Return True if a start takes the settings as they are without flags."""
    with contextlib.suppress(SettingsError):
        resolve_settings(os.environ, config_file=config_file)
        return True
    return False


def _refused(error: SettingsError) -> Diagnosis:
    return diagnosis(
        [
            Finding(
                check="settings",
                level="error",
                message=line_of(problem),
                why=REFUSED_SETTINGS,
                mend="Change it where it is set: command-center config names each place.",
            )
            for problem in error.problems
        ],
        is_server=False,
    )


def _examined(
    resolved: ResolvedSettings, config_file: Path | None, server: str | None
) -> tuple[Diagnosis, str]:
    """Ask the server, or look from here; say which."""
    settings = resolved.settings
    own = url_of(settings.host, settings.port, is_encrypted=settings.tls_cert is not None)
    try:
        with opened(server or own, config_file=config_file, seconds=ANSWER_SECONDS) as center:
            told = msgspec.convert(center.send(calls.examine_server()), Diagnosis)
    except (ClientError, click.UsageError, msgspec.ValidationError) as error:
        if server is not None and not isinstance(error, msgspec.ValidationError):
            raise
        return _from_here(resolved), f"{_without_server(own, error)} Looked from this terminal."
    more = f"Its documentation says more: {center.url}/docs/doctor.html"
    return told, f"The server at {center.url} has looked. {more}"


def _from_here(resolved: ResolvedSettings) -> Diagnosis:
    import trio  # noqa: PLC0415 - a server that answers needs none of this

    from command_center.http.doctor.check import Subject, named_config_file  # noqa: PLC0415 - the same
    from command_center.http.doctor.examination import examine  # noqa: PLC0415 - the same

    file = resolved.config_file or named_config_file()
    return trio.run(examine, Subject(settings=resolved.settings, config_file=file))


def _without_server(own: str, error: Exception) -> str:
    match error:
        case CallRefused():
            return f"The server at {own} refuses to look: {line_of(error)}"
        case ListenedByAnother():
            return line_of(error)
        case NotCommandCenter():
            return f"Something else answers at {own}."
        case NotReachable():
            return f"No server answers at {own}."
        case _:
            return f"The server at {own} could not be asked: {line_of(error)}"


def _show(told: Diagnosis, where: str) -> None:
    echo(where)
    echo("")
    for finding in told.findings:
        level = painted(f"{finding.level:<8}", COLOURS[finding.level])
        echo(f"{level} {painted(finding.check, 'bold')}: {line_of(finding.message)}")
        do = "Next" if finding.level == "ok" else "Mend"
        for name, text in (("Why", finding.why), (do, finding.mend)):
            if text is not None:
                echo(f"{'':<8} {name}: {line_of(text)}")
    counts = {level: sum(one.level == level for one in told.findings) for level in COLOURS}
    echo("")
    echo(
        "All is well."
        if told.status == "ok"
        else f"{counts['error']} wrong, {counts['warning']} to look at, {counts['ok']} well."
    )
    sys.stdout.flush()
