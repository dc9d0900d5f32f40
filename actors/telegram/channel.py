"""Telegram as a channel: what each notice says, in which chats, and with which buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlite_utils import Database

from command_center.actors.channels.notices import (
    ActorSetAside,
    ApprovalAsked,
    ApprovalSettledBySomebody,
    AutomationHeld,
    DeadlineExtended,
    DeadlineNears,
    LimitTold,
    MergeCalledOff,
    Notice,
    PullRequestTold,
    SessionOver,
    read,
)
from command_center.actors.channels.outbox import MessagesPosted, wake
from command_center.actors.telegram import approval_wording, chats, wording
from command_center.actors.telegram.markup import Text
from command_center.actors.telegram.outgoing import Outgoing, amend, post, text_of
from command_center.actors.telegram.settings import TelegramSettings
from command_center.actors.telegram.wording import Where
from command_center.runtime import ActorRef, Address
from command_center.store import (
    Approval,
    Automation,
    Session,
    TelegramMessage,
    Transaction,
    repositories,
    sessions,
    stored_hosts,
    tasks,
    telegram_messages,
)
from command_center.store.timestamps import from_timestamp

OUTBOX: Address[MessagesPosted] = Address("/telegram/outbox")
"""The actor that sends what is written here."""


class TelegramChannel:
    """Writes the messages that a notice leads to into Telegram's outbox."""

    mark = "events"

    def __init__(self, settings: TelegramSettings) -> None:
        """Tell the chats of `settings`."""
        self._allowed = settings.allowed_ids
        self._zone = chats.zone_of(settings.timezone)

    def begin(self, tx: Transaction) -> None:
        """Know the chats that may be told."""
        for chat_id in sorted(self._allowed):
            chats.known_chat(tx, chat_id)

    def wake(self, find: Callable[[str], ActorRef[Any] | None]) -> None:
        """Have what was written sent now."""
        wake(find, OUTBOX)

    def tell(self, tx: Transaction, notice: Notice) -> None:
        """Write the messages that the notice leads to."""
        match notice:
            case ApprovalAsked(approval):
                self._post(tx, "approvals", approval_message(tx.db, approval, self._zone))
            case DeadlineNears(approval):
                self._warn(tx, approval)
            case DeadlineExtended(approval):
                self._put_off(tx, approval)
            case ApprovalSettledBySomebody(approval):
                self._settled(tx, approval)
            case SessionOver(session, cut_off):
                self._session_ended(tx, session, "interrupted" if cut_off else "sessions")
            case PullRequestTold() | MergeCalledOff():
                said = wording.pull_request_text(
                    notice, where_of(tx.db, notice.session, self._zone)
                )
                outgoing = Outgoing(text=said, purpose="session", session_id=notice.session.id)
                self._post(tx, "sessions", outgoing)
            case AutomationHeld(automation, reason):
                self._automation_paused(tx, automation, reason)
            case LimitTold():
                said = wording.limit_text(notice)
                keyboard = wording.limit_keyboard(notice)
                self._post(tx, "limits", Outgoing(text=said, purpose="limits", keyboard=keyboard))
            case ActorSetAside(path, error):
                said = wording.quarantine_text(path, error)
                self._post(tx, "system", Outgoing(text=said, purpose="system"))

    def _post(self, tx: Transaction, kind: str, outgoing: Outgoing) -> None:
        now = from_timestamp(tx.now)
        for chat in chats.listeners(tx.db, self._allowed, kind):
            post(tx, chat.chat_id, outgoing, silent=chats.is_silent(chat, now, self._zone))

    def _warn(self, tx: Transaction, approval: Approval) -> None:
        said = approval_wording.warning_text(approval, where_of(tx.db, approval, self._zone))
        outgoing = Outgoing(
            text=said,
            purpose="warning",
            approval_id=approval.id,
            keyboard=approval_wording.approval_keyboard(approval),
        )
        self._post(tx, "warnings", outgoing)

    def _settled(self, tx: Transaction, approval: Approval) -> None:
        """Say on each message that showed the approval what became of it, without its buttons."""
        outcome = approval_wording.outcome_text(approval, where_of(tx.db, approval, self._zone))
        for message in showing(tx.db, approval.id):
            amend(tx, message, approval_wording.with_outcome(shown_by(tx.db, message), outcome))

    def _put_off(self, tx: Transaction, approval: Approval) -> None:
        """Show the new deadline on each message that shows the approval."""
        where = where_of(tx.db, approval, self._zone)
        for message in showing(tx.db, approval.id):
            answers = chats.answers_so_far(tx.db, message.chat_id, approval.id)
            said = (
                approval_wording.warning_text(approval, where)
                if message.purpose == "warning"
                else approval_wording.approval_text(approval, where, answers)
            )
            amend(tx, message, said, approval_wording.approval_keyboard(approval, answers))

    def _session_ended(self, tx: Transaction, session: Session, kind: str) -> None:
        said = wording.session_text(session, where_of(tx.db, session, self._zone))
        outgoing = Outgoing(
            text=said,
            purpose="session",
            session_id=session.id,
            keyboard=wording.session_keyboard(session),
        )
        self._post(tx, kind, outgoing)

    def _automation_paused(
        self, tx: Transaction, automation: Automation, reason: str | None
    ) -> None:
        said = wording.automation_text(automation.title, reason)
        self._post(tx, "automations", Outgoing(text=said, purpose="automation"))


def approval_message(db: Database, approval: Approval, zone: Any) -> Outgoing:
    """Return the message that asks for a decision."""
    return Outgoing(
        text=approval_wording.approval_text(approval, where_of(db, approval, zone)),
        purpose="approval",
        approval_id=approval.id,
        session_id=approval.session_id,
        keyboard=approval_wording.approval_keyboard(approval),
    )


def showing(db: Database, approval_id: int) -> list[TelegramMessage]:
    """Return the messages that show an approval and may have buttons for it."""
    return [
        message
        for message in telegram_messages.every(db, {"approval_id": approval_id, "edits": None})
        if message.purpose in {"approval", "warning"} and message.status != "failed"
    ]


def shown_by(db: Database, message: TelegramMessage) -> Text:
    """Return what a message says after its last change."""
    last = telegram_messages.find(db, {"edits": message.id}, newest_first=True)
    return text_of(message if last is None else last)


def has_several_hosts(db: Database) -> bool:
    """Return True where hosts were added, so that what is said names its own."""
    return stored_hosts.count(db, {}) > 0


def where_of(db: Database, record: Approval | Session, zone: Any) -> Where:
    """Return what a record belongs to."""
    session_id = record.session_id if isinstance(record, Approval) else None
    repository = read(db, repositories, record.repository_id)
    session = read(db, sessions, session_id)
    on = record if isinstance(record, Session) else session or repository
    return Where(
        repository=repository,
        task=read(db, tasks, record.task_id),
        session=session,
        host=on.host if on is not None and has_several_hosts(db) else None,
        zone=zone,
    )
