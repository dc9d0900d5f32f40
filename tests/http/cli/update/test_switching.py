"""The part of an update that touches the installation, and the ways back."""

from __future__ import annotations

import io
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import attrs
import pytest

from command_center.actors.hosts.local.releases.record import UpdateRecord, is_at_work, read_record
from command_center.http.cli.service.manager import Service, ServiceFailed
from command_center.http.cli.update.folder import UpdateFolder
from command_center.http.cli.update.switching import Switching, _window, is_service_of, main
from command_center.http.cli.update.telling import UpdateFailed, say
from command_center.store import DataFolderInUse, DataFolderLock, Writer, open_database
from command_center.store.backups.contents import DATABASE
from command_center.store.backups.making import make_backup
from command_center.store.backups.places import kept_backups
from command_center.store.database.migrations import _found
from command_center.store.database.opening import registered_names
from command_center.store.database.rehearsal import rehearse, steps_beyond
from command_center.store.errors import MigrationFailed, NewerSchema
from command_center.store.timestamps import now_timestamp
from tests.http.doctor.looks import look_for_one, subject
from tests.store.backups.test_backups import installation, state_of
from tests.store.units import run, tell

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="The program is a shell script.")

LATER = _found()
LATER(name="9000_later")(lambda db: db.execute("CREATE TABLE later (id INTEGER) STRICT"))
"""The steps of a version that is to come."""

FAULTY = _found()
FAULTY(name="9000_later")(lambda db: db.execute("DROP TABLE never_there"))

PROGRAM = '#!/bin/sh\n[ "$1" = -P ] || exit 9\necho "command-center, version $(cat {version})"\n'


@attrs.define
class Manager:
    """A manager of services, whose service has the data folder and does what a test says."""

    file: Path
    data_dir: Path
    starts: list[str] = attrs.field(factory=list)
    version: Path = Path()
    failing: str = ""
    lock: DataFolderLock | None = None

    def definition(self, service: Service) -> bytes:  # noqa: ARG002 - the name is the protocol's
        return b""

    def program(self) -> Path:
        return Path(self.file.read_text().removeprefix("ExecStart=").split()[0])

    def install(self, service: Service) -> list[str]:  # noqa: ARG002 - the same
        return []

    def uninstall(self) -> None: ...

    def status(self) -> Sequence[str]:
        return []

    def start(self) -> None:
        version = self.version.read_text()
        self.starts.append(version)
        if version == "0.2.0":
            open_database(self.data_dir / DATABASE, migrations=LATER).close()
        if version == self.failing:
            raise ServiceFailed("It has ended.")
        self.lock = DataFolderLock(self.data_dir)

    def stop(self) -> None:
        if self.lock is not None:
            self.lock.close()
            self.lock = None


@attrs.frozen
class Scene:
    data: Path
    prefix: Path
    folder: UpdateFolder
    manager: Manager

    def version(self) -> str:
        return (self.prefix / "version").read_text()

    def record(
        self, does: str = "", *, passphrase: str | None = None, **changes: object
    ) -> UpdateRecord:
        """Write down what an update would have, with an installer that does this."""
        backup = make_backup(self.data, self.data / "backups" / "before.zip", passphrase=passphrase)
        install = f"printf 0.2.0 > {self.prefix}/version; {does}"
        return self.folder.write(
            UpdateRecord(
                state="switching",
                before="0.1.0",
                after="0.2.0",
                begun_at=now_timestamp(),
                prefix=str(self.prefix),
                known=sorted(registered_names()),
                backup=str(backup.path),
                last_event_id=backup.manifest.last_event_id,
                words=["sh", "-c", install],
                health_url=None,
                seconds=0.0,
            ),
            **changes,
        )

    def switching(self) -> Switching:
        return Switching(self.folder, self.manager, end_seconds=0.0)

    def write(self) -> None:
        writer = Writer(self.data / DATABASE)
        run(writer, tell)
        writer.close()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    data = installation(tmp_path / "data")
    prefix = tmp_path / "environment"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "version").write_text("0.1.0")
    (prefix / "link").symlink_to("version")
    (prefix / "bin" / "python").write_text(PROGRAM.format(version=prefix / "version"))
    (prefix / "bin" / "python").chmod(0o755)
    unit = tmp_path / "unit"
    unit.write_text(f"ExecStart={prefix}/bin/command-center serve")
    manager = Manager(unit, data, version=prefix / "version")
    folder = UpdateFolder(data)
    folder.path.mkdir()
    folder.keep(prefix)
    return Scene(data, prefix, folder, manager)


def test_the_service_is_stopped_switched_and_started(scene: Scene) -> None:
    scene.manager.start()
    ended = scene.switching().update(scene.record())
    assert ("done", "0.2.0", ["0.1.0", "0.2.0"]) == (
        ended.state,
        scene.version(),
        scene.manager.starts,
    )
    assert ended == read_record(scene.data)
    with pytest.raises(NewerSchema):
        open_database(scene.data / DATABASE)


