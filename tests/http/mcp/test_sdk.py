"""The official Python SDK as a client, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import trio

from tests.http.devices import server


async def test_the_official_sdk_works_with_every_part(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        agent = await at.device("read", "work")
        script = Path(__file__).with_name("sdk_client.py")
        run = partial(trio.run_process, capture_stdout=True, stderr=subprocess.STDOUT, check=False)
        done = await run([sys.executable, str(script), at.address.url, agent["token"]])
        assert 0 == done.returncode, done.stdout.decode()
        seen = json.loads(done.stdout)
    assert ("2026-07-28", "command-center") == (seen["version"], seen["server"])
    assert "2025-11-25" == seen["version by initialize"]
    assert {"create_task", "wait_for_session"} <= {*seen["tools"]}
    assert seen["ended"]
    assert [1.0] == [progress for progress, _ in seen["progress"]][:1]
    assert {"sessionId": 1, "diff": None, "nextCursor": None} == seen["diff"]
    assert 1 <= seen["found"]
    assert [f"command-center://sessions/1{part}" for part in ("", "/diff")] == seen["resources"]
    assert 2 == len(seen["templates"])
    assert "application/json" == seen["read"]
    assert seen["refused"]
    assert -32602 == seen["unknown"]
    # `command-center mcp` is the same, over standard input and output.
    assert ("2026-07-28", seen["tools"]) == (seen["stdio version"], seen["stdio tools"])
    assert seen["stdio ended"]
