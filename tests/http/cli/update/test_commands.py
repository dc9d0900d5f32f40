"""`update` and `rollback`: all that is looked for, shown and refused before anything changes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner, Result
from packaging.version import Version

from command_center.actors.hosts.local.releases.installation import (
    Installation,
    InstallationUnclear,
)
from command_center.actors.hosts.local.releases.record import (
    UpdateRecord,
    kept_python,
    python_in,
)
from command_center.http.cli.main import main
from command_center.http.cli.service.manager import own_program
from command_center.http.cli.update import commands
from command_center.http.cli.update.folder import UpdateFolder
from command_center.http.cli.update.installers import (
    InstallerCommand,
    install_aside,
    switch_command,
)
from command_center.http.cli.update.switching import UNASKED
from command_center.http.cli.update.telling import UpdateFailed
from command_center.store.backups.making import make_backup
from command_center.store.timestamps import now_timestamp
from tests.installing.releases import PackageIndex, serving_index
from tests.store.backups.test_backups import installation

WHEEL = Path("command_center-0.2.0-py3-none-any.whl")


@attrs.define
class Scene:
    data: Path
    index: PackageIndex
    installed: Installation
    patch: pytest.MonkeyPatch

    def types(self, *words: str) -> Result:
        self.patch.setattr(commands, "find_installation", lambda: self.installed)
        config = self.data.parent / "config.toml"
        config.touch()
        variables = {"CC_DATA_DIR": str(self.data), "CC_CONFIG": str(config), "UV": "/bin/true"}
        return CliRunner().invoke(main, [*words], env={**variables, "UV_NO_CONFIG": "1"})

    def is_given(self, **told: Any) -> None:
        self.installed = attrs.evolve(self.installed, **told)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    for name in ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    with serving_index() as index:
        index.offers(Path("command_center-0.1.0-py3-none-any.whl"))
        installed = Installation(
            version=Version("0.1.0"),
            prefix=tmp_path / "environment",
            base_python=Path(sys.executable),
            installer="uv tool",
            options=("--default-index", index.url),
            is_uv=True,
        )
        yield Scene(installation(tmp_path / "data"), index, installed, monkeypatch)


def test_a_look_tells_what_is_out_and_touches_nothing(scene: Scene) -> None:
    told = scene.types("update", "--check")
    assert (0, True) == (told.exit_code, "nothing newer is out" in told.stderr)
    scene.index.offers(WHEEL)
    scene.index.offers(Path("command_center-0.3.0-py3-none-any.whl"), python=">=3.99")
    told = scene.types("update", "--check", "--json")
    assert 0 == told.exit_code, told.output
    found = json.loads(told.stdout)
    assert ("offered", "0.2.0", "0.1.0") == (found["state"], found["newest"], found["installed"])
    assert "0.3.0 is out, and needs Python >=3.99." in found["notes"][0]
    assert not (scene.data / "updates").exists()


@pytest.mark.parametrize(
    ("told", "words", "says"),
    [
        ({"source": "/w/x.whl"}, [], "--wheel FILE"),
        ({"by_hand": "Homebrew has installed it."}, [], "Homebrew has installed it."),
        ({}, ["--version", "0.0.9"], "0.0.9 is not offered to this Python."),
        ({}, ["--version", "newest"], "'newest' is no version."),
        ({}, ["--version", "0.1.0"], "0.1.0 is what is installed."),
        ({}, [], "Add --yes to go on."),
        ({"options": ("--no-index",)}, [], "set to ask no package index"),
        ({"options": ("--default-index", "http://127.0.0.1:9")}, [], "could not be asked"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_touches_nothing(
    scene: Scene, told: dict[str, Any], words: list[str], says: str
) -> None:
    scene.index.offers(WHEEL)
    scene.is_given(**told)
    refused = scene.types("update", *words)
    assert (1, True) == (refused.exit_code, says in refused.stderr), refused.output
    assert not (scene.data / "updates").exists()


def update_record(scene: Scene, **changes: Any) -> UpdateRecord:
    """Write down an update of this scene, which is not done."""
    record = UpdateRecord(
        state="switching",
        before="0.1.0",
        after="0.2.0",
        begun_at=now_timestamp(),
        prefix=str(scene.installed.prefix),
        known=[],
        backup=None,
        last_event_id=0,
        words=[],
        health_url=None,
        seconds=0.0,
    )
    folder = UpdateFolder(scene.data)
    folder.path.mkdir(exist_ok=True)
    return folder.write(record, **changes)


DRIVER = """#!/bin/sh
read -r passphrase
echo "$5 $passphrase" > {told}.part
mv {told}.part {told}
until [ -e {goes_on} ]; do sleep 0.05; done
"""


def with_driver(scene: Scene, *, waits: bool = False) -> Path:
    """Keep a program that notes what it is told; it may wait until a file beside that is there."""
    told = scene.data.parent / "told"
    goes_on = told.with_name("goes-on")
    if not waits:
        goes_on.touch()
    python = kept_python(scene.data)
    python.parent.mkdir(parents=True)
    python.write_text(DRIVER.format(told=told, goes_on=goes_on))
    python.chmod(0o755)
    return told


def begin(
    kind: type[subprocess.Popen[str]],
    started: list[subprocess.Popen[str]],
    words: list[str],
    **options: Any,
) -> subprocess.Popen[str]:
    """Start a program as it is asked, and note it."""
    started.append(kind(words, **options))
    return started[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="The program is a shell's.")
def test_a_command_whose_files_are_kept_ends_before_the_rest_is_done(scene: Scene) -> None:
    scene.index.offers(WHEEL)
    told = with_driver(scene, waits=True)
    scene.patch.setattr(commands, "IS_KEPT", True)
    scene.patch.setattr(commands, "_prepare", lambda *_: update_record(scene))
    started: list[subprocess.Popen[str]] = []
    scene.patch.setattr(subprocess, "Popen", partial(begin, subprocess.Popen, started))
    ended = scene.types("update", "--yes", "--json")
    assert 0 == ended.exit_code, ended.output
    said = json.loads(ended.stdout)
    assert ("switching", True) == (said["state"], "a window of its own" in said["message"])
    assert not told.with_name("goes-on").exists()
    while not told.exists():
        time.sleep(0.01)
    told.with_name("goes-on").touch()
    assert (0, "update \n") == (started[0].wait(), told.read_text())
    assert isinstance(started[0].args, list)
    assert UNASKED == started[0].args[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="The program is a shell's.")
def test_the_way_back_is_kept_while_the_window_of_the_last_update_is_open(scene: Scene) -> None:
    scene.index.offers(WHEEL)
    kept = UpdateFolder(scene.data).kept
    kept.mkdir(parents=True)
    shutil.copy("/bin/sleep", kept / "python")
    record = update_record(scene, state="done")
    scene.patch.setattr(commands, "IS_KEPT", True)
    with subprocess.Popen([kept / "python", "60"]) as window:
        refused = scene.types("update", "--yes")
        window.kill()
    assert (1, True) == (refused.exit_code, "Press Enter in it" in refused.stderr), refused.output
    assert record == UpdateFolder(scene.data).record()
    assert (kept / "python").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="The program is a shell's.")
@pytest.mark.parametrize(
    ("given", "code"), [("a long word of mine", 0), ("another word of mine", 1), (None, 1)]
)
def test_a_rollback_asks_for_the_passphrase_before_anything_changes(
    scene: Scene, given: str | None, code: int
) -> None:
    told = with_driver(scene)
    made = make_backup(
        scene.data, scene.data / "backups" / "closed.zip", passphrase="a long word of mine"
    )
    record = update_record(scene, state="done", backup=str(made.path))
    scene.patch.setattr(commands, "steps_beyond", lambda *_: {"9000_later"})
    scene.patch.setattr(commands, "_lost", lambda *_: [])
    if given is not None:
        scene.patch.setenv("CC_BACKUP_PASSPHRASE", given)
    ended = scene.types("rollback", "--yes")
    assert code == ended.exit_code
    assert record == UpdateFolder(scene.data).record()
    if given == "a long word of mine":
        assert "rollback a long word of mine\n" == told.read_text()
    else:
        assert "CC_BACKUP_PASSPHRASE" in ended.stderr
        assert not told.exists()


def test_what_cannot_be_read_of_the_installer_is_one_line(scene: Scene) -> None:
    def unclear() -> Installation:
        raise InstallationUnclear("/w/uv-receipt.toml", "it ends early")

    scene.patch.setattr(commands, "find_installation", unclear)
    ended = CliRunner().invoke(main, ["update"], env={"CC_DATA_DIR": str(scene.data)})
    assert (1, 1) == (ended.exit_code, ended.stderr.count("\n")), ended.output
    assert "uv-receipt.toml cannot be read (it ends early)" in ended.stderr


def test_a_disk_that_is_full_at_the_backup_ends_it_before_anything(scene: Scene) -> None:
    scene.index.offers(WHEEL)
    usage = shutil.disk_usage(scene.data)._replace(free=1)
    scene.patch.setattr("command_center.store.backups.making.shutil.disk_usage", lambda _: usage)
    scene.patch.setattr(commands, "install_aside", pytest.fail)
    refused = scene.types("update", "--yes")
    assert 1 == refused.exit_code
    assert "too little room" in refused.stderr
    assert "Nothing was changed." in refused.stderr
    assert UpdateFolder(scene.data).record() is None


def test_what_fails_aside_changes_nothing_and_leaves_nothing(scene: Scene) -> None:
    scene.index.offers(WHEEL)

    def fails(*_: object) -> Path:
        raise UpdateFailed("It cannot be installed.")

    scene.patch.setattr(commands, "install_aside", fails)
    refused = scene.types("update", "--yes", "--json")
    assert 1 == refused.exit_code
    told = json.loads(refused.stdout)
    assert "It cannot be installed.\nNothing was changed." == told["message"]
    assert UpdateFolder(scene.data).record() is None
    assert not UpdateFolder(scene.data).aside.exists()
    assert [*(scene.data / "backups").glob("backup-*.zip")]  # and the backup stays


def test_a_second_update_is_refused_while_one_is_at_work(scene: Scene) -> None:
    scene.index.offers(WHEEL)
    with UpdateFolder(scene.data).alone():
        refused = scene.types("update", "--yes")
    assert (1, True) == (refused.exit_code, "Another update is at work here." in refused.stderr)
    assert "no update to go back from" in scene.types("rollback").stderr


def test_a_wheel_of_another_program_is_refused(scene: Scene, tmp_path: Path) -> None:
    for name, says in (("pillow-9-py3-none-any.whl", "of pillow"), ("x.zip", "no wheel")):
        (tmp_path / name).touch()
        refused = scene.types("update", "--wheel", str(tmp_path / name))
        assert (1, True) == (refused.exit_code, says in refused.stderr)


def test_each_installer_has_its_words(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV", "/bin/uv")
    wanted = scene.installed.requirement("0.2.0")
    base = str(scene.installed.base_python)
    python = str(python_in(scene.installed.prefix))

    def words(**told: Any) -> list[str]:
        return [*switch_command(attrs.evolve(scene.installed, **told), wanted).words]

    uv = ["/bin/uv", "tool", "install", "--python", base, "--with", "idna<4", wanted]
    assert uv == words(options=(), further=("idna<4",))
    uv = ["/bin/uv", "pip", "install", "--python", python, "-i", "http://i", wanted]
    assert uv == words(installer="uv pip", options=("-i", "http://i"))
    pip = [python, "-P", "-m", "pip", "--python", python, "install", "--no-input", wanted]
    assert pip == words(installer="pip", options=())
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    pipx = ["/bin/pipx", "install", "--force", "--python", base, "--pip-args", "-i 'a b'", wanted]
    assert pipx == words(installer="pipx", options=("-i", "a b"))
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.delenv("UV")
    with pytest.raises(UpdateFailed, match="uv has installed Command Center, and is not found"):
        install_aside(scene.installed, wanted, scene.data)


def test_what_is_kept_of_an_update_that_was_cut_off_is_not_replaced(scene: Scene) -> None:
    folder = UpdateFolder(scene.data)
    kept = kept_python(scene.data)
    kept.parent.mkdir(parents=True)
    kept.touch()
    record = update_record(scene)
    scene.index.offers(WHEEL)
    refused = scene.types("update", "--yes")
    assert (1, True) == (refused.exit_code, f"{kept} -P -m command_center.http" in refused.stderr)
    folder.write(record, state="done")
    scene.is_given(prefix=folder.kept)
    assert "This is the kept copy." in scene.types("update", "--yes").stderr
    assert kept.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="The program is a shell's.")
def test_an_installer_takes_no_settings_of_the_current_folder() -> None:
    place = Path(sys.prefix).resolve()
    InstallerCommand(("sh", "-c", f'test "$(pwd -P)" = "{place}"')).run()


def test_the_program_is_never_taken_from_the_current_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.argv", ["pytest"])
    assert (sys.executable, "-P", "-m", "command_center.http") == own_program()
