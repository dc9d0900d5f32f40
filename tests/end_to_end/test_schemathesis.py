"""Schemathesis against a running server: what it answers is what its document says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.checkout import ROOT, script
from tests.end_to_end.server import Server

HERE = Path(__file__).parent
SECONDS = 30


@pytest.mark.timeout(150)
def test_schemathesis_finds_nothing(stub_server: Server, repository: Path) -> None:
    with httpx.Client(base_url=stub_server.url) as http:
        made = http.post("/api/repos", json={"localPath": str(repository), "allowWrite": True})
        assert 201 == made.status_code
        task = {"repositoryId": made.json()["id"], "title": "a", "prompt": "b"}
        assert 201 == http.post("/api/tasks", json=task).status_code
    done = subprocess.run(
        [
            script("schemathesis"),
            f"--config-file={HERE / 'schemathesis.toml'}",
            "run",
            f"{stub_server.url}/openapi.json",
            "--checks=all",
            "--max-examples=4",
            f"--max-time={SECONDS}",
            "--generation-deterministic",
            "--continue-on-failure",
            "--warnings=off",
            "--no-color",
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SCHEMATHESIS_HOOKS": "tests.end_to_end.schemathesis_hooks",
            "CC_TEST_REPOSITORY": str(repository),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
