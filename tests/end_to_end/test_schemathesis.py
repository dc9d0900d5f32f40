"""Schemathesis against a running server: what it answers is what its document says."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.checkout import ROOT, script
from tests.end_to_end.server import Server

HERE = Path(__file__).parent
COPIES = 30
"""Repositories that can be registered."""

RUN = {"sandbox": "read-only"}
RECORDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/api/tasks", {"repositoryId": 1, "title": "a", "prompt": "b"}),
    ("/api/tasks/1/sessions", RUN),
    ("/api/sessions/1/followups", {"message": "a"}),
    ("/api/approvals", {"title": "a"}),
    (
        "/api/automations",
        {
            "repositoryId": 1,
            "title": "a",
            "scheduleExpr": "hourly",
            "payload": {"prompt": "a", "runInput": RUN},
        },
    ),
    ("/api/repos/1/worktrees", {"branchName": "cc/there"}),
)
"""One of each, so that there is something to be asked for."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of its own: actors are stopped and repositories forgotten on it."""
    server = Server(tmp_path / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    yield server
    server.end()


@pytest.mark.timeout(150)
@pytest.mark.parametrize(
    ("phases", "seconds"), [("examples,coverage,fuzzing", 35), ("stateful", 25)]
)
def test_schemathesis_finds_nothing(
    server: Server, repository: Path, tmp_path: Path, phases: str, seconds: int
) -> None:
    copies = [shutil.copytree(repository, tmp_path / f"copy-{n}") for n in range(COPIES)]
    with httpx.Client(base_url=server.url) as http:
        made = http.post("/api/repos", json={"localPath": str(repository), "allowWrite": True})
        assert 201 == made.status_code
        answers = [http.post(path, json=body) for path, body in RECORDS]
        assert {201} == {answer.status_code for answer in answers}
    done = subprocess.run(
        [
            script("schemathesis"),
            f"--config-file={HERE / 'schemathesis.toml'}",
            "run",
            f"{server.url}/openapi.json",
            "--max-examples=4",
            f"--phases={phases}",
            f"--max-time={seconds}",
            "--generation-deterministic",
            "--continue-on-failure",
            "--warnings=off",
            "--no-color",
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SCHEMATHESIS_HOOKS": "tests.end_to_end.schemathesis_hooks",
            "CC_TEST_REPOSITORIES": os.pathsep.join(map(str, copies)),
            "CC_TEST_WORKTREE": answers[-1].json()["path"],
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
