"""The servers that tests start."""

from pathlib import Path

import pytest

from tests.end_to_end.server import LIVE, Server, end_left


def test_a_server_that_a_test_leaves_running_is_told_of_and_ended_after_it(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server = Server(tmp_path / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    end_left(tmp_path / "other")
    assert server in LIVE
    server.log.write_text("It says this.\n")
    call = pytest.CallInfo.from_call(lambda: pytest.fail("It fails."), "call")
    report = request.node.ihook.pytest_runtest_makereport(item=request.node, call=call)
    assert (f"Server {server.data_dir} runs", "It says this.") in report.sections
    end_left(tmp_path)
    assert server.process is not None
    assert server.process.stdout is not None
    assert server.process.poll() is not None
    assert server.process.stdout.closed
    assert server not in LIVE