def test_nothing_is_started_that_did_not_run(scene: Scene) -> None:
    assert "done" == scene.switching().update(scene.record()).state
    assert [] == scene.manager.starts


@pytest.mark.parametrize("does", ["rm -r {prefix}/bin; exit 1", "printf 9 > {prefix}/version"])
def test_an_installer_that_fails_half_way_is_taken_back(scene: Scene, does: str) -> None:
    scene.manager.start()
    before = state_of(scene.data)
    ended = scene.switching().update(scene.record(does.format(prefix=scene.prefix)))
    assert ("failed", "0.1.0") == (ended.state, scene.version())
    assert (scene.prefix / "link").is_symlink()
    assert ["0.1.0", "0.1.0"] == scene.manager.starts
    assert "0.1.0 is as it was." in ended.message
    assert before == state_of(scene.data)
    assert not [*scene.prefix.parent.glob(".environment*")]


def test_a_version_that_does_not_start_is_taken_back_with_its_database(scene: Scene) -> None:
    scene.manager.start()
    record = scene.record()
    scene.write()  # after the backup, and before the service stops
    scene.manager.failing = "0.2.0"
    ended = scene.switching().update(record)
    assert ("failed", "0.1.0") == (ended.state, scene.version())
    assert ["0.1.0", "0.2.0", "0.1.0"] == scene.manager.starts
    open_database(scene.data / DATABASE).close()
    assert record.last_event_id + 1 == state_of(scene.data)[0]  # what was acknowledged is there
    (kept,) = (scene.data / "backups").glob("replaced-*")
    assert steps_beyond(kept / DATABASE, record.known) == {"9000_later"}


def test_a_rollback_goes_back_to_the_moment_of_the_migration(scene: Scene) -> None:
    record = scene.record()
    scene.write()
    scene.manager.start()
    scene.switching().update(record)
    scene.manager.stop()
    with closing(sqlite3.connect(scene.data / DATABASE)) as db:
        assert db.execute("SELECT count(*) FROM later").fetchone() == (0,)
    ended = scene.switching().go_back(record)
    assert ("rolled-back", "0.1.0") == (ended.state, scene.version())
    assert record.last_event_id + 1 == state_of(scene.data)[0]
    assert not [*scene.folder.path.glob("*.zip")]
    open_database(scene.data / DATABASE).close()


def test_an_encrypted_backup_is_put_back_by_its_passphrase(scene: Scene) -> None:
    record = scene.record(passphrase="a word")
    scene.manager.start()
    scene.switching().update(record)
    scene.manager.stop()
    for copy in (scene.data / "backups").glob("*-before-*"):
        copy.unlink()
    with pytest.raises(UpdateFailed, match="encrypted"):
        scene.switching().go_back(record)
    ended = attrs.evolve(scene.switching(), passphrase="a word").go_back(record)
    assert ("rolled-back", record.last_event_id) == (ended.state, state_of(scene.data)[0])
    open_database(scene.data / DATABASE).close()


def test_a_service_goes_on_where_another_program_has_the_files(scene: Scene) -> None:
    scene.manager.start()
    record = scene.record()
    switching = attrs.evolve(scene.switching(), keeps_files=True)
    shutil.copy("/bin/sleep", scene.prefix / "bin" / "sleep")
    with (
        subprocess.Popen([scene.prefix / "bin" / "sleep", "60"]) as program,
        pytest.raises(UpdateFailed, match=rf"in use by sleep \(process {program.pid}\)"),
    ):
        try:
            switching.update(record)
        finally:
            program.kill()
    assert (["0.1.0", "0.1.0"], "0.1.0") == (scene.manager.starts, scene.version())
    assert "done" == switching.update(record).state


def test_a_rollback_without_a_migration_leaves_the_database(scene: Scene) -> None:
    record = scene.switching().update(scene.record())
    scene.write()
    assert "rolled-back" == scene.switching().go_back(record).state
    assert record.last_event_id + 1 == state_of(scene.data)[0]
    assert [] == [*(scene.data / "backups").glob("replaced-*")]


def test_a_server_that_does_not_end_is_left_alone(scene: Scene) -> None:
    scene.manager.file.write_text("ExecStart=/elsewhere/command-center serve")
    with (
        DataFolderLock(scene.data),
        pytest.raises(UpdateFailed, match="still runs"),
    ):
        scene.switching().update(scene.record())
    assert "0.1.0" == scene.version()
    assert not is_service_of(scene.manager, scene.prefix)
    scene.manager.file.write_text(f"{scene.prefix}-2/bin/command-center serve")
    assert not is_service_of(scene.manager, scene.prefix)


