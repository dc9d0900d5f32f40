"""The commands: each a function of the desk, the visit and the words after the command.

Few taps matter more than many options: what can be guessed is guessed (the only running session),
and what can be picked is offered as buttons.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from sqlite_utils import Database

from command_center.actors.telegram import chats, wording
from command_center.actors.telegram.automations import tend_automations
from command_center.actors.telegram.buttons import (
    Action,
    FollowSoon,
    PickRepository,
    SteerSoon,
    Stop,
)
from command_center.actors.telegram.channel import approval_message, has_several_hosts, where_of
from command_center.actors.telegram.effects import Act, Desk, Visit, say
from command_center.actors.telegram.markup import Text, bold, italic, lines, shorten, text
from command_center.actors.telegram.outgoing import Button, Keyboard, Outgoing
from command_center.actors.telegram.preferences import mute, quiet
from command_center.actors.telegram.requests import send_later, stop_later
from command_center.store import (
    Repository,
    Session,
    Transaction,
    approvals,
    automations,
    repositories,
    sessions,
    tasks,
    telegram_chats,
)
from command_center.store.queries.summaries import newest_sessions

Command = Callable[[Desk, Visit, str], Awaitable[Act]]

LISTED: Final = 10
"""Records in a list."""

MOST_APPROVALS: Final = 5
"""Approvals that are shown at once, each as a message of its own."""

_NUMBERED = re.compile(r"#?(\d{1,18})(?:\s+(.*))?", re.DOTALL)


async def show_help(_desk: Desk, visit: Visit, _words: str) -> Act:
    """Say what the bot can do."""
    return say(
        visit.reply(
            lines(
                bold("Command Center"),
                *(f"/{name} {told}" for name, (_, told) in COMMANDS.items() if told),
                "",
                "Reply to a session's message to steer it, or to go on where it ended.",
                italic(f"This chat is {visit.chat_id}, you are {visit.user_id}."),
            )
        )
    )


async def show_status(desk: Desk, visit: Visit, _words: str) -> Act:
    """Say what goes on, in a few lines."""

    def read(db: Database) -> Text:
        live = sessions.every(db, {"finished_at": None}, texts=False)
        by_status: dict[str, int] = {}
        for session in live:
            by_status[session.status] = by_status.get(session.status, 0) + 1
        pending = approvals.count(db, {"status": "pending"})
        upcoming = [a for a in automations.every(db, {"enabled": True}) if a.next_run_at]
        soonest = min(upcoming, key=lambda a: a.next_run_at or "", default=None)
        return lines(
            text("Runs on ", bold(desk.runner), "."),
            "No session is live."
            if not live
            else "Sessions: "
            + ", ".join(f"{n} {s.replace('_', ' ')}" for s, n in sorted(by_status.items())),
            "Nothing waits for you."
            if not pending
            else text(bold(f"{pending} wait for your decision"), ": /approvals"),
            None
            if soonest is None or soonest.next_run_at is None
            else text(
                "Next: ",
                shorten(soonest.title, 80),
                f" at {chats.moment(soonest.next_run_at, desk.zone)}",
            ),
        )

    return say(visit.reply(await desk.storage.read(read)))


async def list_tasks(desk: Desk, visit: Visit, _words: str) -> Act:
    """List the newest tasks."""

    def read(db: Database) -> Text:
        page = tasks.page(db, {}, limit=LISTED, newest_first=True)
        return lines(
            *(
                text(
                    f"{wording.ICONS.get(task.status, '')} {task.id} ",
                    bold(shorten(task.title, 80)),
                    f" {task.status.replace('_', ' ')}",
                )
                for task in page.items
            )
        )

    return say(visit.reply(await desk.storage.read(read) or text("There are no tasks yet: /run")))


async def list_sessions(desk: Desk, visit: Visit, _words: str) -> Act:
    """List the live sessions, and the last ones that ended."""

    def read(db: Database) -> tuple[Text, Keyboard]:
        live = sessions.every(db, {"finished_at": None})[:LISTED]
        page = sessions.page(db, {}, limit=LISTED, newest_first=True)
        ended = [s for s in page.items if s.finished_at is not None][: LISTED - len(live)]
        said = lines(
            *(
                wording.session_line(session, where_of(db, session, desk.zone))
                for session in [*live, *ended]
            )
        )
        keyboard = tuple(
            (Button(f"💬 {s.id}", SteerSoon(s.id)), Button(f"⏹ Stop {s.id}", Stop(s.id)))
            for s in live
        )
        return said, keyboard

    said, keyboard = await desk.storage.read(read)
    return say(visit.reply(said or text("There are no sessions yet: /run"), keyboard=keyboard))


async def list_approvals(desk: Desk, visit: Visit, _words: str) -> Act:
    """Show what waits for a decision, each with its buttons."""

    def unit(tx: Transaction) -> Sequence[Outgoing]:
        pending = approvals.every(tx.db, {"status": "pending"})
        shown = [approval_message(tx.db, a, desk.zone) for a in pending[:MOST_APPROVALS]]
        if not pending:
            return [visit.reply("Nothing waits for a decision.")]
        left = len(pending) - len(shown)
        if left:
            shown.append(visit.reply(f"{left} more wait: decide on these, then /approvals again."))
        return shown

    return Act(unit=unit)


async def run(desk: Desk, visit: Visit, words: str) -> Act:
    """Run a prompt: in the repository that is named, the only one, or one to be picked.

    `name@host` is the one on that host, and `name@any` runs on the least busy host that has it.
    """
    found, with_hosts = await desk.storage.read(lambda db: (by_use(db), has_several_hosts(db)))
    if not found:
        return say(visit.reply("No repository is registered yet; add one in the browser."))
    numbered = _NUMBERED.fullmatch(words)
    named = [r for r in found if numbered is not None and r.id == int(numbered[1])]
    if named and numbered is not None:
        return begin_run(desk, visit, named[0], (numbered[2] or "").strip())
    first = words.split(None, 1)[0] if words else ""
    by_name = [r for r in found if first in {r.name, f"{r.name}@{r.host}"}]
    anywhere = [r for r in found if with_hosts and first == f"{r.name}@any"]
    rest = words.removeprefix(first).strip() if by_name or anywhere else words
    if anywhere and not by_name:
        return begin_run(desk, visit, anywhere[0], rest, on_any_host=True)
    if len(by_name) == 1 or len(found) == 1:
        return begin_run(desk, visit, (by_name or found)[0], rest)
    keyboard = tuple(
        (Button(wording.labelled_repository(one, with_host=with_hosts), PickRepository(one.id)),)
        for one in (by_name or found)[:20]
    )
    if not rest:
        return say(visit.reply("Where?", keyboard=keyboard))

    def unit(tx: Transaction) -> Sequence[Outgoing]:
        expect(tx, visit, {"for": "repository", "prompt": rest})
        return [visit.reply(text("Where? ", italic(shorten(rest, 200))), keyboard=keyboard)]

    return Act(unit=unit)


def begin_run(
    desk: Desk, visit: Visit, repository: Repository, prompt: str, *, on_any_host: bool = False
) -> Act:
    """Run the prompt, or ask for one."""
    if prompt:
        return desk.run(visit, repository.id, prompt, on_any_host=on_any_host)

    def unit(tx: Transaction) -> Sequence[Outgoing]:
        waits = {"for": "prompt", "repositoryId": repository.id, "onAnyHost": on_any_host}
        expect(tx, visit, waits)
        said = text("What is to be done in ", bold(repository.name), "?")
        return [visit.reply(said, asks="Write the prompt")]

    return Act(unit=unit)


async def steer(desk: Desk, visit: Visit, words: str) -> Act:
    """Say something to a session that runs."""
    return await _for_session(desk, visit, words, steer_or_ask, SteerSoon)


def steer_or_ask(desk: Desk, visit: Visit, session_id: int, message: str) -> Act:
    """Steer, or ask for what to say."""
    if message:
        return send_later(desk, visit, session_id, message)
    said = f"What do you want to say to session {session_id}?"
    return _ask_for_text(visit, {"for": "steer", "sessionId": session_id}, said, session_id)


async def stop(desk: Desk, visit: Visit, words: str) -> Act:
    """Stop a session."""
    return await _for_session(
        desk, visit, words, lambda d, v, session_id, _: stop_later(d, v, session_id), Stop
    )


async def show_diff(desk: Desk, visit: Visit, words: str) -> Act:
    """Show what a session changed; without a number, the newest that changed something."""
    numbered = _NUMBERED.fullmatch(words)

    def read(db: Database) -> Session | None:
        if numbered is not None:
            return sessions.get(db, int(numbered[1]))
        page = sessions.page(db, {}, limit=LISTED, newest_first=True)
        return next((s for s in page.items if s.diff), None)

    session = await desk.storage.read(read)
    if session is None:
        return say(visit.reply("No session has changed anything lately."))
    return say(diff_message(visit, session))


def diff_message(visit: Visit, session: Session) -> Outgoing:
    """Return a session's diff as an answer: in the message if it fits, else as a file beside it."""
    said = wording.diff_text(session)
    if said is not None:
        return visit.reply(said, session_id=session.id)
    return visit.reply(wording.diff_head(session), session_id=session.id, document="diff")


