"""Checks of what is kept: the data folder, the database, what was left, and who may read it."""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any, Final

import psutil

from command_center.actors.center import Center
from command_center.actors.contracts.backups import STORE_CHECK
from command_center.actors.hosts.local.codex import detached
from command_center.actors.hosts.local.codex.environment import HOME
from command_center.actors.hosts.local.codex.orphans import find_orphans
from command_center.actors.hosts.local.releases.last_look import read_look
from command_center.actors.hosts.local.releases.record import is_at_work, kept_python, read_record
from command_center.actors.rules.keeping import parse_size
from command_center.http.config.settings import DECLARATIONS
from command_center.http.doctor.check import (
    Subject,
    Symptom,
    error,
    in_data_folder,
    in_thread,
    is_closed,
    warning,
)
from command_center.http.doctor.machine import existing, size
from command_center.runtime import ActorNotFound
from command_center.store.backups.contents import DATABASE, KEPT
from command_center.store.backups.restoring import READY, UNPACKED
from command_center.store.database.copies import files_beside
from command_center.store.database.opening import look_through, open_for_reading, opening_error
from command_center.store.database.sqlite_errors import FAULTS
from command_center.store.errors import (
    CannotOpenDatabase,
    CorruptDatabase,
    ForeignDatabase,
    NewerSchema,
)
from command_center.store.integrity import FileCheck
from command_center.store.queries.file_size import used_bytes

LOOK_SECONDS: Final = 5.0
"""Seconds for the look through a database."""

MENDS: Final[Mapping[type[Exception], str]] = {
    CannotOpenDatabase: (
        "Give its owner leave to read and write it. Where it has that, look at the disk: it is "
        "full, or fails."
    ),
    CorruptDatabase: (
        "Stop the server, then put a backup in its place: command-center restore FILE."
    ),
    ForeignDatabase: "Set CC_DATA_DIR to a folder of Command Center alone.",
    NewerSchema: "Install the newer version again, or restore an older backup.",
}
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def folder(subject: Subject) -> Sequence[Symptom]:
    """Look whether the data folder can be used."""
    wanted = subject.settings.data_dir
    if is_closed(wanted):
        mend = "Ask as the user that the server runs as, or set CC_DATA_DIR to another folder."
        return [error(f"{wanted} cannot be entered.", mend)]
    nearest = existing(wanted)
    if not nearest.is_dir():
        mend = "Move that file away, or set CC_DATA_DIR to a folder."
        return [error(f"{nearest} is a file, and no folder.", mend)]
    if not os.access(nearest, os.W_OK | os.X_OK):
        mend = "Give its owner leave to write it, or set CC_DATA_DIR to another folder."
        return [error(f"{nearest} cannot be written.", mend)]
    if nearest != wanted:
        return [Symptom(f"{wanted} is made at the first start.")]
    return [Symptom(f"{wanted} can be used.")]


async def database(subject: Subject) -> Sequence[Symptom]:
    """Tell what the server's own check has found, and look through the database."""
    found = None if subject.center is None else _found_by_server(subject.center)
    if found is not None and found["state"] == "damaged":
        file = subject.settings.data_dir / DATABASE
        rows = (f"{row} is not as it was written" for row in found["damaged"])
        worst = next(chain(found["structure"], rows))
        return [error(str(CorruptDatabase(file, worst)), MENDS[CorruptDatabase])]
    if found is not None and found["state"] == "unreadable":
        mend = "Look into the server's log, and at the disk."
        return [error("The server could not read all of the database.", mend)]
    return await in_thread(_look_at_database)(subject)


def _found_by_server(center: Center) -> Mapping[str, Any] | None:
    with contextlib.suppress(ActorNotFound):
        found: Mapping[str, Any] = center.system.snapshot_of(STORE_CHECK).description
        return found if "state" in found else None
    return None


