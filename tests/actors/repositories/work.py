"""Work that a session has left in its folder."""

from __future__ import annotations

from pathlib import Path

import attrs

from command_center.actors.contracts.landing import CommitRequest, CommitWork
from command_center.actors.git.committing import Author, Committed
from command_center.store import Session
from tests.actors.git.repository import plain_git
from tests.actors.repositories.rig import Rig

ADA = Author(name="Ada Lovelace", email="ada@example.org")


@attrs.frozen
class Work:
    """A session that has ended, and the folder in which it worked."""

    rig: Rig
    session: Session
    folder: Path

    async def commit(self, **wanted: object) -> Committed:
        fields = {"author": ADA, "requested_by": "ada", **wanted}
        return await self.rig.ask(CommitWork(self.session.id, CommitRequest(**fields)))  # type: ignore[arg-type]

    def git(self, *arguments: str) -> str:
        return plain_git(self.folder, *arguments)

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
