"""The answers of GitHub's REST API, as far as they are read, and what the port makes of them.

Whatever else an answer has is passed over, and one of another shape is none at all. What is kept
of it is bounded: texts are cut, numbers fit the database, and an address is one of the web.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Final, Literal, TypeAlias, TypeVar

import msgspec

from command_center.actors.forges.ports import Check, FoundIssue, Remark, Review, Seen
from command_center.actors.rules.errors import Unavailable

Shape = TypeVar("Shape")

Number: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
Sha: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{40,64}\Z")]
Address: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^https?://[!-~]{1,2000}\Z")]

LABELS: Final = 100
"""Labels of an issue that are read, the first ones."""

_LINE, _SUMMARY, _BODY = 300, 2000, 60_000
_TRUSTED: Final = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
_SAID: Final = frozenset({"APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED"})
_PASSING: Final = frozenset({"success", "neutral", "skipped"})
_ADDRESS: Final = re.compile(r"https?://[!-~]{1,2000}")


def decode(content: bytes, shape: type[Shape]) -> Shape:
    """Read an answer.

    Raises:
        Unavailable: it is of another shape, or no JSON.
    """
    try:
        return msgspec.json.decode(content, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable() from error


class _User(msgspec.Struct, frozen=True):
    """Somebody; GitHub shows those who have left as `ghost`."""

    login: str = ""


class _Commit(msgspec.Struct, frozen=True):
    """The end of a branch."""

    ref: str = ""
    sha: Sha | None = None


class PullShown(msgspec.Struct, frozen=True):
    """A pull request."""

    number: Number
    html_url: Address
    head: _Commit
    base: _Commit
    title: str | None = None
    state: str = "open"
    merged: bool | None = None
    merged_at: str | None = None
    draft: bool | None = None
    mergeable_state: str | None = None

    def seen(self, checks: Iterable[Check] = (), reviews: Iterable[Review] = ()) -> Seen:
        """Return it as the port has it.

        Raises:
            Unavailable: it ends with no commit.
        """
        if self.head.sha is None:
            raise _unreadable()
        status: Literal["open", "merged", "closed"] = "open"
        if self.merged or self.merged_at:
            status = "merged"
        elif self.state == "closed":
            status = "closed"
        return Seen(
            number=self.number,
            url=self.html_url,
            title=_line(self.title),
            head_sha=self.head.sha,
            base=_line(self.base.ref),
            status=status,
            is_draft=bool(self.draft),
            merge_state=_line(self.mergeable_state) or None,
            checks=[*checks],
            reviews=[*reviews],
        )


class _Output(msgspec.Struct, frozen=True):
    """The words of a check about itself."""

    title: str | None = None
    summary: str | None = None
    text: str | None = None


class _App(msgspec.Struct, frozen=True):
    """The app that has checked."""

    slug: str | None = None


class CheckShown(msgspec.Struct, frozen=True):
    """A check of a commit."""

    id: Number
    name: str
    status: str
    conclusion: str | None = None
    html_url: str | None = None
    output: _Output | None = None
    app: _App | None = None

    def seen(self) -> Check:
        """Return it as the port has it."""
        state: Literal["pending", "passing", "failing"] = "pending"
        if self.status == "completed":
            state = "passing" if self.conclusion in _PASSING else "failing"
        said = self.output or _Output()
        has_log = self.app is not None and self.app.slug == "github-actions"
        return Check(
            name=_line(self.name),
            state=state,
            url=_address(self.html_url),
            summary="\n".join(filter(None, (said.title, said.summary, said.text)))[:_SUMMARY],
            job=self.id if has_log else None,
        )


class ChecksShown(msgspec.Struct, frozen=True):
    """The checks of a commit."""

    check_runs: list[CheckShown]


class StatusShown(msgspec.Struct, frozen=True):
    """A check of the older kind."""

    context: str
    state: str
    target_url: str | None = None
    description: str | None = None

    def seen(self) -> Check:
        """Return it as the port has it."""
        states: dict[str, Literal["passing", "pending"]] = {
            "success": "passing",
            "pending": "pending",
        }
        return Check(
            name=_line(self.context),
            state=states.get(self.state, "failing"),
            url=_address(self.target_url),
            summary=(self.description or "")[:_SUMMARY],
        )


class StatusesShown(msgspec.Struct, frozen=True):
    """The checks of the older kind of a commit."""

    statuses: list[StatusShown]


class ReviewShown(msgspec.Struct, frozen=True):
    """A review."""

    id: Number
    state: str
    user: _User | None = None
    author_association: str = ""
    body: str | None = None
    html_url: str | None = None

    @property
    def is_said(self) -> bool:
        """Say whether it was handed in."""
        return self.state in _SAID

    def seen(self) -> Review:
        """Return it as the port has it."""
        return Review(
            id=self.id,
            is_trusted=self.author_association in _TRUSTED,
            author=_author(self.user),
            state=self.state.lower(),
            text=(self.body or "")[:_SUMMARY],
            url=_address(self.html_url),
        )


class CommentShown(msgspec.Struct, frozen=True):
    """Words of a review about lines."""

    path: str
    line: Number | None = None
    original_line: Number | None = None
    body: str | None = None
    pull_request_review_id: Number | None = None

    def seen(self) -> Remark:
        """Return it as the port has it."""
        return Remark(
            path=_line(self.path),
            line=self.line or self.original_line,
            text=(self.body or "")[:_SUMMARY],
        )


class _Label(msgspec.Struct, frozen=True):
    """A label of an issue."""

    name: str | None = None


class IssueShown(msgspec.Struct, frozen=True):
    """An issue; GitHub takes a pull request for one, too."""

    number: Number
    title: str
    html_url: Address
    state: str = "open"
    body: str | None = None
    user: _User | None = None
    labels: list[_Label | str] = []
    pull_request: dict[str, object] | None = None

    @property
    def is_open(self) -> bool:
        """Say whether it is an issue that is open."""
        return self.state == "open" and self.pull_request is None

    def seen(self) -> FoundIssue:
        """Return it as the port has it."""
        names = [label if isinstance(label, str) else label.name for label in self.labels[:LABELS]]
        return FoundIssue(
            number=self.number,
            title=_line(self.title),
            body=(self.body or "")[:_BODY],
            author=_author(self.user),
            labels=[_line(name) for name in names if name],
            url=self.html_url,
        )


class _Refusal(msgspec.Struct, frozen=True):
    """The words of GitHub where it refuses."""

    message: str = ""
    errors: list[dict[str, object] | str] = []

    def __str__(self) -> str:
        """Return it as one line."""
        more = [
            one if isinstance(one, str) else str(one.get("message") or one)
            for one in self.errors[:10]
        ]
        return _line(" ".join([self.message[:_LINE], *more]), 2 * _LINE)


def problem_in(content: bytes) -> str:
    """Return what GitHub says where it refuses; nothing where it says nothing that can be read."""
    try:
        return str(decode(content, _Refusal))
    except Unavailable:
        return ""


def _unreadable() -> Unavailable:
    return Unavailable("GitHub's answer cannot be read. Try again later.")


def _line(text: str | None, length: int = _LINE) -> str:
    return " ".join((text or "")[: 2 * length].split())[:length]


def _author(user: _User | None) -> str:
    return _line(user.login if user else "") or "ghost"


def _address(url: str | None) -> str | None:
    return url if url is not None and _ADDRESS.fullmatch(url) else None
