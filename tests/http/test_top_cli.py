"""`command-center top`: the tree of a running server, in a terminal."""

from __future__ import annotations

import io
import subprocess
import sys

from rich.console import Console

from command_center.http.top_cli import table_of
from tests.checkout import ROOT
from tests.end_to_end.server import Server


def top(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "command_center.http", "top", "--once", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "160"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_it_shows_every_actor_once_in_the_order_that_is_asked_for(stub_server: Server) -> None:
    shown = top("--url", stub_server.url, "--sort", "path")
    assert "" == shown.stderr
    paths = [line.split()[0] for line in shown.stdout.splitlines() if line.startswith("/")]
    assert {"/", "/store", "/events", "/sessions", "/tasks"} <= set(paths)
    assert sorted(paths) == paths
    assert "messages" in shown.stdout.splitlines()[0]


def test_an_error_neither_commands_the_terminal_nor_breaks_its_line() -> None:
    error = "ValueError: a\n\x1b]0;title\x07 \x9b31m"
    actor: dict[str, object] = dict.fromkeys(("oldestAge", "current", "currentAge"))
    actor |= dict.fromkeys(("depth", "highWater", "handled", "failed", "restarts"), 0)
    actor |= {"path": "/x", "status": "idle", "lastError": error}
    tree = {"totals": {"sent": 0}, "deadLetters": {"total": 0}, "actors": [actor]}
    console = Console(file=io.StringIO(), width=200)
    with console.capture() as shown:
        console.print(table_of(tree, "path"))
    assert r"ValueError: a\n\x1b]0;title\x07 \x9b31m" in shown.get()


def test_where_no_server_answers_it_says_so_in_one_line() -> None:
    shown = top("--url", "http://127.0.0.1:9")
    assert 2 == shown.returncode
    assert shown.stderr.startswith("command-center: No server answers at http://127.0.0.1:9")
