"""The wheel and the sdist, built once a run, and a server of what was installed."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.checkout import FOLDERS, ROOT, run

BIN = "Scripts" if sys.platform == "win32" else "bin"


def uv_program() -> str:
    """Return uv's path. Without it, the test is skipped."""
    program = os.environ.get("UV") or shutil.which("uv")  # `uv run` names itself in UV
    if program is None:
        pytest.skip("uv is not installed")
    return program


def uv(*words: str | Path, cwd: Path, variables: Mapping[str, str] | None = None) -> str:
    """Run uv. Without it, or where it cannot reach a package index, the test is skipped."""
    mine = {"VIRTUAL_ENV": "", "UV_PYTHON": sys.executable}
    return done(uv_program(), *words, cwd=cwd, variables=mine | {**(variables or {})})


def done(*command: str | Path, cwd: Path, variables: Mapping[str, str]) -> str:
    """Run a program that may ask a package index, which must do it, and return what it says."""
    ended = run(*command, cwd=cwd, variables=variables)
    if re.search(
        r"error sending request|dns error|Connection refused|timed out|NewConnectionError",
        ended.stdout,
    ):
        pytest.skip(f"the package index cannot be reached: {ended.stdout[-500:]}")
    assert 0 == ended.returncode, ended.stdout
    return ended.stdout


@cache
def uv_cache() -> str:
    """Return the folder of what uv has downloaded, wherever a test's home is."""
    return uv("cache", "dir", cwd=ROOT).splitlines()[-1]


def build(factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sdist and the wheel made of it, built by the first that asks."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "built"
    # Workers wait for each other by a lock that ends with its process, on every system.
    with closing(sqlite3.connect(base.parent / f"{folder.name}.lock", timeout=300)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        if not folder.exists():
            made = factory.mktemp("making")
            uv("build", "--out-dir", made, cwd=_sources(factory.mktemp("copy")))
            made.rename(folder)
    return folder


def _sources(copy: Path) -> Path:
    for folder in (*FOLDERS, "docs"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    return copy


def clean_environment() -> dict[str, str]:
    """Return this process's variables, without those of Command Center."""
    return {key: value for key, value in os.environ.items() if not key.startswith("CC_")}


@contextmanager
def serving(
    command: Sequence[str | Path],
    folder: Path,
    variables: Mapping[str, str] | None = None,
    runner: str = "stub",
) -> Iterator[str]:
    """Serve on a free port, and give the address; at the end it must stop."""
    (folder / "config.toml").touch()
    server = subprocess.Popen(
        [*command, "--port", "0", "--codex-runner-mode", runner, "--data-dir", folder / "data"],
        cwd=folder,
        env={
            **clean_environment(),
            **(variables or {}),
            "CC_CONFIG": str(folder / "config.toml"),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    assert server.stderr is not None
    try:
        greeting = server.stdout.readline()
        address = re.search(r"listens on (http://127\.0\.0\.1:\d+)", greeting)
        assert address, greeting + server.stderr.read()
        yield address[1]
    finally:
        server.terminate()
        _, told = server.communicate(timeout=30)
    if sys.platform != "win32":
        assert 0 == server.returncode, told
