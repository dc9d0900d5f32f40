"""A host's identity on its own disk: which server it is of, its key, and which start this is.

Two files lie in its data folder, for its owner alone. `host.json` has the server's address and the
key. `starts.json` counts the starts of the program, and has the servers' logs that it has worked
for, each with the last start of a server of it. Both numbers only grow. So a host that was restored
from an old image is found out by its server, and an older server by its host.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs
import msgspec

from command_center.store.host_life import HostLife
from command_center.store.private_files import new_private_file, sync_folder

LOGS: Final = 20
"""Logs of servers that are remembered."""


class OlderCentre(Exception):
    """The server is an earlier start of one that this host has worked for since."""

    def __init__(self, number: int, known: int) -> None:
        """Name both starts."""
        super().__init__(
            f"The server is at its start {number}, and this host has worked for start {known} of "
            "it. It is an old copy: nothing that it asks is done."
        )


class NotEnrolled(Exception):
    """The host has no key yet, or none that can be read; the message says what to do."""


class HostIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """A host's server, its name there, and its key.

    Attributes:
        centre: the server's address.
        name: of the host.
        key: what the server knows the host by.
        others: the addresses of the other centres, where the server is a cluster of them.
    """

    centre: str
    name: str
    key: str
    others: tuple[str, ...] = ()

    @property
    def centres(self) -> tuple[str, ...]:
        """Return each address at which the server may be."""
        return (self.centre, *self.others)

    @property
    def digest(self) -> str:
        """Return what tells this enrolment from another, and says nothing of the key."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:16]


class CentreNumber(msgspec.Struct, frozen=True, array_like=True):
    """A server: its log, and which start of it this is."""

    log_id: str
    start: int

    @classmethod
    def read(cls, text: str) -> CentreNumber | None:
        """Read it as the server says it; None where it says something else."""
        log_id, _, number = text.partition(".")
        if re.fullmatch(r"[0-9a-zA-Z]{1,64}\.[0-9]{1,18}", text) is None:
            return None
        return cls(log_id, int(number))


class _Starts(msgspec.Struct, frozen=True, kw_only=True):
    life: int = 0
    centres: tuple[CentreNumber, ...] = ()


@attrs.frozen
class HostFiles:
    """The files of a host in its data folder."""

    folder: Path

    def save(self, identity: HostIdentity) -> None:
        """Keep an identity in the place of an earlier one; its starts are counted from 1 on."""
        self._write("starts.json", _Starts())
        self._write("host.json", identity)

    def identity(self) -> HostIdentity:
        """Return the identity; raises `NotEnrolled`."""
        path = self.folder / "host.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=HostIdentity)
        except FileNotFoundError:
            raise NotEnrolled(
                "This machine is not enrolled yet. Add a host on the server, and run the command "
                "that it shows: command-center host --centre URL --enrol CODE"
            ) from None
        except (OSError, msgspec.MsgspecError) as error:
            raise NotEnrolled(f"{path} cannot be read ({error}). Enrol the machine anew.") from None

    def move(self, centres: Sequence[str]) -> None:
        """Have the server be dialled at other addresses from now on.

        Raises:
            NotEnrolled: there is no identity.
            OSError: it cannot be written.
        """
        first, *others = centres
        known = msgspec.structs.replace(self.identity(), centre=first, others=tuple(others))
        self._write("host.json", known)

    def begin_life(self) -> HostLife:
        """Count one more start, durably, and return it.

        Raises:
            OSError: it cannot be written.
        """
        known = self._starts()
        begun = msgspec.structs.replace(known, life=known.life + 1)
        self._write("starts.json", begun)
        return HostLife(begun.life, secrets.token_hex(16))

    def check_centre(self, centre: CentreNumber) -> None:
        """Note a server, durably, as the one that counts from now on.

        Raises:
            OlderCentre: it is an earlier start of one that was here.
            OSError: it cannot be written.
        """
        known = self._starts()
        before = {one.log_id: one.start for one in known.centres}
        last = before.pop(centre.log_id, 0)
        if centre.start < last:
            raise OlderCentre(centre.start, last)
        if known.centres[-1:] != (centre,):
            others = [CentreNumber(log, start) for log, start in before.items()]
            kept = (*others[1 - LOGS :], centre)
            self._write("starts.json", msgspec.structs.replace(known, centres=kept))

    def _starts(self) -> _Starts:
        try:
            return msgspec.json.decode((self.folder / "starts.json").read_bytes(), type=_Starts)
        except (FileNotFoundError, msgspec.MsgspecError):
            return _Starts()  # the server refuses what has begun to count anew

    def _write(self, name: str, content: msgspec.Struct) -> None:
        partial = self.folder / f"{name}.partial"
        with new_private_file(partial) as file:
            file.write(msgspec.json.encode(content))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.folder / name)
        sync_folder(self.folder)
