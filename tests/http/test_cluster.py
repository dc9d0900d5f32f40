"""A leader that was deposed begins again as the same process, and leaves nothing of itself open."""

from __future__ import annotations

import re
import sys

import pytest

from tests.checkout import run

BEFORE = """
import os, socket
from command_center.http.cluster import come_back

listening = socket.create_server(("127.0.0.1", 0))
listening.set_inheritable(True)  # as hypercorn does
after = f"import os; print('process', os.getpid(), flush=True); os.fstat({listening.fileno()})"
print("process", os.getpid(), flush=True)
come_back("another leads", begin=lambda program, _: os.execv(program, [program, "-c", after]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a process there cannot begin again by itself")
def test_a_deposed_leader_begins_again_with_its_process_id_and_no_socket() -> None:
    told = run(sys.executable, "-c", BEFORE).stdout
    before, after = re.findall(r"process (\d+)", told)
    assert before == after
    assert "another leads" in told
    assert "Bad file descriptor" in told
