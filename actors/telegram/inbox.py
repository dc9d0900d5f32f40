"""`/telegram/inbox`: keeps each update before Telegram is answered, then acts on it, once.

An update from somebody who is not on the list leaves no trace. Every other one is committed with
its body under its own number, so one that comes again, or out of order, does nothing twice. What
it leads to is done afterwards, and is found again after a crash: what was not begun is done, what
was cut off is tried once more (or, where that could do it twice, the chat is told), and what
failed twice is given up with a word about it.

The updates of one chat are taken one after the other; what takes long (stopping a session, for
instance) goes on beside the next ones.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Awaitable, Mapping, Sequence
from typing import Final

import attrs
import structlog
import trio
from sqlite_utils import Database

from command_center.actors.channels.outbox import wake
from command_center.actors.core.storage import Storage
from command_center.actors.ledger.placing import RunPlaces
from command_center.actors.telegram import chats
from command_center.actors.telegram.api import BotApi
from command_center.actors.telegram.callbacks import give_back, press, read_text
from command_center.actors.telegram.channel import OUTBOX
from command_center.actors.telegram.commands import COMMANDS, expect
from command_center.actors.telegram.effects import TOAST, Act, Desk, Visit, say
from command_center.actors.telegram.errors import API_ERRORS
from command_center.actors.telegram.files import ALBUM_SECONDS, ReceivedFiles, album_of
from command_center.actors.telegram.messages import KeepUpdates
from command_center.actors.telegram.outgoing import Outgoing, post
from command_center.actors.telegram.settings import TelegramSettings
from command_center.actors.telegram.updates import ReceivedFile, Update, read_update
from command_center.runtime import (
    Actor,
    ActorCrashed,
    ActorNotFound,
    ActorStopped,
    AskTimeout,
    Refusal,
    handles,
    origin,
)
from command_center.store import (
    TelegramUpdate,
    Transaction,
    channel_marks,
    telegram_updates,
)
from command_center.store.records import Runner

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

OFFSET: Final = "polling offset"
"""The name of the mark that polling goes on from."""

API_SECONDS: Final = 5.0
"""Seconds that a courtesy to the Bot API may take."""

CUT_OFF: Final = (
    "Command Center was stopped while it did this; look at /sessions before you ask for it again."
)
NO_WEBHOOK: Final = (
    "No webhook is set for this bot, so no update will come. Set it with "
    "`command-center telegram setup --url https://…`, or set CC_TELEGRAM_MODE=polling."
)
GIVEN_UP: Final = "Something failed inside Command Center; its log says what. Nothing was done."

_COMMAND = re.compile(r"/([A-Za-z_]{1,32})(?:@(\w+))?(?:\s+(.*))?", re.DOTALL)

_FAILURES = (Refusal, ActorStopped, ActorCrashed, ActorNotFound, AskTimeout)


class UpdateInbox(Actor):
    """Keeps updates and acts on them."""

    def __init__(
        self,
        settings: TelegramSettings,
        storage: Storage,
        *,
        places: RunPlaces,
        runner: Runner,
        approval_seconds: float,
    ) -> None:
        """Obey those whom `settings` allow; runs go to `runner`."""
        self._settings = settings
        self._storage = storage
        self._places = places
        self._runner: Runner = runner
        self._approval_seconds = approval_seconds
        self._lines: dict[int, deque[TelegramUpdate]] = {}
        """The updates that wait or are acted on, by their chats, the oldest first."""
        self._taken: set[int] = set()
        """The updates whose files went along with what another one of their album says."""
        self._username: str | None = None
        self._problem: str | None = None
        self._slow = 0

    async def on_start(self) -> None:
        """Take up what was kept and not done with."""
        self._api = BotApi(self._settings)
        self._desk = Desk(
            storage=self._storage,
            find=self.ctx.find,
            allowed=self._settings.allowed_ids,
            places=self._places,
            runner=self._runner,
            approval_seconds=self._approval_seconds,
            zone=chats.zone_of(self._settings.timezone),
        )
        self._files = ReceivedFiles(self._desk, self._api)
        if not self._settings.allowed_ids:
            log.warning("telegram.nobody.allowed", reason="CC_TELEGRAM_ALLOWED_IDS is empty.")
        self.ctx.start_task(self._tell_commands)
        if self._settings.mode == "webhook":
            self.ctx.start_task(self._check_webhook)
        for row in await self._storage.read(
            lambda db: telegram_updates.every(db, {"status": ["received", "begun", "again"]})
        ):
            self._line_up(row)

    async def on_stop(self) -> None:
        """Close the connections."""
        with trio.move_on_after(API_SECONDS):
            await self._api.close()

    def describe(self) -> Mapping[str, object]:
        """Show how many updates wait or are acted on now, and why none may come."""
        acting = self._slow + sum(map(len, self._lines.values()))
        return {"acting": acting, "username": self._username, "problem": self._problem}

    @handles(KeepUpdates)
    async def keep(self, message: KeepUpdates) -> int:
        """Answer once they are durable; they are acted on after that.

        Whoever comes next waits for it, so that nothing that was said is overtaken.
        """
        rows = await self._storage.write(lambda tx: self._commit(tx, message))
        for row in rows:
            self._line_up(row)
        return len(rows)

    def _commit(self, tx: Transaction, message: KeepUpdates) -> list[TelegramUpdate]:
        kept = []
        for update in message.updates:
            chat, user = update.chat, update.user
            if chat is None or user is None or user.is_bot:
                continue
            if not chats.is_allowed(tx.db, self._settings.allowed_ids, chat.id, user.id):
                continue
            if telegram_updates.find(tx.db, {"update_id": update.update_id}) is None:
                chats.heard_from(tx, chat.id)
                kept.append(
                    telegram_updates.insert(tx, update_id=update.update_id, body=update.body)
                )
        if message.offset is not None:
            mark = channel_marks.find(tx.db, {"name": OFFSET})
            if mark is None:
                channel_marks.insert(tx, name=OFFSET, value=message.offset)
            else:
                channel_marks.update(tx, mark.id, value=message.offset)
        return kept

    # ── acting ───────────────────────────────────────────────────────────────────────────────

    def _line_up(self, row: TelegramUpdate) -> None:
        """Have an update acted on after those of its chat that came before."""
        chat = read_update(row.body).chat
        chat_id = 0 if chat is None else chat.id
        line = self._lines.setdefault(chat_id, deque())
        line.append(row)
        if len(line) == 1:
            self.ctx.start_task(self._work_off, chat_id, line)

    async def _work_off(self, chat_id: int, line: deque[TelegramUpdate]) -> None:
        while line:
            await self._take(line[0])
            line.popleft()
        del self._lines[chat_id]

    async def _take(self, row: TelegramUpdate) -> None:
        """Act on one update; what takes long goes on beside those that follow it."""
        origin.set(f"telegram-update-{row.update_id}")
        update = read_update(row.body)
        visit = visit_of(update, again=row.status == "begun")
        is_taken = row.update_id in self._taken
        self._taken.discard(row.update_id)
        if (
            visit is None
            or is_taken
            or not await self._storage.read(lambda db: self._may(db, visit))
        ):
            await self._storage.write(lambda tx: finish(tx, row, None, None))
            return
        act = await self._do(row, visit, self._begin(row, update, visit))
        if act.slow is not None:
            self.ctx.start_task(self._go_on, row, update, visit, act)
        else:
            self.ctx.start_task(self._answer_press, update, act)

    def _may(self, db: Database, visit: Visit) -> bool:
        """Tell whether who was allowed when the update came still is."""
        return chats.is_allowed(db, self._settings.allowed_ids, visit.chat_id, visit.user_id)

    async def _go_on(self, row: TelegramUpdate, update: Update, visit: Visit, act: Act) -> None:
        """Do what takes long."""
        self._slow += 1
        try:
            done = await self._do(row, visit, _slowly(visit, act))
            await self._answer_press(update, done)
        finally:
            self._slow -= 1

    async def _do(self, row: TelegramUpdate, visit: Visit, found: Awaitable[Act]) -> Act:
        """Finish what was found to do, unless that takes long; of a failure, tell."""
        try:
            act = await found
            if act.slow is None:
                await self._finish(row, visit, act)
        except _FAILURES as error:
            act = failed(visit, error)
            await self._finish(row, visit, act)
        return act

    async def _begin(self, row: TelegramUpdate, update: Update, visit: Visit) -> Act:
        """Note that the update is being acted on, and find out what it wants."""
        if row.status == "again":
            return say(visit.reply(GIVEN_UP))
        status = "again" if visit.again else "begun"
        await self._storage.write(lambda tx: telegram_updates.update(tx, row.id, status=status))
        return await self._prepare(update, visit)

    async def _finish(self, row: TelegramUpdate, visit: Visit, act: Act) -> None:
        """Do what an act does in the store, and mark its update as done, all or nothing."""
        await self._storage.write(lambda tx: finish(tx, row, visit, act))
        wake(self.ctx.find, OUTBOX)
        if act.after is not None:
            await act.after()

    async def _prepare(self, update: Update, visit: Visit) -> Act:
        """Find out what an update wants."""
        if update.message is not None and update.message.migrate_to_chat_id is not None:
            new = update.message.migrate_to_chat_id
            return Act(unit=lambda tx: _migrate(tx, visit.chat_id, new))
        files = await self._files_of(update, visit)
        visit = await self._files.with_files(visit, files)
        if update.callback_query is not None:
            return await press(self._desk, visit, update.callback_query.data or "")
        if visit.said:
            return await self._read_words(visit)
        return await self._files.wait_for_words(visit) if files else Act()

    async def _read_words(self, visit: Visit) -> Act:
        command = _COMMAND.fullmatch(visit.said)
        if command is None:
            return await read_text(self._desk, visit)
        if command[2] is not None and not await self._is_me(command[2], visit):
            return Act()
        found = COMMANDS.get(command[1].lower())
        if found is None:
            return say(visit.reply(f"I do not know /{command[1]}: /help"))
        act = await found[0](self._desk, visit, (command[3] or "").strip())
        return _after_forgetting(act, visit)

    async def _files_of(self, update: Update, visit: Visit) -> list[ReceivedFile]:
        """Return what was sent with it; in a group only what comes with words or in reply."""
        message = update.message
        if message is None or message.file is None:
            return []
        if visit.chat_id < 0 and not visit.said and visit.reply_to is None:
            return []
        files = [message.file]
        if message.media_group_id is not None and visit.said:
            await trio.sleep(ALBUM_SECONDS)
            album = album_of(message, self._lines.get(visit.chat_id, ()))
            self._taken |= album.keys()
            files += album.values()
        return files

    # ── courtesies ───────────────────────────────────────────────────────────────────────────

    async def _is_me(self, username: str, visit: Visit) -> bool:
        """Tell whether `/command@username` is meant for this bot, where a group has several."""
        if visit.chat_id > 0:
            return True
        if self._username is None:
            me = await self._try("getMe")
            self._username = me.get("username") if isinstance(me, dict) else None
        return self._username is not None and self._username.lower() == username.lower()

    async def _tell_commands(self) -> None:
        """Let people's apps offer the commands."""
        listed = [
            {"command": name, "description": told} for name, (_, told) in COMMANDS.items() if told
        ]
        await self._try("setMyCommands", {"commands": listed})

    async def _check_webhook(self) -> None:
        """Say so where updates are to come to a webhook that Telegram does not know."""
        info = await self._try("getWebhookInfo")
        if isinstance(info, dict) and not info.get("url"):
            self._problem = NO_WEBHOOK
            log.error("telegram.webhook.missing", reason=NO_WEBHOOK)

    async def _answer_press(self, update: Update, act: Act) -> None:
        """End the wait of who pressed a button. What was decided is committed long since."""
        query = update.callback_query
        if query is not None:
            params = {"callback_query_id": query.id, "text": (act.toast or "")[:TOAST]}
            await self._try("answerCallbackQuery", params)

    async def _try(self, method: str, params: Mapping[str, object] | None = None) -> object:
        """Call a method that nothing depends on."""
        with trio.move_on_after(API_SECONDS):
            try:
                return await self._api.call(method, params)
            except API_ERRORS as error:
                log.debug("telegram.courtesy.failed", method=method, reason=str(error))
        return None


