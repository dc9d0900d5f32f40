"""The reports that some kinds of task ask for, and what of a turn is a session's result.

The schema that Codex is given and the check of what comes back are made from the same types. A
message that is no such report is no result; it still is the session's last message.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

import msgspec

from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.rules.reviews import findings_in
from command_center.store import Session
from command_center.store.records import TaskType


def _told(description: str) -> msgspec.Meta:
    return msgspec.Meta(description=description)


_TEXT = msgspec.Meta(extra_json_schema={"type": "string"})
"""Models demand a type beside the values that a text may have."""


class HealthCheck(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """One thing that was looked at."""

    name: Annotated[str, _told("What was checked, in a few words.")]
    outcome: Annotated[Literal["pass", "warn", "fail", "skipped"], _TEXT]
    details: Annotated[str, _told("What was seen, with the command that showed it.")]


class HealthReport(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The report of a `repo_health_check`."""

    status: Annotated[
        Literal["healthy", "needs_attention", "broken"], _TEXT, _told("The repository as a whole.")
    ]
    summary: Annotated[str, _told("Two or three sentences for somebody in a hurry.")]
    checks: list[HealthCheck]
    recommendations: Annotated[list[str], _told("What to do, the most important first.")]


class Evidence(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Something that supports the conclusion."""

    source: Annotated[str, _told("A file with its line, a command, or a commit.")]
    details: Annotated[str, _told("What it shows.")]


class FailureReport(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The report of an `investigate_failure`."""

    summary: Annotated[str, _told("Two or three sentences for somebody in a hurry.")]
    root_cause: Annotated[str, _told("Why it fails, or what is still unknown.")]
    confidence: Annotated[Literal["low", "medium", "high"], _TEXT]
    evidence: list[Evidence]
    affected_files: Annotated[list[str], _told("Paths within the repository.")]
    suggested_fix: Annotated[str, _told("What to change, in words or as a diff.")]


REPORTS: Final[Mapping[TaskType, type[HealthReport | FailureReport]]] = MappingProxyType(
    {"repo_health_check": HealthReport, "investigate_failure": FailureReport}
)
"""The report that each kind of task asks for; the other kinds ask for none."""


NO_REVIEW: Final = "Reviewer failed to output a response."
"""The texts that Codex shows for a review that was interrupted or is empty."""


def schema_of(kind: TaskType) -> dict[str, Any] | None:
    """Return the JSON Schema of this kind's report, as models take it: closed objects."""
    report = REPORTS.get(kind)
    if report is None:
        return None
    _, components = msgspec.json.schema_components((report,), ref_template="#/$defs/{name}")
    schema: dict[str, Any] = components.pop(report.__name__)
    return {**schema, "$defs": components}


def result_of(session: Session, kind: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Read the session's result in a finished item: the review, or the report; else None.

    An app-server shows a review as an item of its own; `codex exec` says it as a message. A runner
    without an agent has no result.
    """
    runner = RUNNERS[session.runner]
    if not runner.is_real:
        return None
    said = body.get("text") if kind == "agentMessage" else None
    if session.type == "review_task":
        review = body.get("review") if kind == "exitedReviewMode" else None
        review = review if runner.shows_review else said
        if not review or review == NO_REVIEW:
            return None
        findings = findings_in(str(review), session.cwd)
        found = {"findings": msgspec.to_builtins(findings)} if findings else {}
        return {"review": str(review), **found}
    report = REPORTS.get(session.type)
    if report is None or not said:
        return None
    try:
        read = msgspec.json.decode(str(said), type=report)
    except (msgspec.MsgspecError, RecursionError):
        return None
    shown: dict[str, Any] = msgspec.to_builtins(read)
    return shown
