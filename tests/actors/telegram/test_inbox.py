"""The inbox: the updates of one chat are taken one after the other."""

from __future__ import annotations

import threading
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import trio

from command_center.actors.telegram import chats
from tests.actors.telegram.rig import ME, rig


async def test_what_a_person_says_in_one_breath_is_taken_in_the_order_it_was_said(
    tmp_path: Path,
) -> None:
    said = [f"/word{letter}" for letter in "abcdefghij"]
    async with rig(tmp_path) as r:
        await r.receive(*(r.api.said(text, user_id=ME) for text in said))
        await r.api.message(ME, "I do not know", count=len(said))
        assert [f"I do not know {text}: /help" for text in said] == r.api.texts(ME)


async def test_a_word_that_takes_long_to_be_looked_at_is_not_overtaken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, looking, look_on = count(), threading.Event(), threading.Event()
    is_allowed = chats.is_allowed

    def look(*given: Any) -> bool:
        if next(looks) == 1:  # as the word was kept there was one before
            looking.set()
            look_on.wait(20)
        return is_allowed(*given)

    monkeypatch.setattr(chats, "is_allowed", look)
    async with rig(tmp_path) as r:
        await r.say("/first")
        await trio.to_thread.run_sync(looking.wait)
        await r.say("/second")
        for _ in range(10):  # what could overtake has the time to do so
            await r.center.storage.read(lambda db: db.execute("SELECT 1").fetchone())
        look_on.set()
        await r.api.message(ME, "I do not know", count=2)
        assert [f"I do not know /{word}: /help" for word in ("first", "second")] == r.api.texts(ME)
