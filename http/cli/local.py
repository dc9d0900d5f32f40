"""Commands of the machine that serves: `serve`, `config`, `doctor` and others, with its settings.

Exit codes: 0 after an ordered stop, 2 where the start is refused (settings, port, data folder,
database) with one line that says why, 1 for a failure while running, 130 where Ctrl-C cut it short.
"""

from __future__ import annotations

import gc
import json
import os
import shlex
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NoReturn

import click

from command_center.http.config.parsers import COMMAND
from command_center.http.config.settings import (
    DECLARATIONS,
    ResolvedSettings,
    SettingDeclaration,
    SettingsError,
    resolve_settings,
    usual_config_file,
)
from command_center.store.backups.contents import DATABASE

REFUSED = 2
ALONE: Final = MappingProxyType({"tailscale": "serve"})
"""Give a flag that stands without a value this one."""


config_flag = click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="TOML file with settings; else the one in CC_CONFIG or the usual place.",
)


def _setting_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command one flag for each setting, and `--config`."""
    for declaration in reversed([*DECLARATIONS.values()]):
        alone: dict[str, Any] = {}
        if declaration.name in ALONE:
            alone = {"is_flag": False, "flag_value": ALONE[declaration.name]}
        in_processes = " Other users may see it in the process list; prefer the environment."
        command = click.option(
            declaration.flag,
            metavar=declaration.parser.form,
            **alone,
            help=declaration.help + (in_processes if declaration.is_secret else ""),
        )(command)
    return config_flag(command)


@click.command()
@click.option(
    "--open/--no-open",
    "opens",
    default=None,
    help="Open the page in a browser; unless said, at the first start in a desktop's terminal.",
)
@_setting_flags
def serve(config_file: Path | None, *, opens: bool | None, **flags: str | None) -> None:
    """Serve until Ctrl-C, SIGTERM, or the end of the terminal."""
    resolved = resolve(config_file, flags)
    # Nearly all that a start makes, it keeps: looking through it for cycles took a tenth of it.
    gc.disable()
    _load_structlog()
    from command_center.http.greeting import greet  # noqa: PLC0415 - `config` and `--help` need no server, and answer sooner
    from command_center.http.run import StartRefused, run  # noqa: PLC0415 - the same

    is_first = not (resolved.settings.data_dir / DATABASE).exists()
    try:
        sys.exit(run(resolved, partial(greet, opens=is_first if opens is None else opens)))
    except StartRefused as refusal:
        refuse(str(refusal))
    finally:
        gc.enable()


@click.command()
@click.option("--port", default=8787, show_default=True, help="Port to listen on; 0 for any free.")
def demo(port: int) -> None:
    """Show a living dashboard with made-up work, without Codex."""
    from command_center.http.demo.run import run_demo  # noqa: PLC0415 - other commands answer sooner without it
    from command_center.http.run import StartRefused  # noqa: PLC0415 - the same

    try:
        sys.exit(run_demo(port))
    except StartRefused as refusal:
        refuse(str(refusal))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@_setting_flags
def config(config_file: Path | None, *, as_json: bool, **flags: str | None) -> None:
    """Show every setting and where it comes from; secrets are hidden."""
    resolved = resolve(config_file, flags)
    if as_json:
        click.echo(json.dumps(_as_json(resolved), indent=2))
        return
    from rich.console import Console  # noqa: PLC0415 - a server has no tables
    from rich.table import Table  # noqa: PLC0415 - the same
    from rich.text import Text  # noqa: PLC0415 - the same

    table = Table("Setting", "Value", "From", box=None, pad_edge=False)
    for name, declaration in DECLARATIONS.items():
        source = resolved.sources[name]
        table.add_row(
            declaration.variable,
            Text(_as_text(declaration, resolved.shown(name)), overflow="fold"),
            source,
            style="dim" if source == "default" else None,
        )
    Console().print(table)
    click.echo(f"\nConfiguration file: {resolved.config_file or f'none at {usual_config_file()}'}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
@click.option("--server", metavar="URL", help="Ask this server; else the one of the settings.")
@_setting_flags
def doctor(
    config_file: Path | None, *, as_json: bool, server: str | None, **flags: str | None
) -> None:
    """Look for what keeps Command Center from working, and say what mends it.

    Asks the server that runs here, or looks from this terminal where none answers. The exit code
    is 1 if something is wrong, and 0 if there are warnings at most.
    """
    from command_center.http.cli import doctor as examining  # noqa: PLC0415 - other commands answer sooner without it

    given = {name: value for name, value in flags.items() if value is not None}
    try:
        sys.exit(examining.doctor(config_file, given, server=server, as_json=as_json))
    except SettingsError as error:
        refuse(*error.problems)


@click.command()
@click.argument("names", nargs=-1)
@config_flag
def certificate(names: tuple[str, ...], config_file: Path | None) -> None:
    """Make a certificate for this machine and NAMES, from an authority of its own."""
    settings = resolve(config_file, {}).settings
    if find_spec("cryptography") is None:
        refuse('This needs a library: install "command-center[certificate]".')
    from command_center.http.cli import certificate as certificates  # noqa: PLC0415 - the server does without it
    from command_center.http.config.local_authority import OtherNames  # noqa: PLC0415 - the same

    try:
        click.echo(certificates.certificate(settings, names))
    except (OtherNames, OSError, ValueError) as refusal:
        refuse(str(refusal))


def _load_structlog() -> None:
    """Load it without rich, which it loads wherever there is one for errors that we write plain."""
    if "rich" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]  # an import of it fails then
    try:
        import_module("structlog")
    finally:
        del sys.modules["rich"]


def _as_json(resolved: ResolvedSettings) -> dict[str, Any]:
    return {
        "configFile": None if resolved.config_file is None else str(resolved.config_file),
        "settings": {
            declaration.variable: {"value": resolved.shown(name), "source": resolved.sources[name]}
            for name, declaration in DECLARATIONS.items()
        },
    }


def _as_text(declaration: SettingDeclaration, shown: object) -> str:
    if shown is None or shown == []:
        return "not set"
    if isinstance(shown, list):
        return shlex.join(shown) if declaration.parser is COMMAND else ", ".join(map(str, shown))
    return str(shown)


def resolve(config_file: Path | None, flags: dict[str, str | None]) -> ResolvedSettings:
    """Return the settings of environment, file and flags; end the process where they are wrong."""
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return resolve_settings(os.environ, given, config_file=config_file)
    except SettingsError as error:
        refuse(*error.problems)


def refuse(*problems: str) -> NoReturn:
    """Say each problem on a line, and end the process as after wrong use."""
    for problem in problems:
        click.echo(f"command-center: {problem}", err=True)
    sys.exit(REFUSED)
