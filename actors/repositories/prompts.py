"""Prompts that can be said in a repository: those that were saved, and those in its files."""

from __future__ import annotations

from typing import Final

import attrs
from sqlite_utils import Database

from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.contracts.prompts import (
    DeletePrompt,
    ListPrompts,
    ReadyPrompt,
    ReadyPrompts,
    SavePrompt,
)
from command_center.actors.core.storage import Storage
from command_center.actors.git import Checkout, UnsafeRepository
from command_center.actors.git.files import read_files
from command_center.actors.git.ports import SeenFile, shown
from command_center.actors.ledger.prompts import delete_prompt, save_prompt
from command_center.actors.repositories.main_checkout import open_main
from command_center.actors.rules.errors import Conflict, NotFound, Unavailable
from command_center.actors.rules.prompt_files import FOLDER, name_of, read_prompt
from command_center.store import Repository, SavedPrompt, repositories, saved_prompts

MOST_FILES: Final = 50
"""Files of a repository whose prompts are listed."""

FILE_BYTES: Final = 32 * 1024
"""Bytes of a file whose prompt is listed."""


@attrs.frozen
class Prompts:
    """The work behind the messages; each public method answers one of them."""

    _storage: Storage
    _hosts: Hosts[Host]

    async def list(self, message: ListPrompts) -> ReadyPrompts:
        """List those that were saved, and those of the main checkout's files, if it can be read.

        Raises:
            NotFound: there is no such repository.
        """

        def load(db: Database) -> tuple[Repository, list[SavedPrompt]]:
            repository = repositories.get(db, message.repository_id)
            return repository, saved_prompts.every(db, {"repository_id": repository.id})

        repository, saved = await self._storage.read(load)
        listed = [
            ReadyPrompt(name=one.name, description=one.description, text=one.text, source="saved")
            for one in sorted(saved, key=lambda one: one.name)
        ]
        try:
            main = await open_main(self._hosts.of(repository), repository)
            listed += await _in_files(main)
        except (NotFound, Conflict, Unavailable):
            pass  # it has none, or cannot be read just now
        return ReadyPrompts(items=listed)

    async def save(self, message: SavePrompt) -> SavedPrompt:
        """Save a prompt; see `save_prompt` of the ledger."""
        return await self._storage.write(
            lambda tx: save_prompt(tx, message.repository_id, message.name, message.wanted)
        )

    async def delete(self, message: DeletePrompt) -> SavedPrompt:
        """Delete a prompt; see `delete_prompt` of the ledger."""
        return await self._storage.write(
            lambda tx: delete_prompt(tx, message.repository_id, message.name, message.requested_by)
        )


async def _in_files(main: Checkout) -> list[ReadyPrompt]:
    listed = []
    found = await read_files(main, FOLDER)
    names = {entry.path: name_of(entry.path) for entry in found.items if entry.kind == "file"}
    for path in [path for path, name in names.items() if name][:MOST_FILES]:
        try:
            seen = await main.git.look(main, path, 0, FILE_BYTES)
        except UnsafeRepository:
            continue  # it was put in the place of the file
        if isinstance(seen, SeenFile) and seen.size <= FILE_BYTES and b"\0" not in seen.content:
            description, text = read_prompt(shown(seen.content))
            prompt = ReadyPrompt(
                name=str(names[path]),
                description=description,
                text=text,
                source="repository",
                path=path,
            )
            listed.append(prompt)
    return listed
