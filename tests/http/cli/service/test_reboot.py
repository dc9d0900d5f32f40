"""A systemd of the user's own, for real: what it does after a kill, and when the machine boots.

It runs in namespaces of its own, as root, with `-m containers`: a boot takes seconds.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
from pathlib import Path

import pytest

from tests.checkout import run, script
from tests.codex.script import Run, Say
from tests.codex.scripted_model import ScriptedModel, write_codex_home

BOOT = """
for place in $(awk '$3 ~ /^cgroup/ {{print $2}}' /proc/mounts | sort -r); do umount "$place"; done
umount /sys/fs/cgroup 2>/dev/null
set -e
mount -t cgroup2 none /sys/fs/cgroup
mount -t tmpfs none /run
mkdir -p /run/systemd/system /run/user /sys/fs/cgroup/{name}
echo $$ > /sys/fs/cgroup/{name}/cgroup.procs
export XDG_RUNTIME_DIR=/run/user
{systemd} --user >/dev/null 2>&1 &
until systemctl --user is-system-running 2>/dev/null | grep -qE 'running|degraded'; do :; done
answers() {{ until command-center api GET "$1" 2>/dev/null; do :; done; }}
{does}
"""
SYSTEMD = Path("/usr/lib/systemd/systemd")
IS_ROOT = sys.platform != "win32" and os.geteuid() == 0

pytestmark = [
    pytest.mark.containers,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="systemd is on Linux alone."),
]


def boot(home: Path, does: str) -> str:
    """Boot, do something, and end all that runs at once, as where the power is cut."""
    if not IS_ROOT or not SYSTEMD.exists():
        pytest.skip("it takes root and systemd: apt-get install systemd")
    text = BOOT.format(name=f"boot-{os.getpid()}", systemd=SYSTEMD, does=does)
    path = f"{script('command-center').parent}{os.pathsep}{os.environ['PATH']}"
    left_out = {"CC_CONFIG": "", "XDG_CONFIG_HOME": "", "XDG_DATA_HOME": ""}
    done = run(
        *(
            "timeout",
            "--kill-after=1",
            "250",
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
        ),
        *("sh", "-c", text),
        cwd=home,
        variables={"HOME": str(home), "PATH": path} | left_out,
    )
    assert 0 == done.returncode, done.stdout
    return done.stdout


def configure(home: Path, *lines: str) -> None:
    """Write the settings of who signs in there, with a port that is free."""
    config = home / ".config" / "command-center" / "config.toml"
    config.parent.mkdir(parents=True)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    config.write_text("\n".join([f"port = {port}", *lines, ""]), encoding="utf-8")


def test_the_service_comes_back_after_a_kill_and_after_a_reboot(
    tmp_path: Path,
) -> None:
    configure(tmp_path, 'codex_runner_mode = "stub"')
    killed = boot(
        tmp_path,
        """
        command-center service install
        answers /health >/dev/null
        command-center api POST /api/approvals -f title=Before >/dev/null
        show() { systemctl --user show command-center.service "$@"; }
        pid=$(show --property=MainPID --value)
        grep NoNewPrivs "/proc/$pid/status"
        kill -9 "$pid"
        until [ "$(show --property=NRestarts --value)" = 1 ]; do :; done
        answers /api/approvals
        """,
    )
    assert "enable-linger" in killed
    assert re.search(r"NoNewPrivs:\s+1", killed)
    assert '"Before"' in killed
    asked = boot(tmp_path, "answers /api/approvals; command-center service uninstall")
    assert '"Before"' in asked
    assert "Removed" in asked


ASKS = """
asks() {
    until [ -n "$(pending)" ]; do :; done
}
pending() {
    command-center api GET '/api/approvals?status=pending' | grep -oE '"id": [0-9]+' | tr -dc 0-9
}
decides() {
    command-center api POST "/api/approvals/$1/resolve" -f status=approved >/dev/null
    until command-center api GET "/api/sessions/$2" | grep -q '"completed"'; do :; done
}
"""


def test_a_turn_and_an_approval_outlast_a_kill_and_a_reboot(
    tmp_path: Path, codex_binary: Path, repository: Path
) -> None:
    """A kill leaves the turn as it is. A boot has no Codex of before: the turn is continued."""
    configure(tmp_path, f'codex_command = "{codex_binary}"', 'codex_runner_mode = "app-server"')
    task = {"repositoryId": 1, "title": "Ask", "prompt": "Ask.", "onInterrupt": "continue"}
    (tmp_path / "task.json").write_text(json.dumps(task))
    with ScriptedModel() as model:
        model.script = (Run("echo outside", justification="May I?"), Say.text("Decided."))
        write_codex_home(tmp_path / ".codex", model)
        told = boot(
            tmp_path,
            ASKS
            + f"""
            command-center service install
            answers /health >/dev/null
            command-center api POST /api/repos -f localPath={repository} -f allowWrite=true
            command-center api POST /api/tasks --input task.json
            command-center api POST /api/tasks/1/run >/dev/null
            asks
            kill -9 "$(systemctl --user show command-center.service --property=MainPID --value)"
            answers /api/approvals/1 >/dev/null
            asks
            decides 1 1
            command-center api GET /api/sessions/1
            command-center api POST /api/tasks/1/run >/dev/null
            asks
            """,
        )
        assert '"lastMessage": "Decided."' in told
        told = boot(
            tmp_path,
            ASKS
            + """
            answers /api/sessions/3 >/dev/null
            asks
            command-center api GET /api/sessions/2
            decides "$(pending)" 3
            command-center api GET /api/sessions/3
            command-center service uninstall
            """,
        )
    assert '"status": "interrupted"' in told
    assert '"lastMessage": "Decided."' in told
