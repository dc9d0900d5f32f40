"""`command-center update` and `command-center rollback`, as a user types them."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import attrs
import click
import msgspec
import trio
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from command_center.actors.hosts.local.releases.index_settings import indexes_of
from command_center.actors.hosts.local.releases.installation import (
    NAME,
    Installation,
    InstallationUnclear,
    find_installation,
)
from command_center.actors.hosts.local.releases.record import (
    RECORD,
    UpdateRecord,
    is_at_work,
    kept_python,
)
from command_center.actors.hosts.local.releases.simple_index import (
    Choice,
    IndexFailed,
    NoIndex,
    Release,
    choose,
    offered,
)
from command_center.http.cli.local import config_flag, resolve
from command_center.http.cli.service.manager import SERVER
from command_center.http.cli.service.managers import manager_of
from command_center.http.cli.signals import ending_in_order, ignoring_ends
from command_center.http.cli.update.folder import UpdateFolder, clear, shown_words
from command_center.http.cli.update.in_use import IS_KEPT, programs_of
from command_center.http.cli.update.installers import install_aside, switch_command
from command_center.http.cli.update.rehearsal import rehearse_update
from command_center.http.cli.update.switching import (
    UNASKED,
    backup_of,
    is_served,
    is_service_of,
    migration_copy,
)
from command_center.http.cli.update.telling import UpdateFailed, say
from command_center.http.config.parsers import revealed
from command_center.http.config.urls import url_of
from command_center.store import errors, events
from command_center.store.backups.contents import DATABASE
from command_center.store.backups.encryption import check_passphrase
from command_center.store.backups.errors import BackupFailed, WrongPassphrase
from command_center.store.backups.making import Backup, make_backup
from command_center.store.backups.places import make_folder, place_of
from command_center.store.database.opening import open_for_reading, registered_names
from command_center.store.database.rehearsal import steps_beyond
from command_center.store.timestamps import now_timestamp

if TYPE_CHECKING:
    from command_center.http.config.settings import ResolvedSettings, Settings

FAILED: Final = 1
SHOWN: Final = 10
"""Events that a rollback names one by one."""

CUT_OFF: Final = (
    "It was cut off. Take it back: command-center rollback\n"
    "If that does not start: {python} -P -m command_center.http rollback"
)

IN_A_WINDOW: Final = (
    "Windows keeps the files of a program that runs. So the rest is done in a window of its own, "
    "once this command has ended. It says there how it went; {record} has it, too."
)

STILL_OPEN: Final = (
    "The window of the last update is still open, and Windows keeps the files that its program "
    "runs from. Press Enter in it, and try again."
)

DRIVER: Final = "command_center.http.cli.update.switching"

_yes = click.option("--yes", is_flag=True, help="Ask nothing.")
_json = click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")


@attrs.frozen
class Wanted:
    """A version that is to be installed, and the wheel that it is in, where it is one's."""

    version: str
    wheel: Path | None = None


