"""Word records as texts for a small screen. Pure functions.

Each text is planned to fit: the long parts (a command, a diff, a last message) get the room that
the rest leaves, and say what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Final

import attrs

from command_center.actors.channels.notices import LimitTold, MergeCalledOff, PullRequestTold
from command_center.actors.channels.wording import words_of_limit
from command_center.actors.ledger.budgets import used_tokens
from command_center.actors.telegram.buttons import (
    FollowSoon,
    GoOn,
    ShowDiff,
    SteerSoon,
    Stop,
)
from command_center.actors.telegram.chats import moment
from command_center.actors.telegram.markup import (
    LONGEST,
    Text,
    block,
    bold,
    code,
    fit,
    length_of,
    lines,
    shorten,
    text,
)
from command_center.actors.telegram.outgoing import Button, Keyboard
from command_center.store import Repository, Session, Task

TITLE: Final = 200
"""Characters of a title."""

SHORT: Final = 400
"""Characters of a reason, a note and the like."""

ROWS: Final = 4
"""Sessions for which a notice has buttons."""

BODY: Final = 1500
"""Characters of what a message is about, before Details is pressed."""

ICONS: Final[Mapping[str, str]] = {
    "created": "⚪",
    "blocked": "✋",
    "queued": "⏳",
    "starting": "⏳",
    "running": "▶️",
    "waiting_limit": "⌛",
    "waiting_approval": "✋",
    "completed": "✅",
    "failed": "❌",
    "stopped": "⏹",
    "interrupted": "⚠️",
    "open": "⚪",
    "cancelled": "🚫",
}

_HUNK: Final = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")


@attrs.frozen(kw_only=True)
class Where:
    """The repository, task and session that something belongs to, for words.

    The `host` is named where there are several.
    """

    repository: Repository | None = None
    task: Task | None = None
    session: Session | None = None
    host: str | None = None
    zone: tzinfo | None = None
    now: datetime | None = None

    def at(self, timestamp: str) -> str:
        """Return a moment as people read it."""
        return moment(timestamp, self.zone, now=self.now)


def place(where: Where) -> Text:
    """Name what it belongs to, at the end of a line."""
    parts: list[str] = []
    if where.task is not None:
        parts += [f" · task {where.task.id}"]
    if where.session is not None:
        parts += [f" · session {where.session.id}"]
    return text(repository_name(where), *parts)


def repository_name(where: Where) -> Text:
    """Return its repository, at the end of a line."""
    if where.repository is None:
        return ()
    host = () if where.host is None else text(" on ", code(where.host))
    return text(" · ", code(shorten(where.repository.name, 60)), *host)


def labelled_repository(repository: Repository, *, with_host: bool) -> str:
    """Return a repository's name, with its host where there are several."""
    return f"{repository.name} on {repository.host}" if with_host else repository.name


def labelled(label: str, said: object) -> Text | None:
    """Say something in short, behind its label; None where there is nothing to say."""
    return text(label, shorten(str(said), SHORT)) if said else None


# Sessions


def session_text(session: Session, where: Where) -> Text:
    """Say how a session ended: its outcome, its last words, its tokens and what it changed."""
    head = lines(
        text(
            ICONS.get(session.status, ""),
            " ",
            bold(f"Session {session.id} {session.status.replace('_', ' ')}"),
            repository_name(where),
        ),
        text(shorten(session.title, TITLE)),
        labelled("", session.exit_reason),
    )
    foot = lines(
        usage_text(session),
        diff_summary(session.diff) if session.diff else None,
    )
    room = LONGEST - length_of(head) - length_of(foot) - 10
    said = shorten(session.last_message or "", min(room, BODY))
    return fit(lines(head, text("\n", said) if said else None, text("\n", foot) if foot else None))


