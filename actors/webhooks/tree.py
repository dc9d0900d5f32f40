"""The actors of webhooks, as a part of the tree.

/webhooks             a fault domain of its own: nothing that runs waits for it
├ /webhooks/outbox      sends what happened
└ /webhooks/registry    keeps the webhooks, and says when to look
"""

from __future__ import annotations

from functools import partial

from command_center.actors.channels.outbox import Outbox
from command_center.actors.core.events import Fanout
from command_center.actors.core.storage import Storage
from command_center.actors.webhooks.carrier import WebhookCarrier
from command_center.actors.webhooks.registry import Webhooks
from command_center.actors.webhooks.settings import WebhookSettings
from command_center.runtime import ChildSpec, SupervisorSpec


def webhooks_tree(settings: WebhookSettings, storage: Storage, fanout: Fanout) -> SupervisorSpec:
    """Return the supervisor of the actors of webhooks."""
    return SupervisorSpec(
        id="webhooks",
        children=[
            ChildSpec(
                id="outbox",
                start=partial(Outbox, partial(WebhookCarrier, settings, storage), storage),
            ),
            ChildSpec(id="registry", start=partial(Webhooks, settings, storage, fanout)),
        ],
        quarantine=True,
        contract="Events wait in the log until it is back.",
    )
