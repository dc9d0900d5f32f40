"""An agent of the user's own launchd, on macOS."""

from __future__ import annotations

import plistlib
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final
from xml.parsers.expat import ExpatError

from command_center.http.cli.service.manager import (
    SECONDS,
    SERVER,
    Service,
    ServiceFailed,
    ServiceName,
    run,
)

LABEL: Final = f"dev.{SERVER.slug}"
LOG: Final = "service.log"
"""Say here what comes before the log or ends the process; the log itself has a bound, this none."""


class Launchd:
    """The user's own launchd, in the domain of who is signed in."""

    def __init__(self, name: ServiceName = SERVER) -> None:
        """Have an agent of that name."""
        self._label = f"dev.{name.slug}"

    @property
    def file(self) -> Path:
        """Return the agent's property list."""
        return Path.home() / "Library" / "LaunchAgents" / f"{self._label}.plist"

    def definition(self, service: Service) -> bytes:
        """Return the property list."""
        return plistlib.dumps(
            {
                "Label": self._label,
                "ProgramArguments": [*service.command],
                "EnvironmentVariables": {"PATH": service.path, "CC_LOG_FILE": "only"},
                "RunAtLoad": True,
                "KeepAlive": {"SuccessfulExit": False},
                "ThrottleInterval": 10,
                "ExitTimeOut": 30,
                # An app-server that outlives the server keeps its turns.
                "AbandonProcessGroup": True,
                "StandardOutPath": str(service.folder / LOG),
                "StandardErrorPath": str(service.folder / LOG),
            }
        )

    def program(self) -> Path | None:
        """Return the program that the property list names; None where nobody can tell."""
        try:
            listed = plistlib.loads(self.file.read_bytes())
            return Path(listed["ProgramArguments"][0])
        except (OSError, ExpatError, LookupError, TypeError, ValueError):
            return None

    def install(self, service: Service) -> list[str]:
        """Write the property list, and have launchd take it anew."""
        service.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_bytes(self.definition(service))
        self.stop()
        self.start()
        return ["It starts when you sign in. A Mac that sleeps does no work: see caffeinate(8)."]

    def uninstall(self) -> None:
        """Have launchd let it go, and remove the property list."""
        if self.file.exists():
            _let_go(self._label)
            self.file.unlink()

    def start(self) -> None:
        """Have launchd take the agent, which starts it."""
        run("launchctl", "bootstrap", _domain(), str(self.file))

    def stop(self) -> None:
        """Have launchd let the agent go, which ends it."""
        _let_go(self._label)

    def status(self) -> Sequence[str]:
        """Return launchctl's command."""
        return ["launchctl", "print", f"{_domain()}/{self._label}"]


def _let_go(label: str) -> None:
    """Have launchd end the agent, if it has it, and wait until it has ended."""
    with suppress(ServiceFailed):  # it does not have it, or has it no more
        run("launchctl", "bootout", f"{_domain()}/{label}")
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            run("launchctl", "print", f"{_domain()}/{label}")
            time.sleep(0.2)


def _domain() -> str:
    return f"gui/{run('id', '-u').strip()}"
