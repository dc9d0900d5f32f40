"""The messages about issues of a forge, and their answers."""

from __future__ import annotations

from typing import Literal

import msgspec

from command_center.actors.rules.lengths import Name
from command_center.runtime import Request
from command_center.store import Task

LABEL_LENGTH = 100
"""Characters of a label."""


class Issue(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An open issue, as its forge has it. What it says, a stranger may have written.

    Attributes:
        task_id: the task that was made of it, if one was.
    """

    number: int
    title: str
    body: str
    author: str
    labels: list[str]
    url: str
    task_id: int | None = None


class IssuePage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A page of issues, of which `next_page` follows."""

    project: str
    items: list[Issue]
    next_page: int | None


class ListIssues(msgspec.Struct, Request[IssuePage], frozen=True):
    """List the open issues of a repository's project, the newest first."""

    repository_id: int
    label: str | None = None
    page: int = 1
    limit: int = 50


class IssueRequest(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A task that is made of an issue.

    Attributes:
        approval: `required`, or `not_required`; what the repository says, unless given.
    """

    approval: Literal["required", "not_required"] | None = None
    requested_by: Name = "api"


class TakeIssue(msgspec.Struct, Request[Task], frozen=True):
    """Make a task of an issue; the one that was made of it before is that one."""

    repository_id: int
    number: int
    wanted: IssueRequest


class LookForIssues(msgspec.Struct, frozen=True):
    """Look at once for issues that have a repository's label."""
