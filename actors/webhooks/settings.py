"""The settings of the actors of webhooks."""

from __future__ import annotations

import attrs

from command_center.runtime import Backoff


@attrs.frozen(kw_only=True)
class WebhookSettings:
    """Settings of the deliveries.

    Attributes:
        allows_private: whether a webhook may have an address that is not public, and http.
        call_seconds: how long it may take to answer.
        pause_seconds: how long it may fail before it is paused.
        backoff: the waits after failures.
    """

    allows_private: bool = False
    call_seconds: float = 20.0
    pause_seconds: float = 24 * 3600.0
    backoff: Backoff = attrs.field(default=Backoff(initial=2.0, cap=900.0, jitter=0.1))
