"""`command-center telegram setup`: the bot's webhook, a test message, and how to find one's id."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from command_center.http.config.settings import SettingsError, load_settings

REFUSED = 2
FAILED = 1


@click.group()
def telegram() -> None:
    """Set up the Telegram bot."""


@telegram.command()
@click.option("--url", metavar="URL", help="Public https address of this server: set the webhook.")
@click.option("--remove", is_flag=True, help="Remove the webhook, as polling needs.")
@click.option("--test", is_flag=True, help="Send a test message to every allowed id.")
@click.option("--find-ids", is_flag=True, help="Show the ids of whoever writes to the bot now.")
@click.option(
    "--seconds", default=60, show_default=True, help="How long --find-ids waits for a message."
)
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="TOML file with settings; else the one in CC_CONFIG or the usual place.",
)
def setup(
    *,
    url: str | None,
    remove: bool,
    test: bool,
    find_ids: bool,
    seconds: int,
    config_file: Path | None,
) -> None:
    """Set or remove the webhook, send a test message, find one's id, and show how things stand.

    The token comes from CC_TELEGRAM_BOT_TOKEN, the secret from CC_TELEGRAM_WEBHOOK_SECRET.
    """
    from command_center.http.cli.telegram_setup import (  # noqa: PLC0415 - `--help` needs none of it
        SetupFailed,
        SetupRefused,
        set_up,
    )

    try:
        settings = load_settings(os.environ, config_file=config_file)
        set_up(
            settings,
            url=url,
            remove=remove,
            test=test,
            find_ids_seconds=seconds if find_ids else None,
        )
    except SettingsError as error:
        _fail(REFUSED, *error.problems)
    except SetupRefused as refused:
        _fail(REFUSED, str(refused))
    except SetupFailed as failed:
        _fail(FAILED, str(failed))


def _fail(code: int, *problems: str) -> NoReturn:
    for problem in problems:
        click.echo(f"command-center: {problem}", err=True)
    sys.exit(code)
