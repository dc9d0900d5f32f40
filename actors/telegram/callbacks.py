"""Buttons and plain texts: what a press does, and what a text is the answer to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import msgspec
from sqlite_utils import Database

from command_center.actors.contracts.approvals import Resolution
from command_center.actors.telegram import approval_wording
from command_center.actors.telegram.automations import tend
from command_center.actors.telegram.buttons import (
    Action,
    AnswerQuestion,
    Details,
    FollowSoon,
    GoOn,
    PickRepository,
    Resolve,
    RunNow,
    ShowDiff,
    SteerSoon,
    Stop,
    Switch,
    from_plain,
)
from command_center.actors.telegram.channel import showing, shown_by, where_of
from command_center.actors.telegram.chats import answers_so_far, keep_answers, known_chat
from command_center.actors.telegram.commands import (
    begin_run,
    diff_message,
    expect,
    follow_or_ask,
    run,
    steer_or_ask,
)
from command_center.actors.telegram.effects import Act, Desk, Visit, say
from command_center.actors.telegram.markup import Text
from command_center.actors.telegram.outgoing import Keyboard, Outgoing, amend
from command_center.actors.telegram.preferences import (
    preferences_keyboard,
    preferences_text,
    toggle,
)
from command_center.actors.telegram.requests import (
    go_on_later,
    resolve_later,
    send_later,
    stop_later,
)
from command_center.store import (
    Approval,
    TelegramButton,
    TelegramMessage,
    Transaction,
    approvals,
    repositories,
    sessions,
    telegram_buttons,
    telegram_chats,
    telegram_messages,
)

SPENT = "This button was used already."
UNKNOWN = "This button is no longer valid."


class _Press(msgspec.Struct, frozen=True):
    """A button that was pressed: it is this update's to act on, or not."""

    button: TelegramButton | None
    toast: str | None = None


def spend(tx: Transaction, nonce: str, visit: Visit) -> _Press:
    """Use a button up. Only one press gets it, and the same one gets it again after a crash."""
    button = telegram_buttons.find(tx.db, {"nonce": nonce, "chat_id": visit.chat_id})
    if button is None:
        return _Press(None, UNKNOWN)
    if button.used_by == visit.update_id:
        return _Press(button)
    taken = telegram_buttons.swap(
        tx, button.id, expected={"used_by": None}, used_by=visit.update_id
    )
    return _Press(taken, None if taken is not None else SPENT)


def give_back(tx: Transaction, visit: Visit) -> None:
    """Make the button good again that this update pressed in vain."""
    for button in telegram_buttons.every(
        tx.db, {"used_by": visit.update_id, "chat_id": visit.chat_id}
    ):
        telegram_buttons.update(tx, button.id, used_by=None)


async def press(desk: Desk, visit: Visit, nonce: str) -> Act:
    """Do what a button says."""
    pressed = await desk.storage.write(lambda tx: spend(tx, nonce, visit))
    if pressed.button is None:
        return Act(toast=pressed.toast)
    return await _do(desk, visit, pressed.button, from_plain(pressed.button.action))


async def _do(desk: Desk, visit: Visit, button: TelegramButton, action: Action) -> Act:
    match action:
        case Resolve():
            resolution = Resolution(status=action.status, resolved_by=visit.who, scope=action.scope)
            act = resolve_later(desk, visit, action.approval_id, resolution)
        case Details():
            act = Act(unit=lambda tx: _show_details(tx, button, action.approval_id))
        case AnswerQuestion():
            act = await answer(desk, visit, action.approval_id, action.answer, action.question_id)
        case PickRepository():
            repository = await desk.storage.read(
                lambda db: repositories.get(db, action.repository_id)
            )
            words = await _kept(desk, visit, "repository", "prompt")
            act = _and_close(begin_run(desk, visit, repository, words), visit, button, words)
        case SteerSoon():
            words = await _kept(desk, visit, "session", "text")
            act = _and_reopen(steer_or_ask(desk, visit, action.session_id, words), visit)
        case FollowSoon():
            words = await _kept(desk, visit, "session", "text")
            act = _and_reopen(follow_or_ask(desk, visit, action.session_id, words), visit)
        case Stop() | GoOn():
            later = stop_later if isinstance(action, Stop) else go_on_later
            act = later(desk, visit, action.session_id)
        case ShowDiff():
            session = await desk.storage.read(lambda db: sessions.get(db, action.session_id))
            act = _and_reopen(say(diff_message(visit, session)), visit)
        case RunNow() | Switch():
            act = tend(desk, visit, action)
        case _:
            act = Act(unit=lambda tx: _toggle(tx, desk, visit, button, action.kind))
    return act