def pull_request_text(told: PullRequestTold | MergeCalledOff, where: Where) -> Text:
    """Say that checks fail, reviewers want changes or it is not merged, and what is done."""
    if isinstance(told, MergeCalledOff):
        return fit(
            lines(
                text("🔀 ", bold("Not merged"), repository_name(where)),
                text(shorten(told.session.title, TITLE)),
                labelled("", told.problem),
                text(shorten(told.url, 300)),
            )
        )
    reviews = "1 review" if told.reviews == 1 else f"{told.reviews} reviews"
    return fit(
        lines(
            text("🔀 ", bold("News of a pull request"), repository_name(where)),
            text(shorten(told.session.title, TITLE)),
            *(text("• ", shorten(head, 200)) for head in told.checks[:10]),
            f"• {reviews}" if told.reviews else None,
            "The task goes on with a turn that is told." if told.goes_on else None,
            labelled("", told.reason),
            text(shorten(told.url, 300)),
        )
    )


def session_keyboard(session: Session) -> Keyboard:
    """Give the buttons for what can be done to a session."""
    if session.finished_at is None:
        return ((Button("💬 Steer", SteerSoon(session.id)), Button("⏹ Stop", Stop(session.id))),)
    first = (Button("💬 Follow up", FollowSoon(session.id)),)
    return ((*first, Button("📄 Diff", ShowDiff(session.id))) if session.diff else first,)


def session_line(session: Session, where: Where) -> Text:
    """Word a session for a list."""
    return text(
        ICONS.get(session.status, ""),
        f" {session.id} ",
        bold(shorten(session.title, 80)),
        "" if where.host is None else f" on {where.host}",
        f" {session.status.replace('_', ' ')}",
        f" ({shorten(session.wait_reason, 120)})" if session.wait_reason else "",
    )


def usage_text(session: Session) -> str | None:
    """Return the tokens that a session used."""
    tokens = used_tokens(session)
    return f"{tokens:,} tokens".replace(",", "\N{NARROW NO-BREAK SPACE}") if tokens else None


def diff_summary(diff: str) -> str:
    """Count the files that a diff changes, and the lines."""
    files = added = removed = 0
    left_old = left_new = 0  # lines that the hunk still has, by its head
    is_named = False  # by "diff --git", and no "--- " came since
    for line in diff.split("\n"):
        is_left = left_new > 0 if line[:1] == "+" else left_old > 0
        if is_left and line[:1] in {"+", "-", " ", ""}:
            added += line[:1] == "+"
            removed += line[:1] == "-"
            left_old -= line[:1] != "+"
            left_new -= line[:1] != "-"
        elif line.startswith("diff --git "):
            files += 1
            is_named = True
        elif line.startswith("--- "):
            files += not is_named
            is_named = False
            left_old = left_new = 0  # a secret of several lines is one line by now
        elif hunk := _HUNK.match(line):
            left_old, left_new = (int(count or 1) for count in hunk.groups())
    return f"{files} file{'' if files == 1 else 's'} changed, +{added} -{removed}"


def diff_text(session: Session) -> Text | None:
    """Show what a session changed; None where that is more than a message holds."""
    if not session.diff:
        return text(f"Session {session.id} has changed nothing so far.")
    said = lines(diff_head(session), block(session.diff))
    return said if length_of(said) <= LONGEST else None


def diff_head(session: Session) -> Text:
    """Say how much a session changed."""
    return lines(text(bold(f"Session {session.id}")), diff_summary(session.diff or ""))


# The rest


def automation_text(title: str, reason: object) -> Text:
    """Word the notice that an automation was paused."""
    return lines(
        text("⏸ Automation ", bold(shorten(title, TITLE)), " was paused."),
        labelled("", reason),
    )


def limit_text(told: LimitTold) -> Text:
    """Word the notice that a limit of the agent's account is near, reached or over."""
    title, body = words_of_limit(told)
    return lines(text("⌛ ", bold(title)), body or None)


def limit_keyboard(told: LimitTold) -> Keyboard:
    """Give the buttons for the sessions that wait for a limit which is reached, the first ones."""
    if told.stage != "reached":
        return ()
    return tuple(
        (Button(f"▶️ Go on with {key} now", GoOn(key)), Button(f"⏹ Stop {key}", Stop(key)))
        for key in told.sessions[:ROWS]
    )


def quarantine_text(path: str, reason: object) -> Text:
    """Word the notice that a part of Command Center was set aside."""
    return lines(
        text("🧯 ", code(path), " failed again and again and was set aside."),
        labelled("", reason),
        text("Everything else goes on. Restart it in the browser, or by the API."),
    )
