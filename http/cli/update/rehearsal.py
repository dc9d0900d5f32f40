"""A rehearsal of an update: the new version, in an environment of its own, with copies.

It reads the settings, serves once on an empty data folder, and migrates a copy of the database.
Nothing that runs is touched.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from command_center.actors.hosts.local.releases.record import python_in
from command_center.http.cli.update.folder import call
from command_center.http.cli.update.health import await_version
from command_center.http.cli.update.telling import UpdateFailed
from command_center.store.backups.contents import DATABASE
from command_center.store.database.copies import copy_database
from command_center.store.database.opening import open_for_reading

START_SECONDS: Final = 180.0
STOP_SECONDS: Final = 30.0
SETTINGS_SECONDS: Final = 60.0
MIGRATION_SECONDS: Final = 6 * 3600.0


def rehearse_update(
    prefix: Path, folder: Path, version: str, *, data_dir: Path, config_file: Path | None
) -> float:
    """Try a version that was installed aside; return the seconds that its migrations take.

    Raises:
        UpdateFailed: it takes the settings not, does not start, or cannot migrate the database.
        OSError, sqlite3.Error: the database cannot be copied.
    """
    program: list[str | Path] = [python_in(prefix), "-P", "-m", "command_center.http"]
    config = [] if config_file is None else ["--config", str(config_file)]
    _attempt(
        "The new version does not take the settings",
        [*program, "config", "--json", *config],
        SETTINGS_SECONDS,
    )
    _start_once(program, folder, version)
    database = data_dir / DATABASE
    if not database.is_file():
        return 0.0
    copy = folder / DATABASE
    with closing(open_for_reading(database)) as db:
        copy_database(db, copy)
    begun = time.monotonic()
    module = "command_center.store.database.rehearsal"
    _attempt(
        "The new version cannot migrate the database",
        [python_in(prefix), "-P", "-m", module, copy],
        MIGRATION_SECONDS,
    )
    return time.monotonic() - begun


def _attempt(problem: str, words: list[str | Path], seconds: float) -> None:
    try:
        call(words, {**os.environ}, seconds=seconds)
    except UpdateFailed as error:
        raise UpdateFailed(f"{problem}: {error}") from error


def _start_once(program: list[str | Path], folder: Path, version: str) -> None:
    """Have the new version serve on an empty data folder, as nobody, until it answers."""
    port = _free_port()
    settings = folder / "empty.toml"
    settings.touch()
    words = [*program, "serve", "--no-open", "--config", settings, "--port", str(port)]
    words += ["--data-dir", folder / "data", "--codex-runner-mode", "stub", "--log-file", "off"]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("CC_")}
    said = folder / "server.log"
    with said.open("wb") as log:
        server = subprocess.Popen(  # noqa: S603 - the new version, with our own words
            [*map(str, words)],
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            reason = await_version(
                f"http://127.0.0.1:{port}",
                version,
                START_SECONDS,
                has_ended=lambda: server.poll() is not None,
            )
        finally:
            server.terminate()
            try:
                server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    if reason is not None:
        told = said.read_text(encoding="utf-8", errors="replace")[-2000:].strip()
        raise UpdateFailed(f"The new version does not start: {reason}\n{told}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port
