"""A run's leave: which questions to a person ask for more than their run was given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from command_center.store.records import ApprovalKind


def goes_beyond_run(kind: ApprovalKind, details: Mapping[str, Any]) -> bool:
    """Return True if a yes gives more than the run got, as far as its details show it.

    That is what the session's limits forbid (`beyondRun`), more permissions, a folder to write to,
    a push that is not allowed unasked, and a run without a sandbox. The details of a `manual` one
    are anybody's, and say nothing.
    """
    match kind:
        case "manual":
            return False
        case "permissions" | "push":
            return True
        case "run":
            return details.get("sandbox") == "danger-full-access"
        case _:
            more = ("beyondRun", "additionalPermissions", "grantRoot")
            return any(details.get(name) for name in more)
