"""The messages that `/notify/targets` takes, and what is shown of the places that are told."""

from __future__ import annotations

import msgspec

from command_center.actors.contracts.webpush import Kinds
from command_center.actors.rules.lengths import Name
from command_center.runtime import Request
from command_center.store import PushKind, Timestamp


class NotifyTarget(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A place that people are told at; its URL is shown without what is secret in it.

    Attributes:
        id: its place among the settings, from 1.
        kinds: of notices that it is told.
        last_sent_at: when it last took a message.
        error: why it took the last one not.
    """

    id: int
    service: str
    url: str
    kinds: list[PushKind]
    last_sent_at: Timestamp | None = None
    error: str | None = None


class NotifyTargets(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All places of the settings."""

    items: list[NotifyTarget]


class NotifyTargetChanges(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Another choice of what a place is told; `kinds` are all that it is told."""

    kinds: Kinds
    requested_by: Name = "api"


class PatchNotifyTarget(msgspec.Struct, Request[NotifyTarget], frozen=True):
    """Change what a place is told."""

    target_id: int
    changes: NotifyTargetChanges


class SendNotification(msgspec.Struct, Request[NotifyTarget], frozen=True):
    """Send a test to a place."""

    target_id: int
