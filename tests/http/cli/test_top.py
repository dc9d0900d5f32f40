"""`command-center top`: the tree of a running server, in a terminal."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import Any, cast

import pytest
from rich.console import Console

from command_center.http.cli.top import table_of
from tests.checkout import ROOT
from tests.end_to_end.server import Server


def top(*arguments: str, columns: int = 160, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "command_center.http", "top", "--once", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": str(columns), **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_it_shows_every_actor_once_in_the_order_that_is_asked_for(stub_server: Server) -> None:
    shown = top("--server", stub_server.url, "--sort", "path")
    assert "" == shown.stderr
    paths = [line.split()[0] for line in shown.stdout.splitlines() if line.startswith("/")]
    assert {"/", "/store", "/events", "/sessions", "/tasks"} <= set(paths)
    assert sorted(paths) == paths
    assert "messages" in shown.stdout.splitlines()[0]


def test_as_json_it_has_all_that_the_api_tells(stub_server: Server) -> None:
    tree = json.loads(top("--server", stub_server.url, "--json").stdout)
    assert "/" == tree["actors"][0]["path"]
    assert {"totals", "deadLetters"} <= tree.keys()


def test_an_error_neither_commands_the_terminal_nor_breaks_its_line() -> None:
    error = "ValueError: a\n\x1b]0;title\x07 \x9b31m"
    actor: dict[str, object] = dict.fromkeys(("oldestAge", "current", "currentAge"))
    actor |= dict.fromkeys(("depth", "highWater", "handled", "failed", "restarts"), 0)
    actor |= {"path": "/x", "status": "idle", "lastError": error}
    tree = {"totals": {"sent": 0}, "deadLetters": {"total": 0}, "actors": [actor]}
    console = Console(file=io.StringIO(), width=200)
    with console.capture() as shown:
        console.print(table_of(cast("Any", tree), "path", 200))
    assert r"ValueError: a\n\x1b]0;title\x07 \x9b31m" in shown.get()


def test_where_no_server_answers_it_says_so_in_one_line() -> None:
    shown = top("--server", "http://127.0.0.1:9")
    assert 5 == shown.returncode
    assert shown.stderr.startswith("command-center: No server answers at http://127.0.0.1:9")


@pytest.mark.parametrize("columns", [80, 160])
def test_a_path_is_read_in_one_piece(stub_server: Server, columns: int) -> None:
    shown = top("--server", stub_server.url, columns=columns).stdout
    assert "/automations  " in shown
    assert {"Status", "Handled", "Restarts"} <= set(shown.split())
    assert all(len(line.rstrip()) <= columns for line in shown.splitlines())
    # No column is squeezed until its head cannot be read.
    assert "…" not in next(line for line in shown.splitlines() if "Status" in line)


@pytest.mark.parametrize("host", ["::1", "::", "0.0.0.0"])
def test_it_asks_this_machine_where_the_server_listens_on_more_or_on_ipv6(host: str) -> None:
    shown = top(CC_HOST=host, CC_PORT="9", CC_API_TOKEN="t")
    expected = "http://127.0.0.1:9:" if "." in host else "http://[::1]:9:"
    assert shown.stderr.startswith(f"command-center: No server answers at {expected}")


@pytest.mark.parametrize("url", ["localhost:8787", "http://x:y", "ftp://localhost"])
def test_what_is_no_address_is_refused_in_one_line(url: str) -> None:
    shown = top("--server", url)
    assert 2 == shown.returncode
    assert 1 == len(shown.stderr.splitlines())
    assert url in shown.stderr
