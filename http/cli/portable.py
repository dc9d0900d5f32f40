"""`command-center export` and `import`: the history of an installation as JSON Lines."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final, NoReturn

import click

from command_center.http.cli.local import config_flag, refuse, resolve

FAILED: Final = 1


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@config_flag
def export(file: Path | None, config_file: Path | None, *, force: bool) -> None:
    """Write the history of this installation as JSON Lines, to FILE or stdout.

    That is all repositories, tasks, sessions, transcripts, approvals, automations and events. The
    server may run. Sign-ins, secrets, addresses of people, uploads and worktrees are not in it: a
    backup is what an installation is put back from.
    """
    settings = resolve(config_file, {}).settings
    from command_center.http.config.logs import secrets_of  # noqa: PLC0415 - `--help` answers sooner without it
    from command_center.store.backups.contents import DATABASE  # noqa: PLC0415 - the same
    from command_center.store.portable.errors import BadExport  # noqa: PLC0415 - the same
    from command_center.store.portable.exporting import export_database  # noqa: PLC0415 - the same
    from command_center.store.private_files import new_private_file  # noqa: PLC0415 - the same

    database = settings.data_dir / DATABASE
    if not database.is_file():
        refuse(f"there is no database in {settings.data_dir}.")
    if file is not None and file.exists() and not force:
        refuse(f"{file} is there already. Take another name, or --force to replace it.")
    secrets = secrets_of(settings)
    try:
        if file is None:
            end = export_database(database, sys.stdout.buffer, secrets)
        else:
            partial = file.with_name(f".{file.name}.partial")
            try:
                with new_private_file(partial) as target:
                    end = export_database(database, target, secrets)
                    target.flush()
                    os.fsync(target.fileno())
                partial.replace(file)
            finally:
                partial.unlink(missing_ok=True)
            click.echo(f"{file} ({end.lines:,} lines)")
    except BadExport as error:
        _fail(error)
    if end.damaged:
        told = ", ".join(end.damaged[:10])
        click.echo(f"command-center: Damaged records are left out: {told}.", err=True)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="OLD=NEW",
    help="The folder of a repository there, and its folder here.",
)
@click.option(
    "--dry-run", is_flag=True, help="Do all of it, keep nothing, and say what came of it."
)
@config_flag
def import_(file: Path, config_file: Path | None, *, maps: tuple[str, ...], dry_run: bool) -> None:
    """Take an export into this installation, all of it or nothing.

    Stop the server first. What is here stays, and what comes gets ids behind it. A repository of
    the same folder is taken for the same. What was under way has ended, automations are off.
    """
    settings = resolve(config_file, {}).settings
    from command_center.actors.ledger.followers import pass_over  # noqa: PLC0415 - `--help` answers sooner without it
    from command_center.http.config.logs import secrets_of  # noqa: PLC0415 - the same
    from command_center.store import errors  # noqa: PLC0415 - the same
    from command_center.store.backups.contents import DATABASE  # noqa: PLC0415 - the same
    from command_center.store.backups.restoring import READY  # noqa: PLC0415 - the same
    from command_center.store.portable.errors import BadExport  # noqa: PLC0415 - the same
    from command_center.store.portable.importing import import_file  # noqa: PLC0415 - the same

    if (settings.data_dir / READY).exists():
        refuse("a restore was cut off. Start the server once, which finishes it, then import.")
    paths: dict[str, str] = {}
    for told in maps:
        old, equals, new = told.partition("=")
        if not old or not equals or not Path(new).is_absolute():
            refuse(f"--map takes OLD=NEW, two whole paths, not {told!r}.")
        paths[old] = new
    try:
        done = import_file(
            file,
            settings.data_dir,
            settings.data_dir / DATABASE,
            paths=paths,
            secrets=secrets_of(settings),
            pass_over=pass_over,
            dry=dry_run,
        )
    except (
        BadExport,
        errors.CannotOpenDatabase,
        errors.CorruptDatabase,
        errors.ForeignDatabase,
        errors.NewerSchema,
        errors.MigrationFailed,
        errors.DataFolderInUse,
        errors.DataFolderUnusable,
        errors.DatabaseClaimed,
    ) as error:
        _fail(error)
    for folder in done.matched.values():
        click.echo(f"{folder} was here already.")
    counted = ", ".join(f"{name.replace('_', ' ')}: {count:,}" for name, count in done.rows.items())
    click.echo(f"{'It would bring' if dry_run else 'It brought'} {counted or 'nothing'}.")


def _fail(error: Exception) -> NoReturn:
    click.echo(f"command-center: {error}", err=True)
    sys.exit(FAILED)
