"""Photos and files that people send: fetched, kept as uploads, and shown to Codex with the words.

What comes without words waits for those that come next. Telegram sends the photos of an album one
by one, each as an update of its own, and the words with the first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

import attrs

from command_center.actors.contracts.uploads import UPLOADS, KeepUpload
from command_center.actors.rules.errors import Conflict, Unavailable
from command_center.actors.rules.uploads import MOST_ATTACHED, UPLOAD_BYTES
from command_center.actors.telegram.api import BotApi
from command_center.actors.telegram.callbacks import waiting_for
from command_center.actors.telegram.commands import expect
from command_center.actors.telegram.effects import Act, Desk, Visit
from command_center.actors.telegram.errors import API_ERRORS, FileTooLarge
from command_center.actors.telegram.outgoing import Outgoing
from command_center.actors.telegram.updates import Message, ReceivedFile, read_update
from command_center.store import TelegramUpdate, Transaction

ALBUM_SECONDS: Final = 1.0
"""Seconds that the rest of an album may take after the message that has the words."""


@attrs.frozen
class ReceivedFiles:
    """The files of what is said."""

    _desk: Desk
    _api: BotApi

    async def with_files(self, visit: Visit, files: Iterable[ReceivedFile]) -> Visit:
        """Return the visit with the uploads of these files, and of those that waited for words.

        Raises:
            Conflict: a file is too large, or there are too many.
            Invalid: it is neither a picture nor a text.
            Unavailable: the Bot API does not give it.
        """
        waits = await self._desk.storage.read(lambda db: waiting_for(db, visit))
        kept: dict[int, None] = dict.fromkeys(map(int, waits.get("files", ())))
        for file in files:
            if len(kept) == MOST_ATTACHED:
                raise Conflict(f"A message takes at most {MOST_ATTACHED} files: /cancel")
            kept[await self._keep(visit, file)] = None
        return attrs.evolve(visit, attachments=tuple(kept))

    async def _keep(self, visit: Visit, file: ReceivedFile) -> int:
        try:
            if file.file_size > UPLOAD_BYTES:
                raise FileTooLarge  # noqa: TRY301 - as the Bot API says it of larger ones
            content = await self._api.fetch(file.file_id, UPLOAD_BYTES)
        except FileTooLarge as error:
            raise Conflict(str(error)) from None
        except API_ERRORS as error:
            raise Unavailable(f"{error} Send it again.") from None
        keep = KeepUpload(content=content, name=file.file_name, requested_by=visit.who)
        return (await self._desk.ask(UPLOADS, keep)).id

    async def wait_for_words(self, visit: Visit) -> Act:
        """Keep what has come without words for those that come next."""
        waits = await self._desk.storage.read(lambda db: waiting_for(db, visit))
        count = len(visit.attachments)
        kept = "1 file is" if count == 1 else f"{count} files are"

        def unit(tx: Transaction) -> Sequence[Outgoing]:
            expect(tx, visit, waits or {"for": "words"})
            said = f"📎 {kept} kept. Write what is to be done with it, or reply to a session."
            return [visit.reply(said)]

        return Act(unit=unit)


def album_of(message: Message, rows: Collection[TelegramUpdate]) -> dict[int, ReceivedFile]:
    """Return the other files of an album without words, by the numbers of their updates."""
    found: dict[int, ReceivedFile] = {}
    for row in rows:
        other = read_update(row.body).message
        if (
            other is not None
            and other.media_group_id == message.media_group_id
            and other.message_id != message.message_id
            and other.user == message.user
            and other.file is not None
            and not other.said
        ):
            found[row.update_id] = other.file
    return found
