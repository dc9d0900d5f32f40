"""`command-center host`, as somebody types it on the machine that is to be a host."""

from __future__ import annotations

import os
import plistlib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from command_center.actors.hosts.daemon.identity import HostFiles, HostIdentity
from command_center.http.cli.main import main
from command_center.http.cli.service.launchd import Launchd
from command_center.http.cli.service.manager import HOST, Service
from command_center.http.cli.service.systemd import Systemd
from command_center.http.cli.service.task_scheduler import TaskScheduler


def types(folder: Path, *words: str) -> Result:
    environment = {
        "HOME": str(folder / "home"),
        "XDG_CONFIG_HOME": None,
        "PATH": os.environ["PATH"],
    }
    given = ["host", "--data-dir", str(folder / "data"), *words]
    return CliRunner().invoke(main, given, env=environment)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "This machine is not enrolled yet."),
        (("--enrol", "AAAA"), "--enrol needs the server's address"),
        (("--centre", "https://centre.example"), "This machine is not enrolled yet."),
        (("--centre", "http://centre.example", "--enrol", "AAAA"), "not encrypted"),
        (("--centre", "ftp://a", "--enrol", "AAAA"), "is no address of a server"),
        (("--allow", "all"), "'all' is not one of"),
        (("--root", "here"), "The root here is not absolute."),
        (("--ceiling", "missing.toml"), "No such file"),
        (
            ("--root", "/", "--ceiling", "missing.toml"),
            "Give --ceiling, or --root, --allow and --pool.",
        ),
    ],
)
def test_a_host_that_cannot_start_says_why(
    tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    answer = types(tmp_path, *words)
    assert 2 == answer.exit_code, answer.output
    assert told in answer.output
    assert not (tmp_path / "data" / "host.json").exists()


def test_a_host_is_installed_with_what_it_allows(tmp_path: Path) -> None:
    answer = types(tmp_path, "--root", "/srv/a b", "--allow", "nothing", "install", "--print")
    assert 0 == answer.exit_code, answer.output
    for word in ("/srv/a b", "nothing", str(tmp_path / "data")):
        assert word in answer.output
    unknown = types(tmp_path, "install")
    assert (2, True) == (unknown.exit_code, "not enrolled yet" in unknown.output)


def test_each_manager_has_the_host_beside_the_server(tmp_path: Path) -> None:
    service = Service(command=("/bin/command-center", "host"), path="/bin", folder=tmp_path)
    assert Systemd().file != Systemd(HOST).file
    assert b"Description=Command Center host" in Systemd(HOST).definition(service)
    assert "dev.command-center-host" == plistlib.loads(Launchd(HOST).definition(service))["Label"]
    assert Launchd().file != Launchd(HOST).file
    assert "Command Center host" in TaskScheduler(tmp_path, HOST).definition(service).decode(
        "utf-16"
    )


def test_a_key_stays_where_enrolling_anew_fails(tmp_path: Path) -> None:
    files = HostFiles(tmp_path / "data")
    files.folder.mkdir()
    files.save(HostIdentity(centre="https://centre.example", name="box", key="cch_x"))
    answer = types(tmp_path, "--centre", "http://127.0.0.1:9", "--enrol", "AAAA")
    assert 2 == answer.exit_code, answer.output
    assert "cch_x" == files.identity().key


def test_a_host_that_is_enrolled_can_be_told_where_its_server_is_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = HostFiles(tmp_path / "data")
    files.folder.mkdir()
    files.save(HostIdentity(centre="https://one.example", name="box", key="cch_x"))
    files.begin_life()
    ran: list[object] = []

    async def run_it(settings: object) -> None:
        ran.append(settings)

    monkeypatch.setattr("command_center.http.cli.host.run_host", run_it)
    answer = types(tmp_path, "--centre", "https://one.example/", "--centre", "https://two.example")
    assert (0, 1) == (answer.exit_code, len(ran)), answer.output
    found = files.identity()
    assert ("https://one.example", "https://two.example") == found.centres
    assert ("box", "cch_x") == (found.name, found.key)
    assert 2 == files.begin_life().number  # its starts are counted on
