"""`command-center pair`: asked of a server that runs."""

from __future__ import annotations

import re
import subprocess
import sys

import httpx

from command_center.http.cli.pair import drawn
from tests.checkout import ROOT
from tests.end_to_end.server import Server


def pair(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "command_center.http", "pair", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONUTF8": "1", **settings},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


def test_it_shows_a_code_that_lets_a_device_in(stub_server: Server) -> None:
    shown = pair(
        "--server", stub_server.url, "--name", "My phone", "--scope", "read", "--days", "3"
    )
    assert ("", 0) == (shown.stderr, shown.returncode)
    (code,) = re.findall(r"type the code: (\S+)", shown.stdout)
    assert f"{stub_server.url}/#/pair/{code}" in shown.stdout
    assert "listens on this machine alone" in shown.stdout
    answer = httpx.post(f"{stub_server.url}/api/pair", json={"code": code})
    assert ("My phone", ["read"]) == (answer.json()["name"], answer.json()["scopes"])
    assert answer.json()["expiresAt"] is not None


def test_where_no_server_answers_it_says_so_in_one_line() -> None:
    shown = pair("--server", "http://127.0.0.1:9")
    assert 5 == shown.returncode
    assert shown.stderr.startswith("command-center: No server answers at http://127.0.0.1:9")


def test_a_qr_code_is_drawn_in_half_blocks_with_a_quiet_zone() -> None:
    rows = ["101", "001", "010"]
    assert ["███████", "██▄█ ██", "███▄███", "███████"] == drawn(rows)
