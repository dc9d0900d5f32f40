"""Other users of the machine, and a server without a token that listens on the loopback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.server import Server

OTHER = 65534
BASH = shutil.which("bash") or ""

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or not BASH,
    reason="only root on Linux can be another user, here by bash's /dev/tcp",
)


@pytest.fixture
def settings() -> dict[str, str]:
    return {"CC_CODEX_RUNNER_MODE": "stub"}


@pytest.fixture
def server(tmp_path: Path, settings: dict[str, str]) -> Iterator[Server]:
    server = Server(tmp_path / "data", settings)
    yield server
    server.end()


def said(server: Server, path: str, *headers: str, body: str = "", reads: bool = True) -> str:
    """Send a request as another user's process, and return what it was answered."""
    method = "POST" if body else "GET"
    port = server.url.rpartition(":")[2]
    head = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close", *headers]
    if body:
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    request = "\\r\\n".join([*head, "", body])
    script = f"exec 3<>/dev/tcp/127.0.0.1/{port}; printf '{request}' >&3; "
    script += "cat <&3" if reads else "exec 3>&-"
    done = subprocess.run(
        [BASH, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        cwd="/",
        user=OTHER,
        group=OTHER,
        extra_groups=[],
    )
    return done.stdout


def test_another_user_is_told_why_they_are_not_served_and_the_own_one_is(server: Server) -> None:
    server.start()
    answer = said(server, "/api/repos")
    assert answer.startswith("HTTP/1.1 401 ")
    assert "Another user of this machine sent this." in answer
    assert said(server, "/metrics").startswith("HTTP/1.1 401 ")
    assert said(server, "/health").startswith("HTTP/1.1 200 ")
    assert said(server, "/").startswith("HTTP/1.1 200 ")
    assert 200 == httpx.get(f"{server.url}/api/repos", trust_env=False).status_code


def test_nobody_passes_for_root_by_going_before_the_server_looks(server: Server) -> None:
    server.start()
    body = json.dumps({"title": "Blind"})
    for _ in range(20):
        said(server, "/api/approvals", body=body, reads=False)
    assert said(server, "/api/approvals", body=body).startswith("HTTP/1.1 401 ")
    shown = httpx.get(f"{server.url}/api/approvals", trust_env=False).json()
    assert [] == shown["items"]


def test_with_the_token_of_a_device_another_user_is_served(server: Server) -> None:
    server.start()
    wanted = {"name": "Ada", "scopes": ["read"]}
    made = httpx.post(f"{server.url}/api/devices", json=wanted, trust_env=False).json()
    header = f"Authorization: Bearer {made['token']}"
    assert said(server, "/api/repos", header).startswith("HTTP/1.1 200 ")


def test_a_proxy_that_is_trusted_is_served_whoever_it_runs_as(
    server: Server, settings: dict[str, str]
) -> None:
    settings["CC_TRUSTED_PROXIES"] = "127.0.0.1"
    server.start()
    assert said(server, "/api/repos").startswith("HTTP/1.1 200 ")