@in_data_folder
def _look_at_database(subject: Subject) -> Sequence[Symptom]:
    file = subject.settings.data_dir / DATABASE
    if not file.exists():
        return [Symptom("There is no database yet: the first start makes it.")]
    count = sum(one.stat().st_size for one in (file, *files_beside(file)) if one.exists())
    deadline = time.monotonic() + LOOK_SECONDS
    try:
        look = look_through(file, seconds=LOOK_SECONDS)
        derived: list[str] = []
        is_whole = look.is_whole and (
            not look.is_current or _is_log_whole(file, deadline, derived.append)
        )
    except (CannotOpenDatabase, CorruptDatabase, ForeignDatabase, NewerSchema) as fault:
        return [error(str(fault), MENDS[type(fault)])]
    if derived:
        return [
            warning(
                f"In the database these are not as the rows say: {', '.join(derived)}.",
                "Start the server: it makes them anew within a minute. No row is lost.",
            )
        ]
    if not is_whole:
        return [
            Symptom(
                f"The database has {size(count)}, of which {LOOK_SECONDS:g} s were looked through.",
                "A server reads all of it after its start: /health has what it found as integrity.",
            )
        ]
    if not look.is_current:
        mend = "The next start migrates it; its events are checked after that."
        return [Symptom(f"The database is whole but for its events: {size(count)}.", mend)]
    return [Symptom(f"The database is whole: {size(count)}.")]


@in_data_folder
def growth(subject: Subject) -> Sequence[Symptom]:
    """Tell how much the database has, and whether it is more than is wanted."""
    file = subject.settings.data_dir / DATABASE
    if not file.exists():
        return [Symptom("There is no database yet.")]
    try:
        with contextlib.closing(open_for_reading(file)) as db:
            used = used_bytes(db)
    except FAULTS as fault:
        return [
            warning(f"{opening_error(file, fault)}", "See what the check of the database says.")
        ]
    alarm = parse_size(subject.settings.alarm_size)
    if alarm is not None and used > alarm:
        return [
            warning(
                f"The database has {size(used)}, more than CC_ALARM_SIZE ({size(alarm)}).",
                "Set CC_KEEP_EVENTS=365d to remove older events, CC_COMPRESS_DAYS=30 to compress "
                "them, or a greater CC_ALARM_SIZE.",
            )
        ]
    return [Symptom(f"The database has {size(used)}.")]


@in_data_folder
def release(subject: Subject) -> Sequence[Symptom]:
    """Tell of a newer version, as the last look has found it, and of an update that was cut off."""
    home = subject.settings.data_dir
    record = read_record(home)
    if record is not None and record.state == "switching" and not is_at_work(home):
        return [
            error(
                f"An update from {record.before} to {record.after} was cut off.",
                f"Take it back: command-center rollback. If that does not start: "
                f"{shlex.quote(str(kept_python(home)))} -P -m command_center.http rollback",
            )
        ]
    installed = version("command-center")
    if subject.settings.update_notice == "off":
        mend = "Look yourself: command-center update --check. Or be told: CC_UPDATE_NOTICE=on."
        return [Symptom(f"{installed} is installed. Nobody looks for a newer one.", mend)]
    look = read_look(home)
    if look is None:
        return [Symptom(f"{installed} is installed. No newer one was looked for yet.")]
    if look.failure is not None:
        mend = "Look yourself: command-center update --check"
        return [warning(f"Newer versions cannot be looked for. {look.failure}", mend)]
    from command_center.actors.hosts.local.releases.newest import is_newer  # noqa: PLC0415 - it brings an HTTP client

    if look.newest is not None and is_newer(look.newest, installed):
        mend = "command-center update"
        return [warning(f"{look.newest} is out; {installed} is installed.", mend)]
    return [Symptom(f"{installed} is installed, the newest at {look.asked_at}.")]


def _is_log_whole(file: Path, deadline: float, derived: Callable[[str], object]) -> bool:
    """Look through the log and totals; False if the time was too short.

    Each total that can be made anew is given to `derived`.

    Raises:
        CannotOpenDatabase: the machine does not let it be read.
        CorruptDatabase: an event is not as it was written, or what is noted of them.
    """
    try:
        with contextlib.closing(FileCheck(file, is_of_log=True)) as check:
            while (piece := check.next_piece()) is not None:
                if piece.structure:
                    raise CorruptDatabase(file, piece.structure[0])
                for name in piece.derived:
                    derived(name)
                if piece.damaged:
                    raise CorruptDatabase(file, f"{piece.damaged[0]} is not as it was written")
                if time.monotonic() > deadline:
                    return False
    except FAULTS as fault:
        raise opening_error(file, fault) from fault
    return True


