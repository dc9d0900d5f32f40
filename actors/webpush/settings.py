"""The settings of the actors of Web Push."""

from __future__ import annotations

import secrets
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import attrs

from command_center.runtime import Backoff
from command_center.store.ownership.kept_secret import kept_secret

KEY_FILE: Final = "push.key"
KEY_BYTES: Final = 32

NOBODY: Final = "mailto:nobody@example.com"
"""The contact of who names none; some push services refuse to do without."""

_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The number of points of P-256: a private key is a number below it, and not 0."""


@attrs.frozen(kw_only=True)
class PushSettings:
    """Settings of the pushes: whose they are, and where they may go.

    Attributes:
        key: the private key of VAPID (RFC 8292), a number of 32 bytes; shown by nothing.
        contact: where push services reach who runs this server: a `mailto:` or `https:` address.
        allows_private: whether a push service may have an address that is not public, and http.
        timezone: of quiet hours that name none; None for the machine's.
        call_seconds: how long a push service may take to answer.
        backoff: the waits after failures that pass.
    """

    key: bytes = attrs.field(repr=False)
    contact: str = NOBODY
    allows_private: bool = False
    timezone: str | None = None
    call_seconds: float = 20.0
    backoff: Backoff = attrs.field(default=Backoff(initial=1.0, cap=300.0, jitter=0.1))


def is_installed() -> bool:
    """Return True if the extra `push` is there, without loading it."""
    return find_spec("cryptography") is not None


def push_key(folder: Path) -> bytes:
    """Return the private key that the data folder keeps for its owner alone; make it once.

    Raises:
        DataFolderUnusable: it cannot be read or written.
    """
    return kept_secret(folder / KEY_FILE, KEY_BYTES, make_key)


def make_key() -> bytes:
    """Make a private key."""
    return (secrets.randbelow(_ORDER - 1) + 1).to_bytes(KEY_BYTES)
