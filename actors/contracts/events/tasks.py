"""Events of tasks."""

from __future__ import annotations

from command_center.store import EventData
from command_center.store.records import Priority, TaskType


class TaskCreated(EventData, frozen=True, kw_only=True, tag="task.created"):
    """A task was made."""

    title: str
    type: TaskType
    priority: Priority


class TaskUpdated(EventData, frozen=True, kw_only=True, tag="task.updated"):
    """A task was changed; `changed` names the fields."""

    changed: list[str]


class TaskCancelled(EventData, frozen=True, kw_only=True, tag="task.cancelled"):
    """A task was cancelled; its sessions are stopped."""

    changed: list[str]
