"""The log's lines: complete, in both forms, and without secrets."""

import errno
import io
import json
import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from command_center.http.config.logs import configure_logging, plain_line, secrets_of, write_logs
from command_center.http.config.parsers import Secret
from command_center.http.config.settings import Settings

SECRET = "hush-hush-hush"


class Full(io.StringIO):
    """A file on a disk that is full."""

    was_tried = False

    def write(self, text: str) -> int:
        self.was_tried = True
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), text)


@pytest.fixture(autouse=True)
def stream() -> Iterator[io.StringIO]:
    """Yield what is logged; afterwards the process's log is as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_json_line_has_time_level_logger_and_facts(stream: io.StringIO) -> None:
    write_logs("info", "json", stream=stream)
    structlog.get_logger("command_center.some").warning("happened", count=2)
    line = json.loads(stream.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert {
        "event": "happened",
        "count": 2,
        "level": "warning",
        "logger": "command_center.some",
    } == line


def test_lines_of_other_libraries_have_the_same_form(stream: io.StringIO) -> None:
    write_logs("info", "json", stream=stream)
    logging.getLogger("hypercorn.error").warning("Running on %s", "x")
    line = json.loads(stream.getvalue())
    assert ("Running on x", "hypercorn.error") == (line["event"], line["logger"])


def test_a_line_that_cannot_be_written_stops_nothing() -> None:
    full, gone = Full(), io.StringIO()
    gone.close()
    for stream in (full, gone):
        write_logs("info", "json", stream=stream)
        structlog.get_logger("some").warning("happened")
    assert full.was_tried


def test_a_console_line_is_one_line_without_colours_away_from_a_terminal(
    stream: io.StringIO,
) -> None:
    write_logs("info", "console", stream=stream)
    structlog.get_logger("some").info("happened", count=2)
    assert 1 == stream.getvalue().count("\n")
    assert "count=2" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


LINES: list[dict[str, Any]] = [
    {},
    {"b": 1.5, "a": "word", "c": "two words", "d": None, "e": ["x"], "f": "", "g": '"', "h": "a=b"},
    {"event": "something that is longer than its column", "tab": "\t", "request_id": "r"},
    {"event": 7, "level": "critical"},
    {"stack": "where it was called"},
    {"exception": "ValueError: of what", "a": 1},
    {"stack": "where it was called", "exception": "ValueError: of what"},
]


@pytest.mark.parametrize("facts", LINES)
def test_a_console_line_is_the_one_that_structlog_shows(facts: dict[str, Any]) -> None:
    line = {"timestamp": "now", "level": "info", "event": "happened", "logger": "some", **facts}
    structlogs = structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )
    assert structlogs(None, "info", dict(line)) == plain_line(None, "info", dict(line))


def test_lines_below_the_level_are_not_written(stream: io.StringIO) -> None:
    write_logs("warning", "json", stream=stream)
    structlog.get_logger("some").info("quiet")
    logging.getLogger("some").info("quiet")
    assert "" == stream.getvalue()


@pytest.mark.parametrize("form", ["console", "json"])
def test_no_secret_is_written_wherever_it_stands(stream: io.StringIO, form: str) -> None:
    configure_logging(
        Settings(api_token=Secret(SECRET), log_format=form),  # type: ignore[arg-type]
        stream,
    )
    log = structlog.get_logger("some")
    said = f"said {SECRET}"
    log.error(said, deep={"list": [SECRET, {"key": SECRET}]}, other=Exception(SECRET))
    logging.getLogger("other").error("of %s and %r", SECRET, {"key": SECRET})
    try:
        int(SECRET)
    except ValueError:
        log.exception("failed")
        logging.getLogger("other").exception("failed")
    assert 4 == sum("some" in line or "other" in line for line in stream.getvalue().splitlines())
    assert SECRET not in stream.getvalue()
    assert "ValueError" in stream.getvalue()


class Terminal(io.StringIO):
    """A stream that a person reads."""

    def isatty(self) -> bool:
        return True


FORGED = "a\n2026-01-01T00:00:00Z [error    ] forged \x1b]0;title\x07 \x9b31m \u202e \u2028 end"


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["a file", "a terminal"])
def test_what_others_say_neither_forges_a_line_nor_commands_a_terminal(
    stream: io.StringIO,
) -> None:
    write_logs("info", "console", stream=stream)
    structlog.get_logger("some").info(FORGED, path=FORGED, short="/x\x1b]0;", deep=[FORGED], ok="é")
    logging.getLogger("other").warning("of %s", FORGED)
    written = stream.getvalue()
    assert not [harm for harm in ("\x1b]", "\x07", "\x9b", "\u202e", "\u2028") if harm in written]
    assert 2 == len(written.splitlines())
    assert "é" in written
    assert r"\x1b]0;title\x07" in written


def test_an_exception_keeps_its_lines_and_none_looks_like_one_of_the_log(
    stream: io.StringIO,
) -> None:
    write_logs("info", "console", stream=stream)
    try:
        int(FORGED.replace("a", "\x1b]", 1))
    except ValueError as error:
        structlog.get_logger("some").error("failed", exc_info=error)
        raised = RuntimeError("first\nsecond\x1b]")
        structlog.get_logger("some").error("failed", exc_info=raised)
    assert "    Traceback (most recent call last):\n" in stream.getvalue()
    assert "    RuntimeError: first\n    second\\x1b]\n" in stream.getvalue()
    ours = [line for line in stream.getvalue().splitlines() if not line.startswith("    ")]
    assert 2 == len(ours)
    assert "\x1b" not in stream.getvalue()


def test_the_http_client_does_not_log_its_urls(stream: io.StringIO) -> None:
    write_logs("debug", "json", stream=stream)
    logging.getLogger("httpx").info("HTTP Request: POST https://api.telegram.org/bot1:a/getMe")
    assert "" == stream.getvalue()


def test_the_secrets_of_settings_are_those_that_are_set() -> None:
    assert () == secrets_of(Settings())
    settings = Settings(
        api_token=Secret("a"),
        telegram_webhook_secret=Secret("b"),
        notify_urls=(Secret("c://"), Secret("d://")),
    )
    assert ("a", "b", "c://", "d://") == secrets_of(settings)


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_without_colours_is_written_none(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    for is_liked in (True, False):
        screen = Terminal()
        write_logs("info", "console", stream=screen)
        structlog.get_logger("some").info("Hello.")
        assert is_liked is ("\x1b[" in screen.getvalue())
        monkeypatch.setenv(variable, value)
