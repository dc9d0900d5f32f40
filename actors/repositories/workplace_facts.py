"""Facts of the folder of a session, as the session's agent is told them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlite_utils import Database

from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.contracts.repositories import GatherFacts, WorkplaceFacts
from command_center.actors.core.storage import Storage
from command_center.actors.git.facts import (
    read_commits,
    read_contents,
    read_default_branch,
    read_status,
    read_warnings,
)
from command_center.actors.repositories.main_checkout import open_main
from command_center.store import Repository, Session, sessions
from command_center.store import repositories as repository_table

LANGUAGES_SHOWN: Final = 5
"""Number of languages of a repository that a session is told of."""


async def gather_facts(
    storage: Storage, hosts: Hosts[Host], message: GatherFacts
) -> WorkplaceFacts:
    """Say what the folder of a session is like."""

    def load(db: Database) -> tuple[Session, Repository]:
        session = sessions.get(db, message.session_id)
        return session, repository_table.get(db, session.repository_id)

    session, repository = await storage.read(load)
    main = await open_main(hosts.of(repository), repository)
    checkout = await main.git.open(Path(session.cwd), common_dir=main.common_dir)
    status = await read_status(checkout)
    contents = await read_contents(checkout, status)
    return WorkplaceFacts(
        path=str(checkout.path),
        branch=status.branch,
        default_branch=await read_default_branch(checkout, status),
        head_sha=status.head,
        is_dirty=status.dirty,
        ahead=status.ahead,
        behind=status.behind,
        files=contents.files,
        languages=list(contents.languages)[:LANGUAGES_SHOWN],
        commits=await read_commits(checkout, status),
        warnings=await read_warnings(checkout),
    )
