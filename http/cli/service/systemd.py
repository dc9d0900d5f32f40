"""A unit of the user's own systemd, on Linux.

It is hardened as far as agents can work with it. It gets no further rights, and its memory is
bounded by the machine's: the kernel ends a build that takes all, and not the server
(`OOMPolicy=continue`).
What closes folders (`ProtectSystem`) would put it into a user namespace, in which root's files are
nobody's: ssh refuses its own configuration there. A user cannot write the system's folders anyway.
At a stop only the server itself is ended (`KillMode=process`): an app-server that outlives it keeps
its turns.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from getpass import getuser
from pathlib import Path
from typing import Final

from command_center.http.cli.service.manager import SERVER, Service, ServiceFailed, ServiceName, run

NAME: Final = f"{SERVER.slug}.service"

_NOT_IN_PROGRAMS: Final = "\"'\\$*?["

_UNIT: Final = """\
[Unit]
Description={title}
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
Type=exec
ExecStart={command}
Environment={path}
Restart=on-failure
RestartSec=2
# Refused settings, and a database that another server has: a restart mends neither.
RestartPreventExitStatus=2 3
KillMode=process
TimeoutStopSec=30
OOMPolicy=continue
MemoryHigh=80%
MemoryMax=90%
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""


class Systemd:
    """The user's own systemd."""

    def __init__(self, name: ServiceName = SERVER) -> None:
        """Have a unit of that name."""
        self._title = name.title
        self._unit = f"{name.slug}.service"

    @property
    def file(self) -> Path:
        """Return the unit's file."""
        base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        return Path(base) / "systemd" / "user" / self._unit

    def definition(self, service: Service) -> bytes:
        """Return the unit."""
        return _UNIT.format(
            title=self._title,
            command=" ".join([_program(service.command[0]), *map(_word, service.command[1:])]),
            path=_word(f"PATH={service.path}", is_command=False),
        ).encode()

    def program(self) -> Path | None:
        """Return the program that the unit names; None where nobody can tell."""
        try:
            told = re.search(r"^ExecStart=(.+)$", self.file.read_text("utf-8"), re.MULTILINE)
            words = [] if told is None else shlex.split(told[1])
        except (OSError, ValueError):
            return None
        return Path(words[0].replace("%%", "%")) if words else None

    def install(self, service: Service) -> list[str]:
        """Write the unit, enable it and start it anew."""
        run("systemctl", "--user", "show-environment")  # nothing is written where nobody reads it
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_bytes(self.definition(service))
        run("systemctl", "--user", "daemon-reload")
        run("systemctl", "--user", "enable", self._unit)
        run("systemctl", "--user", "restart", self._unit)
        return _linger()

    def uninstall(self) -> None:
        """Disable and stop the unit, and remove it."""
        if self.file.exists():
            run("systemctl", "--user", "disable", "--now", self._unit)
            self.file.unlink()
            run("systemctl", "--user", "daemon-reload")

    def start(self) -> None:
        """Start the unit, also after it has failed too often."""
        run("systemctl", "--user", "reset-failed", self._unit)
        run("systemctl", "--user", "start", self._unit)

    def stop(self) -> None:
        """Stop the unit."""
        run("systemctl", "--user", "stop", self._unit)

    def status(self) -> Sequence[str]:
        """Return systemctl's command."""
        return ["systemctl", "--user", "--no-pager", "--lines=5", "status", self._unit]

    def journal(self) -> Sequence[str]:
        """Return the words that have journalctl show the unit."""
        return ["--user", "--unit", self._unit, "--output=cat"]


def _linger() -> list[str]:
    """Say what keeps the service alive when nobody is signed in, if nothing does."""
    try:
        is_kept = "Linger=yes" in run("loginctl", "show-user", getuser(), "--property=Linger")
    except ServiceFailed:  # which tells nothing of a user without a session
        is_kept = False
    if is_kept:
        return ["It starts with the machine."]
    return [
        "It starts when you sign in, and ends when you sign out.",
        "To have it start with the machine, and stay: loginctl enable-linger",
    ]


def _program(path: str) -> str:
    """Return a program's path as a unit has it; systemd starts none with certain characters."""
    if odd := next((letter for letter in path if letter in _NOT_IN_PROGRAMS), None):
        raise ServiceFailed(f"systemd starts no program with {odd} in its path: {path}")
    return _word(path, is_command=False)


def _word(text: str, *, is_command: bool = True) -> str:
    """Return a word as a unit has it: quoted, and without what systemd would put something for."""
    if any(ord(letter) < ord(" ") for letter in text):
        raise ServiceFailed(f"{text!r} has a control character, which no unit can have.")
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{plain.replace("$", "$$") if is_command else plain}"'
