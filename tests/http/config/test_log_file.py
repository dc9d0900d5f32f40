"""The log's file: bounded, of its owner alone, and without secrets; or the journal's lines."""

import logging
import os
import signal
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog

from command_center.http.config import log_file
from command_center.http.config.log_file import LogFile, files_of, kept_lines, wanted
from command_center.http.config.logs import configure_logging
from command_center.http.config.parsers import Secret
from command_center.http.config.settings import Settings

SECRET = "hush-hush-hush"


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def no_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)


@pytest.mark.usefixtures("no_journal")
def test_each_line_is_in_the_file_too_without_a_secret_and_for_its_owner_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(Settings(data_dir=tmp_path, api_token=Secret(SECRET)))
    structlog.get_logger("ours").warning("one.event", told=f"it is {SECRET}")
    logging.getLogger("theirs").error("another\x1b[2J")
    assert ["one.event", "another\x1b[2J"] == [line["event"] for line in kept_lines(tmp_path)]
    file = files_of(tmp_path)[0]
    assert SECRET not in file.read_text()
    assert 2 == capsys.readouterr().err.count("\n")
    if sys.platform != "win32":
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (file.parent, file)]
        assert [0o700, 0o600] == modes


@pytest.mark.usefixtures("no_journal")
def test_a_log_that_goes_to_the_file_alone_says_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(Settings(data_dir=tmp_path, log_file="only"))
    structlog.get_logger("ours").info("one.event")
    logging.getLogger("theirs").error("another")
    assert 2 == len([*kept_lines(tmp_path)])
    assert "" == capsys.readouterr().err.strip()


def test_files_are_bounded_in_number_and_bytes_and_read_in_order(tmp_path: Path) -> None:
    line = {"timestamp": "t", "level": "info", "event": "0000", "logger": "l"}
    log = LogFile(tmp_path, 1000)
    for number in range(200):
        log.write({**line, "event": f"{number:04}"})
    log.close()
    sizes = [path.stat().st_size for path in files_of(tmp_path)]
    assert len(sizes) == log_file.FILES == len([*(tmp_path / log_file.FOLDER).iterdir()])
    assert max(sizes) <= 1000
    kept = [int(line["event"]) for line in kept_lines(tmp_path)]
    assert [*range(kept[0], 200)] == kept
    assert sum(sizes) > 4 * 900
    with files_of(tmp_path)[0].open("a") as half:
        half.write('{"timestamp": "t", "le')
    assert kept == [int(line["event"]) for line in kept_lines(tmp_path)]


def test_no_line_makes_a_folder_of_data_and_none_that_is_lost_stops_the_work(
    tmp_path: Path,
) -> None:
    log = LogFile(tmp_path / "data")
    log.write({"event": "too early"})
    assert [] == [*tmp_path.iterdir()]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / log_file.FOLDER).touch()
    log.write({"event": "in the way"})
    (tmp_path / "data" / log_file.FOLDER).unlink()
    log.write({"event": "now", "timestamp": "t", "level": "info", "logger": "l"})
    log.close()
    assert ["now"] == [line["event"] for line in kept_lines(tmp_path / "data")]


def test_systemds_journal_is_told_the_level_of_each_line_and_no_file_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stderr = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{stderr.st_dev}:{stderr.st_ino}")
    assert wanted(tmp_path, "auto") is None
    configure_logging(Settings(data_dir=tmp_path))
    try:
        Path(os.devnull, "no").read_text()
    except OSError:
        structlog.get_logger("ours").exception("one.event")
    structlog.get_logger("ours").info("another")
    said = capsys.readouterr().err.splitlines()
    assert len(said) > 4
    assert {"<3>"} == {line[:3] for line in said[:-1]}
    assert said[-1].startswith("<6>")
    assert [] == [*tmp_path.iterdir()]


def test_the_journal_of_whoever_started_this_is_not_taken_for_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    configure_logging(Settings(data_dir=tmp_path))
    structlog.get_logger("ours").info("one.event")
    assert not capsys.readouterr().err.startswith("<")
    assert ["one.event"] == [line["event"] for line in kept_lines(tmp_path)]


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """Let no file of this process become larger."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - it is not on every system

        most = resource.getrlimit(resource.RLIMIT_FSIZE)
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, most[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, most)
            signal.signal(signal.SIGXFSZ, before)
    else:
        yield


@pytest.mark.skipif(sys.platform == "win32", reason="Windows bounds no file's size.")
def test_a_line_that_was_cut_off_takes_none_with_it(tmp_path: Path) -> None:
    """Have a bound of the system write what there is room for, like a full disk."""
    line = {"timestamp": "t", "level": "info", "event": "e" * 100, "logger": "l"}
    log = LogFile(tmp_path)
    log.write(line)
    with no_file_beyond(200):
        log.write(line)
        log.write(line)
    log.write(line)
    log.write(line)
    log.close()
    assert 3 == len([*kept_lines(tmp_path)])


def test_a_file_that_cannot_be_renamed_for_now_takes_no_line_and_no_older_file_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refuse like Windows, while somebody reads it."""
    line = {"timestamp": "t", "level": "info", "event": "0000", "logger": "l"}
    log = LogFile(tmp_path, 1000)
    newest = files_of(tmp_path)[0]
    for number in range(60):
        log.write({**line, "event": f"{number:04}"})
    is_read, replace = True, Path.replace

    def held(path: Path, target: Path) -> Path:
        if is_read and path == newest:
            raise PermissionError(13, "held")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", held)
    for number in range(60, 72):
        log.write({**line, "event": f"{number:04}"})
    is_read = False
    log.write({**line, "event": "0072"})
    log.close()
    kept = [int(line["event"]) for line in kept_lines(tmp_path)]
    assert [*range(kept[0], 73)] == kept
    assert kept[0] < 40
    assert newest.stat().st_size < 100
