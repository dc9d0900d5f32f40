"""The actors of a channel start though the store does not answer, so that it can be restarted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from command_center.actors.center import Center
from command_center.actors.channels.follower import Follower
from command_center.actors.channels.outbox import Outbox
from command_center.actors.webhooks.carrier import WebhookCarrier
from command_center.actors.webhooks.settings import WebhookSettings
from command_center.runtime import ChildSpec
from tests.actors.channels.test_follower import Notebook
from tests.actors.telegram.rig import rig


def outbox(center: Center) -> Outbox[Any]:
    storage = center.storage
    return Outbox(partial(WebhookCarrier, WebhookSettings(), storage), storage)


def follower(center: Center) -> Follower:
    return Follower(Notebook(), center.storage, center.fanout)


@pytest.mark.parametrize("make", [outbox, follower])
async def test_it_starts_while_the_store_is_down(
    tmp_path: Path, make: Callable[[Center], Outbox[Any] | Follower]
) -> None:
    async with rig(tmp_path) as r:
        system = r.center.system
        system.suspend("/store", reason="a test")
        with trio.fail_after(30):
            await system.start_child(
                "/telegram", ChildSpec(id="late", start=partial(make, r.center))
            )
        system.resume("/store", reason="a test")
