"""Post messages to addresses that somebody named: public ones alone, by no redirect, within a time.

This needs httpcore: whoever posts imports it with the first message.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs
import httpcore
import trio

from command_center.actors.channels.addresses import is_host, is_public
from command_center.actors.channels.errors import AddressNotAllowed, Unreachable
from command_center.actors.core.sent_body import SentBody
from command_center.actors.rules.retry_after import retry_after

LONGEST_ANSWER: Final = 64 * 1024
"""Bytes of an answer that are read, so that its connection can be used again."""

LONGEST_RETRY: Final = 24 * 3600.0
"""Seconds that the other side may have this server wait."""


@attrs.frozen
class Answer:
    """The answer to a message; `retry_after` is in seconds, where it says so."""

    status: int
    retry_after: float | None = None


class Poster:
    """Posts. Redirects are not followed."""

    def __init__(
        self, *, allows_private: bool, setting: str, call_seconds: float, connections: int
    ) -> None:
        """Post. To be made in a thread: it reads the certificates.

        Args:
            allows_private: whether an address may be one that is not public.
            setting: the name of the setting that says so.
            call_seconds: how long one message may take, with its answer.
            connections: how many there may be at once; more messages wait.
        """
        self._call_seconds = call_seconds
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpcore.default_ssl_context(),
            max_connections=connections,
            keepalive_expiry=60.0,
            network_backend=PublicNetwork(allows_private=allows_private, setting=setting),
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Leave a message; return what the other side says.

        Raises:
            AddressNotAllowed: the host has no address that messages may go to.
            Unreachable: it did not answer in time.
        """
        try:
            with trio.fail_after(self._call_seconds):
                return await self._post(url, headers, body)
        except trio.TooSlowError:
            reason = f"no answer within {self._call_seconds:g} seconds"
            raise Unreachable(reason) from None
        except (OSError, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise Unreachable(str(error) or type(error).__name__) from error

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        sent = [*headers.items(), ("Content-Length", str(len(body)))]
        content = aiter(SentBody(body))
        async with self._pool.stream("POST", url, headers=sent, content=content) as answer:
            told = {name.lower(): value for name, value in answer.headers}
            read = 0
            with trio.CancelScope() as reading:
                async for chunk in answer.aiter_stream():
                    read += len(chunk)
                    if read > LONGEST_ANSWER:
                        reading.cancel()  # to break off here would leave httpcore's generators open
        pause = retry_after(told.get(b"retry-after"), longest=LONGEST_RETRY)
        return Answer(answer.status, pause)


class PublicNetwork(httpcore.AsyncNetworkBackend):
    """Connects to addresses that are public, whatever name leads to them."""

    def __init__(self, *, allows_private: bool, setting: str) -> None:
        """Connect anywhere where `allows_private` says so, by the setting of that name."""
        self._allows_private = allows_private
        self._setting = setting
        self._inner = httpcore.TrioBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the port's own name
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of the host that is allowed and answers.

        Raises:
            AddressNotAllowed: it has none.
        """
        if not is_host(host):
            raise httpcore.ConnectError(f"no machine can be called {host[:100]}")
        found = await trio.socket.getaddrinfo(host, port, type=trio.socket.SOCK_STREAM)
        addresses = [str(address[4][0]) for address in found]
        if not self._allows_private:
            addresses = [
                address
                for address in addresses
                if is_public(ipaddress.ip_address(address.partition("%")[0]))
            ]
            if not addresses:
                raise AddressNotAllowed(host, self._setting)
        failure: Exception | None = None
        for address in dict.fromkeys(addresses):
            try:
                return await self._inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except httpcore.NetworkError as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await trio.sleep(seconds)