async def _kept(desk: Desk, visit: Visit, purpose: str, member: str) -> str:
    """Return the words that the user wrote before there was something to pick."""
    waits = await desk.storage.read(lambda db: waiting_for(db, visit))
    return str(waits.get(member, "")) if waits.get("for") == purpose else ""


def _and_close(act: Act, visit: Visit, button: TelegramButton, words: str) -> Act:
    """Take the buttons away once one of them was picked."""

    def unit(tx: Transaction) -> Sequence[Outgoing]:
        if words:
            expect(tx, visit, None)
        replies = act.unit(tx) if act.unit is not None else ()
        message = telegram_messages.get(tx.db, button.message)
        amend(tx, message, shown_by(tx.db, message))
        return replies

    return Act(unit=unit, after=act.after)


def _and_reopen(act: Act, visit: Visit) -> Act:
    """Leave a button good that only shows or asks something; nothing is decided by it."""
    if act.slow is not None:
        return act

    def unit(tx: Transaction) -> Sequence[Outgoing]:
        give_back(tx, visit)
        return act.unit(tx) if act.unit is not None else ()

    return Act(unit=unit, after=act.after, toast=act.toast)


def _show_details(tx: Transaction, button: TelegramButton, approval_id: int) -> Sequence[Outgoing]:
    """Answer with all of it; the message keeps its other buttons, made anew."""
    approval = approvals.get(tx.db, approval_id)
    message = telegram_messages.get(tx.db, button.message)
    if approval.status == "pending":
        amend(tx, message, shown_by(tx.db, message), without_details(approval))
    said = approval_wording.details_text(approval)
    return [Outgoing(text=said, reply_to=message.message_id, purpose="details")]


def without_details(approval: Approval) -> Keyboard:
    """Return the buttons that decide."""
    rows = (
        tuple(button for button in row if not isinstance(button.action, Details))
        for row in approval_wording.approval_keyboard(approval)
    )
    return tuple(row for row in rows if row)


def _toggle(
    tx: Transaction, desk: Desk, visit: Visit, button: TelegramButton, kind: str
) -> Sequence[Outgoing]:
    chat = toggle(tx, known_chat(tx, visit.chat_id), kind)
    message = telegram_messages.get(tx.db, button.message)
    amend(tx, message, preferences_text(chat, desk), preferences_keyboard(chat))
    return ()


# Answers to questions


async def answer(
    desk: Desk, visit: Visit, approval_id: int, said: str, question_id: str | None = None
) -> Act:
    """Answer a question; the last answer decides the approval, with all of them.

    Answers to the earlier questions of the same approval are kept with the chat until then.
    """

    def read(db: Database) -> tuple[Approval, dict[str, Any]]:
        return approvals.get(db, approval_id), answers_so_far(db, visit.chat_id, approval_id)

    approval, answers = await desk.storage.read(read)
    question = approval_wording.open_question(approval, answers)
    if approval.status != "pending" or question is None:
        return Act(toast=f"Approval {approval_id} is {approval.status.replace('_', ' ')}.")
    if question_id is not None and question_id != question["id"]:
        return Act(toast="That question is answered already.")
    if question_id is None and (
        approval_wording.is_secret(approval) or not question.get("freeText")
    ):
        return say(visit.reply("Answer with one of the buttons, or in the browser."))
    answers = {**answers, str(question["id"]): said}
    if approval_wording.open_question(approval, answers) is None:
        resolution = Resolution(status="approved", resolved_by=visit.who, answers=answers)
        return resolve_later(desk, visit, approval_id, resolution)
    return Act(unit=lambda tx: _ask_next(tx, desk, visit, approval, answers), toast=said[:100])


