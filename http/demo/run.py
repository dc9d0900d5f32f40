"""`command-center demo`: a living dashboard within seconds, without Codex.

All of it is in a temporary folder that goes when it ends: two sample repositories, a week of
history, and a stand-in for Codex (`fake_codex`) that says in each turn that it is one. What runs at
the start is asked for over the API, as a person would.
"""

from __future__ import annotations

import shlex
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import click
import httpx
import trio

from command_center.actors.git.ports import PROGRAM
from command_center.actors.hosts.local.git.process import GitProgram
from command_center.http.config.settings import Settings, resolve_settings
from command_center.http.demo.history import write_history
from command_center.http.demo.scripts import REPOSITORIES
from command_center.http.run import StartRefused, run
from command_center.store import open_database
from command_center.store.backups.contents import DATABASE

BEGINNING = (
    (
        "Make cart totals exact to the cent",
        "The cart loses cents. Make its totals exact.",
        1,
        "high",
    ),
    (
        "Upgrade the payment client",
        "Upgrade the payment client to its newest version.",
        2,
        "normal",
    ),
    (
        "Speed up the order list",
        "The order list is slow. Find the index that it lacks.",
        1,
        "normal",
    ),
)
"""The tasks that the demo begins with: title, prompt, repository, priority."""

LATER = ("Add a check of types", "Add a check of types, and make it pass.", 1, "low")


def run_demo(port: int) -> int:
    """Serve the demo until told to stop; return the exit code.

    Raises:
        StartRefused: it cannot start here, for want of git or for what keeps a server from it.
    """
    if shutil.which(PROGRAM) is None:
        raise StartRefused("git was not found, and the demo's repositories need it. Install git.")
    with tempfile.TemporaryDirectory(prefix="command-center-demo-") as name:
        folder = Path(name)
        repositories = {name: make_repository(folder / name) for name in REPOSITORIES}
        data, configuration = folder / "data", folder / "config.toml"
        data.mkdir()
        configuration.touch()
        open_database(data / DATABASE).close()
        write_history(data / DATABASE, repositories, datetime.now(UTC))
        flags = {
            "port": str(port),
            "data_dir": str(data),
            "codex_runner_mode": "app-server",
            "codex_command": shlex.join(
                (sys.executable, "-P", "-m", "command_center.http.demo.fake_codex")
            ),
            "codex_transport": "spawn",
            "log_level": "warning",
        }
        resolved = resolve_settings({}, flags, config_file=configuration)
        try:
            return run(resolved, _greet)
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # pressed again, it would leave the folder


def make_repository(path: Path) -> Path:
    """Make a sample repository with one commit."""
    for name, text in REPOSITORIES[path.name].items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    trio.run(_commit_all, path)
    return path


async def _commit_all(path: Path) -> None:
    git = GitProgram(path.parent / "git-work")
    where = {
        "GIT_DIR": str(path / ".git"),
        "GIT_WORK_TREE": str(path),
        "GIT_AUTHOR_NAME": "Demo",
        "GIT_AUTHOR_EMAIL": "demo@example.org",
        "GIT_COMMITTER_NAME": "Demo",
        "GIT_COMMITTER_EMAIL": "demo@example.org",
    }
    for words in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-q", "-m", "Begin")):
        await git.run(path, *words, where=where, writable=(path,))


def begin_work(address: str) -> None:
    """Scan the repositories, and start what the demo begins with, unless it ends before."""
    with (
        suppress(httpx.HTTPError),
        httpx.Client(base_url=address, timeout=30, trust_env=False) as client,
    ):
        for repository in range(1, len(REPOSITORIES) + 1):
            client.post(f"/api/repos/{repository}/scan", json={})
        for work in BEGINNING:
            task = client.post("/api/tasks", json=_task(*work)).raise_for_status().json()
            run = {"branchName": f"demo/task-{task['id']}", "requestedBy": "demo"}
            client.post(f"/api/tasks/{task['id']}/run", json=run)
        client.post("/api/tasks", json=_task(*LATER))


def _task(title: str, prompt: str, repository: int, priority: str) -> Mapping[str, object]:
    return {
        "repositoryId": repository,
        "title": title,
        "prompt": prompt,
        "priority": priority,
        "requestedBy": "demo",
    }


def _greet(_: Settings, address: str, __: Sequence[str]) -> None:
    threading.Thread(target=begin_work, args=(address,), daemon=True).start()
    click.echo(
        f"The demo of Command Center listens on {address}\n"
        "Nothing of it is real: the repositories are samples, and no Codex is asked.\n"
        "Stop:    Ctrl-C, and all of it is gone"
    )
