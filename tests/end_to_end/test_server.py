"""The servers that tests start."""

from pathlib import Path

from tests.end_to_end.server import LIVE, Server, end_left


def test_a_server_that_a_test_leaves_running_is_ended_after_it(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    end_left(tmp_path / "other")
    assert server in LIVE
    end_left(tmp_path)
    assert server.process is not None
    assert server.process.stdout is not None
    assert server.process.poll() is not None
    assert server.process.stdout.closed
    assert server not in LIVE