def visit_of(update: Update, *, again: bool = False) -> Visit | None:
    """Read who did what, and where; return None if the update does not say."""
    chat, user = update.chat, update.user
    if chat is None or user is None:
        return None
    message = update.message
    replied = None if message is None else message.reply_to_message
    return Visit(
        update_id=update.update_id,
        chat_id=chat.id,
        user_id=user.id,
        message_id=None if message is None else message.message_id,
        said="" if message is None else message.said,
        reply_to=None if replied is None else replied.message_id,
        again=again,
    )


async def _slowly(visit: Visit, act: Act) -> Act:
    """Do what takes long, unless it may have been done already and may not be done twice."""
    if act.slow is None or (act.once and visit.again):
        return say(visit.reply(CUT_OFF))
    return await act.slow()


def finish(tx: Transaction, row: TelegramUpdate, visit: Visit | None, act: Act | None) -> None:
    """Carry out an act's unit, write its replies, and mark the update as done."""
    if visit is not None and act is not None:
        replies: Sequence[Outgoing] = act.unit(tx) if act.unit is not None else ()
        for outgoing in replies:
            post(tx, visit.chat_id, outgoing)
    telegram_updates.update(tx, row.id, status="done")


def failed(visit: Visit, error: Exception) -> Act:
    """Say that it did not work and why; a button that was pressed in vain is good again."""
    told = f"That did not work. {error}"

    def unit(tx: Transaction) -> Sequence[Outgoing]:
        give_back(tx, visit)
        expect(tx, visit, None)
        return [visit.reply(told)]

    return Act(unit=unit, toast=told[:TOAST])


def _migrate(tx: Transaction, old: int, new: int) -> Sequence[Outgoing]:
    chats.migrate(tx, old, new)
    return ()


def _after_forgetting(act: Act, visit: Visit) -> Act:
    """Forget the question that was open before a command."""
    inner = act.unit
    if inner is None:
        return act

    def unit(tx: Transaction) -> Sequence[Outgoing]:
        expect(tx, visit, None)
        return inner(tx)

    return attrs.evolve(act, unit=unit)
