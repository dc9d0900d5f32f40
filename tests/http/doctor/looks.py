"""One check of an installation that a test has broken."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from command_center.http.config.settings import Settings
from command_center.http.doctor.check import Subject, Symptom
from command_center.http.doctor.table import CHECKS

LOOKS = {check.name: check.look for check in CHECKS}


def subject(tmp_path: Path, variables: dict[str, str] | None = None, **settings: Any) -> Subject:
    """An installation in the folder of a test, without anything of who runs the test."""
    home = tmp_path / "home"
    (home / ".codex").mkdir(parents=True, exist_ok=True)
    return Subject(
        settings=Settings(**{"data_dir": tmp_path / "data", "port": 0, **settings}),
        config_file=tmp_path / "config.toml",
        environment={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "CODEX_HOME": str(home / ".codex"),
            **(variables or {}),
        },
    )


async def look(check: str, of: Subject) -> list[Symptom]:
    """Return all that a check has seen."""
    return [*await LOOKS[check](of)]


async def look_for_one(check: str, of: Subject) -> tuple[str, str, str]:
    """Return the level, the message and the mend of what a check has seen, which is one thing."""
    (seen,) = await look(check, of)
    return seen.level, seen.message, seen.mend or ""


def program(folder: Path, name: str, body: str) -> Path:
    """A program of Python."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
    path.chmod(0o755)
    return path
