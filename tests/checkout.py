"""The checkout under test: its folders, its files, and programs run in it."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FOLDERS = ("actors", "http", "runtime", "store")

CLIENT = Path("http", "command_center_client")
"""The one folder that is imported by its own name: a package for programs that ask a server."""

MANUAL = Path("http", "cli", "command-center.1")
"""The man page, which `command-center manual` prints."""


def pyproject() -> dict[str, Any]:
    """Return what pyproject.toml says."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def source_files(*folders: str) -> Iterator[Path]:
    """Every Python file of these folders, or of the four, as a path from the root."""
    for folder in folders or FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT)


def run(
    *command: str | Path, cwd: Path = ROOT, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and return what it printed, both streams as one."""
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(variables or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def script(name: str) -> Path:
    """The program that a dependency has put beside this Python."""
    found = shutil.which(name, path=sysconfig.get_path("scripts"))
    assert found, f"{name} is not installed beside {sys.executable}"
    return Path(found)
