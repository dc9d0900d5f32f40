"""The greeting: where the server is, what Codex it found, what to do next; and the page, opened."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

import click

from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.git.ports import PROGRAM
from command_center.http.config.runner import choose_runner
from command_center.http.config.settings import Settings
from command_center.http.config.urls import is_loopback_url
from command_center.http.sockets.socket_owner import tells_owners

JSON_BODY: Final = "Content-Type: application/json"
NO_GIT: Final = "git was not found: no repository can be worked in. Install git, and start again."
NO_CODEX: Final = (
    "install it (npm install -g @openai/codex) and start again; CC_CODEX_COMMAND names another one"
)


def greet(
    settings: Settings, address: str, urls: Sequence[str], *, opens: bool | None = False
) -> None:
    """Tell the operator that the server is up, what runs sessions, and what to try next.

    In a terminal it is also told whether Codex is signed in, as soon as Codex has said it.

    Args:
        settings: the server's.
        address: the server's.
        urls: the addresses under which the page can be opened.
        opens: whether the page is opened, where that can be.
    """
    runner = choose_runner(settings)
    authorization = ' -H "Authorization: Bearer $CC_API_TOKEN"' if settings.api_token else ""
    body = shlex.quote(json.dumps({"localPath": str(Path.cwd())}))
    pages = "\n         ".join(f"{url}{_caution(url)}" for url in urls)
    lines = [f"Open:    {pages or address}"]
    if settings.api_token is not None:
        lines.append("Pair:    command-center pair lets a phone in")
    elif not tells_owners():
        lines.append(
            "Users:   any user of this machine may use it; set CC_API_TOKEN to change that"
        )
    lines.append(f"Runner:  {runner.mode}. {runner.reason}")
    is_real = RUNNERS[runner.mode].is_real
    if not is_real and settings.codex_runner_mode == "auto":
        lines.append(f"Codex:   {NO_CODEX}")
    if shutil.which(PROGRAM) is None:
        lines.append(f"Git:     {NO_GIT}")
    lines += [
        f"Data:    {settings.data_dir}",
        f"Check:   command-center doctor, or curl {address}/health",
        f"Begin:   curl {address}/api/repos{authorization} -H '{JSON_BODY}' -d {body}",
        "Stop:    Ctrl-C",
    ]
    begin = f"Command Center {version('command-center')} listens on {address}\n"
    click.echo(begin + "\n".join(lines))
    if not sys.stdout.isatty():
        return
    page = address if address in urls or not urls else urls[-1]
    if opens and can_open(os.environ, sys.platform):
        threading.Thread(target=_open, args=(page,), daemon=True).start()
    if is_real and settings.codex_transport != "websocket":
        threading.Thread(target=_tell_codex, args=(settings,), daemon=True).start()


def can_open(environment: Mapping[str, str], platform: str) -> bool:
    """Return True if a browser opens where the operator sees it: on a desktop, and not over ssh."""
    if any(name in environment for name in ("SSH_CONNECTION", "SSH_TTY", "CI")):
        return False
    if platform in {"darwin", "win32"}:
        return True
    has_desktop = any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return has_desktop and shutil.which("xdg-open", path=environment.get("PATH")) is not None


def _open(page: str) -> None:
    """Open the page, by a program that our Ctrl-C does not reach."""
    if sys.platform == "darwin" or sys.platform == "win32":
        webbrowser.open(page)
    else:
        with suppress(OSError):
            subprocess.run(  # noqa: S603 - an address of ours
                ["xdg-open", page],  # noqa: S607 - the desktop's own, from the operator's PATH
                check=False,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )


def _tell_codex(settings: Settings) -> None:
    """Tell which Codex it is, and whether it is signed in; it takes a moment to say so."""
    from command_center.http.doctor.check import Subject  # noqa: PLC0415 - a service tells it to nobody
    from command_center.http.doctor.programs import login_of, version_of  # noqa: PLC0415 - the same

    subject = Subject(settings=settings)
    told = [*version_of(subject), *login_of(subject)]
    words = " ".join(
        f"{one.message} {one.mend or ''}".strip() if one.level != "ok" else one.message
        for one in told
    )
    with suppress(OSError, ValueError):  # the terminal is gone meanwhile
        click.echo(f"Codex:   {words}")


def _caution(url: str) -> str:
    """Return what a browser will not do at an address, and who else may read along."""
    if url.startswith("https://") or is_loopback_url(url):
        return ""
    return "  (not encrypted; the browser shows no notifications there)"
