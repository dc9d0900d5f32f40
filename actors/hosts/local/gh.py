"""The token of the GitHub CLI, where its user has signed in."""

from __future__ import annotations

import shutil
import subprocess
from typing import Final

import trio

SECONDS: Final = 10.0
"""Seconds that `gh` may take."""


async def gh_token(host: str) -> str | None:
    """Ask `gh` for the token of its user at a host; None where there is none."""
    program = shutil.which("gh")
    if program is None:
        return None
    with trio.move_on_after(SECONDS):
        try:
            done = await trio.run_process(
                [program, "auth", "token", "--hostname", host],
                stdin=subprocess.DEVNULL,
                capture_stdout=True,
                capture_stderr=True,
                check=False,
            )
        except OSError:
            return None
        token: str = done.stdout.decode("ascii", "replace").strip()
        if done.returncode == 0 and token.isprintable() and token:
            return token
    return None
