"""Automations from a phone: listed, run, paused and resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlite_utils import Database

from command_center.actors.contracts.addresses import SCHEDULER
from command_center.actors.contracts.automations import AutomationPayload, CreateAutomation
from command_center.actors.rules.policy import RunInput
from command_center.store import (
    Automation,
    Session,
    automations,
    repositories,
    sessions,
)
from tests.actors.telegram.rig import ME, Rig, rig
from tests.telegram_rules import shown


async def nightly(r: Rig, title: str = "Nightly", **more: Any) -> Automation:
    """An automation that is not due for long."""
    return await r.center.ask(
        SCHEDULER,
        CreateAutomation(
            repository_id=r.repository_id,
            title=title,
            schedule_expr="daily@04:00",
            payload=AutomationPayload(
                prompt="Look around.", run_input=RunInput(sandbox="workspace-write")
            ),
            **more,
        ),
    )


def run_of(db: Database) -> Session | None:
    return sessions.find(db, {})


async def enabled(r: Rig, *, wanted: bool) -> Automation:
    """The automation, once it is enabled, or not."""

    def read(db: Database) -> Automation | None:
        found = automations.find(db, {})
        return found if found is not None and found.enabled is wanted else None

    return await r.until(read)


async def test_the_list_says_when_each_runs_and_offers_what_can_be_done(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await nightly(r)
        await nightly(r, "Weekly", enabled=False)
        await r.say("/automations")
        listed = await r.api.message(ME, "1 Nightly daily@04:00, next ")
        assert "2 Weekly daily@04:00, paused" in shown(listed["text"])
        rows = listed["reply_markup"]["inline_keyboard"]
        assert [["▶ Run 1", "⏸ Pause 1"], ["▶ Run 2", "🕒 Resume 2"]] == [
            [button["text"] for button in row] for row in rows
        ]


async def test_one_is_run_by_its_number_and_who_did_it_is_recorded(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        automation = await nightly(r)
        await nightly(r, "Weekly")
        await r.say("/automations run 1")
        message = await r.api.message(ME, "is queued in r")
        session = await r.until(run_of)
        assert ("Look around.", f"telegram:{ME}") == (session.prompt, session.requested_by)
        now = await r.center.storage.read(lambda db: automations.get(db, automation.id))
        assert (session.id, automation.next_run_at) == (now.last_session_id, now.next_run_at)
        assert "reply_markup" not in message


async def test_the_only_one_needs_no_number(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await nightly(r)
        await r.say("/automations RUN")
        await r.api.message(ME, "is queued in r")


async def test_of_several_one_is_to_be_picked(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await nightly(r)
        await nightly(r, "Weekly")
        await r.say("/automations run")
        listed = await r.api.message(ME, "Weekly")
        assert await r.center.storage.read(run_of) is None
        await r.press(listed, "Run 2")
        await r.api.message(ME, "is queued in r")


async def test_a_button_runs_it_once_however_often_it_is_pressed(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await nightly(r)
        await r.say("/automations")
        listed = await r.api.message(ME, "Nightly")
        await r.press(listed, "Run 1")
        again = await r.press(listed, "Run 1")
        assert "This button was used already." == again["text"]
        assert 1 == await r.center.storage.read(lambda db: sessions.count(db, {}))


async def test_one_is_paused_and_resumed_by_commands_and_by_the_buttons_of_the_answers(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as r:
        await nightly(r)
        await r.say("/automations pause 1")
        paused = await r.api.message(ME, "paused")
        await enabled(r, wanted=False)
        await r.press(paused, "Resume 1")
        resumed = await r.api.message(ME, "next ")
        await enabled(r, wanted=True)
        await r.press(resumed, "Pause 1")
        await enabled(r, wanted=False)
        await r.say("/automations resume")
        assert (await enabled(r, wanted=True)).next_run_at is not None


async def test_a_run_that_policy_denies_says_why_and_the_button_stays_good(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as r:
        await nightly(r)
        await r.center.storage.write(
            lambda tx: repositories.update(tx, r.repository_id, allow_write=False)
        )
        await r.say("/automations")
        listed = await r.api.message(ME, "Nightly")
        await r.press(listed, "Run 1")
        await r.api.message(ME, "That did not work.")
        await r.center.storage.write(
            lambda tx: repositories.update(tx, r.repository_id, allow_write=True)
        )
        await r.press(listed, "Run 1")
        await r.api.message(ME, "is queued in r")


async def test_what_is_not_there_and_what_is_not_known_says_so(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await r.say("/automations pause 7")
        await r.api.message(ME, "Automation 7 not found.")
        await r.say("/automations dance")
        await r.api.message(ME, "I know /automations")
