"""The actors of Telegram, as a part of the tree.

/telegram              a fault domain of its own: nothing that runs waits for it
├ /telegram/outbox     sends what was written
├ /telegram/inbox      keeps updates and acts on them
├ /telegram/notifier   turns events into messages
└ /telegram/polling    fetches updates, where there is no webhook
"""

from __future__ import annotations

from functools import partial

from command_center.actors.channels.follower import Follower
from command_center.actors.channels.outbox import Outbox
from command_center.actors.core.events import Fanout
from command_center.actors.core.storage import Storage
from command_center.actors.ledger.placing import RunPlaces
from command_center.actors.telegram.carrier import TelegramCarrier
from command_center.actors.telegram.channel import TelegramChannel
from command_center.actors.telegram.inbox import UpdateInbox
from command_center.actors.telegram.polling import Polling
from command_center.actors.telegram.settings import TelegramSettings
from command_center.runtime import ChildSpec, SupervisorSpec
from command_center.store.records import Runner


def telegram_tree(
    settings: TelegramSettings,
    storage: Storage,
    fanout: Fanout,
    *,
    places: RunPlaces,
    runner: Runner,
    approval_seconds: float,
) -> SupervisorSpec:
    """Return the supervisor of Telegram's actors; to be started when what they ask is there."""
    children = [
        ChildSpec(
            id="outbox", start=partial(Outbox, partial(TelegramCarrier, settings, storage), storage)
        ),
        ChildSpec(
            id="inbox",
            start=partial(
                UpdateInbox,
                settings,
                storage,
                places=places,
                runner=runner,
                approval_seconds=approval_seconds,
            ),
        ),
        ChildSpec(
            id="notifier", start=partial(Follower, TelegramChannel(settings), storage, fanout)
        ),
    ]
    if settings.mode == "polling":
        children.append(ChildSpec(id="polling", start=partial(Polling, settings, storage)))
    return SupervisorSpec(
        id="telegram",
        children=children,
        quarantine=True,
        contract="Messages wait and buttons do nothing until it is back; no session notices.",
    )