async def follow_up(desk: Desk, visit: Visit, words: str) -> Act:
    """Go on where a session ended, in the same thread."""
    return await _for_session(desk, visit, words, follow_or_ask, FollowSoon, ended=True)


def follow_or_ask(desk: Desk, visit: Visit, session_id: int, message: str) -> Act:
    """Follow up, or ask with what."""
    if message:
        return desk.follow_up(visit, session_id, message)
    said = f"How shall session {session_id} go on?"
    return _ask_for_text(visit, {"for": "follow", "sessionId": session_id}, said, session_id)


async def cancel(_desk: Desk, visit: Visit, _words: str) -> Act:
    """Forget what was asked for."""
    return say(visit.reply("All right."))


def expect(tx: Transaction, visit: Visit, what: dict[str, Any] | None) -> None:
    """Keep what the user's next text is for, and the files that go with it; None forgets it."""
    chat = chats.known_chat(tx, visit.chat_id)
    others = {k: v for k, v in chat.waits_for.items() if k != str(visit.user_id)}
    files = {"files": list(visit.attachments)} if visit.attachments else {}
    waits = others if what is None else {**others, str(visit.user_id): {**what, **files}}
    if waits != chat.waits_for:
        telegram_chats.update(tx, chat.id, waits_for=waits)


