"""Events of webhooks."""

from __future__ import annotations

from command_center.store import EventData, Timestamp


class WebhookCreated(EventData, frozen=True, kw_only=True, tag="webhook.created"):
    """Events of these types are sent to `origin` from now on."""

    id: int
    origin: str
    types: list[str]


class WebhookUpdated(EventData, frozen=True, kw_only=True, tag="webhook.updated"):
    """It was changed, paused or resumed; `changed` names the fields."""

    id: int
    origin: str
    changed: list[str]


class WebhookReplayed(EventData, frozen=True, kw_only=True, tag="webhook.replayed"):
    """The next event that is sent is the first of its types after the event `after`."""

    id: int
    after: int


class WebhookTested(EventData, frozen=True, kw_only=True, tag="webhook.tested"):
    """Somebody had a test sent, which is this event."""

    id: int


class WebhookPaused(EventData, frozen=True, kw_only=True, tag="webhook.paused"):
    """It failed for a day, or said that it is gone; it waits to be resumed. `reason` says why."""

    id: int
    origin: str
    reason: str
    failing_since: Timestamp


class WebhookDeleted(EventData, frozen=True, kw_only=True, tag="webhook.deleted"):
    """Nothing is sent there any more."""

    id: int
    origin: str
