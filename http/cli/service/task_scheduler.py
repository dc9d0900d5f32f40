"""A task of the user's own in Windows' Task Scheduler."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from contextlib import suppress
from getpass import getuser
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from command_center.http.cli.service.manager import SERVER, Service, ServiceFailed, ServiceName, run

FILE: Final = "service.xml"

_SPACE: Final = "http://schemas.microsoft.com/windows/2004/02/mit/task"

_TASK: Final = """\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="{space}">
  <RegistrationInfo><Description>{title}</Description></RegistrationInfo>
  <Triggers><LogonTrigger><Enabled>true</Enabled><UserId>{user}</UserId></LogonTrigger></Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>{user}</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure><Interval>PT1M</Interval><Count>255</Count></RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec><Command>{program}</Command><Arguments>{arguments}</Arguments></Exec>
  </Actions>
</Task>
"""


class TaskScheduler:
    """The Task Scheduler; a task has the PATH of who is signed in."""

    def __init__(self, data_dir: Path, name: ServiceName = SERVER) -> None:
        """Keep the definition of a task of that name in the data folder."""
        self._folder = data_dir
        self._title = name.title

    @property
    def file(self) -> Path:
        """Return the task's definition."""
        return self._folder / FILE

    def definition(self, service: Service) -> bytes:
        """Return the definition."""
        program, *arguments = service.command
        return _TASK.format(
            space=_SPACE,
            title=self._title,
            user=escape(getuser()),
            program=escape(program),
            arguments=escape(subprocess.list2cmdline(arguments)),
        ).encode("utf-16")

    def program(self) -> Path | None:
        """Return the program that the definition names; None where nobody can tell."""
        try:
            task = ET.parse(self.file)  # noqa: S314 - a file of the user's own
        except (OSError, ET.ParseError, ValueError):
            return None
        found = task.findtext("task:Actions/task:Exec/task:Command", namespaces={"task": _SPACE})
        return None if not found else Path(found)

    def install(self, service: Service) -> list[str]:
        """Write the definition, and have the scheduler take it and run it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self.file.write_bytes(self.definition(service))
        self.stop()
        run("schtasks", "/Create", "/F", "/TN", self._title, "/XML", str(self.file))
        self.start()
        return ["It starts when you sign in, and ends when you sign out."]

    def uninstall(self) -> None:
        """End the task, and have the scheduler forget it."""
        if self.file.exists():
            self.stop()
            run("schtasks", "/Delete", "/F", "/TN", self._title)
            self.file.unlink()

    def start(self) -> None:
        """Run the task."""
        run("schtasks", "/Run", "/TN", self._title)

    def stop(self) -> None:
        """End the task, if it runs."""
        with suppress(ServiceFailed):  # it did not run
            run("schtasks", "/End", "/TN", self._title)

    def status(self) -> Sequence[str]:
        """Return the scheduler's command."""
        return ["schtasks", "/Query", "/V", "/FO", "LIST", "/TN", self._title]
