"""The service that a machine's manager is given, and what is asked of the manager."""

from __future__ import annotations

import os
import plistlib
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import attrs
import pytest
from click.testing import CliRunner, Result

from command_center.http.cli.main import main
from command_center.http.cli.service import commands
from command_center.http.cli.service.launchd import Launchd
from command_center.http.cli.service.manager import Service, ServiceFailed, ServiceManager
from command_center.http.cli.service.systemd import NAME, Systemd
from command_center.http.cli.service.task_scheduler import TaskScheduler

ODD = Service(
    command=("/opt/a b/command-center", "serve", "--config", '/srv/é/50% "of" $HOME\\x.toml'),
    path="/opt/a b/bin:/usr/bin",
    folder=Path("/data"),
)
PROGRAM = """#!/bin/sh
echo "$(basename "$0") $*" >> {calls}
{does}
"""


class Machine:
    """A home, and programs of a manager that note what they are asked."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self._calls = folder / "calls"
        self._programs = folder / "bin"
        for made in (self.home, self._programs):
            made.mkdir()

    def brings(self, name: str, does: str = "") -> None:
        program = self._programs / name
        program.write_text(PROGRAM.format(calls=shlex.quote(str(self._calls)), does=does))
        program.chmod(0o755)

    def types(self, *words: str, **variables: str) -> Result:
        environment: dict[str, str | None] = {n: None for n in os.environ if n.startswith("CC_")}
        environment |= {
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": None,
            "CC_DATA_DIR": str(self.home / "data"),
            "PATH": f"{self._programs}:/usr/bin:/bin",
            **variables,
        }
        return CliRunner().invoke(main, ["service", *words], env=environment)

    def calls(self) -> list[str]:
        """All that was asked since the last look."""
        told = self._calls.read_text().splitlines() if self._calls.exists() else []
        self._calls.unlink(missing_ok=True)
        return told


posix = pytest.mark.skipif(sys.platform == "win32", reason="Programs are shell scripts here.")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(commands, "manager_of", lambda *_: Systemd())
    machine = Machine(tmp_path)
    for name in ("systemctl", "journalctl"):
        machine.brings(name)
    machine.brings("loginctl", "echo Linger=no")
    return machine


@posix
def test_a_unit_is_installed_again_and_taken_away(machine: Machine) -> None:
    unit = machine.home / ".config" / "systemd" / "user" / NAME
    told = machine.types("install", CC_MAX_SESSIONS="7")
    assert 0 == told.exit_code, told.output
    assert "enable-linger" in told.output
    assert "the configuration file: CC_DATA_DIR, CC_MAX_SESSIONS." in told.output
    asked = [
        "systemctl --user show-environment",
        "systemctl --user daemon-reload",
        f"systemctl --user enable {NAME}",
        f"systemctl --user restart {NAME}",
    ]
    *acts, _linger = machine.calls()
    assert asked == acts
    assert f'serve"\nEnvironment="PATH={machine.home.parent}/bin:' in unit.read_text()
    machine.brings("loginctl", "echo Linger=yes")
    assert "starts with the machine" in machine.types("install").output
    assert asked == machine.calls()[:-1]
    assert 0 == machine.types("uninstall").exit_code
    assert [f"systemctl --user disable --now {NAME}", asked[1]] == machine.calls()
    assert not unit.exists()
    assert "There was none." in machine.types("uninstall").output
    assert [] == machine.calls()


@posix
def test_nothing_is_left_where_no_manager_answers(machine: Machine) -> None:
    machine.brings("systemctl", "echo Failed to connect to bus >&2; exit 1")
    told = machine.types("install")
    assert (1, 1) == (told.exit_code, told.stderr.count("\n"))
    assert "Failed to connect to bus" in told.stderr
    assert not (machine.home / ".config").exists()
    assert "not installed" in machine.types("status").stderr


@posix
def test_status_and_logs_are_those_of_the_manager(machine: Machine) -> None:
    machine.types("install")
    machine.brings("systemctl", "exit 3")
    machine.calls()
    assert 3 == machine.types("status").exit_code
    assert 0 == machine.types("logs", "-f", "--level", "warning").exit_code
    assert 0 == machine.types("logs", "--since", "1970-01-02T00:00+00:00").exit_code
    assert [
        f"systemctl --user --no-pager --lines=5 status {NAME}",
        f"journalctl --user --unit {NAME} --output=cat --lines=200 --priority=4 --follow",
        f"journalctl --user --unit {NAME} --output=cat --since=@86400 --priority=7",
    ] == machine.calls()


def test_a_program_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ServiceFailed, match="There is no systemctl here"):
        Systemd().install(ODD)


def verified(unit: Path) -> str:
    """The faults that systemd finds in a unit."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze is installed: apt-get install systemd")
    folder = unit.parent / "run"
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [program, "--user", "verify", str(unit)],
        env={"HOME": str(unit.parent), "XDG_RUNTIME_DIR": str(folder), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return "" if done.returncode == 0 and not done.stderr else done.stderr or "refused"


@pytest.mark.skipif(sys.platform != "linux", reason="systemd is on Linux alone.")
def test_systemd_takes_the_unit_and_reads_each_word_as_it_was(tmp_path: Path) -> None:
    program = tmp_path / "a é; 50%h" / "command-center"
    program.parent.mkdir()
    shutil.copy("/bin/true", program)
    service = Service(command=(str(program), *ODD.command[1:]), path=ODD.path, folder=ODD.folder)
    unit = tmp_path / NAME
    unit.write_bytes(Systemd().definition(service))
    assert "" == verified(unit)
    with pytest.raises(ServiceFailed, match="no program with"):
        Systemd().definition(Service(command=('/a"b',), path="", folder=ODD.folder))
    unit.write_text(unit.read_text().replace("Type=exec", "Type=nonsense"))
    assert "nonsense" in verified(unit)
    with pytest.raises(ServiceFailed, match="control character"):
        Systemd().definition(Service(command=("a\nb",), path="", folder=ODD.folder))


def test_launchd_and_windows_read_each_word_as_it_was() -> None:
    listed = plistlib.loads(Launchd().definition(ODD))
    assert (list(ODD.command), {"PATH": ODD.path, "CC_LOG_FILE": "only"}) == (
        listed["ProgramArguments"],
        listed["EnvironmentVariables"],
    )
    task = ET.fromstring(TaskScheduler(ODD.folder).definition(ODD).decode("utf-16"))  # noqa: S314 - ours
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    exec_ = task.find(f"{space}Actions/{space}Exec")
    assert exec_ is not None
    assert ODD.command[0] == exec_.findtext(f"{space}Command")
    assert subprocess.list2cmdline(ODD.command[1:]) == exec_.findtext(f"{space}Arguments")


SPECIAL = attrs.evolve(ODD, command=("/opt/a & <b> 50% é/command-center", *ODD.command[1:]))


@posix
@pytest.mark.parametrize("manager", [Systemd(), Launchd(), None])
def test_a_manager_tells_which_program_its_file_starts(
    manager: ServiceManager | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "c")}.items():
        monkeypatch.setenv(name, value)
    manager = manager or TaskScheduler(tmp_path)
    assert manager.program() is None
    manager.file.parent.mkdir(parents=True, exist_ok=True)
    manager.file.write_bytes(manager.definition(SPECIAL))
    assert Path(SPECIAL.command[0]) == manager.program()
    for broken in (b"", b"\xff\xfe<", b"<plist><dict/></plist>", b'ExecStart="'):
        manager.file.write_bytes(broken)
        assert manager.program() is None


