"""Word notices for a notification: a title, a few words, and where they lead."""

from __future__ import annotations

from typing import Any, Final

import attrs
from sqlite_utils import Database

from command_center.actors.channels.notices import (
    ActorSetAside,
    ApprovalAsked,
    AutomationHeld,
    DeadlineNears,
    LimitTold,
    MergeCalledOff,
    Notice,
    PullRequestTold,
    SessionOver,
    read,
)
from command_center.actors.rules.run_leave import goes_beyond_run
from command_center.store import (
    Approval,
    Automation,
    PushKind,
    Repository,
    Session,
    repositories,
)

TITLE: Final = 100
"""Characters of a title."""

BODY: Final = 400
"""Characters of what stands below it."""

QUESTIONS: Final = frozenset({"user_input", "elicitation"})
"""The kinds of approvals that want more than yes or no."""

_ENDS: Final = {
    "completed": "Done",
    "failed": "Failed",
    "stopped": "Stopped",
    "interrupted": "Interrupted",
}


@attrs.frozen(kw_only=True)
class Told:
    """The words of a notification.

    Attributes:
        where: the place in the page that it leads to, which is its tag as well: a newer one about
            the same takes its place.
        approval_id: the approval that it asks about.
        can_decide: it shows all that there is to decide, so that it may have the buttons.
        expires_at: from when the approval cannot be decided any more.
    """

    kind: PushKind
    title: str
    body: str
    where: str
    approval_id: int | None = None
    can_decide: bool = False
    expires_at: str | None = None


def told_of(db: Database, notice: Notice) -> Told | None:
    """Word a notice; None for one that says nothing that a person need do or know."""
    match notice:
        case ApprovalAsked(approval) | DeadlineNears(approval):
            is_late = isinstance(notice, DeadlineNears)
            return asked(approval, read(db, repositories, approval.repository_id), is_late=is_late)
        case SessionOver(session, cut_off):
            return session_over(session, cut_off=cut_off)
        case PullRequestTold() | MergeCalledOff():
            return pull_request_told(notice)
        case AutomationHeld() | LimitTold() | ActorSetAside():
            return _of_the_whole(notice)
        case _:
            return None


def _of_the_whole(notice: AutomationHeld | LimitTold | ActorSetAside) -> Told:
    """Word a notice that is about no one piece of work."""
    match notice:
        case AutomationHeld(automation, reason):
            return automation_held(automation, reason)
        case LimitTold():
            return limit_told(notice)
        case ActorSetAside(path, error):
            return set_aside(path, error)


def asked(approval: Approval, repository: Repository | None, *, is_late: bool = False) -> Told:
    """Ask for a decision; `is_late` says that it is due soon."""
    said, is_whole = _asked_for(approval)
    kind: PushKind = "questions" if approval.kind in QUESTIONS else "approvals"
    return Told(
        kind="warnings" if is_late else kind,
        title=shorten(f"Expires soon: {approval.title}" if is_late else approval.title, TITLE),
        body=_lines(said, None if repository is None else f"in {repository.name}"),
        where=place_of(approval.id),
        approval_id=approval.id,
        can_decide=is_whole,
        expires_at=approval.expires_at,
    )


def settled(approval: Approval) -> tuple[str, str]:
    """Return the title and the body that say what became of an approval."""
    by = f" by {approval.resolved_by}" if approval.resolved_by else ""
    return shorten(approval.title, TITLE), shorten(f"{approval.status.capitalize()}{by}.", BODY)


def session_over(session: Session, *, cut_off: bool) -> Told:
    """Say how a session ended."""
    ends = _ENDS.get(session.status, session.status.capitalize())
    return Told(
        kind="interrupted" if cut_off else "sessions",
        title=shorten(f"{ends}: {session.title or f'session {session.id}'}", TITLE),
        body=shorten(session.exit_reason or session.last_message or "", BODY),
        where=f"/sessions/{session.id}",
    )


