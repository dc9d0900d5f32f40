"""`command-center top`: the tree of a running server, in a terminal."""

from __future__ import annotations

import io
import subprocess
import sys

import httpx
import pytest
from rich.console import Console

from command_center.http.cli.asking import NotAnswered
from command_center.http.cli.top import fetch, table_of
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


@pytest.mark.parametrize("columns", [80, 160])
def test_a_path_is_read_in_one_piece(stub_server: Server, columns: int) -> None:
    shown = top("--url", stub_server.url, columns=columns).stdout
    assert "/automations  " in shown
    assert {"Status", "Handled", "Restarts"} <= set(shown.split())


@pytest.mark.parametrize("host", ["::1", "::", "0.0.0.0"])
def test_it_asks_this_machine_where_the_server_listens_on_more_or_on_ipv6(host: str) -> None:
    shown = top(CC_HOST=host, CC_PORT="9", CC_API_TOKEN="t")
    expected = "http://127.0.0.1:9:" if "." in host else "http://[::1]:9:"
    assert shown.stderr.startswith(f"command-center: No server answers at {expected}")


@pytest.mark.parametrize("url", ["localhost:8787", "http://x:y", "ftp://localhost"])
def test_what_is_no_address_is_refused_in_one_line(url: str) -> None:
    shown = top("--url", url)
    assert 2 == shown.returncode
    assert 1 == len(shown.stderr.splitlines())
    assert url in shown.stderr


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", '{"error": "no"}', '{"actors": []'])
@pytest.mark.parametrize("status", [200, 404])
def test_another_server_is_told_to_be_another(body: str, status: int) -> None:
    other = httpx.MockTransport(lambda _: httpx.Response(status, text=body))
    with (
        httpx.Client(base_url="http://other", transport=other) as client,
        pytest.raises(NotAnswered, match="not a Command Center"),
    ):
        fetch(client)
