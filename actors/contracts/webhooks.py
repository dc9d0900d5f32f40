"""The messages that `/webhooks/registry` takes, and its answers."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias
from urllib.parse import urlsplit

import msgspec

from command_center.actors.rules.lengths import Name
from command_center.runtime import Request
from command_center.store import Timestamp, Webhook, WebhookDelivery

ALL_TYPES: Final = "*"
"""In the place of the types of events: all of them."""

Url: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        min_length=9,
        max_length=2000,
        pattern=r"^https?://[!-~]+$(?!\n)",
        description="an address that begins with https:// or http://",
    ),
]
Types: TypeAlias = Annotated[
    list[Annotated[str, msgspec.Meta(max_length=64)]], msgspec.Meta(min_length=1, max_length=40)
]
Secret: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        min_length=16,
        max_length=200,
        pattern=r"^[!-~]+$(?!\n)",
        description="a secret without spaces, of ASCII characters",
    ),
]


class NewWebhook(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """An address that events are to be sent to.

    Attributes:
        types: of the events, or `*` for all.
        secret: what deliveries are signed with: `whsec_` and a key in base64, or any text, whose
            bytes are the key. One is made if it is left out.
    """

    url: Url
    types: Types
    secret: Secret | None = None
    requested_by: Name = "api"


class WebhookChanges(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Changes to a webhook; what is left out stays.

    Attributes:
        status: `active` resumes it, with what it missed.
    """

    url: Url | msgspec.UnsetType = msgspec.UNSET
    types: Types | msgspec.UnsetType = msgspec.UNSET
    secret: Secret | msgspec.UnsetType = msgspec.UNSET
    status: Literal["active", "paused"] | msgspec.UnsetType = msgspec.UNSET
    requested_by: Name = "api"


class ReplayFrom(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Send the events after this one, again if they were sent before.

    Attributes:
        after: the id of an event; 0 for all that there are.
    """

    after: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    requested_by: Name = "api"


class ShownWebhook(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An address that events are sent to, without its secret."""

    id: int
    created_at: Timestamp
    updated_at: Timestamp
    url: str
    types: list[str]
    status: Literal["active", "paused"]
    paused_reason: str | None
    position: int
    failing_since: Timestamp | None
    last_delivered_at: Timestamp | None
    error: str | None

    @classmethod
    def of(cls, stored: Webhook) -> ShownWebhook:
        """Return what is shown of a webhook."""
        names = (field.name for field in msgspec.structs.fields(cls))
        return cls(**{name: getattr(stored, name) for name in names})


class MadeWebhook(Webhook, frozen=True, kw_only=True, rename="camel"):
    """A webhook that was made, with its secret, which is shown this once."""


class CreateWebhook(msgspec.Struct, Request[Webhook], frozen=True):
    """Send events to an address from now on."""

    wanted: NewWebhook


class PatchWebhook(msgspec.Struct, Request[Webhook], frozen=True):
    """Change a webhook."""

    webhook_id: int
    changes: WebhookChanges


class DeleteWebhook(msgspec.Struct, Request[Webhook], frozen=True):
    """Send nothing there any more. Answered with the webhook as it was."""

    webhook_id: int
    requested_by: Name = "api"


class ReplayWebhook(msgspec.Struct, Request[Webhook], frozen=True):
    """Go back in the log, or forward."""

    webhook_id: int
    wanted: ReplayFrom


class TestWebhook(msgspec.Struct, Request[WebhookDelivery], frozen=True):
    """Send a test there, whatever types it wants."""

    __test__ = False  # pytest is not meant

    webhook_id: int
    requested_by: Name = "api"


class ResendDelivery(msgspec.Struct, Request[WebhookDelivery], frozen=True):
    """Send an event there once more, out of the order of events."""

    webhook_id: int
    delivery_id: int


def origin_of(url: str) -> str:
    """Return the scheme, host and port of a URL: the rest may be a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
