"""The minutes from nothing to a run that somebody has approved, for each way to install.

`python -m tests.installing.first_run [WAY...]` prints them. Nothing is in the caches of uv and pip
before. Codex is there, and signed in: its model is a script on loopback. What a person would click
is asked for over the API.
"""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from tests.checkout import ROOT, run
from tests.codex.binary import find_codex
from tests.codex.script import Run, Say
from tests.codex.scripted_model import ScriptedModel, write_codex_home
from tests.installing.ways import WAYS, Installed, install
from tests.installing.wheel import done, serving, uv

RECIPE = ROOT / "Containerfile"
SECONDS = 120.0
"""Seconds that a step of the run may take."""


def approve_a_run(installed: Installed, folder: Path) -> str:
    """Serve, register a repository, run a task that asks, approve it; return Codex's last words."""
    code = folder / "code"
    code.mkdir()
    (code / "README.md").write_text("# Code\n", encoding="utf-8")
    me = ("-c", "user.name=Me", "-c", "user.email=me@example.org")
    for words in (("init", "-q"), ("add", "."), (*me, "commit", "-q", "-m", "Begin")):
        assert run("git", *words, cwd=code).returncode == 0
    with ScriptedModel() as model:
        model.script = (Run("echo outside", justification="May I?"), Say.text("Decided."))
        variables = {
            **installed.variables,
            "CODEX_HOME": str(write_codex_home(folder / "codex-home", model)),
            "CC_CODEX_COMMAND": str(find_codex()),
            "CC_CODEX_TRANSPORT": "spawn",
        }
        command = [*installed.command, "serve"]
        with (
            serving(command, folder, variables, runner="app-server") as address,
            httpx.Client(base_url=address, timeout=SECONDS, trust_env=False) as client,
        ):
            return _approve(client, code)


def _approve(client: httpx.Client, code: Path) -> str:
    def ask(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return client.request(method, path, json=body).raise_for_status().json()

    repository = ask("POST", "/api/repos", {"localPath": str(code), "allowWrite": True})
    wanted = {"repositoryId": repository["id"], "title": "Say it", "prompt": "Say it outside."}
    task = ask("POST", "/api/tasks", wanted)
    session = ask("POST", f"/api/tasks/{task['id']}/run", {})["session"]["id"]
    until, asked, told = time.monotonic() + SECONDS, 0, ask("GET", f"/api/sessions/{session}")
    while told["status"] != "completed":
        for one in ask("GET", "/api/approvals?status=pending")["items"]:
            asked += 1
            ask("POST", f"/api/approvals/{one['id']}/resolve", {"status": "approved"})
        assert time.monotonic() < until, told
        time.sleep(0.1)  # as the page would be looked at
        told = ask("GET", f"/api/sessions/{session}")
    assert 1 == asked
    return str(told["lastMessage"])


def from_a_checkout(folder: Path, cache: Path) -> Installed:
    """Clone this repository, and have uv bring what it needs to run; not what its tests need."""
    variables = {"VIRTUAL_ENV": "", "UV_CACHE_DIR": str(cache), "HOME": str(folder)}
    done("git", "clone", "-q", ROOT, folder / "checkout", cwd=folder, variables=variables)
    place = ("--project", folder / "checkout")
    done("uv", "sync", "-q", "--no-dev", *place, cwd=folder, variables=variables)
    return Installed(("uv", "run", "-q", "--no-dev", *place, "command-center"), variables)


def in_a_container(folder: Path) -> Installed:
    """Build the image anew, or take the one in CC_TEST_IMAGE; run it with its root closed.

    It has the folder, and the network of this machine, in which the scripted model is.
    """
    program = shlex.split(os.environ.get("CC_TEST_CONTAINERS", "podman"))
    image = os.environ.get("CC_TEST_IMAGE", "command-center-first-run")
    if "CC_TEST_IMAGE" not in os.environ:
        built = run(*program, "build", "--no-cache", "--tag", image, "--file", RECIPE, ROOT)
        assert built.returncode == 0, built.stdout
    given = ("CODEX_HOME", "CC_CONFIG", "CC_CODEX_TRANSPORT", "CC_HOST=127.0.0.1")
    words = ["run", "--rm", "--network", "host", "--user", "0:0", "--read-only", "--tmpfs", "/tmp"]  # noqa: S108 - in the container
    words += [word for name in (*given, "CC_CODEX_COMMAND=codex") for word in ("--env", name)]
    return Installed((*program, *words, "--volume", f"{folder}:{folder}", image), {})


def measure(way: str, wheel: Path) -> tuple[float, float]:
    """Return the seconds of the installation, and of the run after it; all of it is gone then."""
    with ExitStack() as stack:
        folder, cache = (
            Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in ("home", "cache")
        )
        began = time.monotonic()
        if way == "checkout":
            installed = from_a_checkout(folder, cache)
        elif way == "container":
            installed = in_a_container(folder)
        else:
            installed = install(way, wheel, sys.executable, folder, cache=cache)
        is_there = time.monotonic()
        assert approve_a_run(installed, folder) == "Decided."
        return is_there - began, time.monotonic() - is_there


def main(ways: list[str]) -> None:
    """Print a line for each way."""
    with tempfile.TemporaryDirectory() as name:
        uv("build", "-q", "--wheel", "--out-dir", name, cwd=ROOT)
        (wheel,) = Path(name).glob("*.whl")
        os.environ.setdefault("UV", "uv")
        for way in ways or [*WAYS, "checkout", "container"]:
            installing, running = measure(way, wheel)
            minutes = (installing + running) / 60
            print(f"{way:9}{installing:6.1f} s + {running:5.1f} s = {minutes:.1f} min")  # noqa: T201 - it is for this


if __name__ == "__main__":
    main(sys.argv[1:])
