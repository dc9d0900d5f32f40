"""Places that Apprise knows: by their URLs, and told in a thread."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import apprise

from command_center.actors.notify.settings import NotifyPlace

logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines may hold URLs


class UnknownPlace(Exception):
    """A URL is none that Apprise knows; `position` is that of it, from 1."""

    def __init__(self, position: int) -> None:
        """Name it by its position: the URL may be a secret."""
        super().__init__(f"URL {position} is none that Apprise knows.")
        self.position = position


def places_of(urls: Sequence[str]) -> tuple[NotifyPlace, ...]:
    """Return the place of each URL.

    Raises:
        UnknownPlace: Apprise does not know one.
    """
    found = []
    for position, url in enumerate(urls, 1):
        place = apprise.Apprise.instantiate(url, suppress_exceptions=True)
        if not isinstance(place, apprise.NotifyBase):
            raise UnknownPlace(position)
        shown = str(place.url(privacy=True)).partition("?")[0]  # type: ignore[no-untyped-call]
        found.append(NotifyPlace(position, url, str(place.service_name), shown))
    return tuple(found)


def leave(url: str, title: str, body: str) -> bool:
    """Leave a message at a place, and return True if it was taken. To be called in a thread."""
    teller = apprise.Apprise()
    teller.add(url)
    return bool(teller.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT))