@in_data_folder
def leftovers(subject: Subject) -> Sequence[Symptom]:
    """Look for what former lives left: processes, and restores that were cut off."""
    home = subject.settings.data_dir
    if not home.is_dir():
        return [Symptom("There was no former life.")]
    seen = []
    is_serving = subject.center is not None
    start = "The next start sees to it: command-center."
    for name, state in ((UNPACKED, "was cut off before"), (READY, "is not finished, though")):
        if (home / name).exists():
            seen.append(warning(f"A restore {state} its backup holds ({home / name}).", start))
    own = detached.read(detached.folder_of(home))
    spared = () if own is None else (own.life,)
    left = [one for place in (home, home / "tailscale") for one in find_orphans(place, spared)]
    if left and not _is_held(home, is_serving=is_serving):
        pids = " ".join(str(one.pid) for one in left)
        mend = f"The next start ends them. At once: kill {pids}"
        seen.append(warning(f"Processes of a former life still run: {_named(left)}.", mend))
    if own is not None and not is_serving:
        seen.append(
            Symptom(f"Codex's app-server (process {own.pid}) goes on; the next start joins it.")
        )
    return seen or [Symptom("Former lives left nothing behind.")]


def _is_held(home: Path, *, is_serving: bool) -> bool:
    """Return True if another process than this one serves the folder: what runs is its own.

    Who took the lock wrote its number into it, and had begun before it did.
    """
    if is_serving:
        return False
    with contextlib.suppress(OSError, ValueError, psutil.Error):
        lock = home / "lock"
        holder = psutil.Process(int(lock.read_text(encoding="ascii")))
        return holder.create_time() <= lock.stat().st_mtime + 1
    return False


def _named(processes: Sequence[psutil.Process]) -> str:
    names = []
    for one in processes:
        with contextlib.suppress(psutil.Error):
            names.append(f"{one.name()} (process {one.pid})")
    return ", ".join(names) or "some that ended meanwhile"


def permissions(subject: Subject) -> Sequence[Symptom]:
    """Look whether others on this machine can read what is its owner's alone."""
    if os.name == "nt":
        return [Symptom("Windows keeps the folder of a user from others.")]
    seen = [
        error(f"{path} can be read by {_who(mode)}.", _mend_of(path, wanted))
        for path, wanted in _private(subject)
        if (mode := _mode(path) & ~wanted) & _strangers(path, wanted)
    ]
    if not seen and is_closed(subject.settings.data_dir):
        return [Symptom("The data folder was not looked at: see data-folder.")]
    return seen or [Symptom("Nobody else can read the data folder, keys and secrets.")]


def _private(subject: Subject) -> Iterator[tuple[Path, int]]:
    """Yield what is to be kept from others, with the mode that it may have at most."""
    settings = subject.settings
    home = settings.data_dir
    if os.path.isdir(home):  # noqa: PTH112 - a path that is closed raises nothing; data-folder tells of a file
        yield home, 0o700
    if _mode(home) & OTHERS:  # else nobody comes so far
        for name in (DATABASE, *KEPT):
            yield home / name, 0o600
    if settings.tls_key is not None and settings.tls_key.parent != home:
        yield settings.tls_key, 0o640  # of a group that reads keys, as Debian's ssl-cert is
    if settings.codex_ws_token_file is not None:
        yield settings.codex_ws_token_file, 0o600
    if _has_secrets(subject.config_file):
        yield subject.config_file, 0o600
    named = subject.environment.get(HOME)
    yield (Path(named) if named else Path.home() / ".codex") / "auth.json", 0o600


def _strangers(path: Path, wanted: int) -> int:
    """Return the bits of those who are to be kept out.

    What another user owns was given to a group on purpose: we read it by that group ourselves.
    """
    return OTHERS & ~wanted if _is_ours(path) else stat.S_IRWXO


def _mend_of(path: Path, wanted: int) -> str:
    if _is_ours(path) and not _is_mounted_read_only(path):
        return f"chmod {wanted:o} {shlex.quote(str(path))}"
    return f"Have who provides it give it the mode {wanted:o}: it cannot be changed from here."


def _is_ours(path: Path) -> bool:
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            return os.geteuid() in {0, path.stat().st_uid}
    return True


def _is_mounted_read_only(path: Path) -> bool:
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    return False


def _has_secrets(file: Path) -> bool:
    with contextlib.suppress(OSError, ValueError):
        names = tomllib.loads(file.read_text(encoding="utf-8"))
        return any(DECLARATIONS[name].is_secret for name in names if name in DECLARATIONS)
    return False


def _mode(path: Path) -> int:
    """Return who may do what with it; nobody with what is not there, or cannot be seen."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0


def _who(mode: int) -> str:
    return "every user of this machine" if mode & stat.S_IRWXO else "its group"