def pull_request_told(told: PullRequestTold | MergeCalledOff) -> Told:
    """Say that checks fail, reviews came or it is not merged, and what is done about it."""
    session = told.session
    title = session.title or f"session {session.id}"
    if isinstance(told, MergeCalledOff):
        head, body = "Not merged", told.problem
    else:
        reviews = "1 review" if told.reviews == 1 else f"{told.reviews} reviews"
        said = [*told.checks, *([reviews] if told.reviews else [])]
        goes_on = "The task goes on with a turn that is told." if told.goes_on else told.reason
        head, body = "News of a pull request", " ".join([f"{', '.join(said)}.", goes_on or ""])
    return Told(
        kind="sessions",
        title=shorten(f"{head}: {title}", TITLE),
        body=shorten(body, BODY),
        where=f"/sessions/{session.id}",
    )


def automation_held(automation: Automation, reason: str | None) -> Told:
    """Say that an automation was paused, and why."""
    return Told(
        kind="automations",
        title=shorten(f"Paused: {automation.title}", TITLE),
        body=shorten(reason or "", BODY),
        where=f"/automations/{automation.id}",
    )


def limit_told(told: LimitTold) -> Told:
    """Say how far a limit of the agent's account is, and what becomes of runs."""
    title, body = words_of_limit(told)
    return Told(kind="limits", title=title, body=body, where="/account")


def words_of_limit(told: LimitTold) -> tuple[str, str]:
    """Return the title and the body that say how far a limit is."""
    until = f" It resets at {told.moment}." if told.moment else ""
    match told.stage:
        case "near":
            percent = f"{told.used_percent or 0:.0f} %"
            return f"{percent} of a limit of Codex is used", until.strip()
        case "cap":
            return "A cap of the day is reached", told.reason or ""
        case "reached":
            return "A limit of Codex is reached", f"Runs wait until it resets.{until}"
        case _:
            count = len(told.sessions)
            runs = "1 run goes" if count == 1 else f"{count} runs go"
            return "A limit of Codex has reset", f"{runs} on." if count else ""


def set_aside(path: str, error: str | None) -> Told:
    """Say that a part of the server failed for good."""
    return Told(
        kind="system",
        title=shorten(f"Set aside: {path}", TITLE),
        body=shorten(error or "", BODY),
        where="/runtime",
    )


def place_of(approval_id: int) -> str:
    """Return the place in the page where an approval is decided."""
    return f"/approvals/{approval_id}"


def shorten(said: str, length: int) -> str:
    """Return a text on one line, with no more than that many characters."""
    line = _on_one_line(said)
    return line if len(line) <= length else f"{line[: length - 1]}…"


def _asked_for(approval: Approval) -> tuple[str, bool]:
    """Return what is asked for, and if that is all there is to know for a decision.

    Never so where it goes beyond the run's leave, or where the page shows more.
    """
    details = approval.details
    match approval.kind:
        case "command":
            said = str(details.get("script") or details.get("command") or "")
            is_whole = bool(said) and not details.get("network")
        case "file_change":
            said = ", ".join(str(file.get("path")) for file in details.get("files") or [])
            is_whole = bool(said)
        case "run":
            said = _run(details)
            is_whole = details.get("sandbox") in {"read-only", "workspace-write"}
        case "manual":
            said, is_whole = "", not details
        case _:
            said, is_whole = str(details.get("reason") or details.get("message") or ""), False
    is_within = not goes_beyond_run(approval.kind, details)
    room = BODY // 2 if approval.kind != "command" else BODY - TITLE
    fits = len(_on_one_line(said)) <= room and _on_one_line(said) == said.strip()
    return shorten(said, room), is_whole and is_within and fits


def _run(details: dict[str, Any]) -> str:
    granted = [
        name
        for name, field in (("network", "allowNetwork"), ("commits", "allowCommit"))
        if details.get(field)
    ]
    return ", ".join([f"Sandbox {details.get('sandbox')}", *granted])


def _lines(*said: str | None) -> str:
    return "\n".join(line for line in said if line)


def _on_one_line(said: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in said).split())