def _ask_next(
    tx: Transaction, desk: Desk, visit: Visit, approval: Approval, answers: Mapping[str, Any]
) -> Sequence[Outgoing]:
    keep_answers(tx, visit.chat_id, approval.id, answers)
    where = where_of(tx.db, approval, desk.zone)
    for message in showing(tx.db, approval.id):
        if message.chat_id == visit.chat_id:
            said: Text = approval_wording.approval_text(approval, where, answers)
            amend(tx, message, said, approval_wording.approval_keyboard(approval, answers))
    return ()


# Texts


def waiting_for(db: Database, visit: Visit) -> dict[str, Any]:
    """Return what the user's next text is for."""
    chat = telegram_chats.find(db, {"chat_id": visit.chat_id})
    return {} if chat is None else dict(chat.waits_for.get(str(visit.user_id), {}))


async def read_text(desk: Desk, visit: Visit) -> Act:
    """Take a text that is no command: a reply to a message, or what was asked for."""

    def read(db: Database) -> tuple[TelegramMessage | None, dict[str, Any]]:
        replied = None
        if visit.reply_to is not None:
            replied = telegram_messages.find(
                db, {"chat_id": visit.chat_id, "message_id": visit.reply_to}
            )
        return replied, waiting_for(db, visit)

    replied, waits = await desk.storage.read(read)
    act = await _reply_to(desk, visit, replied) if replied is not None else None
    if act is None:
        act = await _expected(desk, visit, waits)
    if act is not None:
        return _then_forget(act, visit)
    if visit.chat_id < 0:
        return Act()
    return say(visit.reply("To put Codex to work: /run. For everything else: /help."))


async def _reply_to(desk: Desk, visit: Visit, replied: TelegramMessage) -> Act | None:
    """Read a reply to one of the bot's messages; None where it means nothing by itself."""
    if replied.approval_id is not None:
        approval_id = replied.approval_id
        approval = await desk.storage.read(lambda db: approvals.get(db, approval_id))
        if approval.kind == "user_input" and approval.status == "pending":
            return await answer(desk, visit, approval.id, visit.said)
        if approval.status == "pending":
            return say(visit.reply("To decide, press one of the buttons."))
    if replied.session_id is None:
        return None
    session_id = replied.session_id
    session = await desk.storage.read(lambda db: sessions.get(db, session_id))
    if session.finished_at is None:
        return send_later(desk, visit, session_id, visit.said)
    return desk.follow_up(visit, session_id, visit.said)


async def _expected(desk: Desk, visit: Visit, waits: Mapping[str, Any]) -> Act | None:
    match waits.get("for"):
        case "prompt":
            on_any_host = waits.get("onAnyHost") is True
            return desk.run(visit, int(waits["repositoryId"]), visit.said, on_any_host=on_any_host)
        case "steer":
            return send_later(desk, visit, int(waits["sessionId"]), visit.said)
        case "words":
            return await run(desk, visit, visit.said)
        case "follow":
            return desk.follow_up(visit, int(waits["sessionId"]), visit.said)
        case _:
            return None


def _then_forget(act: Act, visit: Visit) -> Act:
    """Forget what was asked for, since it has come."""
    unit, slow = act.unit, act.slow

    def forgetting(tx: Transaction) -> Sequence[Outgoing]:
        expect(tx, visit, None)
        return unit(tx) if unit is not None else ()

    async def slow_forgetting() -> Act:
        return act if slow is None else _then_forget(await slow(), visit)

    if slow is not None:
        return attrs.evolve(act, slow=slow_forgetting)
    return attrs.evolve(act, unit=forgetting)
