"""The messages that `/push/subscriptions` takes, and its answers."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias, get_args
from urllib.parse import urlsplit

import msgspec

from command_center.actors.rules.lengths import Name
from command_center.runtime import Request
from command_center.store import PushKind, PushSubscription, Timestamp

PUSH_KINDS: Final[tuple[PushKind, ...]] = get_args(PushKind)
"""Each kind of notices, in the order in which they are shown."""

Endpoint: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        min_length=9,
        max_length=2000,
        pattern=r"^https?://[!-~]+$(?!\n)",
        description="the address that the browser gave",
    ),
]
Kinds: TypeAlias = Annotated[list[PushKind], msgspec.Meta(max_length=24)]
QuietHours: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        max_length=11,
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)",
        description="two times of the day, such as 22:00-07:00",
    ),
]
"""From when to when, such as `22:00-07:00`."""


class PushKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a browser's subscription, in base64url, as the browser gives them.

    Attributes:
        p256dh: its public key: a point of P-256, uncompressed.
        auth: its secret, of 16 bytes.
    """

    p256dh: Annotated[
        str,
        msgspec.Meta(
            max_length=88,
            pattern=r"^B[A-Za-z0-9_-]{86}=?$(?!\n)",
            description="the key that the browser gave",
        ),
    ]
    auth: Annotated[
        str,
        msgspec.Meta(
            max_length=24,
            pattern=r"^[A-Za-z0-9_-]{22}(==)?$(?!\n)",
            description="the secret that the browser gave",
        ),
    ]


class NewPushSubscription(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A browser's subscription with its push service.

    What is left out stays as it was, where the browser is subscribed already.

    Attributes:
        kinds: of notices that it is to be told; all, if left out.
        quiet_hours: in which it is told without a sound.
        time_zone: of the quiet hours, by its IANA name; the server's, if left out.
        replaces: the endpoint that it had before, which ends, and whose preferences it takes over.
    """

    endpoint: Endpoint
    keys: PushKeys
    kinds: Kinds | msgspec.UnsetType = msgspec.UNSET
    quiet_hours: QuietHours | msgspec.UnsetType | None = msgspec.UNSET
    time_zone: Name | msgspec.UnsetType | None = msgspec.UNSET
    replaces: Endpoint | None = None
    requested_by: Name = "api"


class PushSubscriptionChanges(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Changes to what a browser is told; what is left out stays."""

    kinds: Kinds | msgspec.UnsetType = msgspec.UNSET
    quiet_hours: QuietHours | msgspec.UnsetType | None = msgspec.UNSET
    time_zone: Name | msgspec.UnsetType | None = msgspec.UNSET
    requested_by: Name = "api"


class SubscribedBrowser(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A browser that is told by its push service; its endpoint and keys are shown to nobody.

    Attributes:
        service: where the endpoint is, without its path.
        last_sent_at: when the push service last took a message.
        error: why it did not take the last one.
    """

    id: int
    created_at: Timestamp
    updated_at: Timestamp
    device_id: int | None
    service: str
    kinds: list[PushKind]
    quiet_hours: str | None
    time_zone: str | None
    last_sent_at: Timestamp | None
    error: str | None

    @classmethod
    def of(cls, stored: PushSubscription) -> SubscribedBrowser:
        """Return what is shown of a subscription."""
        shown = {
            field.name: getattr(stored, field.name)
            for field in msgspec.structs.fields(cls)
            if field.name != "service"
        }
        return cls(service=service_of(stored.endpoint), **shown)


class PushDecision(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A decision that was made on a notification, by the capability that came with it."""

    capability: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    status: Literal["approved", "rejected"]
    resolved_by: Name = "notification"


class Subscribe(msgspec.Struct, Request[PushSubscription], frozen=True):
    """Tell a browser from now on, or take over what it has now."""

    wanted: NewPushSubscription
    device_id: int | None


class PatchSubscription(msgspec.Struct, Request[PushSubscription], frozen=True):
    """Change what a browser of the device is told."""

    subscription_id: int
    changes: PushSubscriptionChanges
    device_id: int | None


class Unsubscribe(msgspec.Struct, Request[PushSubscription], frozen=True):
    """Tell a browser of the device no more. Answered with the subscription as it was."""

    subscription_id: int
    device_id: int | None
    requested_by: Name = "api"


class TestPush(msgspec.Struct, Request[PushSubscription], frozen=True):
    """Send a test to a browser of the device."""

    __test__ = False  # pytest is not meant

    subscription_id: int
    device_id: int | None


class SpendCapability(msgspec.Struct, Request[int], frozen=True):
    """Find the approval that a notification of the device may decide, which it is about to do."""

    capability: str
    device_id: int | None


def service_of(endpoint: str) -> str:
    """Return the origin of an endpoint, which is all that may be shown of it."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}"
