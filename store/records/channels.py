"""Things that are told to people and programs elsewhere, and how far each has been told."""

from typing import Any, Literal, TypeAlias

import msgspec

from command_center.store.records.record import Record
from command_center.store.timestamps import Timestamp

PushKind: TypeAlias = Literal[
    "approvals",
    "questions",
    "warnings",
    "sessions",
    "interrupted",
    "limits",
    "automations",
    "system",
]


class ChannelMark(Record, frozen=True, kw_only=True, rename="camel"):
    """A mark of progress in a queue: the event log, or Telegram's own."""

    name: str
    value: int


class PushSubscription(Record, frozen=True, kw_only=True, rename="camel"):
    """A browser that is told by a push service, as it was subscribed.

    Attributes:
        device_id: the device that it is of; None for who needs to be none.
        endpoint: where messages for it are left. Who knows it can send, but nothing it can read.
        p256dh: its public key, in base64url.
        auth: its secret, in base64url.
        kinds: of notices that it is told.
        quiet_hours: ``HH:MM-HH:MM``, in which it is told without a sound.
        time_zone: of the quiet hours; None for the server's.
        last_sent_at: when the push service last took a message.
        error: why it took the last one not; None where it did.
    """

    device_id: int | None = None
    endpoint: str
    p256dh: str
    auth: str
    kinds: list[PushKind]
    quiet_hours: str | None = None
    time_zone: str | None = None
    last_sent_at: Timestamp | None = None
    error: str | None = None


class PushMessage(Record, frozen=True, kw_only=True, rename="camel"):
    """A message for a browser, from when it is decided on until its push service has it.

    Attributes:
        purpose: the kind of notice; ``settled`` takes the one away that asked, ``test`` is a test.
        content: what it says.
        tag: what it is about, such as ``/approvals/7``: the page's own path.
        approval_id: the approval that it asks about, or that was settled.
        ends_at: from when it is no news any more, and is not sent.
        status: ``answered`` where its browser decided on what it asks.
        attempts: how often it was tried.
        not_before: a timestamp before which it may not be tried again.
        error: why the last attempt failed.
    """

    subscription_id: int
    purpose: PushKind | Literal["settled", "test"]
    content: dict[str, Any]
    tag: str
    approval_id: int | None = None
    ends_at: Timestamp
    status: Literal["waiting", "sent", "failed", "answered"] = "waiting"
    attempts: int = 0
    not_before: Timestamp | None = None
    error: str | None = None


class Webhook(Record, frozen=True, kw_only=True, rename="camel"):
    """An address that events are sent to, signed.

    Attributes:
        types: of events that are sent; ``*`` alone is all.
        secret: what deliveries are signed with.
        paused_reason: why it is paused, where the server did it.
        position: the id of the last event that was delivered or passed over.
        failing_since: when the first of the failures was that no success came after.
        error: what was wrong with the last attempt; None where nothing was.
    """

    url: str
    types: list[str]
    secret: str
    status: Literal["active", "paused"] = "active"
    paused_reason: str | None = None
    position: int
    failing_since: Timestamp | None = None
    last_delivered_at: Timestamp | None = None
    error: str | None = None


class WebhookDelivery(Record, frozen=True, kw_only=True, rename="camel"):
    """An event on its way to a webhook, from the first attempt on.

    Attributes:
        type: the event's.
        is_by_hand: somebody wanted it sent, out of the order of events; it is tried once.
        status: ``passed_over`` where it is to be sent no more.
        not_before: a timestamp before which it is not tried again.
        response_status: the HTTP status that the last attempt was answered with.
        milliseconds: that the last attempt took.
        error: why it failed.
    """

    webhook_id: int
    event_id: int
    type: str
    is_by_hand: bool = False
    status: Literal["waiting", "delivered", "failed", "passed_over"] = "waiting"
    attempts: int = 0
    not_before: Timestamp | None = None
    response_status: int | None = None
    milliseconds: int | None = None
    error: str | None = None


class NotifyPreference(Record, frozen=True, kw_only=True, rename="camel"):
    """A choice of what a place of Apprise's is told.

    Attributes:
        target: the place, by a digest of its URL.
        muted: the kinds of notices that it is not told.
    """

    target: str
    muted: list[PushKind] = msgspec.field(default_factory=list)


class NotifyMessage(Record, frozen=True, kw_only=True, rename="camel"):
    """A message for a place of Apprise's, from when it is decided on until the place has it.

    Attributes:
        target: the place, by a digest of its URL.
        purpose: the kind of notice; ``test`` is a test.
        content: its title and its body.
        tag: what it is about, such as ``/approvals/7``: the page's own path.
        approval_id: the approval that it asks about.
        ends_at: from when it is no news any more, and is not sent.
        not_before: a timestamp before which it may not be tried again.
        error: why the last attempt failed.
    """

    target: str
    purpose: PushKind | Literal["test"]
    content: dict[str, Any]
    tag: str
    approval_id: int | None = None
    ends_at: Timestamp
    status: Literal["waiting", "sent", "failed"] = "waiting"
    attempts: int = 0
    not_before: Timestamp | None = None
    error: str | None = None
