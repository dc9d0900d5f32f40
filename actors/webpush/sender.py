"""Leave messages at push services (RFC 8030), at public addresses alone."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import attrs
import httpcore
import trio

from command_center.actors.contracts.webpush import service_of
from command_center.actors.webpush.addresses import is_public
from command_center.actors.webpush.encryption import SIGNED_SECONDS, encrypt, signature
from command_center.actors.webpush.errors import AddressNotAllowed, ServiceUnreachable
from command_center.actors.webpush.settings import PushSettings
from command_center.store import PushSubscription

MOST_CONNECTIONS: Final = 20
LONGEST_ANSWER: Final = 64 * 1024
"""Bytes of an answer that are read, so that its connection can be used again."""

LONGEST_RETRY: Final = 24 * 3600.0
"""Seconds that a push service may have this server wait."""


@attrs.frozen
class ServiceAnswer:
    """The answer of a push service; `retry_after` is in seconds, where it says so."""

    status: int
    retry_after: float | None = None


class Sender:
    """Sends. Redirects are not followed."""

    def __init__(self, settings: PushSettings) -> None:
        """Sign with the key of `settings`. To be made in a thread: it reads the certificates."""
        self._settings = settings
        self._signed: dict[str, tuple[str, float]] = {}
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpcore.default_ssl_context(),
            max_connections=MOST_CONNECTIONS,
            keepalive_expiry=60.0,
            network_backend=PublicNetwork(allows_private=settings.allows_private),
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()

    async def send(
        self, subscription: PushSubscription, message: bytes, *, ttl: int, urgency: str, topic: str
    ) -> ServiceAnswer:
        """Leave a message for a browser; return what its push service says.

        Args:
            subscription: the browser's.
            message: what only the browser reads.
            ttl: seconds for which the service keeps it for a browser that is away.
            urgency: `low`, `normal` or `high`, for a browser that saves power.
            topic: of two messages that wait at the service, the newer takes the other's place.

        Raises:
            AddressNotAllowed: the service has no address that messages may go to.
            ServiceUnreachable: it did not answer in time.
        """
        body = encrypt(message, p256dh=subscription.p256dh, auth=subscription.auth)
        headers = {
            "Host": service_of(subscription.endpoint).partition("://")[2],
            "Authorization": self._signature(service_of(subscription.endpoint)),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "Content-Length": str(len(body)),
            "TTL": str(ttl),
            "Urgency": urgency,
            "Topic": topic,
        }
        try:
            with trio.fail_after(self._settings.call_seconds):
                return await self._post(subscription.endpoint, headers, body)
        except trio.TooSlowError:
            reason = f"no answer within {self._settings.call_seconds:g} seconds"
            raise ServiceUnreachable(reason) from None
        except (OSError, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise ServiceUnreachable(str(error) or type(error).__name__) from error

    async def _post(self, endpoint: str, headers: dict[str, str], body: bytes) -> ServiceAnswer:
        async with self._pool.stream(
            "POST", endpoint, headers=[*headers.items()], content=body
        ) as answer:
            told = {name.lower(): value for name, value in answer.headers}
            read = 0
            async for chunk in answer.aiter_stream():
                read += len(chunk)
                if read > LONGEST_ANSWER:
                    break
        return ServiceAnswer(answer.status, retry_after(told.get(b"retry-after", b"").decode()))

    def _signature(self, audience: str) -> str:
        """Return a signature for a service, which is made anew twice in the life of one."""
        now = time.time()
        known, until = self._signed.get(audience, ("", 0.0))
        if now >= until:
            settings = self._settings
            known = signature(settings.key, audience=audience, contact=settings.contact, now=now)
            self._signed[audience] = (known, now + SIGNED_SECONDS / 2)
        return known


class PublicNetwork(httpcore.AsyncNetworkBackend):
    """Connects to addresses that are public, whatever name leads to them."""

    def __init__(self, *, allows_private: bool) -> None:
        """Connect anywhere where `allows_private` says so."""
        self._allows_private = allows_private
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
        found = await trio.socket.getaddrinfo(host, port, type=trio.socket.SOCK_STREAM)
        addresses = [str(address[4][0]) for address in found]
        if not self._allows_private:
            addresses = [
                address
                for address in addresses
                if is_public(ipaddress.ip_address(address.partition("%")[0]))
            ]
            if not addresses:
                raise AddressNotAllowed(host)
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


def retry_after(said: str) -> float | None:
    """Return the seconds of a `Retry-After`, which has a number or a date; None for neither."""
    if said.strip().isdigit():
        return min(float(said), LONGEST_RETRY)
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - datetime.now(UTC)).total_seconds()), LONGEST_RETRY)
