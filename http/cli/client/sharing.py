"""`export-session`: a session as one document to share, in a file that is its owner's alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click

from command_center.http.cli.client.known import ids
from command_center.http.cli.client.server import asks_server
from command_center.http.cli.client.terminal import echo
from command_center_client import calls
from command_center_client.call import ApiCall, at
from command_center_client.connection import CommandCenter

PAGES: Final = frozenset({".html", ".htm"})
"""Endings of names that ask for HTML."""


@click.command("export-session")
@click.argument("session", type=int, shell_complete=ids("sessions"))
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "html"]),
    help="The form; else as FILE ends, or Markdown.",
)
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@asks_server
def export_session(
    center: CommandCenter, *, session: int, file: Path | None, form: str | None, force: bool
) -> None:
    """Write SESSION as one document to share, to FILE or stdout.

    It has the prompt, the transcript, the changes and the outcome, without secrets; long outputs
    are cut. Read it before you share it: only what looks like a secret is taken out.
    """
    if file is not None and file.exists() and not force:
        raise click.UsageError(
            f"{file} is there already. Take another name, or --force to replace it."
        )
    is_page = file is not None and file.suffix.lower() in PAGES
    center.send(calls.get_session(session))
    query = {"format": form or ("html" if is_page else "markdown")}
    pieces = center.pieces(ApiCall("GET", at("/api/sessions/{}/export", session), query=query))
    if file is None:
        _print(pieces)
    else:
        _keep(pieces, file)
        echo(f"{file} ({file.stat().st_size:,} bytes)")


def _print(pieces: Iterable[bytes]) -> None:
    """Print a document; it has no letters that command a terminal."""
    for piece in pieces:
        sys.stdout.buffer.write(piece)


def _keep(pieces: Iterable[bytes], file: Path) -> None:
    """Write a file for its owner alone, which has its name only once it is whole."""
    partial = file.with_name(f".{file.name}.partial")
    partial.unlink(missing_ok=True)
    binary: int = getattr(os, "O_BINARY", 0)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | binary, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as target:
            for piece in pieces:
                target.write(piece)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
