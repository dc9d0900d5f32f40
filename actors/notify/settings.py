"""The settings of the actors that tell people by Apprise."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec

import attrs

from command_center.runtime import Backoff


@attrs.frozen
class NotifyPlace:
    """A place that people are told at.

    Attributes:
        id: its place among the settings, from 1.
        url: Apprise's URL of it, which may be a secret as a whole.
        service: the name of what is there.
        shown: the URL without what is secret in it.
    """

    id: int
    url: str = attrs.field(repr=False)
    service: str
    shown: str

    @property
    def digest(self) -> str:
        """Return by what messages for it are known, wherever it stands among the settings."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:32]


@attrs.frozen(kw_only=True)
class NotifySettings:
    """Settings of the notifications.

    Attributes:
        targets: the places.
        page: the address under which the page opens, for links.
        call_seconds: how long a place may take to answer.
        backoff: the waits after failures.
    """

    targets: tuple[NotifyPlace, ...]
    page: str
    call_seconds: float = 60.0
    backoff: Backoff = attrs.field(default=Backoff(initial=2.0, cap=300.0, jitter=0.1))


def is_installed() -> bool:
    """Return True if the extra `notify` is there, without loading it."""
    return find_spec("apprise") is not None
