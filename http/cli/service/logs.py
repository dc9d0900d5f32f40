"""`command-center logs`: what the server has logged, from the journal or from its own file."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import which
from typing import Final, NoReturn

import click
import structlog
from structlog.typing import EventDict

from command_center.http.cli.local import config_flag, resolve
from command_center.http.cli.service.systemd import Systemd
from command_center.http.config.colours import is_coloured
from command_center.http.config.log_file import files_of, kept_lines, line_of
from command_center.http.config.logs import LEVELS, PRIORITIES, legible, plain_line

LINES: Final = 200
"""The most lines that are shown of what was, unless a moment is given."""

LOOK_SECONDS: Final = 0.3
FAILED: Final = 1

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _moment(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """Return the moment that was typed; it is in local time if it names no zone."""
    if value is None:
        return None
    try:
        if ago := re.fullmatch(r"(\d{1,6})([smhd])", value):
            return datetime.now(UTC) - timedelta(seconds=int(ago[1]) * _UNITS[ago[2]])
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        problem = f"{value!r} is no moment: type 10m, 2h, 3d or 2026-12-01T09:00."
        raise click.BadParameter(problem, ctx, param) from None


@click.command()
@config_flag
@click.option("-f", "--follow", is_flag=True, help="Go on as more is logged.")
@click.option("--since", callback=_moment, metavar="MOMENT", help="10m, 2h, 3d ago, or a date.")
@click.option("--level", type=click.Choice([*LEVELS]), default="debug", help="The least level.")
def logs(config_file: Path | None, *, follow: bool, since: datetime | None, level: str) -> None:
    """Show what the server has logged: the last 200 lines, or from a moment on.

    The service of systemd is shown from its journal, any other server from its file.
    """
    if Systemd().file.exists():
        _become_journal(follow=follow, since=since, level=level)
    data_dir = resolve(config_file, {}).settings.data_dir
    newest = files_of(data_dir)[0]
    if not newest.exists() and not follow:
        click.echo(f"command-center: There is no log in {newest.parent}.", err=True)
        sys.exit(FAILED)
    least = LEVELS[level]
    begin = "" if since is None else since.isoformat()
    following = _Following(newest) if follow else None
    before = (line for line in kept_lines(data_dir) if _is_asked(line, least, begin))
    for line in deque(before, LINES) if since is None else before:
        _show(line)
    while following is not None:
        for line in following.more():
            if _is_asked(line, least, begin):
                _show(line)
        sys.stdout.flush()
        time.sleep(LOOK_SECONDS)


def _is_asked(line: EventDict, least: int, begin: str) -> bool:
    return LEVELS.get(line["level"], least) >= least and line["timestamp"] >= begin


def _show(line: EventDict) -> None:
    if is_coloured(sys.stdout):
        render: object = structlog.dev.ConsoleRenderer(colors=True)(
            None, "", legible(None, "", line)
        )
    else:
        render = plain_line(None, "", legible(None, "", line))
    click.echo(str(render))


class _Following:
    """Reads what is appended to a file, and goes on in the one that takes its place.

    No file stays open: Windows would let none take its place.
    """

    def __init__(self, path: Path) -> None:
        """Begin at the end of what is there."""
        self._path = path
        self._part = b""
        self._file: tuple[int, int] | None = None
        self._at = 0
        with contextlib.suppress(FileNotFoundError):
            self._file, self._at = _told_of(path.stat())

    def more(self) -> Iterator[EventDict]:
        """Yield the lines that were written since the last look."""
        data = self._read(self._path)
        if data is None:  # another took its place: what was written to this one before is beside it
            left = self._read(self._path.with_name(f"{self._path.name}.1")) or b""
            yield from self._lines(left)
            self._file, self._at, self._part = None, 0, b""
            data = self._read(self._path)
        yield from self._lines(data or b"")

    def _lines(self, data: bytes) -> Iterator[EventDict]:
        *whole, self._part = (self._part + data).split(b"\n")
        for text in whole:
            if (line := line_of(text)) is not None:
                yield line

    def _read(self, path: Path) -> bytes | None:
        """Return what a file has beyond what was read; None if it is not the one followed."""
        try:
            with path.open("rb") as file:
                found, _ = _told_of(os.fstat(file.fileno()))
                if self._file not in {None, found}:
                    return None
                self._file = found
                file.seek(self._at)
                data = file.read()
        except FileNotFoundError:
            return b""
        self._at += len(data)
        return data


def _told_of(file: os.stat_result) -> tuple[tuple[int, int], int]:
    """Return what a file is known by, and its bytes."""
    return (file.st_dev, file.st_ino), file.st_size


def _become_journal(*, follow: bool, since: datetime | None, level: str) -> NoReturn:
    """Have journalctl show it, and end as that ends."""
    program = which("journalctl")
    if program is None:
        click.echo("command-center: There is no journalctl here.", err=True)
        sys.exit(FAILED)
    at = [f"--lines={LINES}"] if since is None else [f"--since=@{int(since.timestamp())}"]
    words = [*at, f"--priority={PRIORITIES[level]}", *(["--follow"] * follow)]
    command = [program, *Systemd().journal(), *words]
    sys.exit(subprocess.call(command))  # noqa: S603 - a program of the system