def by_use(db: Database) -> list[Repository]:
    """Return all repositories, the one that was used last first."""
    newest = newest_sessions(db)
    found = repositories.every(db, {})
    return sorted(found, key=lambda repository: -newest.get(repository.id, 0))


def _ask_for_text(visit: Visit, what: dict[str, Any], said: str, session_id: int) -> Act:
    def unit(tx: Transaction) -> Sequence[Outgoing]:
        expect(tx, visit, what)
        return [visit.reply(said, asks="Write it here", session_id=session_id)]

    return Act(unit=unit)


async def _for_session(
    desk: Desk,
    visit: Visit,
    words: str,
    then: Callable[[Desk, Visit, int, str], Act],
    pick: Callable[[int], Action],
    *,
    ended: bool = False,
) -> Act:
    """Do something with the session that is named, the only one, or one to be picked."""
    numbered = _NUMBERED.fullmatch(words)
    if numbered is not None:
        named = int(numbered[1])
        session = await desk.storage.read(lambda db: sessions.get(db, named))
        return then(desk, visit, session.id, (numbered[2] or "").strip())
    choices = await desk.storage.read(lambda db: _choices(db, ended=ended))
    if not choices:
        return say(visit.reply("There are no sessions." if ended else "No session is live."))
    if len(choices) == 1:
        return then(desk, visit, choices[0][0], words)
    keyboard = tuple(
        (Button(f"{session_id} {shorten(title, 50)}", pick(session_id)),)
        for session_id, title in choices
    )

    def unit(tx: Transaction) -> Sequence[Outgoing]:
        if words:
            expect(tx, visit, {"for": "session", "text": words})
        return [visit.reply("Which session?", keyboard=keyboard)]

    return Act(unit=unit)


def _choices(db: Database, *, ended: bool) -> list[tuple[int, str]]:
    """Sessions to pick from, with their titles: the live ones, or the newest."""
    found: Sequence[Session] = (
        sessions.page(db, {}, limit=LISTED, newest_first=True).items
        if ended
        else sessions.every(db, {"finished_at": None})[:LISTED]
    )
    return [(session.id, session.title) for session in found]


COMMANDS: Final[Mapping[str, tuple[Command, str]]] = {
    "status": (show_status, "what goes on"),
    "approvals": (list_approvals, "what waits for your decision"),
    "sessions": (list_sessions, "what runs, and what ran"),
    "run": (run, "put Codex to work"),
    "steer": (steer, "say something to a running session"),
    "stop": (stop, "stop a session"),
    "new": (follow_up, "go on where a session ended"),
    "diff": (show_diff, "what a session changed"),
    "tasks": (list_tasks, "the newest tasks"),
    "automations": (tend_automations, "what runs by itself: run, pause, resume"),
    "mute": (mute, "choose what is told here"),
    "quiet": (quiet, "hours without a sound"),
    "cancel": (cancel, "forget what was asked for"),
    "help": (show_help, "this list"),
    "start": (show_help, ""),
}
"""Each command, and what it is for; one without words is not listed."""
