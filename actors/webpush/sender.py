"""Leave messages at push services (RFC 8030), encrypted and signed."""

from __future__ import annotations

import time
from typing import Final

from command_center.actors.channels.posting import Answer, Poster
from command_center.actors.contracts.webpush import service_of
from command_center.actors.webpush.encryption import SIGNED_SECONDS, encrypt, signature
from command_center.actors.webpush.settings import PushSettings
from command_center.store import PushSubscription

MOST_CONNECTIONS: Final = 20


class Sender:
    """Sends."""

    def __init__(self, settings: PushSettings) -> None:
        """Sign with the key of `settings`. To be made in a thread: it reads the certificates."""
        self._settings = settings
        self._signed: dict[str, tuple[str, float]] = {}
        self._poster = Poster(
            allows_private=settings.allows_private,
            setting="CC_PUSH_PRIVATE_ADDRESSES",
            call_seconds=settings.call_seconds,
            connections=MOST_CONNECTIONS,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._poster.aclose()

    async def send(
        self, subscription: PushSubscription, message: bytes, *, ttl: int, urgency: str, topic: str
    ) -> Answer:
        """Leave a message for a browser; return what its push service says.

        Args:
            subscription: the browser's.
            message: what only the browser reads.
            ttl: seconds for which the service keeps it for a browser that is away.
            urgency: `low`, `normal` or `high`, for a browser that saves power.
            topic: of two messages that wait at the service, the newer takes the other's place.

        Raises:
            AddressNotAllowed: the service has no address that messages may go to.
            Unreachable: it did not answer in time.
        """
        headers = {
            "Host": service_of(subscription.endpoint).partition("://")[2],
            "Authorization": self._signature(service_of(subscription.endpoint)),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(ttl),
            "Urgency": urgency,
            "Topic": topic,
        }
        body = encrypt(message, p256dh=subscription.p256dh, auth=subscription.auth)
        return await self._poster.post(subscription.endpoint, headers, body)

    def _signature(self, audience: str) -> str:
        """Return a signature for a service, which is made anew twice in the life of one."""
        now = time.time()
        known, until = self._signed.get(audience, ("", 0.0))
        if now >= until:
            settings = self._settings
            known = signature(settings.key, audience=audience, contact=settings.contact, now=now)
            self._signed[audience] = (known, now + SIGNED_SECONDS / 2)
        return known
