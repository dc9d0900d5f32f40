"""Hints for Schemathesis: texts whose truth is on the disk, in a calendar or in an answer.

A random text is no folder, time zone or cursor, and is rightly refused. In a request that is meant
to be right, each of these is given a value that is, so that a refusal is a fault again.
"""

from __future__ import annotations

import itertools
import os
import re
from typing import Any

import schemathesis
from schemathesis import GenerationMode
from schemathesis.generation.meta import TestPhase

REPOSITORIES = itertools.cycle(os.environ.get("CC_TEST_REPOSITORIES", "").split(os.pathsep))
"""Folders that can be registered, each once."""

REAL: dict[str, Any] = {
    "host": "local",
    "worktreePath": None,
    "cwd": None,
    "branchName": "cc/a-branch",
    "branch": "cc/a-branch",
    "base": "main",
    "into": "cc/a-branch",
    "name": "a-name",
    "scheduleExpr": "hourly",
    "thread": "new",  # to go on in one needs a runner that has threads
    "query": "a word",  # no pattern says what can be printed
    "timezone": "UTC",
    "timeZone": "UTC",
    "quietHours": "22:00-07:00",
    "endpoint": "https://push.invalid/a",
    "url": "https://hooks.invalid/a",
    "secret": "0123456789abcdef",
    "replaces": None,
    "template": None,
    "expiresAt": "2999-01-31T07:05:09Z",
    "window": "7d",
    "since": "2025-01-31T07:05:09Z",
    "until": "2030-01-31T07:05:09Z",
    "attachments": [],
}
ALWAYS: dict[str, dict[str, Any]] = {
    "addHost": {"name": "local"},  # which is there, so that no machine is looked for
    "createPushSubscription": {
        "keys": {
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx"
            "aOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        }
    },
    "createWebhook": {"types": ["task.created"]},
    "patchWebhook": {"types": ["*"]},
}
"""Fields that no random text fits: no pattern says which are points of a curve."""

WORKTREE = os.environ.get("CC_TEST_WORKTREE", "")
"""A worktree that is there; a path that names none is right, too, and is 404."""

LONG = 1000
"""Characters of a path from which on it is replaced."""

RECORDS = frozenset({"repositoryId", "taskId", "sessionId"})
"""Ids, of which most are to be of records that are there."""

FILES = frozenset({"path", "previousPath"})
"""Paths of files in a repository."""

OBJECTS = frozenset({"details", "answers"})
"""Plain JSON, in which a random number may be larger than any that is taken."""

ASKED_FOR = {412: "If-Match", 422: "Idempotency-Key"}
"""The words that a request must have had to be answered so."""

KEY = re.compile("[!-~]+")
COUNT = itertools.count()

AUTOMATION = {"title": "a", "scheduleExpr": "hourly", "payload": {"prompt": "a"}}


@schemathesis.hook
def map_case(_context: Any, case: Any) -> Any:
    """Put real values into a case that is meant to be right."""
    put_keys(case.headers)
    if case.meta is not None and case.meta.generation.mode is not GenerationMode.POSITIVE:
        return case
    operation = case.operation.definition.raw["operationId"]
    put_conditions(case.headers)
    if case.meta is None or case.meta.phase.name is not TestPhase.STATEFUL:
        put_records(case.path_parameters, operation)
    if isinstance(case.query, dict):
        case.query.pop("cursor", None)
        if case.operation.path == "/api/repos/found":
            case.query.pop("after", None)  # a cursor, too
        put_real(case.query)
        put_paths(case.query, operation, case.operation.path)
    put_file(case, operation)
    if isinstance(case.body, dict):
        if operation == "createAutomation":
            case.body.update({**AUTOMATION, **case.body})
        if case.body.get("paths"):
            case.body["paths"] = ["README.md"]
        put_real(case.body)
        case.body |= ALWAYS.get(operation, {})
        if operation == "createWorktree":
            case.body.pop("path", None)  # it would be made there
        put_real(case.body.get("payload"))
        put_real(case.body.get("pullRequest"))
        if isinstance(case.body.get("payload"), dict):
            put_real(case.body["payload"].get("runInput"))
    return case


def put_conditions(headers: Any) -> None:
    """Let most conditions hold."""
    if headers and "If-Match" in headers and next(COUNT) % 4:
        headers["If-Match"] = "*"


def put_keys(headers: Any) -> None:
    """Let most keys be new: the simplest is generated again and again, and used only once."""
    key = (headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and KEY.fullmatch(key) and next(COUNT) % 4:
        headers["Idempotency-Key"] = f"{key[:200]}{next(COUNT)}"


def put_records(parameters: Any, operation: str) -> None:
    """Let most ids be of records that are there, but where one would be taken away."""
    if parameters and not operation.startswith(("delete", "cancel")) and next(COUNT) % 4:
        for name, value in parameters.items():
            if isinstance(value, int):
                parameters[name] = 1
        if operation == "getActor":
            parameters["name"] = "slots"


def put_paths(query: dict[str, Any], operation: str, route: str) -> None:
    """Name files that are there, also where another answer's path of a folder would be sent."""
    if operation in {"showPatch", "showPicture"}:
        query |= dict.fromkeys(FILES & query.keys(), "README.md")
    elif route.endswith("/files/search"):
        query["query"] = REAL["query"]  # which a search in the text of files needs
    elif route.endswith("/files") and str(query.get("path", "")).startswith("/"):
        query["path"] = "README.md"


def put_file(case: Any, operation: str) -> None:
    """Send a file that is taken; few random bytes are one."""
    if operation == "createUpload":
        case.body = b"A text."


def keep_one(placement: Any) -> None:
    """Name a host that is there, or labels: the two exclude each other."""
    if isinstance(placement, dict) and ("host" in placement or not placement.get("labels")):
        placement.clear()
        placement["host"] = REAL["host"]


def put_real(values: Any) -> None:
    """Replace each text of which more is wanted than being one."""
    if isinstance(values, dict):
        for name, value in REAL.items():
            if isinstance(values.get(name), str | list):
                values[name] = value
        keep_one(values.get("placement"))
        if isinstance(values.get("localPath"), str):
            values["localPath"] = next(REPOSITORIES)
        for name in RECORDS & values.keys():
            if isinstance(values[name], int) and next(COUNT) % 4:
                values[name] = 1
        path = values.get("path") or ""
        if len(path) % 2 or len(path) > LONG:  # with the home folder for ~ it may be too long
            values["path"] = WORKTREE
        for name in OBJECTS & values.keys():
            if isinstance(values[name], dict):
                values[name] = {"a": [1, "b", None]}


@schemathesis.check
def refused_only_as_it_was_asked_for(_context: Any, response: Any, case: Any) -> None:
    """A request without a condition or key is never told that one was not met."""
    needed = ASKED_FOR.get(response.status_code)
    if needed is not None:
        assert needed in (case.headers or {}), f"{response.status_code} without {needed}"
