"""The actors that tell people by Apprise, as a part of the tree.

/notify            a fault domain of its own: nothing that runs waits for it
├ /notify/outbox     sends what was written
├ /notify/targets    keeps what each place is told, and writes a test
└ /notify/notifier   turns events into messages
"""

from __future__ import annotations

from functools import partial

from command_center.actors.channels.follower import Follower
from command_center.actors.channels.outbox import Outbox
from command_center.actors.core.events import Fanout
from command_center.actors.core.storage import Storage
from command_center.actors.notify.carrier import NotifyCarrier
from command_center.actors.notify.channel import NotifyChannel
from command_center.actors.notify.settings import NotifySettings
from command_center.actors.notify.targets import Targets
from command_center.runtime import ChildSpec, SupervisorSpec


def notify_tree(settings: NotifySettings, storage: Storage, fanout: Fanout) -> SupervisorSpec:
    """Return the supervisor of the actors that tell people by Apprise."""
    return SupervisorSpec(
        id="notify",
        children=[
            ChildSpec(
                id="outbox",
                start=partial(Outbox, partial(NotifyCarrier, settings, storage), storage),
            ),
            ChildSpec(id="targets", start=partial(Targets, settings, storage)),
            ChildSpec(
                id="notifier", start=partial(Follower, NotifyChannel(settings), storage, fanout)
            ),
        ],
        quarantine=True,
        contract="Messages wait until it is back.",
    )
