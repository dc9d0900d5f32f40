"""The port of forges: the actor uses it, and each forge has an adapter behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import attrs

from command_center.store.records import ChecksState, ReviewState


@attrs.frozen(kw_only=True)
class Check:
    """One check of a commit. `state` is what it comes to; `job` names its log, if it has one."""

    name: str
    state: Literal["pending", "passing", "failing"]
    url: str | None = None
    summary: str = ""
    job: int | None = None


@attrs.frozen(kw_only=True)
class Remark:
    """Words of a review about lines."""

    path: str
    line: int | None
    text: str


@attrs.frozen(kw_only=True)
class Review:
    """One person's review. `state` is `approved`, `changes_requested` or `commented`.

    `is_trusted` says that the forge lets its author write to the project.
    """

    id: int
    author: str
    is_trusted: bool = False
    state: str
    text: str = ""
    url: str | None = None


@attrs.frozen(kw_only=True)
class Seen:
    """A pull request as its forge has it now."""

    number: int
    url: str
    title: str
    head_sha: str
    base: str
    status: Literal["open", "merged", "closed"]
    is_draft: bool
    merge_state: str | None = None
    checks: Sequence[Check] = ()
    reviews: Sequence[Review] = ()

    @property
    def checks_state(self) -> ChecksState:
        """Return what all checks come to: one that fails is enough."""
        states = {check.state for check in self.checks}
        for state in ("failing", "pending", "passing"):
            if state in states:
                return state
        return "none"

    @property
    def review_state(self) -> ReviewState:
        """Return what the last word of each reviewer comes to."""
        last = {
            review.author: review.state for review in self.reviews if review.state != "commented"
        }
        if "changes_requested" in last.values():
            return "changes_requested"
        return "approved" if "approved" in last.values() else "none"


@attrs.frozen(kw_only=True)
class FoundIssue:
    """An open issue as its forge has it now."""

    number: int
    title: str
    body: str
    author: str
    labels: list[str]
    url: str


@attrs.frozen(kw_only=True)
class Proposal:
    """A pull request that is to be opened."""

    project: str
    branch: str
    base: str
    title: str
    body: str
    is_draft: bool


class Forge(Protocol):
    """A forge's own API.

    Every method raises `Unavailable` where the forge is not reached, fails or has had enough for
    now (`retry_after` says for how long), and `Conflict` where it refuses; both say what to do.
    """

    async def is_known(self) -> bool:
        """Say whether there is a token to speak for."""

    async def find(self, project: str, branch: str, base: str) -> Seen | None:
        """Find the open pull request of a branch."""

    async def propose(self, proposal: Proposal) -> Seen:
        """Open a pull request; one that is open already is that one."""

    async def look(self, project: str, number: int) -> Seen:
        """Read a pull request with its checks and reviews."""

    async def read_log(self, project: str, job: int) -> str:
        """Read the end of the log of a check."""

    async def read_remarks(self, project: str, number: int) -> Mapping[int, Sequence[Remark]]:
        """Read what reviews say of lines, by the review; the first thousand of all."""

    async def merge(self, project: str, number: int, sha: str, method: str) -> None:
        """Merge a pull request, if it still ends with that commit."""

    async def list_issues(
        self, project: str, label: str | None, *, page: int, limit: int
    ) -> tuple[list[FoundIssue], bool]:
        """List a page of open issues, the newest first; say whether there are more."""

    async def read_issue(self, project: str, number: int) -> FoundIssue | None:
        """Read an issue; None where it is not open, or is a pull request."""

    async def close(self) -> None:
        """Let go of the connections."""
