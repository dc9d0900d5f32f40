"""The repository that a command means: by its id, its name, or a folder of this machine."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click

from command_center.http.cli.client.console import Console
from command_center.http.cli.client.terminal import cleaned
from command_center_client import calls
from command_center_client.connection import CommandCenter

LOCAL: Final = "local"
"""The host of folders of the server's own machine: the same path on another is another folder."""

LISTED: Final = "`command-center ls repos` has them."


def repository_of(
    center: CommandCenter, named: str, person: Console | None, *, register: bool = False
) -> Any:
    """Return the repository that is meant: by its id or name, or else by a folder in it.

    A name goes before a folder of the same name, which is `./NAME`. A folder that is not
    registered is registered where a person agrees.

    Raises:
        click.UsageError: there is none, or more than one.
    """
    known = [*center.every(calls.list_repositories(limit=500))]
    repository = _named(known, named)
    if repository is not None:
        return repository
    if not Path(named).is_dir():
        raise click.UsageError(f"{named} is neither a folder nor a repository. {LISTED}")
    if not is_here(center.url):
        raise click.UsageError(
            f"The server at {center.url} is on another machine, and knows no folder of this one. "
            f"Name a repository with --repo. {LISTED}"
        )
    folder = _top_of(Path(named))
    for repository in known:
        if repository["host"] == LOCAL and Path(repository["localPath"]) == folder:
            return repository
    if not register:
        if person is None:
            raise click.UsageError(
                f"{folder} is not registered. Run it again with --register, to let runs write "
                "in worktrees of their own there."
            )
        person.say(f"{cleaned(folder)} is not registered. Runs may then write in worktrees of it.")
        if not person.agrees("Register it?"):
            raise click.UsageError("Nothing was done.")
    return center.send(calls.create_repository(localPath=str(folder), allowWrite=True))


def registered_id(center: CommandCenter, named: str | None) -> int | None:
    """Return the id of the repository with that id or name; None if none is named.

    Raises:
        click.UsageError: there is none, or more than one.
    """
    if named is None or named.isdecimal():
        return None if named is None else int(named)
    repository = _named([*center.every(calls.list_repositories(limit=500))], named)
    if repository is None:
        raise click.UsageError(f"{named} is no repository. {LISTED}")
    identity: int = repository["id"]
    return identity


def _named(known: Sequence[Any], named: str) -> Any | None:
    by_id = [repository for repository in known if named == str(repository["id"])]
    found = by_id or [repository for repository in known if named == repository["name"]]
    if len(found) > 1:
        ids = ", ".join(str(repository["id"]) for repository in found)
        raise click.UsageError(
            f"{named} is the name of more than one repository. Write one of the ids {ids}."
        )
    return found[0] if found else None


def is_here(url: str) -> bool:
    """Return True if the address is one of this machine's, to which alone a socket can be bound."""
    try:
        found = socket.getaddrinfo(urlsplit(url).hostname, 0, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        return False
    for family, kind, protocol, _, address in found:
        with socket.socket(family, kind, protocol) as trying:
            try:
                trying.bind(address)
            except OSError:
                continue
            return True
    return False


def _top_of(folder: Path) -> Path:
    """Return the main checkout that a folder belongs to, also from within one of its worktrees.

    It is read from git's own files: no git is started in a folder that may choose what that runs.
    """
    folder = folder.resolve()
    for top in (folder, *folder.parents):
        git = top / ".git"
        try:
            if git.is_dir():
                return top
            if git.is_file():
                return _main_checkout(top)
        except (OSError, ValueError) as error:
            raise click.UsageError(f"{git} cannot be read: {error}") from error
    raise click.UsageError(f"{folder} is not in a git repository. Name one with --repo.")


def _main_checkout(top: Path) -> Path:
    """Return the checkout of which `top` is a worktree; `top` itself, if it is a submodule.

    A folder may say that it is a worktree of any repository. It is believed only if that
    repository says so, too: its own folder of the worktree leads back.
    """
    told = (top / ".git").read_text(encoding="utf-8").strip()
    private = (top / told.removeprefix("gitdir:").strip()).resolve()
    shared, back = private / "commondir", private / "gitdir"
    if not (shared.is_file() and back.is_file()):
        return top
    common = (private / shared.read_text(encoding="utf-8").strip()).resolve()
    returned = (private / back.read_text(encoding="utf-8").strip()).resolve()
    if private.parent != common / "worktrees" or returned != (top / ".git").resolve():
        return top
    return common.parent if common.name == ".git" else common
