"""Counts of the runs of automations."""

from __future__ import annotations

from sqlite_utils import Database

from command_center.store.records import AutomationTrigger
from command_center.store.timestamps import Timestamp


def begun_since(
    db: Database, automation_id: int, trigger: AutomationTrigger, since: Timestamp
) -> int:
    """Count the runs of an automation that began by the trigger from that moment on."""
    sql = (
        "SELECT count(*) FROM automation_runs WHERE automation_id = ? AND trigger = ? "
        "AND fired_at >= ? AND task_id IS NOT NULL"
    )
    found: int = db.execute(sql, [automation_id, trigger, since]).fetchone()[0]
    return found
