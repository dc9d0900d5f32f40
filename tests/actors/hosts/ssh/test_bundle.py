"""The program for another machine: it needs nothing but what it brings."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

from command_center.actors.hosts.ssh.bundle import make_bundle


def test_it_starts_without_anything_that_is_installed_here(tmp_path: Path) -> None:
    zipfile.ZipFile(io.BytesIO(make_bundle().content)).extractall(tmp_path)
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {NAME}; print({NAME})"
    done = subprocess.run(
        [sys.executable, "-ISc", program], check=False, capture_output=True, text=True
    )
    assert (0, "") == (done.returncode, done.stderr)
    assert str(tmp_path) in done.stdout


NAME = "command_center.actors.hosts.far.main"
