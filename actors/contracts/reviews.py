"""The messages about reviews of what a session has changed."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from command_center.actors.contracts.fields import Prompt
from command_center.actors.contracts.tasks import RunOutcome
from command_center.actors.rules.branch_names import is_branch_name
from command_center.actors.rules.choices import Effort, Model
from command_center.actors.rules.errors import Invalid
from command_center.actors.rules.lengths import BranchName, Name
from command_center.runtime import Request

Sha: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        max_length=64,
        pattern=r"^[0-9a-f]{7,64}$(?!\n)",
        description="the id of a commit, 7 to 64 hexadecimal digits",
    ),
]

CHOICES = ("base", "commit", "instructions")
"""The fields of which a review has one at most."""


class ReviewRequest(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A review of a session's work; of what is not committed, unless it says of what.

    Attributes:
        base: the branch from which all that differs is reviewed.
        commit: the one commit that is reviewed.
        instructions: what to look at, in words.
        effort: how much the model is to think.
    """

    base: BranchName | None = None
    commit: Sha | None = None
    instructions: Prompt | None = None
    model: Model | None = None
    effort: Effort | None = None
    requested_by: Name = "api"

    @property
    def kind(self) -> Literal["uncommitted", "base", "commit", "instructions"]:
        """Return what kind of review it is."""
        for name in ("base", "commit", "instructions"):
            if getattr(self, name) is not None:
                return name
        return "uncommitted"

    @property
    def words(self) -> str:
        """Return it in words, as the prompt of its session."""
        return (
            self.instructions
            or {
                "uncommitted": "Review the changes that are not committed.",
                "base": f"Review what differs from the branch {self.base}.",
                "commit": f"Review the commit {self.commit}.",
            }[self.kind]
        )

    def check(self) -> None:
        """See that it can be carried out.

        Raises:
            Invalid: it names several things, no branch, or says nothing.
        """
        given = [name for name in CHOICES if getattr(self, name) is not None]
        if len(given) > 1:
            raise Invalid.field(given[1], f"Not beside {given[0]}: a review is of one thing.")
        if self.base is not None and not is_branch_name(self.base):
            raise Invalid.field("base", f"{self.base!r} is not a branch name that git accepts.")
        if self.instructions is not None and not self.instructions.strip():
            raise Invalid.field("instructions", "Expected some text.")


class ReviewWork(msgspec.Struct, Request[RunOutcome], frozen=True):
    """Have a session's work reviewed in a task of its own; findings become comments on it."""

    session_id: int
    wanted: ReviewRequest


class QuoteFindings(msgspec.Struct, frozen=True):
    """Read the lines that the comments of a review speak of, as they are now."""

    review_session_id: int
