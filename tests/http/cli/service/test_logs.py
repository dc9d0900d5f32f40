"""`command-center logs`: what is shown of the file, by moment and level, and as it grows."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from command_center.http.cli.main import main
from command_center.http.config.log_file import LogFile, files_of


def types(folder: Path, *words: str) -> Result:
    environment = {"HOME": str(folder), "XDG_CONFIG_HOME": None, "CC_DATA_DIR": str(folder)}
    return CliRunner().invoke(main, ["logs", *words], env=environment)


def line(event: str, level: str = "info", ago: int = 0) -> dict[str, object]:
    moment = datetime.now(UTC) - timedelta(minutes=ago)
    at = moment.isoformat().replace("+00:00", "Z")
    return {"timestamp": at, "level": level, "event": event, "logger": "l", "told": 1}


def test_lines_are_shown_by_moment_and_level(tmp_path: Path) -> None:
    told = types(tmp_path)
    assert (1, 1) == (told.exit_code, told.stderr.count("\n"))
    log = LogFile(tmp_path)
    for each in (line("old", ago=90), line("bad\x1b[2J", "error", ago=5), line("new")):
        log.write(each)
    log.close()
    shown = types(tmp_path).stdout
    assert 3 == shown.count("\n")
    assert shown.index("old") < shown.index("bad\\x1b[2J") < shown.index("new")
    assert "told=1" in shown
    assert 1 == types(tmp_path, "--level", "warning").stdout.count("\n")
    assert 2 == types(tmp_path, "--since", "1h").stdout.count("\n")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert "" == types(tmp_path, "--since", tomorrow).stdout
    wrong = types(tmp_path, "--since", "soon")
    assert (2, 1) == (wrong.exit_code, wrong.stderr.count("\n"))
    for _ in range(300):
        log.write(line("many"))
    log.close()
    assert 200 == types(tmp_path).stdout.count("\n")


@pytest.mark.skipif(sys.platform == "win32", reason="It has not been tried there.")
def test_what_is_logged_meanwhile_is_followed_into_the_next_file(tmp_path: Path) -> None:
    files_of(tmp_path)[0].parent.mkdir()
    log = LogFile(tmp_path, 600)
    log.write(line("before"))
    following = subprocess.Popen(
        [sys.executable, "-m", "command_center.http", "logs", "-f"],
        env={**os.environ, "HOME": str(tmp_path), "CC_DATA_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert following.stdout is not None
    try:
        assert "before" in following.stdout.readline()
        for number in range(7):
            log.write(line(f"event-{number}"))
        assert [*range(7)] == [
            int(following.stdout.readline().split("event-")[1].split()[0]) for _ in range(7)
        ]
        assert files_of(tmp_path)[1].exists()
    finally:
        log.close()
        following.kill()
        following.communicate()
