"""The message that `/notify/tests` takes, and what is shown of the places that are told."""

from __future__ import annotations

import msgspec

from command_center.runtime import Request
from command_center.store import Timestamp


class NotifyTarget(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A place that people are told at; its URL is shown without what is secret in it.

    Attributes:
        id: its place among the settings, from 1.
        last_sent_at: when it last took a message.
        error: why it took the last one not.
    """

    id: int
    service: str
    url: str
    last_sent_at: Timestamp | None = None
    error: str | None = None


class NotifyTargets(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All places of the settings."""

    items: list[NotifyTarget]


class SendNotification(msgspec.Struct, Request[NotifyTarget], frozen=True):
    """Send a test to a place."""

    target_id: int
