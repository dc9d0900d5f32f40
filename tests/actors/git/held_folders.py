"""Folders in which nobody replaces a file: git fails there in the middle of its work."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

CHATTR = shutil.which("chattr") or "chattr"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Have nobody replace a file in a folder, neither its owner nor root."""
    by_root = sys.platform != "win32" and os.geteuid() == 0
    if by_root:
        subprocess.run([CHATTR, "+i", folder], check=True, capture_output=True)
    else:
        folder.chmod(0o555)
    try:
        yield
    finally:
        if by_root:
            subprocess.run([CHATTR, "-i", folder], check=True)
        else:
            folder.chmod(0o755)


def can_hold() -> bool:
    """Say whether this user can be kept from replacing a file; root cannot in some containers."""
    try:
        with TemporaryDirectory() as name, held(Path(name)):
            return sys.platform != "win32"
    except (OSError, subprocess.CalledProcessError):
        return False