def asked_of(machine: Machine, programs: Mapping[str, str]) -> list[str]:
    for name, does in programs.items():
        machine.brings(name, does)
    told = machine.types("install")
    assert 0 == told.exit_code, told.output
    assert 0 == machine.types("uninstall").exit_code
    return machine.calls()


@posix
def test_launchd_and_windows_are_asked_in_order(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "manager_of", lambda *_: Launchd())
    agent = machine.home / "Library" / "LaunchAgents" / "dev.command-center.plist"
    programs = {"launchctl": '[ "$1" != print ]', "id": "echo 501"}  # which has it no more
    asked = [call for call in asked_of(machine, programs) if call != "id -u"]
    let_go = [f"launchctl {act} gui/501/dev.command-center" for act in ("bootout", "print")]
    assert [*let_go, f"launchctl bootstrap gui/501 {agent}", *let_go] == asked
    assert not agent.exists()
    monkeypatch.setattr(commands, "manager_of", TaskScheduler)
    task = machine.home / "data" / "service.xml"
    end = "schtasks /End /TN Command Center"
    assert [
        end,
        f"schtasks /Create /F /TN Command Center /XML {task}",
        "schtasks /Run /TN Command Center",
        end,
        "schtasks /Delete /F /TN Command Center",
    ] == asked_of(machine, {"schtasks": ""})


@posix
def test_what_would_be_installed_is_shown(machine: Machine) -> None:
    config = machine.home / "c.toml"
    config.write_text('max_sessions = "3"\n')
    told = machine.types("install", "--print", "--config", str(config))
    assert 0 == told.exit_code, told.output
    assert f'"serve" "--config" "{config}"' in told.output
    assert "NoNewPrivileges=yes" in told.output
    assert [] == machine.calls()