@click.command()
@click.option("--check", is_flag=True, help="Look whether there is a newer version, and end.")
@click.option("--version", "version", metavar="X", help="This version; else the newest.")
@click.option(
    "--wheel",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Take the version in this file, and ask no package index.",
)
@_yes
@_json
@config_flag
def update(
    config_file: Path | None,
    *,
    check: bool,
    version: str | None,
    wheel: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Put a newer version in the place of this one, through what installed it.

    A backup is made first. The new version is tried aside, with a copy of the database. Then a
    service is stopped, the installer does its work, and the service starts again. What fails is
    taken back. `command-center rollback` goes back later.
    """
    resolved = resolve(config_file, {})
    with _told(as_json=as_json):
        installation = find_installation()
        wanted, notes = _wanted(installation, version, wheel)
        for note in notes:
            say(note)
        facts = {
            "installed": str(installation.version),
            "newest": None if wanted is None else wanted.version,
            "installer": installation.installer,
            "notes": notes,
        }
        if wanted is None or check:
            if wanted is None:
                say(f"{installation.version} is installed, and nothing newer is out.")
            else:
                say(f"{wanted.version} is out; {installation.version} is installed.")
            _end(facts | {"state": "none" if wanted is None else "offered"}, as_json=as_json)
        if installation.by_hand is not None:
            raise UpdateFailed(installation.by_hand)
        folder = UpdateFolder(resolved.settings.data_dir)
        _refuse_half_done(installation, folder)
        _show(installation, wanted, folder, resolved.settings)
        _ask("Go on?", yes=yes)
        with folder.alone():
            _refuse_half_done(installation, folder)
            with ending_in_order():
                record = _prepare(installation, wanted, folder, resolved)
            _hand_over(
                folder,
                "update",
                as_json=as_json,
                facts=facts,
                record=record,
                passphrase=revealed(resolved.settings.backup_passphrase),
                yes=yes,
            )


@click.command()
@_yes
@_json
@config_flag
def rollback(config_file: Path | None, *, yes: bool, as_json: bool) -> None:
    """Put the version from before the last update back.

    Where the database has been migrated since, it becomes that of before, too: what was written
    since is lost, and the newer database is kept beside it.
    """
    settings = resolve(config_file, {}).settings
    folder = UpdateFolder(settings.data_dir)
    record = folder.record()
    with _told(as_json=as_json):
        if record is None or record.state not in {"done", "switching"}:
            raise UpdateFailed("There is no update to go back from.")
        if not kept_python(folder.data_dir).exists():
            raise UpdateFailed(f"{folder.kept} is not there: install {record.before} yourself.")
        say(f"Back from {record.after} to {record.before}, in {record.prefix}.")
        for line in _lost(folder.data_dir, record):
            say(line)
        _ask("Go back?", yes=yes)
        passphrase = _passphrase(folder.data_dir, record, settings)
        with folder.alone():
            _hand_over(
                folder,
                "rollback",
                as_json=as_json,
                facts={},
                record=record,
                passphrase=passphrase,
                yes=yes,
            )


def _wanted(
    installation: Installation, version: str | None, wheel: Path | None
) -> tuple[Wanted | None, list[str]]:
    """Return the version to install, and what the user should know; None where none is newer."""
    if wheel is not None:
        return _in_wheel(wheel), []
    if installation.source is not None:
        raise UpdateFailed(
            installation.by_hand
            or f"It was installed from {installation.source}, and no index is asked for another by "
            "its name. Take the newer wheel: command-center update --wheel FILE"
        )
    try:
        wish = None if version is None else Version(version)
        releases = trio.run(offered, indexes_of(installation))
    except InvalidVersion:
        raise UpdateFailed(f"{version!r} is no version.") from None
    except (IndexFailed, NoIndex) as error:
        raise UpdateFailed(f"The package index could not be asked. {error}") from error
    choice = choose(releases, installation.version, wanted=wish)
    notes = _notes(choice)
    if choice.newest is None:
        if wish is not None:
            raise UpdateFailed(" ".join([f"{wish} is not offered to this Python.", *notes]))
        return None, notes
    if choice.newest.version == installation.version:
        raise UpdateFailed(f"{installation.version} is what is installed.")
    return Wanted(str(choice.newest.version)), notes


def _notes(choice: Choice) -> list[str]:
    beyond: Release | None = choice.beyond
    if beyond is None:
        return []
    here = ".".join(map(str, sys.version_info[:3]))
    return [f"{beyond.version} is out, and needs Python {beyond.python}. This one is {here}."]


def _in_wheel(wheel: Path) -> Wanted:
    try:
        name, version, _, _ = parse_wheel_filename(wheel.name)
    except ValueError as error:
        raise UpdateFailed(f"{wheel} is no wheel: {error}") from error
    if name != canonicalize_name(NAME):
        raise UpdateFailed(f"{wheel} is a wheel of {name}.")
    return Wanted(str(version), wheel)


def _refuse_half_done(installation: Installation, folder: UpdateFolder) -> None:
    """Refuse where the kept environment is the only whole one: an update replaces it."""
    if installation.prefix.resolve() == folder.kept.resolve():
        raise UpdateFailed("This is the kept copy. Put it back first: rollback instead of update")
    record = folder.record()
    if record is None or is_at_work(folder.data_dir):
        return
    if IS_KEPT and any(programs_of(folder.kept)):  # else half of the way back would be gone
        raise UpdateFailed(STILL_OPEN)
    if record.state != "switching":
        return
    python = kept_python(folder.data_dir)
    if python.exists():
        raise UpdateFailed(
            f"The update to {record.after} did not end. {CUT_OFF.format(python=python)}"
        )


def _show(
    installation: Installation, wanted: Wanted, folder: UpdateFolder, settings: Settings
) -> None:
    command = switch_command(
        installation, installation.requirement(wanted.version, wheel=wanted.wheel)
    )
    runs = is_served(folder.data_dir)
    has_service = is_service_of(manager_of(folder.data_dir, SERVER), installation.prefix)
    serves = "The service is stopped meanwhile." if has_service else "Stop the server, when asked."
    for line in (
        f"{installation.version} → {wanted.version}, in {installation.prefix}",
        f"1. Back up {settings.data_dir}, and try {wanted.version} aside, on a copy.",
        f"2. {serves}" if runs else "2. No server runs here.",
        f"3. {shown_words(command.words)}",
        "If anything fails, all is put back. command-center rollback goes back later.",
    ):
        say(line)


def _prepare(
    installation: Installation, wanted: Wanted, folder: UpdateFolder, resolved: ResolvedSettings
) -> UpdateRecord:
    """Back up, rehearse, and keep the environment; return the record of what is to be done."""
    settings, begun = resolved.settings, now_timestamp()
    requirement = installation.requirement(wanted.version, wheel=wanted.wheel)
    backup = _back_up(settings)
    try:
        clear(folder.aside)
        folder.aside.mkdir(mode=0o700)
        say(f"Trying {wanted.version} aside")
        tried = install_aside(installation, requirement, folder.aside)
        seconds = rehearse_update(
            tried,
            folder.aside,
            wanted.version,
            data_dir=settings.data_dir,
            config_file=resolved.config_file,
        )
    except (UpdateFailed, OSError, sqlite3.Error) as error:
        raise UpdateFailed(f"{error}\nNothing was changed.") from error
    finally:
        clear(folder.aside)
    say(f"Keeping {installation.version} in {folder.kept}")
    folder.keep(installation.prefix)
    return folder.write(
        UpdateRecord(
            state="switching",
            before=str(installation.version),
            after=wanted.version,
            begun_at=begun,
            prefix=str(installation.prefix),
            known=sorted(registered_names()),
            backup=None if backup is None else str(backup.path),
            last_event_id=0 if backup is None else backup.manifest.last_event_id,
            words=[*switch_command(installation, requirement).words],
            health_url=_health_url(settings),
            seconds=seconds,
        )
    )


def _back_up(settings: Settings) -> Backup | None:
    if not (settings.data_dir / DATABASE).is_file():
        return None
    passphrase = revealed(settings.backup_passphrase)
    make_folder(settings.data_dir)
    target = place_of(
        settings.data_dir,
        datetime.now(UTC),
        is_scheduled=False,
        is_encrypted=passphrase is not None,
    )
    say(f"Backing up to {target}")
    try:
        return make_backup(settings.data_dir, target, passphrase=passphrase)
    except BackupFailed as error:
        raise UpdateFailed(f"{error}\nNothing was changed.") from error


def _health_url(settings: Settings) -> str | None:
    if settings.port == 0:
        return None
    return url_of(settings.host, settings.port, is_encrypted=settings.tls_cert is not None)


def _lost(data_dir: Path, record: UpdateRecord) -> Iterator[str]:
    """Yield what a rollback loses, if it loses anything."""
    database = data_dir / DATABASE
    if not database.is_file() or not steps_beyond(database, record.known):
        return
    since = record.last_event_id
    if (copy := migration_copy(data_dir, record)) is not None:
        with closing(open_for_reading(copy)) as db:
            since = events.last_id(db)
    with closing(open_for_reading(database)) as db:
        count = events.last_id(db) - since
        newest = events.page(db, limit=SHOWN, last_seen=since, newest_first=True).items
    yield f"{record.after} has migrated the database. It becomes that of before, of event {since}."
    yield f"{count} events of since are lost{'; the newest:' if newest else '.'}"
    for raw in newest:
        event = json.loads(bytes(raw))
        yield f"  {event['id']} {event['ts']} {event['type']}"


def _ask(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UpdateFailed("Nobody can be asked here. Add --yes to go on.")
    if not click.confirm(question, default=True, err=True):
        raise UpdateFailed("Nothing was changed.")


def _passphrase(data_dir: Path, record: UpdateRecord, settings: Settings) -> str | None:
    """Return the passphrase of the backup that a rollback puts back, if it needs one.

    It is tried before anything changes.
    """
    passphrase = revealed(settings.backup_passphrase)
    database, backup = data_dir / DATABASE, backup_of(record)
    if backup is None or not backup.is_file() or not database.is_file():
        return passphrase
    if not steps_beyond(database, record.known) or migration_copy(data_dir, record) is not None:
        return passphrase
    try:
        try:
            check_passphrase(backup, passphrase)
        except WrongPassphrase:
            if not sys.stdin.isatty():
                raise
            passphrase = click.prompt(f"Passphrase of {backup}", hide_input=True, err=True)
            check_passphrase(backup, passphrase)
    except WrongPassphrase as error:
        raise UpdateFailed(f"{error} It is what CC_BACKUP_PASSPHRASE was then.") from error
    except BackupFailed as error:
        raise UpdateFailed(str(error)) from error
    return passphrase


def _hand_over(
    folder: UpdateFolder,
    act: str,
    *,
    as_json: bool,
    facts: dict[str, Any],
    record: UpdateRecord,
    passphrase: str | None,
    yes: bool,
) -> NoReturn:
    """Have the kept environment do the rest, and tell how it ended."""
    words = [str(kept_python(folder.data_dir)), "-P", "-m", DRIVER, str(folder.data_dir), act]
    words += [UNASKED] if yes else []
    apart: dict[str, Any] = {"start_new_session": True}
    if IS_KEPT:
        apart = {"creationflags": getattr(subprocess, "CREATE_NEW_CONSOLE", 0)}
    with ignoring_ends():  # the rest is done in any case
        driver = subprocess.Popen(words, stdin=subprocess.PIPE, text=True, **apart)  # noqa: S603 - ours
        if driver.stdin is not None:
            with suppress(OSError), driver.stdin as told_it:  # an older one does not ask for it
                told_it.write(f"{passphrase or ''}\n")
        if IS_KEPT:
            message = IN_A_WINDOW.format(record=folder.path / RECORD)
            say(message)
            _end(facts | {"state": "switching", "message": message}, as_json=as_json)
        code = driver.wait()
    ended = folder.record() or record
    if ended.state == "switching" and not ended.message:
        ended = msgspec.structs.replace(ended, message=CUT_OFF.format(python=words[0]))
    if not as_json:
        say(ended.message)
    told = {"state": ended.state, "before": ended.before, "after": ended.after}
    _end(
        facts | told | {"backup": ended.backup, "message": ended.message},
        as_json=as_json,
        code=FAILED if code else 0,
    )


@contextmanager
def _told(*, as_json: bool) -> Iterator[None]:
    """Tell why it goes no further, and end."""
    try:
        yield
    except errors.DataFolderInUse:
        _fail("Another update is at work here.", as_json=as_json)
    except (
        UpdateFailed,
        InstallationUnclear,
        errors.DataFolderUnusable,
        OSError,
        sqlite3.Error,
    ) as error:
        _fail(str(error), as_json=as_json)


def _fail(reason: str, *, as_json: bool) -> NoReturn:
    say(f"command-center: {reason}")
    _end({"state": "refused", "message": reason}, as_json=as_json, code=FAILED)


def _end(facts: dict[str, Any], *, as_json: bool, code: int = 0) -> NoReturn:
    if as_json:
        sys.stdout.write(f"{json.dumps(facts)}\n")
        sys.stdout.flush()
    sys.exit(code)
