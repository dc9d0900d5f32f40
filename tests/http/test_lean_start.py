"""A server that answers has loaded nothing that only some need."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.checkout import run

SERVER = """
import gc, json, os, sys
from command_center.http import greeting
from command_center.http.cli.main import main

def greet(settings, address, urls, **_):
    collects = gc.isenabled() and gc.get_freeze_count() > 0
    print(json.dumps([collects, *sys.modules]), flush=True)
    os._exit(0)

greeting.greet = greet
main(sys.argv[1:])
"""
"""Ends when it would greet, and tells whether garbage is collected, and what is loaded."""

HEAVY = {
    "command_center.actors.telegram.tree": "Telegram",
    "command_center.actors.cluster": "a cluster",
    "command_center.http.cluster": "a cluster",
    "command_center.http.standby": "a cluster",
    "command_center.actors.hosts.daemon": "a machine that is a host itself",
    "command_center.actors.hosts.dial": "other hosts",
    "command_center.actors.hosts.link": "other hosts",
    "command_center.actors.hosts.ssh": "other hosts",
    "command_center.actors.nats": "a cluster",
    "command_center.store.replication": "a cluster",
    "command_center.http.cli.update": "`update`",
    "httpx": "Telegram",
    "httpcore": "pushes that are sent",
    "apprise": "places that are told",
    "cryptography": "pushes that are sent",
    "command_center.http.openapi.page": "the API's documents",
    "command_center.http.openapi.asyncapi": "the API's documents",
    "command_center.http.openapi.document": "the API's documents",
    "command_center.http.openapi.schemas": "the API's documents",
    "command_center.http.documentation.site": "the documentation",
    "markdown_it": "the documentation",
    "command_center.http.demo.run": "the demonstration",
    "command_center.http.cli.top": "`top`",
    "command_center.http.cli.pair": "`pair`",
    "segno": "`pair`",
    "rich.console": "tables in a terminal",
    "pygments": "tables in a terminal",
}
"""Modules that must not be loaded, with their purpose."""


def started(folder: Path, *flags: str) -> list[Any]:
    command = (sys.executable, "-c", SERVER, "--port", "0", "--data-dir", folder)
    told = run(*command, "--codex-runner-mode", "stub", *flags).stdout
    found: list[Any] = json.loads(told.splitlines()[-1])
    return found


def test_a_server_loads_nothing_that_only_some_need(tmp_path: Path) -> None:
    _, *there = started(tmp_path)
    assert {} == {name: why for name, why in HEAVY.items() if name in there}


def test_a_server_that_talks_to_telegram_loads_what_that_needs(tmp_path: Path) -> None:
    flags = ("--telegram-mode", "polling", "--telegram-bot-token", "1:x", "--telegram-allowed-ids")
    _, *there = started(tmp_path, *flags, "7")
    assert {"httpx", "command_center.actors.telegram.tree"} <= {*there}


def test_garbage_is_collected_from_when_requests_are_answered(tmp_path: Path) -> None:
    assert started(tmp_path)[0]


def test_the_program_of_a_host_loads_no_database() -> None:
    code = "import sys, command_center.http.cli.host; print(*sys.modules)"
    there = {*run(sys.executable, "-c", code).stdout.split()}
    assert "command_center.actors.hosts.daemon.program" in there
    assert not {"sqlite3", "sqlite_utils", "command_center.store.database", "quart"} & there
