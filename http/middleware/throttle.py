"""The throttle on wrong tokens and pairing codes, by address.

An address that is over the limit is not compared with at all until its window ends, so guessing
goes no faster than the limit. The price: whoever shares the address waits, too. One machine has
very many addresses of the loopback, and very many of an IPv6 net: each of the two counts as one.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterator
from contextlib import contextmanager

import trio

from command_center.http.wire.asgi import Scope
from command_center.http.wire.problems import Refused

LOOPBACK = "loopback"


class WrongGuesses:
    """A counter of the wrong tokens that each address sent in the current window of time.

    Or of something else that is guessed: `what`, as a message names it.
    """

    LARGEST = 4096

    def __init__(self, limit: int, seconds: float, what: str = "tokens") -> None:
        self._limit = limit
        self._seconds = seconds
        self._what = what
        self._windows: dict[str, tuple[float, int]] = {}

    def check(self, address: str) -> None:
        """Raise Refused (429) for an address that has to wait."""
        wait = self.seconds_to_wait(address)
        if wait > 0:
            raise Refused(
                429,
                f"Too many wrong {self._what} came from this address. "
                f"Wait {math.ceil(wait)} seconds.",
                {"Retry-After": str(math.ceil(wait))},
            )

    def seconds_to_wait(self, address: str) -> float:
        """Return how long this address has to wait, 0 if it may try."""
        if address not in self._windows:
            return 0
        began, count = self._windows[address]
        left = began + self._seconds - trio.current_time()
        if left <= 0:
            del self._windows[address]
            return 0
        return left if count >= self._limit else 0

    @contextmanager
    def guess(self, address: str) -> Iterator[None]:
        """Count what is tried meanwhile as wrong from its beginning, unless it succeeds.

        So what an address tries at once is no more than what it may try in turn.

        Raises:
            Refused: 429 for an address that has to wait.
        """
        self.check(address)
        self.add(address)
        yield
        self._take_back(address)

    def _take_back(self, address: str) -> None:
        if address in self._windows:
            began, count = self._windows[address]
            self._windows[address] = (began, max(0, count - 1))

    def add(self, address: str) -> None:
        """Count a wrong one."""
        began, count = self._windows.pop(address, (trio.current_time(), 0))
        if len(self._windows) >= self.LARGEST:
            del self._windows[next(iter(self._windows))]
        self._windows[address] = (began, count + 1)


def client_key(scope: Scope) -> str:
    """Return what guesses are counted by: an IPv4 address, an IPv6 one's /64 net, the loopback."""
    client = scope.get("client")
    if client is None:
        return ""
    try:
        address = ipaddress.ip_address(client[0].partition("%")[0])
    except ValueError:
        return str(client[0])
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    if address.is_loopback:
        return LOOPBACK
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
