"""A confinement for tests to which it does not matter."""

from pathlib import Path
from typing import Any

from command_center.actors.codex.confinement import Confinement, Sandbox


def confined(cwd: str | Path = "/w", **fields: Any) -> Confinement:
    """A run that may write in `cwd` and is not trusted there."""
    given = {"sandbox": Sandbox.WORKSPACE_WRITE, "projects": (str(cwd),), **fields}
    return Confinement(cwd=str(cwd), **given)
