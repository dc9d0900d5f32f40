"""`command-center backup` and `restore`: all that an installation has to keep, in one file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from command_center.http.cli.local import config_flag, refuse, resolve
from command_center.http.cli.signals import ending_in_order
from command_center.http.config.parsers import revealed

if TYPE_CHECKING:
    from command_center.http.config.settings import Settings

FAILED = 1


def _passphrase_file(command: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--passphrase-file",
        type=click.Path(path_type=Path, dir_okay=False, allow_dash=True, exists=True),
        help="File whose first line is the passphrase (- for stdin); else CC_BACKUP_PASSPHRASE.",
    )(config_flag(command))


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--encrypt", is_flag=True, help="Ask for a passphrase, and close the file with it.")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@_passphrase_file
def backup(
    file: Path | None,
    passphrase_file: Path | None,
    config_file: Path | None,
    *,
    encrypt: bool,
    force: bool,
) -> None:
    """Write all that this installation has to keep to one file.

    That is the database, the files of uploads, and the keys by which devices know the server. The
    server may run. Without FILE, it goes to the folder `backups` in the data folder. Worktrees are
    not in it: commit or push what they have.
    """
    settings = resolve(config_file, {}).settings
    from command_center.store.backups.errors import BackupFailed  # noqa: PLC0415 - `--help` answers sooner without it
    from command_center.store.backups.making import make_backup  # noqa: PLC0415 - the same
    from command_center.store.backups.places import place_of  # noqa: PLC0415 - the same

    if file is not None and file.exists() and not force:
        refuse(f"{file} is there already. Take another name, or --force to replace it.")
    passphrase = _passphrase(settings, passphrase_file)
    if encrypt and passphrase is None:
        passphrase = click.prompt("Passphrase", hide_input=True, confirmation_prompt=True)
    target = file or place_of(
        settings.data_dir,
        datetime.now(UTC),
        is_scheduled=False,
        is_encrypted=passphrase is not None,
    )
    try:
        with ending_in_order():
            made = make_backup(settings.data_dir, target, passphrase=passphrase)
    except BackupFailed as error:
        _fail(error)
    if made.manifest.damaged:
        told = ", ".join(made.manifest.damaged)
        click.echo(f"command-center: It has damaged records: {told}. Keep older backups.", err=True)
    click.echo(f"{made.path} ({made.size:,} bytes, up to event {made.manifest.last_event_id})")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--damaged", is_flag=True, help="Take a backup that has damaged records, too.")
@_passphrase_file
def restore(
    file: Path, passphrase_file: Path | None, config_file: Path | None, *, damaged: bool
) -> None:
    """Put a backup in the place of what the data folder has.

    Stop the server first. The backup is checked before anything is touched, and what is there is
    kept in the folder `backups`. Devices that were revoked since can sign in again: look at them.
    """
    settings = resolve(config_file, {}).settings
    from command_center.store import errors  # noqa: PLC0415 - `--help` answers sooner without it
    from command_center.store.backups.errors import BackupFailed, WrongPassphrase  # noqa: PLC0415 - the same
    from command_center.store.backups.restoring import RestoredBackup, restore_backup  # noqa: PLC0415 - the same

    passphrase = _passphrase(settings, passphrase_file)

    def put_back(passphrase: str | None) -> RestoredBackup:
        with ending_in_order():
            return restore_backup(
                file, settings.data_dir, passphrase=passphrase, takes_damaged=damaged
            )

    try:
        try:
            restored = put_back(passphrase)
        except WrongPassphrase:
            if passphrase is not None or not sys.stdin.isatty():
                raise
            restored = put_back(click.prompt("Passphrase", hide_input=True))
    except (
        BackupFailed,
        errors.CannotOpenDatabase,
        errors.DataFolderInUse,
        errors.DataFolderUnusable,
        errors.DatabaseClaimed,
    ) as error:
        _fail(error)
    told = restored.manifest
    click.echo(f"{settings.data_dir} is as it was at {told.made_at}, event {told.last_event_id}.")
    if restored.replaced is not None:
        click.echo(f"What was there is kept in {restored.replaced}.")


@click.command()
@config_flag
def compact(config_file: Path | None) -> None:
    """Write the database anew, so that its file is as short as what it has.

    Stop the server first. The disk needs room for two copies meanwhile. From then on, and for
    databases that were made by this version, the server gives back what is freed by itself.
    """
    settings = resolve(config_file, {}).settings
    from command_center.store import errors  # noqa: PLC0415 - `--help` answers sooner without it
    from command_center.store.backups.contents import DATABASE  # noqa: PLC0415 - the same
    from command_center.store.backups.restoring import READY  # noqa: PLC0415 - the same
    from command_center.store.queries.compacting import compact_database  # noqa: PLC0415 - the same

    database = settings.data_dir / DATABASE
    if not database.is_file():
        refuse(f"there is no database in {settings.data_dir}.")
    if (settings.data_dir / READY).exists():
        refuse("a restore was cut off. Start the server once, which finishes it, then do it again.")
    try:
        before, now = compact_database(settings.data_dir, database)
    except (
        errors.CannotOpenDatabase,
        errors.CorruptDatabase,
        errors.ForeignDatabase,
        errors.NewerSchema,
        errors.MigrationFailed,
        errors.DataFolderInUse,
        errors.DataFolderUnusable,
        errors.DatabaseClaimed,
        errors.NoRoomToCompact,
    ) as error:
        _fail(error)
    click.echo(f"{database} has {now / 1e6:,.1f} MB now, and had {before / 1e6:,.1f}.")


def _passphrase(settings: Settings, file: Path | None) -> str | None:
    if file is not None:
        try:
            with click.open_file(str(file), encoding="utf-8") as opened:
                passphrase: str = opened.readline().rstrip("\r\n")
        except UnicodeDecodeError:
            passphrase = ""
        if not passphrase:
            refuse(f"{file} has no passphrase in its first line.")
        return passphrase
    return revealed(settings.backup_passphrase)


def _fail(error: Exception) -> NoReturn:
    click.echo(f"command-center: {error}", err=True)
    sys.exit(FAILED)
