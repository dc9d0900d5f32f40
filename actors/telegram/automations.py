"""`/automations`: what runs by itself, and running, pausing and resuming one of it.

All of it is asked of `/scheduler`, as the API asks it, so policy judges a run from here as any
other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from command_center.actors.contracts.addresses import SCHEDULER
from command_center.actors.contracts.automations import (
    AutomationChanges,
    PatchAutomation,
    RunAutomation,
)
from command_center.actors.telegram import chats
from command_center.actors.telegram.buttons import RunNow, Switch
from command_center.actors.telegram.effects import Act, Desk, Visit, begun, say
from command_center.actors.telegram.markup import Text, bold, code, lines, shorten, text
from command_center.actors.telegram.outgoing import Button, Outgoing
from command_center.store import Automation, Transaction, automations

LISTED: Final = 20
"""Automations in the list."""

KNOWN: Final = (
    "I know /automations, /automations run 3, /automations pause 3 and /automations resume 3; "
    "the number may be left out where there is one automation."
)

_ORDER = re.compile(r"(run|pause|resume)(?:\s+#?(\d{1,18}))?", re.IGNORECASE)


async def tend_automations(desk: Desk, visit: Visit, words: str) -> Act:
    """List them, or run, pause or resume one."""
    order = _ORDER.fullmatch(words)
    if words and order is None:
        return say(visit.reply(KNOWN))
    found = await desk.storage.read(lambda db: automations.page(db, {}, limit=LISTED).items)
    number = None if order is None else order[2]
    if order is None or (number is None and len(found) != 1):
        said = lines(*(_line(desk, automation) for automation in found))
        keyboard = tuple(_buttons(automation) for automation in found)
        return say(visit.reply(said or text("There are no automations."), keyboard=keyboard))
    automation_id = found[0].id if number is None else int(number)
    match order[1].lower():
        case "run":
            return run_later(desk, visit, automation_id)
        case what:
            return switch_later(desk, visit, automation_id, enabled=what == "resume")


def tend(desk: Desk, visit: Visit, action: RunNow | Switch) -> Act:
    """Do what a button says."""
    match action:
        case RunNow():
            return run_later(desk, visit, action.automation_id)
        case Switch():
            return switch_later(desk, visit, action.automation_id, enabled=action.enabled)


def run_later(desk: Desk, visit: Visit, automation_id: int) -> Act:
    """Run it now, whatever its schedule. What may have begun is not begun again."""

    async def slow() -> Act:
        outcome = await desk.ask(SCHEDULER, RunAutomation(automation_id, visit.who))

        def unit(tx: Transaction) -> Sequence[Outgoing]:
            return [begun(tx, visit, outcome.session)]

        return Act(unit=unit, toast=f"Session {outcome.session.id}.")

    return Act(slow=slow, once=True)


def switch_later(desk: Desk, visit: Visit, automation_id: int, *, enabled: bool) -> Act:
    """Pause it, or have it run again; to do so again changes nothing."""

    async def slow() -> Act:
        changes = AutomationChanges(enabled=enabled, requested_by=visit.who)
        automation = await desk.ask(SCHEDULER, PatchAutomation(automation_id, changes))
        keyboard = (_buttons(automation),)
        said = "Runs again." if automation.enabled else "Paused."
        return say(visit.reply(_line(desk, automation), keyboard=keyboard), toast=said)

    return Act(slow=slow)


def _line(desk: Desk, automation: Automation) -> Text:
    """Word an automation for a list."""
    if not automation.enabled:
        state = ", paused"
        if automation.paused_reason:
            state += f": {shorten(automation.paused_reason, 120)}"
    elif automation.next_run_at:
        state = f", next {chats.moment(automation.next_run_at, desk.zone)}"
    else:
        state = ""
    return text(
        f"{'🕒' if automation.enabled else '⏸'} {automation.id} ",
        bold(shorten(automation.title, 80)),
        " ",
        code(automation.schedule_expr),
        state,
    )


def _buttons(automation: Automation) -> tuple[Button, ...]:
    """Give the buttons for what can be done to it."""
    run = Button(f"▶ Run {automation.id}", RunNow(automation.id))
    if automation.enabled:
        return (run, Button(f"⏸ Pause {automation.id}", Switch(automation.id, enabled=False)))
    return (run, Button(f"🕒 Resume {automation.id}", Switch(automation.id, enabled=True)))
