"""The log: structlog for this program's lines and the standard library's for everybody else's.

Both go through one chain of processors to one stream, so that each line has a UTC time, a level
and a logger, and no line has a secret. Our own lines do not pass through the standard library,
which would take half as long again as all the rest of a line. Only structlog's synchronous methods
may be used: its `ainfo` and the like are made for asyncio.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import textwrap
from collections.abc import Iterable
from functools import partial
from typing import Final, Literal, TextIO

import attrs
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from command_center.http.config.colours import is_coloured
from command_center.http.config.log_file import LogFile, is_kept_by_journal, wanted
from command_center.http.config.settings import DECLARATIONS, Settings
from command_center.runtime import origin
from command_center.store import redact

LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}
PRIORITIES: Final = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
"""Name the levels as the journal does."""


def configure_logging(settings: Settings, stream: TextIO | None = None) -> None:
    """Set the log up for the process, to `stream` or else stderr; may be called again."""
    write_logs(
        settings.log_level,
        settings.log_format,
        secrets=secrets_of(settings),
        stream=stream,
        file=wanted(settings.data_dir, settings.log_file) if stream is None else None,
        is_alone=settings.log_file == "only",
    )


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """Return the text of every secret that is set."""
    values = (getattr(settings, name) for name, told in DECLARATIONS.items() if told.is_secret)
    return tuple(
        secret.reveal()
        for value in values
        if value is not None
        for secret in (value if isinstance(value, tuple) else (value,))
    )


def write_logs(
    level: Literal["debug", "info", "warning", "error"],
    form: Literal["console", "json"],
    *,
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
    file: LogFile | None = None,
    is_alone: bool = False,
) -> None:
    """Set the process's log up. A logger that has written before keeps the set-up that it had.

    Args:
        level: the least level that is written.
        form: lines to read, or one JSON object a line.
        secrets: texts that never appear, besides what `redact` knows by its form.
        stream: where to write; stderr as it is now if left out.
        file: where each line is kept, too.
        is_alone: the lines go to the file and nowhere else.
    """
    is_journal = stream is None and is_kept_by_journal()
    stream = sys.stderr if stream is None else stream
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        name_origin,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        HideSecrets(tuple(secrets)),
        # These have no secret.
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor]
    if form == "json":
        last = [structlog.processors.JSONRenderer()]
    elif is_coloured(stream):
        last = [legible, structlog.dev.ConsoleRenderer(colors=True)]
    else:
        last = [legible, plain_line]
    if is_journal:
        last[-1] = Prioritised(last[-1])
    if file is not None:
        last = [file.keep, *([_nothing] if is_alone else last)]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # They write URLs, of which some hold a token.
    for chatty in ("httpcore", "httpx", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*before, *last],
        logger_factory=partial(Lines, handler),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )


@attrs.frozen
class Prioritised:
    """Puts its priority before each line of a text, for systemd's journal (sd-daemon(3))."""

    _render: Processor

    def __call__(self, logger: WrappedLogger, method: str, line: EventDict) -> str:
        """Render the line; a structlog processor."""
        prefix = f"<{PRIORITIES.get(line['level'], 6)}>"
        text = str(self._render(logger, method, line))
        return "\n".join([f"{prefix}{part}" for part in text.split("\n")])


def _nothing(_logger: WrappedLogger, _method: str, _line: EventDict) -> str:
    """Write nothing more; a structlog processor."""
    return ""


class Lines:
    """Writes lines to the handler's stream, in turn with it.

    Where they cannot be written, since the disk is full or whoever read them is gone, they are
    lost: no work stops for a line about it.
    """

    def __init__(self, handler: logging.StreamHandler[TextIO], name: str = "") -> None:
        """Write for the logger of this name."""
        self._handler = handler
        self.name = name

    def msg(self, line: str) -> None:
        """Write a line."""
        handler = self._handler
        with contextlib.suppress(OSError, ValueError):
            handler.acquire()
            try:
                if line:
                    handler.stream.write(f"{line}\n")
                    handler.stream.flush()
            finally:
                handler.release()

    debug = info = warning = error = critical = msg


def legible(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Escape what a terminal would obey, or take for a line; a structlog processor.

    What does not print is written as Python writes it. An exception keeps its lines, which are set
    in: what it tells may have some of its own.
    """
    for name, value in line.items():
        if type(value) is str and not value.isprintable():
            line[name] = _set_in(value) if name in _IN_LINES else _UNPRINTED.sub(_escaped, value)
    return line


def _set_in(text: str) -> str:
    return textwrap.indent(_NOT_IN_LINES.sub(_escaped, text), "    ")


def _escaped(found: re.Match[str]) -> str:
    return found.group() if found.group().isprintable() else repr(found.group())[1:-1]


_IN_LINES = frozenset({"exception", "stack"})
_UNPRINTED = re.compile(r"[^ -~]")
_NOT_IN_LINES = re.compile(r"[^ -~\t\n]")


def plain_line(_logger: WrappedLogger, _method: str, line: EventDict) -> str:
    """Render the line as structlog's console does without colours; a structlog processor.

    It knows which entries there are, and so takes a fifth of the time.
    """
    stack, exception = line.pop("stack", None), line.pop("exception", None)
    first = (
        f"{line.pop('timestamp')} [{line.pop('level'):9}] {line.pop('event')!s:30} "
        f"[{line.pop('logger')}] "
    )
    text = first + " ".join([f"{name}={_shown(line[name])}" for name in sorted(line)])
    parts = [text.rstrip(" ")]
    if stack is not None:
        parts.append(stack)
        if exception is not None:
            parts.append(f"\n{'=' * 79}\n")
    if exception is not None:
        parts.append(exception)
    return "\n".join(parts)


def _shown(value: object) -> str:
    return value if isinstance(value, str) and not _QUOTED.search(value) else repr(value)


_QUOTED = re.compile("[ \\t=\\r\\n\"']")


def name_origin(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Add the id of the request that the line is about; a structlog processor."""
    begun_by = origin.get()
    if begun_by is not None:
        line.setdefault("request_id", str(begun_by))
    return line


@attrs.frozen
class HideSecrets:
    """A structlog processor that lets no secret through, wherever in the line it stands."""

    secrets: tuple[str, ...]

    def __call__(self, _logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        """Return the line with its secrets redacted; structlog's own entries stay as they are."""
        told = {
            key: value if type(value) in _SCALARS else _plain(value)
            for key, value in line.items()
            if key[0] != "_"
        }
        hidden: EventDict = redact(told, self.secrets)
        if len(told) < len(line):
            hidden.update({key: value for key, value in line.items() if key[0] == "_"})
        return hidden


_SCALARS = frozenset({str, int, float, bool, type(None)})


def _plain(value: object) -> object:
    """Return the value as `redact` reads it: what is no JSON becomes its text."""
    match value:
        case str() | int() | float() | None:
            return value
        case dict():
            return {str(key): _plain(part) for key, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
        case _:
            return str(value)
