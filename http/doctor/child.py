"""A program that runs for a moment: without a terminal, within its time, and ended with its own."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import attrs
import psutil

from command_center.actors.hosts.local.codex.environment import agent_environment
from command_center.actors.hosts.local.codex.orphans import descendants_of, kill_all
from command_center.actors.hosts.local.codex.processes import Tail
from command_center.http.config.logs import secrets_of
from command_center.http.doctor.check import Subject

SECONDS: Final = 8.0
"""Seconds that a program may take."""


@attrs.frozen
class ProgramEnd:
    """The end of a program: its code, None where it was ended, and what it wrote."""

    code: int | None
    out: str
    complaint: str

    @property
    def first_line(self) -> str:
        """Return the first line that it wrote."""
        return self.out.strip().partition("\n")[0].strip()

    @property
    def last_words(self) -> str:
        """Return the line of its complaint that says best why it ended."""
        tail = Tail()
        tail.add(self.complaint.encode())
        return tail.last_words()


def silence_of(program: str, said: ProgramEnd | None) -> str:
    """Return in a sentence how a program failed to say its version."""
    if said is None:
        return f"{program} was not found, or cannot be started."
    if said.code is None:
        return f"{program} does not say its version: {said.complaint}."
    words = f": {said.last_words}" if said.last_words else ""
    return f"{program} does not say its version, and ends with exit code {said.code}{words}."


def said_by(command: Sequence[str], subject: Subject, cwd: Path | None = None) -> ProgramEnd | None:
    """Run a program without the server's own settings; None if it is not there, or cannot run."""
    environment = agent_environment(subject.environment, secrets=secrets_of(subject.settings))
    found = shutil.which(command[0], path=environment.get("PATH"))
    if found is None:
        return None
    try:
        process = subprocess.Popen(  # noqa: S603 - git, timedatectl, or the command of the settings
            [found, *command[1:]],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
    except OSError:
        return None
    with process:
        try:
            out, complaint = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            _end(process.pid)
            return ProgramEnd(None, "", f"it was not done within {SECONDS:g} s")
    return ProgramEnd(process.returncode, out, complaint)


def _end(pid: int) -> None:
    """End a program with all that it has started, which may hold its pipes.

    Each is held first: one that is at work may start another one while the others are looked for.
    """
    whole: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):
        found = [psutil.Process(pid)]
        while found:
            for process in found:
                with suppress(psutil.Error):
                    process.suspend()
            whole += found
            found = [one for one in descendants_of(pid) if one not in whole]
    kill_all(whole)
