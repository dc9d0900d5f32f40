"""`command-center host`: have this machine be a host of a server elsewhere, which it dials."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NoReturn, TypeVar

import click
import platformdirs
import structlog
import trio

from command_center.actors.hosts.daemon.ceiling import (
    ALLOWANCES,
    POOL_BYTES,
    make_ceiling,
    read_ceiling,
)
from command_center.actors.hosts.daemon.dialling import read_centre
from command_center.actors.hosts.daemon.identity import HostFiles, HostIdentity, NotEnrolled
from command_center.actors.hosts.daemon.program import HostProgramSettings, run_host
from command_center.store import DataFolderInUse, DataFolderLock, DataFolderUnusable

REFUSED: Final = 2

T = TypeVar("T")


@click.group(invoke_without_command=True)
@click.option(
    "--centre",
    "centres",
    metavar="URL",
    multiple=True,
    help="The server, at the first start, or where it is from now on; each centre of a cluster.",
)
@click.option("--enrol", "code", metavar="CODE", help="The code that the server shows, once.")
@click.option(
    "--data-dir",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=lambda: Path(platformdirs.user_data_dir("command-center", appauthor=False)) / "host",
    help="Folder of this host's key and worktrees.",
)
@click.option(
    "--root",
    "roots",
    metavar="DIR",
    multiple=True,
    help="A folder that repositories may be in; the home folder, if none is given.",
)
@click.option(
    "--allow",
    "allows",
    metavar="WHAT",
    multiple=True,
    type=click.Choice([*ALLOWANCES, "nothing"]),
    help="Let this be done: write, network, commit, push, escalation; write and commit, if none "
    "is given. escalation lets what a person approves leave Codex's sandbox.",
)
@click.option(
    "--pool",
    "pool",
    metavar="REMOTE",
    multiple=True,
    help="Let the server have this remote cloned here, or all below one: "
    "https://forge.example/acme/*",
)
@click.option(
    "--pool-gb",
    metavar="GB",
    type=click.IntRange(min=1),
    default=POOL_BYTES // 10**9,
    show_default=True,
    help="Gigabytes that those clones may take.",
)
@click.option(
    "--ceiling",
    "ceiling_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A TOML file with `roots`, `allow`, `pool` and `pool_gb` in the place of all four.",
)
@click.option("--codex-command", metavar="COMMAND", default="codex", help="The program of Codex.")
@click.pass_context
def host(
    ctx: click.Context,
    *,
    centres: tuple[str, ...],
    code: str | None,
    data_dir: Path,
    roots: tuple[str, ...],
    allows: tuple[str, ...],
    pool: tuple[str, ...],
    pool_gb: int,
    ceiling_file: Path | None,
    codex_command: str,
) -> None:
    """Have this machine be a host of a server elsewhere, which it dials.

    Add the host on the server first: that shows the command to run here, with a code that is good
    once. Later starts need neither address nor code. What may be done here is said here alone: no
    server can have more.
    """
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    folder = data_dir.expanduser().absolute()
    try:
        if ceiling_file is None:
            given = None if not allows else frozenset(allows) - {"nothing"}
            ceiling = make_ceiling(folder, roots, given, pool=pool, pool_bytes=pool_gb * 10**9)
        elif roots or allows or pool:
            raise click.UsageError("Give --ceiling, or --root, --allow and --pool.")
        else:
            ceiling = read_ceiling(ceiling_file, folder)
    except (OSError, ValueError) as error:
        _refuse(error)
    settings = HostProgramSettings(folder=folder, ceiling=ceiling, codex=codex_command)
    ctx.obj = settings
    if ctx.invoked_subcommand is not None:
        return
    try:
        settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if code is not None:
            if not centres:
                raise click.UsageError("--enrol needs the server's address: --centre URL.")
            with DataFolderLock(settings.folder):
                _enrol(HostFiles(settings.folder), _addresses(centres), code)
        elif centres:
            with DataFolderLock(settings.folder):
                HostFiles(settings.folder).move(_addresses(centres))
        trio.run(run_host, settings)
    except (NotEnrolled, DataFolderInUse, DataFolderUnusable, OSError) as error:
        _refuse(error)


@host.command()
@click.option("--print", "only_print", is_flag=True, help="Show what would be installed.")
@click.pass_obj
def install(settings: HostProgramSettings, *, only_print: bool) -> None:
    """Have this machine start the host, and start it again when it fails.

    It gets the roots and allowances that stand before the word `install`. Enrol the machine first.
    """
    from command_center.http.cli.service.manager import HOST, Service, own_program  # noqa: PLC0415 - a host that runs stays smaller without it
    from command_center.http.cli.service.managers import manager_of  # noqa: PLC0415 - the same

    words = ["host", "--data-dir", str(settings.folder), "--codex-command", settings.codex]
    for root in settings.ceiling.roots:
        words += ["--root", str(root)]
    for allowance in sorted(settings.ceiling.allows) or ["nothing"]:
        words += ["--allow", allowance]
    if settings.ceiling.pool is not None:
        words += ["--pool-gb", str(settings.ceiling.pool.limit // 10**9)]
        for remote in settings.ceiling.pool.remotes:
            words += ["--pool", remote]
    service = Service(
        command=(*own_program(), *words),
        path=os.environ.get("PATH", os.defpath),
        folder=settings.folder,
    )
    manager = manager_of(settings.folder, HOST)
    if only_print:
        definition = manager.definition(service)
        click.echo(definition.decode("utf-16" if definition[:1] == b"\xff" else "utf-8"))
        return
    _managed(lambda: HostFiles(settings.folder).identity())
    for note in [f"Installed: {manager.file}", *_managed(lambda: manager.install(service))]:
        click.echo(note)


@host.command()
@click.pass_obj
def uninstall(settings: HostProgramSettings) -> None:
    """Stop the host and take its service away. Its key and its worktrees stay."""
    from command_center.http.cli.service.manager import HOST  # noqa: PLC0415 - as above
    from command_center.http.cli.service.managers import manager_of  # noqa: PLC0415 - the same

    manager = manager_of(settings.folder, HOST)
    is_there = manager.file.exists()
    _managed(manager.uninstall)
    click.echo(f"Removed: {manager.file}" if is_there else "There was none.")


def _managed(work: Callable[[], T]) -> T:
    """Do what a manager does; say in a line what it refuses."""
    from command_center.http.cli.service.manager import ServiceFailed  # noqa: PLC0415 - as above

    try:
        return work()
    except (ServiceFailed, NotEnrolled, OSError) as error:
        _refuse(error)


def _addresses(centres: Sequence[str]) -> list[str]:
    """Return the addresses of a server, as they are kept."""
    try:
        return [read_centre(centre).geturl().rstrip("/") for centre in centres]
    except ValueError as error:
        raise click.UsageError(f"--centre: {error}") from None


def _enrol(files: HostFiles, urls: Sequence[str], code: str) -> None:
    """Exchange the code for a key at the centre that takes it, and keep that."""
    from command_center_client import calls  # noqa: PLC0415 - a host that is enrolled stays smaller without it
    from command_center_client.connection import CommandCenter  # noqa: PLC0415 - the same
    from command_center_client.errors import ClientError  # noqa: PLC0415 - the same

    refused: list[str] = []
    for url in urls:
        try:
            with CommandCenter(url) as center:
                enrolled = center.send(calls.enrol_host(code=code))
        except ClientError as error:
            refused.append(str(error))
            continue
        name, key = enrolled["name"], enrolled["key"]
        first, *others = urls
        files.save(HostIdentity(centre=first, name=name, key=key, others=tuple(others)))
        click.echo(f"Enrolled as host {name} of {url}.", err=True)
        return
    _refuse(" ".join(refused))


def _refuse(reason: object) -> NoReturn:
    click.echo(f"command-center: {reason}", err=True)
    sys.exit(REFUSED)
