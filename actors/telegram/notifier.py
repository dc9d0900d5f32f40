"""`/telegram/notifier`: turns what happened into messages, each once.

It keeps a durable position in the event log. The messages that an event leads to, and the new
position, are one transaction: after a crash it goes on behind the last event that was told, and
nothing that happened while it was down is missed. What is decided already when it comes to be
told, such as an approval that somebody settled meanwhile, is not asked again.

The first time ever it begins at the log's end, and asks what is pending.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec
import trio
from sqlite_utils import Database

from command_center.actors.core.events import Fanout
from command_center.actors.core.storage import Storage
from command_center.actors.telegram import approval_wording, chats, wording
from command_center.actors.telegram.markup import Text
from command_center.actors.telegram.outbox import wake
from command_center.actors.telegram.outgoing import Outgoing, amend, post, text_of
from command_center.actors.telegram.settings import TelegramSettings
from command_center.actors.telegram.wording import Where
from command_center.runtime import Actor
from command_center.store import (
    Approval,
    Automation,
    EventFilter,
    Record,
    RecordNotFound,
    Session,
    StoredEvent,
    Table,
    TelegramMessage,
    Transaction,
    approvals,
    automations,
    events,
    repositories,
    sessions,
    tasks,
    telegram_marks,
    telegram_messages,
)
from command_center.store.timestamps import from_timestamp

R = TypeVar("R", bound=Record)

MARK: Final = "events"
"""The name of the position in the log."""

PAGE: Final = 100
"""Events told in one transaction, at most."""

STRIDE: Final = 1000
"""Events without a message after which the position is kept all the same."""

LOOK_SECONDS: Final = 30.0
"""How often the log is looked at without a reason."""

WANTED: Final = EventFilter(
    types=(
        "approval.requested",
        "approval.expiring",
        "approval.extended",
        "approval.resolved",
        "approval.expired",
        "session.completed",
        "session.failed",
        "session.stopped",
        "session.interrupted",
        "automation.paused",
        "actor.quarantined",
    )
)
"""The events that lead to messages."""


class Notifier(Actor):
    """Follows the event log."""

    def __init__(self, settings: TelegramSettings, storage: Storage, fanout: Fanout) -> None:
        """Tell the chats of `settings`; `fanout` says when there is something new."""
        self._settings = settings
        self._storage = storage
        self._fanout = fanout
        self._teller = Teller(settings)
        self._position = 0
        self._kept = 0

    async def on_start(self) -> None:
        """Go on behind what was told."""
        self._position = self._kept = await self._storage.write(self._teller.begin)
        wake(self.ctx.find)
        self.ctx.start_task(self._follow)

    def describe(self) -> Mapping[str, object]:
        """How far the log was told."""
        return {"position": self._position}

    async def _follow(self) -> None:
        """Catch up, wait for news, and so on. A subscription that ends is begun anew."""
        while True:
            with self._fanout.subscribe(WANTED) as news:
                while news.closed is None:
                    await self._catch_up()
                    with trio.move_on_after(LOOK_SECONDS):
                        await news.drain()
                if news.closed == "shutdown":
                    return

    async def _catch_up(self) -> None:
        while True:
            found, end = await self._storage.read(self._page)
            if found or end - self._kept >= STRIDE:
                await self._storage.write(lambda tx: self._teller.tell(tx, found, end))  # noqa: B023 - run at once
                self._kept = end
                wake(self.ctx.find)
            self._position = end
            if len(found) < PAGE:
                return

    def _page(self, db: Database) -> tuple[list[StoredEvent], int]:
        """The next events to be told, and how far the log is told with them."""
        end = events.last_id(db)
        found = events.after(db, self._position, limit=PAGE, wanted=WANTED)
        return found, found[-1].id if len(found) == PAGE else max(end, self._position)


class Teller:
    """The units of transactions in which what happened becomes messages."""

    def __init__(self, settings: TelegramSettings) -> None:
        self._allowed = settings.allowed_ids
        self._zone = chats.zone_of(settings.timezone)

    def begin(self, tx: Transaction) -> int:
        """The position to go on from. The first time, know the chats and ask what is pending."""
        for chat_id in sorted(self._allowed):
            chats.known_chat(tx, chat_id)
        mark = telegram_marks.find(tx.db, {"name": MARK})
        if mark is not None:
            return mark.value
        for approval in approvals.every(tx.db, {"status": "pending"}):
            self._ask(tx, approval)
        return telegram_marks.insert(tx, name=MARK, value=events.last_id(tx.db)).value

    def tell(self, tx: Transaction, found: list[StoredEvent], end: int) -> None:
        """Write the messages that these events lead to, and move the position behind them."""
        for event in found:
            data = msgspec.json.decode(event.body)["data"]
            self._tell_one(tx, event, data if isinstance(data, dict) else {})
        mark = telegram_marks.find(tx.db, {"name": MARK})
        if mark is not None:
            telegram_marks.update(tx, mark.id, value=end)

    def _tell_one(self, tx: Transaction, event: StoredEvent, data: dict[str, Any]) -> None:
        match event.type:
            case "approval.requested":
                approval = _find(tx, approvals, event.approval_id)
                if approval is not None and approval.status == "pending":
                    self._ask(tx, approval)
            case "approval.expiring":
                approval = _find(tx, approvals, event.approval_id)
                if approval is not None and approval.status == "pending":
                    self._warn(tx, approval, data.get("expiresAt"))
            case "approval.extended":
                self._put_off(tx, _find(tx, approvals, event.approval_id))
            case "approval.resolved" | "approval.expired":
                self._settled(tx, _find(tx, approvals, event.approval_id))
            case "automation.paused":
                self._automation_paused(tx, _find(tx, automations, event.automation_id), data)
            case "actor.quarantined":
                said = wording.quarantine_text(str(data.get("path")), data.get("error"))
                self._post(tx, "system", Outgoing(text=said, purpose="system"))
            case _:
                self._session_ended(tx, _find(tx, sessions, event.session_id), event.type)

    def _post(self, tx: Transaction, kind: str, outgoing: Outgoing) -> None:
        now = from_timestamp(tx.now)
        for chat in chats.listeners(tx.db, self._allowed, kind):
            post(tx, chat.chat_id, outgoing, silent=chats.is_silent(chat, now, self._zone))

    def _ask(self, tx: Transaction, approval: Approval) -> None:
        self._post(tx, "approvals", approval_message(tx.db, approval, self._zone))

    def _warn(self, tx: Transaction, approval: Approval, expires_at: object) -> None:
        """Warn of a deadline, unless it was put off since that was due."""
        if approval.expires_at == expires_at:
            said = approval_wording.warning_text(approval, where_of(tx.db, approval, self._zone))
            self._post(
                tx,
                "warnings",
                Outgoing(
                    text=said,
                    purpose="warning",
                    approval_id=approval.id,
                    keyboard=approval_wording.approval_keyboard(approval),
                ),
            )

    def _settled(self, tx: Transaction, approval: Approval | None) -> None:
        """Say on each message that showed the approval what became of it, without its buttons."""
        if approval is None or approval.status == "pending":
            return
        outcome = approval_wording.outcome_text(approval, where_of(tx.db, approval, self._zone))
        for message in showing(tx.db, approval.id):
            amend(tx, message, approval_wording.with_outcome(shown_by(tx.db, message), outcome))

    def _put_off(self, tx: Transaction, approval: Approval | None) -> None:
        """Show the new deadline on each message that shows the approval."""
        if approval is None or approval.status != "pending":
            return
        where = where_of(tx.db, approval, self._zone)
        for message in showing(tx.db, approval.id):
            answers = chats.answers_so_far(tx.db, message.chat_id, approval.id)
            said = (
                approval_wording.warning_text(approval, where)
                if message.purpose == "warning"
                else approval_wording.approval_text(approval, where, answers)
            )
            amend(tx, message, said, approval_wording.approval_keyboard(approval, answers))

    def _session_ended(self, tx: Transaction, session: Session | None, event_type: str) -> None:
        if session is None or session.finished_at is None:
            return
        said = wording.session_text(session, where_of(tx.db, session, self._zone))
        kind = "interrupted" if event_type == "session.interrupted" else "sessions"
        outgoing = Outgoing(
            text=said,
            purpose="session",
            session_id=session.id,
            keyboard=wording.session_keyboard(session),
        )
        self._post(tx, kind, outgoing)

    def _automation_paused(
        self, tx: Transaction, automation: Automation | None, data: dict[str, Any]
    ) -> None:
        if automation is not None:
            reason = automation.paused_reason or data.get("reason")
            said = wording.automation_text(automation.title, reason)
            self._post(tx, "automations", Outgoing(text=said, purpose="automation"))


def approval_message(db: Database, approval: Approval, zone: Any) -> Outgoing:
    """The message that asks for a decision."""
    return Outgoing(
        text=approval_wording.approval_text(approval, where_of(db, approval, zone)),
        purpose="approval",
        approval_id=approval.id,
        session_id=approval.session_id,
        keyboard=approval_wording.approval_keyboard(approval),
    )


def showing(db: Database, approval_id: int) -> list[TelegramMessage]:
    """The messages that show an approval and may have buttons for it."""
    return [
        message
        for message in telegram_messages.every(db, {"approval_id": approval_id, "edits": None})
        if message.purpose in {"approval", "warning"} and message.status != "failed"
    ]


def shown_by(db: Database, message: TelegramMessage) -> Text:
    """What a message says after its last change."""
    last = telegram_messages.find(db, {"edits": message.id}, newest_first=True)
    return text_of(message if last is None else last)


def where_of(db: Database, record: Approval | Session, zone: Any) -> Where:
    """What a record belongs to."""
    session_id = record.session_id if isinstance(record, Approval) else None
    return Where(
        repository=_read(db, repositories, record.repository_id),
        task=_read(db, tasks, record.task_id),
        session=_read(db, sessions, session_id),
        zone=zone,
    )


def _read(db: Database, table: Table[R], key: int | None) -> R | None:
    if key is None:
        return None
    try:
        return table.get(db, key)
    except RecordNotFound:
        return None


def _find(tx: Transaction, table: Table[R], key: int | None) -> R | None:
    """The record that an event is about, unless it was taken away since."""
    return _read(tx.db, table, key)
