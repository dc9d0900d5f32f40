"""An agent of the user's own launchd, on macOS."""

from __future__ import annotations

import plistlib
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from command_center.http.cli.service.manager import SECONDS, Service, ServiceFailed, run

LABEL: Final = "dev.command-center"
LOG: Final = "service.log"
"""Say here what comes before the log or ends the process; the log itself has a bound, this none."""


class Launchd:
    """The user's own launchd, in the domain of who is signed in."""

    @property
    def file(self) -> Path:
        """Return the agent's property list."""
        return Path.home() / "Library" / "LaunchAgents" / f"{LABEL}.plist"

    def definition(self, service: Service) -> bytes:
        """Return the property list."""
        return plistlib.dumps(
            {
                "Label": LABEL,
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

    def install(self, service: Service) -> list[str]:
        """Write the property list, and have launchd take it anew."""
        service.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_bytes(self.definition(service))
        _let_go()
        run("launchctl", "bootstrap", _domain(), str(self.file))
        return ["It starts when you sign in. A Mac that sleeps does no work: see caffeinate(8)."]

    def uninstall(self) -> None:
        """Have launchd let it go, and remove the property list."""
        if self.file.exists():
            _let_go()
            self.file.unlink()

    def status(self) -> Sequence[str]:
        """Return launchctl's command."""
        return ["launchctl", "print", f"{_domain()}/{LABEL}"]


def _let_go() -> None:
    """Have launchd end the agent, if it has it, and wait until it has ended."""
    with suppress(ServiceFailed):  # it does not have it, or has it no more
        run("launchctl", "bootout", f"{_domain()}/{LABEL}")
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            run("launchctl", "print", f"{_domain()}/{LABEL}")
            time.sleep(0.2)


def _domain() -> str:
    return f"gui/{run('id', '-u').strip()}"
