"""The actors of Web Push, as a part of the tree.

/webpush                a fault domain of its own: nothing that runs waits for it
├ /webpush/outbox         sends what was written
├ /webpush/subscriptions  keeps the browsers that are told, and takes their decisions
└ /webpush/notifier       turns events into messages
"""

from __future__ import annotations

from functools import partial

from command_center.actors.channels.follower import Follower
from command_center.actors.channels.outbox import Outbox
from command_center.actors.core.events import Fanout
from command_center.actors.core.storage import Storage
from command_center.actors.webpush.carrier import PushCarrier
from command_center.actors.webpush.channel import PushChannel
from command_center.actors.webpush.settings import PushSettings
from command_center.actors.webpush.subscriptions import Subscriptions
from command_center.runtime import ChildSpec, SupervisorSpec


def webpush_tree(settings: PushSettings, storage: Storage, fanout: Fanout) -> SupervisorSpec:
    """Return the supervisor of the actors of Web Push."""
    return SupervisorSpec(
        id="webpush",
        children=[
            ChildSpec(
                id="outbox", start=partial(Outbox, partial(PushCarrier, settings, storage), storage)
            ),
            ChildSpec(id="subscriptions", start=partial(Subscriptions, settings, storage)),
            ChildSpec(
                id="notifier",
                start=partial(Follower, PushChannel(settings.timezone), storage, fanout),
            ),
        ],
        quarantine=True,
        contract="Messages wait until it is back, and notifications decide nothing.",
    )
