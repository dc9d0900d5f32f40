"""The last resort against cleanup that shields itself from cancellation for ever.

trio has no kill. A task that awaits inside `CancelScope(shield=True)` without a deadline ignores
every cancellation from outside, and no public call finds its scopes. So this reads the private
chain of cancel statuses, from the task outwards, and lifts each shield on it. A trio that names
things differently makes it do nothing: then the task is given up by name, as one that is stuck in
a thread is.
"""

from __future__ import annotations

import trio


def opened_by(task: trio.lowlevel.Task) -> tuple[object, int]:
    """Return what tells one moment from another in which a task has other scopes or nurseries open.

    A trio that names things differently tells of nurseries alone.
    """
    return getattr(task, "_cancel_status", None), len(task.child_nurseries)


def lift_shields(task: trio.lowlevel.Task) -> None:
    """Lift the shields that keep cancellation from a task and from its nurseries' tasks."""
    status = getattr(task, "_cancel_status", None)
    while status is not None:
        scope = getattr(status, "_scope", None)
        if not isinstance(scope, trio.CancelScope):
            break
        if scope.shield:
            scope.shield = False
        status = getattr(status, "_parent", None)
    for nursery in task.child_nurseries:
        for child in nursery.child_tasks:
            lift_shields(child)
