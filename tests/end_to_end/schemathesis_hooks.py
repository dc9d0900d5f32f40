"""What Schemathesis cannot know: texts whose truth is on the disk, in a calendar or in an answer.

A random text is no folder, time zone or cursor, and is rightly refused. In a request that is meant
to be right, each of these is given a value that is, so that a refusal is a fault again.
"""

from __future__ import annotations

import os
from typing import Any

import schemathesis
from schemathesis import GenerationMode

REAL: dict[str, Any] = {
    "localPath": os.environ.get("CC_TEST_REPOSITORY", ""),
    "worktreePath": None,
    "cwd": None,
    "path": os.environ.get("CC_TEST_REPOSITORY", ""),
    "branchName": "cc/a-branch",
    "baseRef": None,
    "base": "main",
    "name": "a name",
    "scheduleExpr": "hourly",
    "timezone": "UTC",
    "template": None,
    "expiresAt": None,
    "window": "7d",
    "since": "2025-01-31T07:05:09Z",
    "until": "2030-01-31T07:05:09Z",
}
OBJECTS = frozenset({"details", "answers"})
"""Plain JSON, in which a random number may be larger than any that is taken."""

CONDITIONS = frozenset({"If-Match", "Idempotency-Key"})
"""Headers under which a right request may be refused."""

AUTOMATION = {"title": "a", "scheduleExpr": "hourly", "payload": {"prompt": "a"}}


@schemathesis.hook
def map_case(_context: Any, case: Any) -> Any:
    """Put real values into a case that is meant to be right."""
    for name in CONDITIONS & set(case.headers or ()):
        del case.headers[name]
    if case.meta is not None and case.meta.generation.mode is not GenerationMode.POSITIVE:
        return case
    if isinstance(case.query, dict):
        case.query.pop("cursor", None)
        put_real(case.query)
    if isinstance(case.body, dict):
        if case.operation.definition.raw["operationId"] == "createAutomation":
            case.body.update({**AUTOMATION, **case.body})
        put_real(case.body)
        if case.operation.definition.raw["operationId"] == "createWorktree":
            case.body.pop("path", None)
        put_real(case.body.get("payload"))
        if isinstance(case.body.get("payload"), dict):
            put_real(case.body["payload"].get("runInput"))
    return case


def put_real(values: Any) -> None:
    """Replace each text of which more is wanted than being one."""
    if isinstance(values, dict):
        for name, value in REAL.items():
            if isinstance(values.get(name), str):
                values[name] = value
        for name in OBJECTS & values.keys():
            if isinstance(values[name], dict):
                values[name] = {"a": [1, "b", None]}