def test_a_server_beside_the_service_is_left_alone_and_the_service_goes_on(scene: Scene) -> None:
    scene.manager.failing = "0.1.0"  # that it does not start is not what is told
    with DataFolderLock(scene.data), pytest.raises(UpdateFailed, match="all the same"):
        scene.switching().update(scene.record())
    assert (["0.1.0"], "0.1.0") == (scene.manager.starts, scene.version())


def test_only_one_updates_at_a_time(scene: Scene) -> None:
    with scene.folder.alone(), pytest.raises(DataFolderInUse), scene.folder.alone():
        pass
    with scene.folder.switching():
        assert is_at_work(scene.data)
        with pytest.raises(DataFolderInUse), scene.folder.alone():
            pass
    assert not is_at_work(scene.data)


async def test_the_doctor_tells_of_an_update_that_was_cut_off(scene: Scene) -> None:
    here = subject(scene.data.parent)
    assert "ok" == (await look_for_one("release", here))[0]
    scene.record()
    with scene.folder.switching():
        assert "ok" == (await look_for_one("release", here))[0]
    level, message, mend = await look_for_one("release", here)
    assert ("error", "An update from 0.1.0 to 0.2.0 was cut off.") == (level, message)
    assert f"{scene.folder.kept}/bin/python -P -m command_center.http rollback" in mend


def test_a_place_that_is_empty_is_filled_again(scene: Scene) -> None:
    scene.prefix.rename(scene.prefix.with_name("cut-off-between-two-renames"))
    scene.folder.put_back(scene.prefix)
    assert "0.1.0" == scene.version()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no call for this")
def test_a_copy_is_on_the_disk_before_it_has_its_name(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loss of power else leaves the name, and files without their content."""
    named = []
    monkeypatch.setattr("os.sync", lambda: named.append(scene.folder.kept.exists()))
    scene.folder.keep(scene.prefix)
    scene.prefix.rename(scene.prefix.with_name("lost"))
    monkeypatch.setattr("os.sync", lambda: named.append(scene.prefix.exists()))
    scene.folder.put_back(scene.prefix)
    assert [False, False] == named


def test_too_little_room_is_told_before_anything_is_kept(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: _Full())
    with pytest.raises(UpdateFailed, match="too little room"):
        scene.folder.keep(scene.prefix)
    assert not scene.folder.kept.exists()


def test_a_record_goes_before_the_copy_that_it_tells_of(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.record(state="done")
    monkeypatch.setattr("shutil.copytree", _cut_off)
    with pytest.raises(KeyboardInterrupt):
        scene.folder.keep(scene.prefix)
    assert read_record(scene.data) is None
    assert not scene.folder.kept.with_suffix(".part").exists()


def _cut_off(_: Path, target: Path, *, symlinks: bool) -> None:
    assert symlinks
    target.mkdir()
    raise KeyboardInterrupt


def test_a_password_of_an_index_is_told_by_nobody(
    scene: Scene, capfd: pytest.CaptureFixture[str]
) -> None:
    record = scene.record("echo of https://me:hidden@i.test/simple; exit 1")
    ended = scene.switching().update(record)
    told = f"{ended.message}{capfd.readouterr()}"
    assert ("failed", True, False) == (ended.state, "https://i.test" in told, "hidden" in told)


class _Full:
    free = 1


def test_a_rehearsal_tells_which_steps_run_and_which_fail(scene: Scene) -> None:
    file = scene.data / DATABASE
    assert [] == rehearse(file)
    with pytest.raises(MigrationFailed, match="9000_later"):
        rehearse(file, migrations=FAULTY)
    assert ["9000_later"] == rehearse(file, migrations=LATER)
    assert {"9000_later"} == steps_beyond(file, registered_names())
    assert [] == kept_backups(scene.data)


def test_the_part_apart_writes_down_how_it_ended(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "command_center.http.cli.update.switching"
    monkeypatch.setattr(f"{module}.manager_of", lambda *_: scene.manager)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr("sys.argv", ["switching", str(scene.data), "update"])
    scene.record("exit 1")
    with pytest.raises(SystemExit, match="1"):
        main()
    record = read_record(scene.data)
    assert record is not None
    assert ("failed", "0.1.0") == (record.state, scene.version())


@pytest.mark.parametrize("stays", [True, False])
def test_the_window_stays_open_only_where_somebody_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, stays: bool
) -> None:
    monkeypatch.chdir(tmp_path)  # elsewhere than on Windows these are names of files
    monkeypatch.setattr("command_center.http.cli.update.switching.IS_KEPT", True)
    if stays:
        Path("CONIN$").write_text("\n")
    with _window(stays=stays):
        say("It is done.")
    told = Path("CONOUT$").read_text(encoding="utf-8")
    assert (True, stays) == ("It is done." in told, "Press Enter" in told)
