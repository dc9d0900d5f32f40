"""The time from saying something to the prompt at the model, in a new thread and in an open one.

Run it with `python -m tests.benchmarks.prompting [rounds]`. The product, as a user starts it, has
the real Codex with a scripted model on loopback. The peer is that Codex alone: an app-server of its
own, asked over its standard input for what cannot be left out (`thread/start` and `turn/start`, or
`turn/start` alone in the thread that it has loaded). Rounds take turns.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import httpx

from tests.actors.git.repository import make_repository
from tests.codex.binary import find_codex
from tests.codex.script import Say, Script
from tests.codex.scripted_model import ScriptedModel, write_codex_home
from tests.end_to_end.server import Server

ROUNDS: Final = 12
WARM: Final = 2
"""Rounds before those that count."""


@attrs.define(eq=False)
class Arrivals:
    """The moments at which prompts reach the model, by their text."""

    _times: dict[str, float] = attrs.field(factory=dict)
    _changed: threading.Condition = attrs.field(factory=threading.Condition)

    def choose(self, prompt: str) -> Script:
        """Note it, and have the model answer a word."""
        with self._changed:
            self._times.setdefault(prompt, time.perf_counter())
            self._changed.notify_all()
        return (Say.text("Done."),)

    def of(self, prompt: str) -> float:
        """Wait for it."""
        with self._changed:
            assert self._changed.wait_for(lambda: prompt in self._times, 60), prompt
            return self._times[prompt]


@attrs.define(eq=False)
class RawCodex:
    """An app-server, and its answers."""

    process: subprocess.Popen[bytes]
    cwd: Path
    _number: int = 0

    def ask(self, method: str, params: Mapping[str, Any]) -> Any:
        """Ask, and return the result."""
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        return self.until(lambda said: said.get("id") == self._number and "result" in said)[
            "result"
        ]

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def until(self, is_wanted: Any) -> Any:
        """Read until a message is so."""
        assert self.process.stdout is not None
        while True:
            said = json.loads(self.process.stdout.readline())
            if is_wanted(said):
                return said

    def hello(self) -> None:
        """Introduce the client."""
        self.ask("initialize", {"clientInfo": {"name": "raw", "title": "raw", "version": "1"}})
        self._send({"method": "initialized"})

    def open(self) -> str:
        """Open a thread."""
        answer = self.ask("thread/start", {"cwd": str(self.cwd), "sandbox": "read-only"})
        return str(answer["thread"]["id"])

    def say(self, thread_id: str, prompt: str) -> None:
        """Begin a turn."""
        said = [{"type": "text", "text": prompt}]
        self.ask("turn/start", {"threadId": thread_id, "input": said})

    def wait(self) -> None:
        """Wait for the turn's end."""
        self.until(lambda said: said.get("method") == "turn/completed")


@contextmanager
def raw_codex(home: Path, cwd: Path) -> Iterator[RawCodex]:
    """The peer."""
    with subprocess.Popen(
        [str(find_codex()), "app-server"],
        env={**os.environ, "CODEX_HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        raw = RawCodex(process, cwd)
        raw.hello()
        yield raw
        assert process.stdin is not None
        process.stdin.close()


def ended(http: httpx.Client, session_id: int) -> None:
    """Wait for the session's end."""
    while (status := http.get(f"/api/sessions/{session_id}").json()["status"]) != "completed":
        assert status not in {"failed", "stopped"}, status
        time.sleep(0.05)


def ours(http: httpx.Client, repository: int, name: str, arrivals: Arrivals) -> tuple[float, float]:
    """Return the seconds of a run in a new thread, and of what is said in it then."""
    prompt = f"new {name}"
    body = {"repositoryId": repository, "title": prompt, "prompt": prompt}
    task = http.post("/api/tasks", json=body).json()["id"]
    began = time.perf_counter()
    session = http.post(f"/api/tasks/{task}/run", json={}).json()["session"]["id"]
    new = arrivals.of(prompt) - began
    ended(http, session)
    prompt = f"again {name}"
    began = time.perf_counter()
    said = http.post(f"/api/sessions/{session}/messages", json={"message": prompt}).json()
    again = arrivals.of(prompt) - began
    ended(http, said["session"]["id"])
    return new, again


def raws(raw: RawCodex, name: str, arrivals: Arrivals) -> tuple[float, float]:
    """Return the same of the peer."""
    began = time.perf_counter()
    thread = raw.open()
    raw.say(thread, f"raw new {name}")
    new = arrivals.of(f"raw new {name}") - began
    raw.wait()
    time.sleep(0.3)
    began = time.perf_counter()
    raw.say(thread, f"raw again {name}")
    again = arrivals.of(f"raw again {name}") - began
    raw.wait()
    return new, again


def main(rounds: int) -> None:
    """Measure, and print."""
    arrivals = Arrivals()
    with tempfile.TemporaryDirectory() as folder, ScriptedModel() as model:
        model.choose = arrivals.choose
        project = make_repository(Path(folder) / "project")
        settings = {
            "CODEX_HOME": str(write_codex_home(Path(folder) / "ours", model, called=None)),
            "CC_CODEX_COMMAND": str(find_codex()),
            "CC_CODEX_RUNNER_MODE": "app-server",
            "CC_LOG_LEVEL": "warning",
        }
        server = Server(Path(folder) / "data", settings, is_fresh=True).start()
        home = write_codex_home(Path(folder) / "raw", model, called=None)
        try:
            with (
                raw_codex(home, project) as raw,
                httpx.Client(base_url=server.url, timeout=60, trust_env=False) as http,
            ):
                body = {"localPath": str(project), "workplace": "main_checkout"}
                repository = http.post("/api/repos", json=body).json()["id"]
                all_ours, all_raw = [], []
                for number in range(WARM + rounds):
                    all_ours.append(ours(http, repository, str(number), arrivals))
                    all_raw.append(raws(raw, str(number), arrivals))
        finally:
            server.end()
    for at, what in enumerate(("a run in a new thread", "said again in its thread")):
        mine, peer = (
            statistics.median(one[at] for one in some[WARM:]) for some in (all_ours, all_raw)
        )
        print(f"{what}: {mine * 1000:.0f} ms, raw {peer * 1000:.0f} ms, {mine / peer:.2f} times")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
