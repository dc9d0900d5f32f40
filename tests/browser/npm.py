"""Programs that npm brings, each pinned in a folder here with the hash of what is installed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.checkout import run


def brought(folder: Path, package: str) -> Path:
    """Return the folder's `node_modules` with the pinned package, which npm brings if need be.

    Without npm the test is skipped.
    """
    pinned = json.loads((folder / "package.json").read_bytes())["devDependencies"][package]
    modules = folder / "node_modules"
    about = modules / package / "package.json"
    if not about.exists() or json.loads(about.read_bytes())["version"] != pinned:
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip(f"no npm is installed, which brings {package}: apt-get install npm")
        done = run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder)
        assert "EINTEGRITY" not in done.stdout, done.stdout
        if done.returncode != 0:
            pytest.skip(f"npm could not bring {package}: {done.stdout}")
    return modules
