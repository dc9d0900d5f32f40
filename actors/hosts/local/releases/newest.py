"""The question whether a newer version is out, from what is installed to the answer."""

from __future__ import annotations

from typing import Final

import attrs
import trio
from packaging.version import Version

from command_center.actors.hosts.local.releases.index_settings import indexes_of
from command_center.actors.hosts.local.releases.installation import (
    InstallationUnclear,
    find_installation,
)
from command_center.actors.hosts.local.releases.simple_index import (
    IndexFailed,
    NoIndex,
    choose,
    offered,
)

SECONDS: Final = 120.0
"""Seconds for all indexes together."""


class LookFailed(Exception):
    """It was not found out; the message says why."""


@attrs.frozen
class InstalledFromFile(LookFailed):
    """No index is asked for another version of what came from a file.

    There, a stranger may have a package of this name.
    """

    source: str

    def __str__(self) -> str:
        return f"It was installed from {self.source}, so no index is asked for a newer one."


async def find_newest() -> str | None:
    """Return the newest release above the installed one; None where there is none.

    Raises:
        InstalledFromFile: there is no index to ask.
        LookFailed: an index gave no answer that can be used, or what installed it is unclear.
    """
    try:
        installed = await trio.to_thread.run_sync(find_installation)
        if installed.source is not None:
            raise InstalledFromFile(installed.source)
        indexes = await trio.to_thread.run_sync(indexes_of, installed)
        with trio.fail_after(SECONDS):
            releases = await offered(indexes)
    except trio.TooSlowError:
        raise LookFailed(f"No index answered within {SECONDS:g} s.") from None
    except (IndexFailed, InstallationUnclear, NoIndex) as error:
        raise LookFailed(str(error)) from error
    found = choose(releases, installed.version).newest
    return None if found is None else str(found.version)


def is_newer(version: str, than: str) -> bool:
    """Return True if a version comes after another."""
    return Version(version) > Version(than)
