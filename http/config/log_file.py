"""The log's file, where no manager of services keeps what the server writes to stderr.

A line is a JSON object, so that `command-center logs` can choose among them. Their number of bytes
is bounded: a full file is renamed to `server.log.1`, that one to `.2`, and the last one is gone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Final, Literal

import attrs
from structlog.typing import EventDict, WrappedLogger

FOLDER: Final = "logs"
NAME: Final = "server.log"
BYTES: Final = 8 * 2**20
"""The most bytes of one file."""

FILES: Final = 5
"""The most files, the one that is written among them."""


def files_of(data_dir: Path) -> list[Path]:
    """Return the files that there may be, the newest first."""
    newest = data_dir / FOLDER / NAME
    return [newest, *(newest.with_name(f"{NAME}.{number}") for number in range(1, FILES))]


def is_kept_by_journal() -> bool:
    """Return True if systemd's journal keeps what this process writes to stderr.

    What a unit starts inherits the variable, and may write elsewhere: a shell in a terminal of the
    desktop does (systemd.exec(5), $JOURNAL_STREAM).
    """
    try:
        stderr = os.fstat(2)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{stderr.st_dev}:{stderr.st_ino}"


@attrs.define(eq=False)
class LogFile:
    """A file of bounded size in a data folder, which nobody else can read.

    It is opened by its first line once the data folder is there. A line that cannot be written is
    lost: no work stops for it. Any thread may write.
    """

    _data_dir: Path
    _bytes: int = BYTES
    _lock: Lock = attrs.field(factory=Lock, init=False)
    _file: int | None = attrs.field(default=None, init=False)
    _size: int = attrs.field(default=0, init=False)
    _lead: bytes = attrs.field(default=b"", init=False)
    """Ends what may stand there without an end, such as what a full disk had room for."""

    def write(self, line: EventDict) -> None:
        """Write a line; the first that does not fit begins a new file."""
        data = json.dumps(line, default=repr, ensure_ascii=False).encode(errors="replace") + b"\n"
        with self._lock:
            try:
                if self._file is not None and self._size + len(data) > self._bytes:
                    self._begin_anew()
                if self._file is None:
                    self._open()
                if self._file is not None:
                    data = self._lead + data
                    written = os.write(self._file, data)
                    self._size += written
                    self._lead = b"\n" if written < len(data) else b""
            except OSError:
                self.close()

    def close(self) -> None:
        """Close the file; the next line opens it again."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _open(self) -> None:
        newest = files_of(self._data_dir)[0]
        if self._data_dir.is_dir():
            newest.parent.mkdir(mode=0o700, exist_ok=True)
            self._file = os.open(newest, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            self._size = os.fstat(self._file).st_size
            self._lead = b"\n" if self._size else b""

    def _begin_anew(self) -> None:
        """Give each file the name of the next older one, up to the first that is not there.

        Windows renames none that somebody is reading. It is written to for as long, up to twice its
        bytes, and the next line tries again.
        """
        self.close()
        files = files_of(self._data_dir)
        free = next((at for at, file in enumerate(files) if not file.exists()), len(files) - 1)
        try:
            for at in range(free, 0, -1):
                files[at - 1].replace(files[at])
        except PermissionError:
            if self._size > 2 * self._bytes:
                raise

    def keep(self, _logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        """Write a line and pass it on; a structlog processor."""
        self.write(line)
        return line


def wanted(data_dir: Path, setting: Literal["auto", "off", "only"]) -> LogFile | None:
    """Return the file, or None where none is to be written."""
    if setting == "off" or (setting == "auto" and is_kept_by_journal()):
        return None
    return LogFile(data_dir)


def kept_lines(data_dir: Path) -> Iterator[EventDict]:
    """Yield the lines that are kept, the oldest first; what is no whole line is left out."""
    for path in reversed(files_of(data_dir)):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        for text in data.splitlines():
            if (line := line_of(text)) is not None:
                yield line


def line_of(text: bytes) -> EventDict | None:
    """Return the line that a text holds, or None."""
    try:
        line = json.loads(text)
    except ValueError:
        return None
    needed = ("timestamp", "level", "event", "logger")
    is_line = isinstance(line, dict) and all(type(line.get(name)) is str for name in needed)
    return line if is_line else None
