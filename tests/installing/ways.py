"""The ways to install Command Center, each by the line that docs/installing.md tells."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

import attrs

from tests.installing.wheel import BIN, done, uv, uv_cache, uv_program


@attrs.frozen
class Way:
    """A way to install.

    Attributes:
        line: what the documentation tells to type, with the wheel's name in braces.
        program: where the command is afterwards, from the environment's folder.
    """

    line: str
    program: str = "programs/command-center"


WAYS = {
    "uvx": Way("uvx --from ./{wheel} command-center"),
    "uv": Way("uv tool install ./{wheel}"),
    "pipx": Way("pipx install ./{wheel}"),
    "pip": Way(
        "python3 -m venv venv && venv/bin/pip install ./{wheel}", f"venv/{BIN}/command-center"
    ),
}


@attrs.frozen
class Installed:
    """Tell how an installed program is run: by these words, with these variables."""

    command: tuple[str | Path, ...]
    variables: Mapping[str, str]


def install(
    way: str,
    wheel: Path,
    python: str | Path,
    folder: Path,
    *,
    cache: Path | None = None,
    requirement: str | None = None,
    more: Mapping[str, str] | None = None,
) -> Installed:
    """Install the wheel in a way, into an empty home in the folder, for one Python.

    What was downloaded before is taken from uv's own cache, if no other one is given. With a
    requirement, that is installed from an index that further variables name.
    """
    downloads = Path(uv_cache()) if cache is None else cache / "uv"
    variables = {
        "HOME": str(folder),
        "PATH": f"{folder / 'programs'}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": "",
        "UV_CACHE_DIR": str(downloads),
        "UV_PYTHON": str(python),
        "UV_TOOL_DIR": str(folder / "tools"),
        "UV_TOOL_BIN_DIR": str(folder / "programs"),
        "PIPX_HOME": str(folder / "pipx"),
        "PIPX_BIN_DIR": str(folder / "programs"),
        "PIPX_MAN_DIR": str(folder / "man"),
        "PIPX_DEFAULT_PYTHON": str(python),
        "PIP_CACHE_DIR": str(downloads.with_name("pip")),
        **(more or {}),
    }
    (folder / wheel.name).hardlink_to(wheel)
    line = WAYS[way].line.format(wheel=wheel.name)
    if requirement is not None:
        line = line.replace(f"./{wheel.name}", requirement)
    *before, words = (shlex.split(part) for part in line.split("&&"))
    if before:  # `python3 -m venv`, of which uv makes the like in a tenth of the time
        uv("venv", "--quiet", "--seed", "venv", cwd=folder, variables=variables)
    programs: dict[str, tuple[str | Path, ...]] = {
        "uvx": (uv_program(), "tool", "run"),
        "uv": (uv_program(),),
        "pipx": (uv_program(), "tool", "run", "pipx"),
        f"venv/{BIN}/pip": (folder / "venv" / BIN / "pip",),
    }
    command = (*programs[words[0]], *words[1:])
    if way == "uvx":  # which installs it when it first runs, and says so
        done(*command, "--version", cwd=folder, variables=variables)
        return Installed(command, variables)
    done(*command, cwd=folder, variables=variables)
    return Installed((folder / WAYS[way].program,), variables)
