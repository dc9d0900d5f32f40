"""A check: one thing that is looked at, and what is seen of it."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Final, TypeAlias

import attrs
import trio

from command_center.actors.center import Center
from command_center.http.config.addresses import Listening
from command_center.http.config.settings import Settings, usual_config_file
from command_center.http.doctor.findings import Level

AT_ONCE: Final = 6
"""Checks that work in threads at the same time."""


SyncLook: TypeAlias = "Callable[[Subject], Sequence[Symptom]]"


@attrs.frozen
class Symptom:
    """An outcome of a check: in what state its thing is and, where it is no good, what mends it."""

    message: str
    mend: str | None = None
    level: Level = "ok"
    host: str | None = None


def warning(message: str, mend: str) -> Symptom:
    """Return what works, and not as it should."""
    return Symptom(message, mend, "warning")


def error(message: str, mend: str) -> Symptom:
    """Return what keeps something from working."""
    return Symptom(message, mend, "error")


def named_config_file() -> Path:
    """Return the configuration file that the environment names, or the one in the usual place."""
    named = os.environ.get("CC_CONFIG")
    return Path(named).expanduser() if named else usual_config_file()


@attrs.frozen(kw_only=True)
class Subject:
    """An installation that is examined.

    Attributes:
        settings: its settings.
        config_file: the file that its settings may be in.
        center: the server itself, where it is the one that looks; None from the command line.
        urls: tells the addresses under which its page opens, where it serves.
        environment: what programs are started with, before the server's own is taken out of it.
        threads: bounds how many checks work in threads.
    """

    settings: Settings
    config_file: Path = attrs.field(factory=named_config_file)
    center: Center | None = None
    urls: Callable[[], Sequence[str]] | None = None
    environment: Mapping[str, str] = attrs.field(factory=lambda: {**os.environ}, repr=False)
    threads: trio.CapacityLimiter = attrs.field(factory=lambda: trio.CapacityLimiter(AT_ONCE))

    @property
    def listening(self) -> Listening:
        """Return the address as the settings have it."""
        settings = self.settings
        return Listening(
            settings.host,
            settings.port,
            settings.allowed_hosts,
            is_proxied=bool(settings.trusted_proxies),
            is_encrypted=settings.tls_cert is not None,
        )

    def pages(self) -> list[str]:
        """Return the addresses under which the page opens, or would."""
        return [*(self.listening.urls() if self.urls is None else self.urls())]


def is_closed(folder: Path) -> bool:
    """Return True for a folder that this user may not enter, if it is there or not."""
    try:
        os.lstat(f"{folder}{os.sep}.")
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def in_data_folder(look: Callable[[Subject], Sequence[Symptom]]) -> SyncLook:
    """Have a look at what is kept be made only where the data folder can be entered.

    That it cannot be is a finding of one check alone, `data-folder`.
    """

    @wraps(look)
    def looked(subject: Subject) -> Sequence[Symptom]:
        if is_closed(subject.settings.data_dir):
            return [Symptom("This was not looked at: see data-folder.")]
        return look(subject)

    return looked


Look: TypeAlias = Callable[[Subject], Awaitable[Sequence[Symptom]]]


@attrs.frozen(kw_only=True)
class Checkup:
    """A thing that is looked at.

    Attributes:
        name: of the check, and of its part in docs/doctor.md.
        why: what a finding matters for.
        look: looks at it, changes nothing, and starts nothing that stays.
        seconds: that it may take.
    """

    name: str
    why: str
    look: Look
    seconds: float = 15.0


def in_thread(look: Callable[[Subject], Sequence[Symptom]]) -> Look:
    """Have a look that waits for the disk or a program be made in a thread.

    Where its time is over, the thread is left to itself, and counts for as long as it works.
    """

    @wraps(look)
    async def looked(subject: Subject) -> Sequence[Symptom]:
        return await trio.to_thread.run_sync(
            look, subject, abandon_on_cancel=True, limiter=subject.threads
        )

    return looked
