"""Automations that people want, ready to be kept for a repository.

All of them only read: what they find they say in their last message, and a person decides.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import msgspec

from command_center.actors.contracts.automations import AutomationPayload, CreateAutomation
from command_center.actors.rules.errors import Invalid
from command_center.actors.rules.policy import RunInput


class Template(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Values that `POST /api/automations` fills in where it is given this `id` as `template`."""

    id: str
    title: str
    description: str
    schedule_expr: str
    payload: AutomationPayload


_READ_ONLY = RunInput(sandbox="read-only", allow_network=False, allow_commit=False)

TEMPLATES: Final = MappingProxyType(
    {
        template.id: template
        for template in (
            Template(
                id="morning-health-check",
                title="Morning health check",
                description="Every morning: is the repository in a state that work can start from?",
                schedule_expr="daily@08:00",
                payload=AutomationPayload(
                    task_type="repo_health_check",
                    task_title="Morning health check",
                    prompt=(
                        "Check the health of this repository. Look at the working tree (changes "
                        "that were left lying, conflicts, a detached HEAD), at branches that have "
                        "run behind, at failing or skipped tests as far as you can tell without "
                        "changing anything, and at TODOs added in the last days. Begin with one "
                        "line that says healthy or what is wrong; then list each finding with the "
                        "file it concerns and what you would do about it."
                    ),
                    run_input=_READ_ONLY,
                ),
            ),
            Template(
                id="nightly-commit-review",
                title="Nightly review of yesterday's commits",
                description="Every night: a second pair of eyes on the commits of the day before.",
                schedule_expr="daily@02:00",
                payload=AutomationPayload(
                    task_type="review_task",
                    task_title="Review of yesterday's commits",
                    prompt=(
                        "Review the commits of the last 24 hours on all local branches (git log "
                        "--all --since='24 hours ago'). Look for defects, missing tests, secrets, "
                        "and changes of public behaviour that no documentation follows. List the "
                        "findings, the gravest first, each with its commit, file and line, and "
                        "say why it matters. If there were no commits, say only that."
                    ),
                    run_input=_READ_ONLY,
                ),
            ),
            Template(
                id="weekly-dependency-look",
                title="Weekly look at dependencies",
                description="Every Monday: which dependencies are old, unused or worth a change?",
                schedule_expr="weekly@mon@07:00",
                payload=AutomationPayload(
                    task_type="prompt_task",
                    task_title="Weekly look at dependencies",
                    prompt=(
                        "Look at this repository's dependencies: its manifests and lock files. "
                        "Name those that are declared but not used, used but not declared, pinned "
                        "to a version that is known to be faulty, duplicated in several versions, "
                        "or no longer kept by their authors. Change nothing. For each say what "
                        "you would do, how much work it is, and what could break."
                    ),
                    priority="low",
                    run_input=_READ_ONLY,
                ),
            ),
        )
    }
)
"""By their ids."""


def filled(wanted: CreateAutomation) -> tuple[str, str, AutomationPayload]:
    """Title, schedule and payload: as given, and else the template's.

    Raises:
        Invalid: there is no such template, or none and something is missing.
    """
    template = None
    if wanted.template is not None:
        template = TEMPLATES.get(wanted.template)
        if template is None:
            known = ", ".join(TEMPLATES)
            raise Invalid.field("template", f"Expected one of {known}.")
    title, schedule, payload = wanted.title, wanted.schedule_expr, wanted.payload
    if template is not None:
        title = template.title if title is msgspec.UNSET else title
        schedule = template.schedule_expr if schedule is msgspec.UNSET else schedule
        payload = template.payload if payload is msgspec.UNSET else payload
    if isinstance(title, msgspec.UnsetType):
        raise Invalid.field("title", "Required, unless a template is named.")
    if isinstance(schedule, msgspec.UnsetType):
        raise Invalid.field("scheduleExpr", "Required, unless a template is named.")
    if isinstance(payload, msgspec.UnsetType):
        raise Invalid.field("payload", "Required, unless a template is named.")
    return title, schedule, payload
